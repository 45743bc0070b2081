// Rules at intervals: sums over the synapses of each target, then all synapses row by row, all rows, all targets, each in a
// dispatch of its own.
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    var u = lesson(wg.y);
    let n = (wg.z * MAX_X + wg.x) * dispatch.per_group + (lid >> dispatch.lanes);
    if (!live(wg.y)) {
        return;
    }
    if (dispatch.round == BLOCK_TOTALS || dispatch.round == BLOCK_TARGET) {
        u.t = n;
        if (n < tables[u.d + D_TARGETS]) {
            if (dispatch.round == BLOCK_TARGET) {
                on_target(u);
            } else {
                add_up(u);
            }
        }
        return;
    }
    u.row = n;
    if (n < tables[u.d + D_ROWS]) {
        if (dispatch.round == BLOCK_SYNAPSE) {
            along_row(u, lid & ((1u << dispatch.lanes) - 1u));
        } else {
            on_row(u);
        }
    }
}
