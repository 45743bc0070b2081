// A step of one unit each, for adapters that run invocations one after another: nothing is shared within a workgroup, because every barrier
// makes such an adapter keep all invocations waiting at once. Each emitter takes its places itself.
fn main_of(slot: u32, tile: u32, lid: u32) {
    let c = tables[T_CTL] + slot * tables[T_CTL_STRIDE];
    let g = tables[tile];
    var u = Unit();
    u.g = g;
    u.i = tables[tile + 1u] + lid;
    u.size = tables[g + G_SIZE];
    if (u.i >= u.size || atomicLoad(&ctl[c + S_LIVE]) == 0u) {
        return;
    }
    u.home = slot * tables[T_STATE_STRIDE];
    u.at = u.home + tables[g + G_STATE];
    u.acc = slot * tables[T_ACC_STRIDE];
    u.lists = slot * tables[T_LISTS_STRIDE];
    u.slot = slot;
    u.sample = atomicLoad(&ctl[C_SAMPLE0]) + slot;
    u.step = atomicLoad(&ctl[c + S_STEP]);
    u.zero = dispatch.stage;
    let payload = model(u);
    probe(u);
    if (tables[g + G_BITS] != ABSENT) {
        lists[u.lists + tables[g + G_AUX] + (u.step % tables[g + G_RING]) * u.size + u.i] = bitcast<u32>(payload);
    }
    if (payload == 0i) {
        return;
    }
    let src = tables[g + G_BASE] + u.i;
    let list = tables[g + G_LIST];
    if (list != ABSENT) {
        let ring = u.step % tables[list + L_RING];
        let place = atomicAdd(&ctl[c + tables[list + L_LEN] + ring], 1u);
        let at = u.lists + tables[list + L_AT] + 2u * (tables[list + L_CAP] * ring + place);
        lists[at] = src;
        lists[at + 1u] = bitcast<u32>(payload);
    }
    if (tables[g + G_RECORDED] != 0u) {
        let at = 4u * atomicAdd(&ctl[C_REC_LEN], 1u);
        out[at] = u.sample;
        out[at + 1u] = u.step;
        out[at + 2u] = src;
        out[at + 3u] = bitcast<u32>(payload);
    }
    atomicAdd(&ctl[C_COUNTS + tables[g + G_INDEX]], 1u);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    main_of(wg.y, tables[T_TILES] + 2u * (dispatch.first + wg.x), lid);
}
