// Walks the rows of the events that arrive now and adds up what they bring. 2^lanes invocations share an event.
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let total = atomicLoad(&ctl[c + tables[T_PREFIX] + dispatch.feeds_n]);
    let first_row = rows[ROW_FIRST];
    let n_rows = rows[ROW_N];
    let recs = rows[ROW_RECS];
    let k = (wg.z * MAX_X + wg.x) * dispatch.per_group + (lid >> dispatch.lanes);
    let lane = lid & ((1u << dispatch.lanes) - 1u);
    if (k < total && total > dispatch.alone) {
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
            count_synapses(select(0u, synapses_walked, lane == 0u));
        }
    }
}
