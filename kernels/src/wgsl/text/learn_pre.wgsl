// Events that arrive at rows: first the synapses of the row, in a dispatch of its own then the row. Of several events of one
// external unit each has a round.
fn rank(a: Arrival) -> u32 {
    var n = 0u;
    if (a.outside) {
        for (var e = a.ext; e > a.ext_first && n <= dispatch.round; e -= 2u) { // at most REPEATS
            if (ext[e - 2u] != a.src) {
                break;
            }
            n++;
        }
    }
    return n;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let total = atomicLoad(&ctl[c + tables[T_PREFIX] + dispatch.feeds_n]);
    let k = (wg.z * MAX_X + wg.x) * dispatch.per_group + (lid >> dispatch.lanes);
    let lane = lid & ((1u << dispatch.lanes) - 1u);
    if (k >= total) {
        return;
    }
    let a = arrival(wg.y, c, k);
    let row = a.src - rows[ROW_FIRST];
    if (row >= rows[ROW_N] || rank(a) != dispatch.round) {
        return;
    }
    let recs = rows[ROW_RECS];
    let end = rows[ROW_PTR + row + 1u];
    var u = lesson(wg.y);
    u.row = first_run(recs, rows[ROW_PTR + row], end, a.delay);
    if (u.row >= end || (rows[recs + u.row * X_SIZE] & 0xffffu) != a.delay) {
        return;
    }
    if (dispatch.part == BLOCK_SYNAPSE) {
        along_row(u, lane);
    } else if (lane == 0u) {
        on_row(u);
    }
}
