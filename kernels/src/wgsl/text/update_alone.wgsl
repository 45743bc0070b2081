// A step of one unit each in `dispatch.share` samples, for adapters that run invocations one after another: nothing is shared within a
// workgroup, because every barrier makes such an adapter keep all invocations waiting at once, and what samples read alike is read once.
// Each emitter takes its places itself.
// Where the lengths and the slot of this step's list lie in a sample's blocks.
struct Places {
    list: u32,
    len: u32,
    slot: u32,
    recorded: bool,
}
// What the unit emits in each of these samples. It is put down at the end: such an adapter runs through what no invocation asks for, too.
var<private> payloads: array<i32, 8>;

fn emit(u: Unit, p: Places, ctl_at: u32, payload: i32) {
    let src = head[G_BASE] + u.i;
    if (p.list != ABSENT) {
        let place = atomicAdd(&ctl[ctl_at + p.len], 1u);
        let at = u.lists + p.slot + 2u * place;
        lists[at] = src;
        lists[at + 1u] = bitcast<u32>(payload);
    }
    if (p.recorded) {
        let at = 4u * atomicAdd(&ctl[C_REC_LEN], 1u);
        out[at] = u.sample;
        out[at + 1u] = u.step;
        out[at + 2u] = src;
        out[at + 3u] = bitcast<u32>(payload);
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let tile = tables[T_TILES] + 2u * (dispatch.first + wg.x);
    let first = wg.y * dispatch.share;
    var u = Unit();
    u.g = tables[tile];
    u.i = tables[tile + 1u] + lid;
    take_head(u.g);
    u.size = head[G_SIZE];
    // All samples of a lot are in the same step.
    let c = tables[T_CTL] + first * tables[T_CTL_STRIDE];
    if (u.i >= u.size || atomicLoad(&ctl[c + S_LIVE]) == 0u) {
        return;
    }
    take_columns(u.i);
    u.step = atomicLoad(&ctl[c + S_STEP]);
    u.zero = dispatch.stage;
    let sample0 = atomicLoad(&ctl[C_SAMPLE0]);
    let end = min(first + dispatch.share, atomicLoad(&ctl[C_SAMPLES]));
    let strides = vec3<u32>(tables[T_STATE_STRIDE], tables[T_ACC_STRIDE], tables[T_LISTS_STRIDE]);
    let marks = head[G_BITS] != ABSENT;
    let mark_at = head[G_AUX] + (u.step % head[G_RING]) * u.size + u.i;
    var p = Places();
    p.list = head[G_LIST];
    p.recorded = head[G_RECORDED] != 0u;
    if (p.list != ABSENT) {
        let ring = u.step % tables[p.list + L_RING];
        p.len = tables[p.list + L_LEN] + ring;
        p.slot = tables[p.list + L_AT] + 2u * tables[p.list + L_CAP] * ring;
    }
    let ctl_first = tables[T_CTL];
    let ctl_stride = tables[T_CTL_STRIDE];
    var emitted = 0u;
    for (var slot = first; slot < end; slot++) { // at most SHARE
        u.slot = slot;
        u.sample = sample0 + slot;
        u.home = slot * strides.x;
        u.at = u.home + head[G_STATE];
        u.acc = slot * strides.y;
        u.lists = slot * strides.z;
        let payload = model(u);
        probe(u);
        if (marks) {
            lists[u.lists + mark_at] = bitcast<u32>(payload);
        }
        payloads[slot - first] = payload;
        emitted |= select(0u, 1u, payload != 0i) << (slot - first);
    }
    count_walked();
    if (emitted == 0u) {
        return;
    }
    atomicAdd(&ctl[C_COUNTS + head[G_INDEX]], countOneBits(emitted));
    // The end is asked for behind the body: such an adapter would run through it once more in vain.
    var left = emitted;
    loop { // at most EMITTED
        let k = firstTrailingBit(left);
        u.slot = first + k;
        u.sample = sample0 + u.slot;
        u.lists = u.slot * strides.z;
        emit(u, p, ctl_first + u.slot * ctl_stride, payloads[k]);
        continuing {
            left &= left - 1u;
            break if left == 0u;
        }
    }
}
