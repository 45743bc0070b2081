// Walks the rows of the events that arrive now and adds up what they bring. 2^lanes invocations share an event.
fn contribution(rule: u32, payload: u32, weight: u32, scale: f32) -> i32 {
    if (!FLOATS || rule == RULE_ADD || rule == RULE_MAX) {
        return bitcast<i32>(payload * weight);
    }
    let x = select(f32(bitcast<i32>(payload)), bitcast<f32>(payload), rule >= RULE_GRADED);
    let y = x * bitcast<f32>(weight) * scale;
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
// One run, whose record begins with `head`, from synapse `lane` in strides; returns its length.
fn run(r: u32, head: u32, payload: u32, home: u32, lane: u32) -> u32 {
    let kinds = head >> 16u;
    let rule = kinds >> 8u;
    let len = rows[r + X_LEN];
    let first = home + rows[r + X_ACC];
    let targets = rows[r + X_TARGETS];
    let weights = rows[r + X_WEIGHTS];
    var scale = 1.0;
    if (FLOATS) {
        scale = bitcast<f32>(tables[rows[r + X_SCALE]]);
    }
    for (var n = lane; n < len; n += 1u << dispatch.lanes) {
        let at = first + target_of(kinds & 15u, targets, n);
        let x = contribution(rule, payload, weight_of((kinds >> 4u) & 15u, weights, n), scale);
        if (MAXIMA && (rule == RULE_MAX || (rule & 3u) == RULE_MAX_F)) {
            atomicMax(&acc[at], x);
        } else {
            atomicAdd(&acc[at], x);
        }
    }
    return len;
}
// First run of rows `lo..hi` whose delay is at least `delay`.
fn first_run(recs: u32, from_run: u32, end: u32, delay: u32) -> u32 {
    var lo = from_run;
    var hi = end;
    while (lo < hi) {
        let mid = (lo + hi) >> 1u;
        if ((rows[recs + mid * X_SIZE] & 0xffffu) < delay) {
            lo = mid + 1u;
        } else {
            hi = mid;
        }
    }
    return lo;
}
// The feed that holds event `k`, counted through all feeds of the sample.
fn feed_of(prefix: u32, k: u32) -> u32 {
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
    return lo;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let prefix = c + tables[T_PREFIX];
    let total = atomicLoad(&ctl[prefix + dispatch.feeds_n]);
    let now = atomicLoad(&ctl[c + S_STEP]);
    let home = wg.y * tables[T_ACC_STRIDE];
    let lists_at = wg.y * tables[T_LISTS_STRIDE];
    let ext_ptr = E_PTR + wg.y * (ext[E_STEPS] + 1u) - ext[E_FIRST];
    let ext_at = ext[E_ENTRIES];
    let first_row = rows[ROW_FIRST];
    let n_rows = rows[ROW_N];
    let recs = rows[ROW_RECS];
    let k = (wg.z * MAX_X + wg.x) * dispatch.per_group + (lid >> dispatch.lanes);
    let lane = lid & ((1u << dispatch.lanes) - 1u);
    if (k < total) {
        let f = feed_of(prefix, k);
        let n = k - atomicLoad(&ctl[prefix + f]);
        let list = tables[dispatch.feeds + f * F_SIZE + F_LIST];
        let delay = tables[dispatch.feeds + f * F_SIZE + F_DELAY];
        var src = 0u;
        var payload = 0u;
        if (list == ABSENT) {
            let e = ext_at + 2u * (ext[ext_ptr + (now - delay)] + n);
            src = ext[e];
            payload = ext[e + 1u];
        } else {
            let ring = (now - delay) % tables[list + L_RING];
            let at = tables[list + L_AT] + 2u * tables[list + L_CAP] * ring;
            let e = lists_at + at + 2u * n;
            src = lists[e];
            payload = lists[e + 1u];
        }
        let row = src - first_row;
        if (row < n_rows) {
            let end = rows[ROW_PTR + row + 1u];
            var synapses_walked = 0u;
            for (var x = first_run(recs, rows[ROW_PTR + row], end, delay); x < end; x++) {
                let r = recs + x * X_SIZE;
                let head = rows[r];
                if ((head & 0xffffu) != delay) {
                    break;
                }
                synapses_walked += run(r, head, payload, home, lane);
            }
            // A 64-bit count in two words: whoever wraps the lower one carries.
            if (lane == 0u && synapses_walked != 0u) {
                let before = atomicAdd(&ctl[C_SYN_LO], synapses_walked);
                if (before + synapses_walked < before) {
                    atomicAdd(&ctl[C_SYN_HI], 1u);
                }
            }
        }
    }
}
