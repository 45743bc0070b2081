// Walks the rows of the events that arrive now and adds up what they bring. 2^lanes invocations share an event.
fn contribution(rule: u32, payload: u32, weight: u32, scale: f32) -> i32 {
    if (!FLOATS || rule == RULE_ADD || rule == RULE_MAX) {
        return bitcast<i32>(payload * weight);
    }
    let x = select(f32(bitcast<i32>(payload)), bitcast<f32>(payload), rule >= RULE_GRADED);
    let y = x * bitcast<f32>(weight) * scale;
    return i32(round(clamp(y, -2147483520.0, 2147483520.0)));
}
fn arrive(rule: u32, at: u32, x: i32) {
    if (MAXIMA && (rule == RULE_MAX || (rule & 3u) == RULE_MAX_F)) {
        atomicMax(&acc[at], x);
    } else {
        atomicAdd(&acc[at], x);
    }
}
// One run, which is record `x`, from synapse `lane` in strides; returns its length.
fn run(slot: u32, x: u32, payload: u32, lane: u32) -> u32 {
    let r = rows[ROW_RECS] + x * X_SIZE;
    let kinds = rows[r] >> 16u;
    let rule = kinds >> 8u;
    let len = rows[r + X_LEN];
    let first = slot * tables[T_ACC_STRIDE] + rows[r + X_ACC];
    let targets = rows[r + X_TARGETS];
    let weights = rows[r + X_WEIGHTS];
    var scale = 1.0;
    if (FLOATS) {
        scale = bitcast<f32>(tables[SCALE_AT]);
    }
    WALK
    return len;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let total = atomicLoad(&ctl[c + tables[T_PREFIX] + dispatch.feeds_n]);
    let first_row = rows[ROW_FIRST];
    let n_rows = rows[ROW_N];
    let recs = rows[ROW_RECS];
    let k = (wg.z * MAX_X + wg.x) * dispatch.per_group + (lid >> dispatch.lanes);
    let lane = lid & ((1u << dispatch.lanes) - 1u);
    if (k < total) {
        let a = arrival(wg.y, c, k);
        let row = a.src - first_row;
        if (row < n_rows) {
            let end = rows[ROW_PTR + row + 1u];
            var synapses_walked = 0u;
            for (var x = first_run(recs, rows[ROW_PTR + row], end, a.delay); x < end; x++) { // at most RUNS
                if ((rows[recs + x * X_SIZE] & 0xffffu) != a.delay) {
                    break;
                }
                synapses_walked += run(wg.y, x, a.payload, lane);
            }
            // A 64-bit count in two words: whoever wraps the lower one carries.
            if (lane == 0u && synapses_walked != 0u) {
                let before = atomicAdd(&ctl[C_SYN_LO], synapses_walked);
                if (before + synapses_walked < before) {
                    atomicAdd(&ctl[C_SYN_HI], 1u);
                }
            }
        }
    }
}
