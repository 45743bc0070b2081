// Events of targets, and modulators that reached them: their synapses, in a dispatch of its own then the target.
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    var u = lesson(wg.y);
    u.t = (wg.z * MAX_X + wg.x) * dispatch.per_group + (lid >> dispatch.lanes);
    let targets = tables[u.d + D_TARGETS];
    if (u.t >= targets || !live(wg.y) || !concerned(u)) {
        return;
    }
    if (dispatch.round != BLOCK_SYNAPSE) {
        on_target(u);
        return;
    }
    let t = u.t;
    let end = back[t + 1u];
    for (var n = back[t] + (lid & ((1u << dispatch.lanes) - 1u)); n < end; n += 1u << dispatch.lanes) { // at most SYNAPSES
        let e = targets + 1u + n * BACK;
        u.i = back[e];
        if (BACK == 2u) {
            u.row = back[e + 1u];
        }
        on_synapse(u);
    }
}
