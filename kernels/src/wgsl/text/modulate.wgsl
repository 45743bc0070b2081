// What reached the modulators of a projection in this step: one invocation adds up what reaches all targets, one for each target
// what reaches it alone, both in the order of sources.
fn weighted(r: u32, payload: u32) -> u32 {
    let form = tables[r + M_FORM];
    let weight = tables[r + M_WEIGHT];
    if ((form & FORM_FLOAT) == 0u) {
        return payload * weight;
    }
    let x = select(f32(bitcast<i32>(payload)), bitcast<f32>(payload), (form & FORM_GRADED) != 0u);
    return bitcast<u32>(x * bitcast<f32>(weight));
}
// First external event in [start, to) whose source is at least `src`.
fn first_event(start: u32, to: u32, src: u32) -> u32 {
    var lo = start;
    var hi = to;
    while (lo < hi) { // at most EVENT_SEARCH
        let mid = (lo + hi) >> 1u;
        if (ext[ext[E_ENTRIES] + 2u * mid] < src) {
            lo = mid + 1u;
        } else {
            hi = mid;
        }
    }
    return lo;
}
// Adds to the sums at `at` what units `first..stop` of a record send.
fn collect(r: u32, u: Sender, at: u32, first: u32, stop: u32) {
    let delay = tables[r + M_DELAY];
    if (delay > u.step) {
        return;
    }
    let then = u.step - delay;
    let float = (tables[r + M_FORM] & FORM_FLOAT) != 0u;
    let kind = tables[r + M_KIND];
    var k = first;
    var end = stop;
    let begin = tables[r + M_AT];
    var ring = 0u;
    if (kind == SENDS_EXTERNAL) {
        let t = E_PTR + u.slot * (ext[E_STEPS] + 1u) + (then - ext[E_FIRST]);
        k = first_event(ext[t], ext[t + 1u], begin + first);
        end = first_event(k, ext[t + 1u], begin + stop);
    } else {
        ring = begin + (then % tables[r + M_RING]) * tables[r + M_UNITS];
    }
    for (; k < end; k++) { // at most SENT
        var x = 0u;
        var any = true;
        if (kind == SENDS_EXTERNAL) {
            x = ext[ext[E_ENTRIES] + 2u * k + 1u];
        } else if (kind == SENDS_VALUES) {
            x = state[u.slot * tables[T_STATE_STRIDE] + ring + k];
        } else {
            x = lists[u.slot * tables[T_LISTS_STRIDE] + ring + k];
            any = x != 0u;
        }
        if (any) {
            let v = weighted(r, x);
            if (float) {
                learned[at] = bitcast<u32>(bitcast<f32>(learned[at]) + bitcast<f32>(v));
            } else {
                learned[at] += v;
            }
            learned[at + 1u] = 1u;
        }
    }
}
struct Sender {
    slot: u32,
    step: u32,
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let d = dispatch.lesson;
    let group = wg.z * MAX_X + wg.x;
    let t = (group - 1u) * 256u + lid;
    let for_all = group == 0u;
    if (atomicLoad(&ctl[c + S_LIVE]) == 0u || select(t >= tables[d + D_TARGETS], lid != 0u, for_all)) {
        return;
    }
    let u = Sender(wg.y, atomicLoad(&ctl[c + S_STEP]));
    let home = wg.y * tables[d + D_STRIDE];
    // Records of one modulator share their sums, which begin at nothing.
    for (var k = 0u; k < 2u * tables[d + D_MODS_N]; k++) { // at most RECORDS
        let n = tables[d + D_MODS_N];
        let r = tables[d + D_MODS] + (k % n) * M_WORDS;
        let each = (tables[r + M_FORM] & FORM_EACH) != 0u;
        if (each == for_all) {
            continue;
        }
        let at = home + tables[r + M_SUM] + select(0u, 2u * t, each);
        if (k < n) {
            learned[at] = 0u;
            learned[at + 1u] = 0u;
        } else {
            collect(r, u, at, select(0u, t, each), select(tables[r + M_LEN], t + 1u, each));
        }
    }
}
