// One invocation a sample, for adapters that run invocations one after another.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let slot = wg.x * 64u + lid;
    if (slot >= atomicLoad(&ctl[C_SAMPLES])) {
        return;
    }
    let c = tables[T_CTL] + slot * tables[T_CTL_STRIDE];
    let prefix = c + tables[T_PREFIX];
    if (dispatch.stage == 0u) {
        begin_step(c);
    }
    let step = atomicLoad(&ctl[c + S_STEP]);
    let live = atomicLoad(&ctl[c + S_LIVE]) != 0u;
    if (live && dispatch.stage == 0u) {
        clear_lists(c, step, 0u);
        ingest(slot, step, 0u);
    }
    let n = select(0u, dispatch.feeds_n, live);
    var sum = 0u;
    for (var k = 0u; k < n; k++) { // at most FEEDS
        atomicStore(&ctl[prefix + k], sum);
        sum += feed_len(c, slot, step, k);
    }
    conclude(prefix, sum);
}
