// All events of one sample, for batches on adapters that run invocations one after another: a locked addition costs such an adapter
// five plain ones, and where one invocation has a sample for itself, plain ones do. Samples with too many events for one invocation
// are left to those that share them.
@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let slot = wg.x * 8u + lid;
    if (slot >= atomicLoad(&ctl[C_SAMPLES])) {
        return;
    }
    let c = tables[T_CTL] + slot * tables[T_CTL_STRIDE];
    let prefix = c + tables[T_PREFIX];
    let total = atomicLoad(&ctl[prefix + dispatch.feeds_n]);
    if (total == 0u || total > dispatch.alone) {
        return;
    }
    let now = atomicLoad(&ctl[c + S_STEP]);
    let home = slot * tables[T_LISTS_STRIDE];
    let first_row = rows[ROW_FIRST];
    let n_rows = rows[ROW_N];
    let recs = rows[ROW_RECS];
    var walked = 0u;
    for (var f = 0u; f < dispatch.feeds_n; f++) { // at most FEEDS
        let n = atomicLoad(&ctl[prefix + f + 1u]) - atomicLoad(&ctl[prefix + f]);
        let feed = dispatch.feeds + f * F_SIZE;
        let list = tables[feed + F_LIST];
        let delay = tables[feed + F_DELAY];
        for (var k = 0u; k < n; k++) { // at most EVENTS
            var src = 0u;
            var payload = 0u;
            if (list == ABSENT) {
                let t = E_PTR + slot * (ext[E_STEPS] + 1u) + (now - delay - ext[E_FIRST]);
                let e = ext[E_ENTRIES] + 2u * (ext[t] + k);
                src = ext[e];
                payload = ext[e + 1u];
            } else {
                let ring = (now - delay) % tables[list + L_RING];
                let e = home + tables[list + L_AT] + 2u * (tables[list + L_CAP] * ring + k);
                src = lists[e];
                payload = lists[e + 1u];
            }
            let row = src - first_row;
            let known = row < n_rows;
            let end = select(0u, rows[ROW_PTR + row + 1u], known);
            for (var x = first_run(recs, select(0u, rows[ROW_PTR + row], known), end, delay); x < end; x++) { // at most RUNS
                if ((rows[recs + x * X_SIZE] & 0xffffu) != delay) {
                    break;
                }
                walked += run(slot, x, payload, 0u);
            }
        }
    }
    count_synapses(walked);
}
