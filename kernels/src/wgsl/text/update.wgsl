// A step of one unit each: 256 units of one group a workgroup, one sample along y. Each emitter takes a place among those of its
// workgroup, and one atomic add a workgroup reserves them in the list.
var<workgroup> emitted: array<atomic<u32>, 8>;
var<workgroup> emitters: atomic<u32>;
var<workgroup> list_at: u32;
var<workgroup> record_at: u32;
// What all invocations of a workgroup read alike: the head of its group's descriptor, and the sample's step.
var<workgroup> head: array<u32, HEAD>;
var<workgroup> step_now: u32;
var<workgroup> live_now: u32;
var<workgroup> sample_first: u32;

fn place(g: u32, i: u32, slot: u32) -> Unit {
    var u = Unit();
    u.g = g;
    u.i = i;
    u.size = head[G_SIZE];
    u.home = slot * tables[T_STATE_STRIDE];
    u.at = u.home + head[G_STATE];
    u.acc = slot * tables[T_ACC_STRIDE];
    u.lists = slot * tables[T_LISTS_STRIDE];
    u.slot = slot;
    u.sample = sample_first + slot;
    u.step = step_now;
    u.zero = dispatch.stage;
    return u;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let tile = tables[T_TILES] + 2u * (dispatch.first + wg.x);
    let g = tables[tile];
    let first = tables[tile + 1u];
    // Behind a shorter descriptor stand words that nobody reads.
    for (var k = lid; k < HEAD; k += 256u) { // at most HEAD_WORDS
        head[k] = tables[g + k];
    }
    if (lid < 8u) {
        atomicStore(&emitted[lid], 0u);
    }
    if (lid == 0u) {
        step_now = atomicLoad(&ctl[c + S_STEP]);
        live_now = atomicLoad(&ctl[c + S_LIVE]);
        sample_first = atomicLoad(&ctl[C_SAMPLE0]);
        atomicStore(&emitters, 0u);
    }
    workgroupBarrier();
    let live = live_now != 0u;
    let u = place(g, first + lid, wg.y);
    let marks = head[G_BITS] != ABSENT;
    var payload = 0i;
    var rank = 0u;
    if (live && u.i < u.size) {
        payload = model(u);
        probe(u);
    }
    if (payload != 0i) {
        rank = atomicAdd(&emitters, 1u);
        if (marks) {
            atomicOr(&emitted[lid >> 5u], 1u << (lid & 31u));
        }
    }
    workgroupBarrier();
    count_walks(lid);
    let list = head[G_LIST];
    if (lid == 0u) {
        let total = atomicLoad(&emitters);
        if (total != 0u) {
            if (list != ABSENT) {
                let len = c + tables[list + L_LEN] + u.step % tables[list + L_RING];
                list_at = atomicAdd(&ctl[len], total);
            }
            if (head[G_RECORDED] != 0u) {
                record_at = atomicAdd(&ctl[C_REC_LEN], total);
            }
            atomicAdd(&ctl[C_COUNTS + head[G_INDEX]], total);
        }
    }
    workgroupBarrier();
    if (payload != 0i) {
        let src = head[G_BASE] + u.i;
        if (list != ABSENT) {
            let ring = u.step % tables[list + L_RING];
            let slot = u.lists + tables[list + L_AT] + 2u * tables[list + L_CAP] * ring;
            lists[slot + 2u * (list_at + rank)] = src;
            lists[slot + 2u * (list_at + rank) + 1u] = bitcast<u32>(payload);
        }
        if (head[G_RECORDED] != 0u) {
            let at = 4u * (record_at + rank);
            out[at] = u.sample;
            out[at + 1u] = u.step;
            out[at + 2u] = src;
            out[at + 3u] = bitcast<u32>(payload);
        }
    }
    if (live && marks && u.i < u.size) {
        let ring = u.step % head[G_RING];
        if ((lid & 31u) == 0u) {
            let words = (u.size + 31u) >> 5u;
            lists[u.lists + head[G_BITS] + ring * words + (u.i >> 5u)] = atomicLoad(&emitted[lid >> 5u]);
        }
        lists[u.lists + head[G_AUX] + ring * u.size + u.i] = bitcast<u32>(payload);
    }
}
