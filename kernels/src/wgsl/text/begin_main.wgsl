// One workgroup a sample.
var<workgroup> sums: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let prefix = c + tables[T_PREFIX];
    if (dispatch.stage == 0u) {
        if (lid == 0u) {
            begin_step(c);
        }
        storageBarrier();
    }
    let step = atomicLoad(&ctl[c + S_STEP]);
    let live = atomicLoad(&ctl[c + S_LIVE]) != 0u;
    if (live && dispatch.stage == 0u) {
        clear_lists(c, step, lid);
        ingest(wg.y, step, lid);
    }
    let n = select(0u, dispatch.feeds_n, live);
    // Few feeds are counted by one invocation; of many, each invocation adds up a stretch, and the sums are scanned.
    let alone = dispatch.feeds_n <= 16u;
    let per = select((n + 63u) / 64u, n, alone);
    let start = select(min(n, lid * per), select(n, 0u, lid == 0u), alone);
    let stop = min(n, start + per);
    var sum = 0u;
    if (!alone) {
        for (var k = start; k < stop; k++) { // at most COUNTED
            sum += feed_len(c, wg.y, step, k);
        }
        sums[lid] = sum;
        workgroupBarrier();
        for (var d = 1u; d < 64u; d = d << 1u) { // at most SCANNED
            var below = 0u;
            if (lid >= d) {
                below = sums[lid - d];
            }
            workgroupBarrier();
            sums[lid] += below;
            workgroupBarrier();
        }
        sum = sums[lid] - sum;
    }
    for (var k = start; k < stop; k++) { // at most FEEDS
        atomicStore(&ctl[prefix + k], sum);
        sum += feed_len(c, wg.y, step, k);
    }
    if (lid == select(63u, 0u, alone)) {
        conclude(prefix, sum);
    }
}
