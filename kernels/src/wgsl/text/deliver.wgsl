// Walks the rows of the events that arrive now and adds up what they bring. 2^lanes invocations share an event.
var<workgroup> walked: atomic<u32>;

fn contribution(rule: u32, payload: u32, weight: u32, scale: u32) -> i32 {
    if (rule == RULE_ADD || rule == RULE_MAX) {
        return bitcast<i32>(payload * weight);
    }
    let x = select(f32(bitcast<i32>(payload)), bitcast<f32>(payload), rule >= RULE_GRADED);
    let y = x * bitcast<f32>(weight) * bitcast<f32>(tables[scale]);
    return i32(round(clamp(y, -2147483520.0, 2147483520.0)));
}
fn target_of(kind: u32, first: u32, n: u32) -> u32 {
    if (kind == TARGETS_ALL) {
        return n;
    }
    let k = first + n;
    let halvings = TARGETS_U32 - kind;
    let bits = 32u >> halvings;
    let above = 32u - bits - (k & halvings) * bits;
    return (synapses[k >> halvings] << above) >> (32u - bits);
}
// One run, from synapse `lane` in strides; returns its length.
fn run(r: u32, payload: u32, home: u32, lane: u32) -> u32 {
    let kinds = rows[r + X_KIND] >> 16u;
    let len = rows[r + X_LEN];
    let rule = kinds >> 8u;
    let largest = rule == RULE_MAX || (rule & 3u) == RULE_MAX_F;
    for (var n = lane; n < len; n += 1u << dispatch.lanes) {
        let t = target_of(kinds & 15u, rows[r + X_TARGETS], n);
        let w = weight_of((kinds >> 4u) & 15u, rows[r + X_WEIGHTS], n);
        let x = contribution(rule, payload, w, rows[r + X_SCALE]);
        let at = home + rows[r + X_ACC] + t;
        if (largest) {
            atomicMax(&acc[at], x);
        } else {
            atomicAdd(&acc[at], x);
        }
    }
    return len;
}
// All runs of a source with that delay; returns the number of synapses.
fn deliver(src: u32, payload: u32, delay: u32, home: u32, lane: u32) -> u32 {
    let row = src - rows[ROW_FIRST];
    if (src < rows[ROW_FIRST] || row >= rows[ROW_N]) {
        return 0u;
    }
    var lo = rows[ROW_PTR + row];
    let end = rows[ROW_PTR + row + 1u];
    var hi = end;
    while (lo < hi) {
        let mid = (lo + hi) >> 1u;
        if ((rows[rows[ROW_RECS] + mid * X_SIZE] & 0xffffu) < delay) {
            lo = mid + 1u;
        } else {
            hi = mid;
        }
    }
    var n = 0u;
    for (; lo < end; lo++) {
        let r = rows[ROW_RECS] + lo * X_SIZE;
        if ((rows[r] & 0xffffu) != delay) {
            break;
        }
        n += run(r, payload, home, lane);
    }
    return n;
}
// Event `k` of the sample, counted through all feeds.
fn event(slot: u32, k: u32, lane: u32) -> u32 {
    let c = tables[T_CTL] + slot * tables[T_CTL_STRIDE];
    let prefix = c + tables[T_PREFIX];
    var lo = 0u;
    var hi = dispatch.feeds_n - 1u;
    while (lo < hi) {
        let mid = (lo + hi + 1u) >> 1u;
        if (atomicLoad(&ctl[prefix + mid]) <= k) {
            lo = mid;
        } else {
            hi = mid - 1u;
        }
    }
    let f = dispatch.feeds + lo * F_SIZE;
    let delay = tables[f + F_DELAY];
    let list = tables[f + F_LIST];
    let step = atomicLoad(&ctl[c + S_STEP]) - delay;
    let n = k - atomicLoad(&ctl[prefix + lo]);
    let home = slot * tables[T_ACC_STRIDE];
    if (list == ABSENT) {
        let first = ext[E_PTR + slot * (ext[E_STEPS] + 1u) + (step - ext[E_FIRST])];
        let e = ext[E_ENTRIES] + 2u * (first + n);
        return deliver(ext[e], ext[e + 1u], delay, home, lane);
    }
    let at = tables[list + L_AT] + 2u * tables[list + L_CAP] * (step % tables[list + L_RING]);
    let e = slot * tables[T_LISTS_STRIDE] + at + 2u * n;
    return deliver(lists[e], lists[e + 1u], delay, home, lane);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    if (lid == 0u) {
        atomicStore(&walked, 0u);
    }
    workgroupBarrier();
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let total = atomicLoad(&ctl[c + tables[T_PREFIX] + dispatch.feeds_n]);
    let k = (wg.z * MAX_X + wg.x) * dispatch.per_group + (lid >> dispatch.lanes);
    let lane = lid & ((1u << dispatch.lanes) - 1u);
    if (k < total) {
        let n = event(wg.y, k, lane);
        if (lane == 0u) {
            atomicAdd(&walked, n);
        }
    }
    workgroupBarrier();
    // A 64-bit count in two words: whoever wraps the lower one carries.
    if (lid == 0u) {
        let n = atomicLoad(&walked);
        let before = atomicAdd(&ctl[C_SYN_LO], n);
        if (before + n < before) {
            atomicAdd(&ctl[C_SYN_HI], 1u);
        }
    }
}
