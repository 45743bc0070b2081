// A step of one unit each: 256 units of one group a workgroup, one sample along y. Who emits is gathered in a bitmap;
// its counts give each emitter its place, and one atomic add a workgroup reserves them.
var<workgroup> emitted: array<atomic<u32>, 8>;
var<workgroup> list_at: u32;
var<workgroup> record_at: u32;

// Copies a probed state into its row of the output, in steps that have one.
fn probe(u: Unit) {
    let first_step = atomicLoad(&ctl[C_FIRST]);
    for (var k = 0u; k < tables[u.g + G_PROBES_N]; k++) {
        let p = tables[u.g + G_PROBES] + k * P_SIZE;
        let i = u.i - tables[p + P_START];
        let every = tables[p + P_EVERY];
        if (u.i >= tables[p + P_START] && i < tables[p + P_LEN] && (u.step + 1u) % every == 0u) {
            let row = (u.step + 1u) / every - first_step / every - 1u;
            let at = tables[p + P_OUT] + row * tables[p + P_ROW] + u.slot * tables[p + P_LEN] + i;
            out[at] = state[u.at + tables[p + P_STATE] * u.size + u.i];
        }
    }
}
fn place(g: u32, i: u32, slot: u32) -> Unit {
    let c = tables[T_CTL] + slot * tables[T_CTL_STRIDE];
    var u = Unit();
    u.g = g;
    u.i = i;
    u.size = tables[g + G_SIZE];
    u.home = slot * tables[T_STATE_STRIDE];
    u.at = u.home + tables[g + G_STATE];
    u.acc = slot * tables[T_ACC_STRIDE];
    u.lists = slot * tables[T_LISTS_STRIDE];
    u.slot = slot;
    u.sample = atomicLoad(&ctl[C_SAMPLE0]) + slot;
    u.step = atomicLoad(&ctl[c + S_STEP]);
    u.zero = dispatch.stage;
    return u;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let tile = tables[T_TILES] + 2u * (dispatch.first + wg.x);
    let g = tables[tile];
    let first = tables[tile + 1u];
    let u = place(g, first + lid, wg.y);
    let live = atomicLoad(&ctl[c + S_LIVE]) != 0u;
    if (lid < 8u) {
        atomicStore(&emitted[lid], 0u);
    }
    workgroupBarrier();
    var payload = 0i;
    if (live && u.i < u.size) {
        payload = model(u);
        probe(u);
    }
    if (payload != 0i) {
        atomicOr(&emitted[lid >> 5u], 1u << (lid & 31u));
    }
    workgroupBarrier();
    count_walks(lid);
    var total = 0u;
    var rank = 0u;
    for (var w = 0u; w < 8u; w++) {
        let bits = atomicLoad(&emitted[w]);
        if (w == lid >> 5u) {
            rank = total + countOneBits(bits & ((1u << (lid & 31u)) - 1u));
        }
        total += countOneBits(bits);
    }
    let list = tables[g + G_LIST];
    if (lid == 0u && total != 0u) {
        if (list != ABSENT) {
            let len = c + tables[list + L_LEN] + u.step % tables[list + L_RING];
            list_at = atomicAdd(&ctl[len], total);
        }
        if (tables[g + G_RECORDED] != 0u) {
            record_at = atomicAdd(&ctl[C_REC_LEN], total);
        }
        atomicAdd(&ctl[C_COUNTS + tables[g + G_INDEX]], total);
    }
    workgroupBarrier();
    if (payload != 0i) {
        let src = tables[g + G_BASE] + u.i;
        if (list != ABSENT) {
            let ring = u.step % tables[list + L_RING];
            let slot = u.lists + tables[list + L_AT] + 2u * tables[list + L_CAP] * ring;
            lists[slot + 2u * (list_at + rank)] = src;
            lists[slot + 2u * (list_at + rank) + 1u] = bitcast<u32>(payload);
        }
        if (tables[g + G_RECORDED] != 0u) {
            let at = 4u * (record_at + rank);
            out[at] = u.sample;
            out[at + 1u] = u.step;
            out[at + 2u] = src;
            out[at + 3u] = bitcast<u32>(payload);
        }
    }
    let bits_at = tables[g + G_BITS];
    if (live && bits_at != ABSENT && u.i < u.size) {
        let ring = u.step % tables[g + G_RING];
        if ((lid & 31u) == 0u) {
            let words = (u.size + 31u) >> 5u;
            lists[u.lists + bits_at + ring * words + (u.i >> 5u)] = atomicLoad(&emitted[lid >> 5u]);
        }
        lists[u.lists + tables[g + G_AUX] + ring * u.size + u.i] = bitcast<u32>(payload);
    }
}
