// What every synapse would deliver in this step, for ordered ports, whose units find it in `state`.
fn on_synapse(u: Syn) {
    state[u.home + tables[u.d + D_OFFERS] + u.i] = offered(u);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    var u = lesson(wg.y);
    u.row = (wg.z * MAX_X + wg.x) * dispatch.per_group + (lid >> dispatch.lanes);
    if (u.row < tables[u.d + D_ROWS] && live(wg.y)) {
        along_row(u, lid & ((1u << dispatch.lanes) - 1u));
    }
}
