// The events that reach one unit's ordered ports in this step, in canonical order.
struct Walk {
    seg: u32,      // segment
    end: u32,      // one past the last
    pos: u32,      // next bitmap word or column entry of the segment; ABSENT before its beginning
    last: u32,     // one past the last of these
    bits: u32,     // sources of the current word still to come
    ext: u32,      // current event of an external source
    ext_end: u32,  // one past the last of its step; 0 when none is left
    group: u32,    // first column entry of its group
    more: u32,     // 1 when the next column entry belongs to the group
    port: u32,
    graded: u32,
    payload: u32,
    weight: u32,
}
// Arrivals that this invocation has walked, and those of its workgroup.
var<private> walks: u32;
var<workgroup> all_walks: atomic<u32>;

// Adds a workgroup's arrivals to the 64-bit count: whoever wraps the lower word carries.
fn count_walks(lid: u32) {
    if (lid == 0u) {
        atomicStore(&all_walks, 0u);
    }
    workgroupBarrier();
    if (walks != 0u) {
        atomicAdd(&all_walks, walks);
    }
    workgroupBarrier();
    if (lid == 0u) {
        let n = atomicLoad(&all_walks);
        let before = atomicAdd(&ctl[C_SYN_LO], n);
        if (before + n < before) {
            atomicAdd(&ctl[C_SYN_HI], 1u);
        }
    }
}
fn walk_begin(u: Unit) -> Walk {
    let first = tables[u.g + G_SEGS];
    var w = Walk();
    w.seg = first;
    w.end = first + tables[u.g + G_SEGS_N] * W_WORDS;
    w.pos = ABSENT;
    return w;
}
fn walk_value(w: Walk) -> i32 {
    return bitcast<i32>(w.payload * w.weight);
}
fn walk_value_f(w: Walk) -> f32 {
    let x = select(f32(bitcast<i32>(w.payload)), bitcast<f32>(w.payload), w.graded != 0u);
    return x * bitcast<f32>(w.weight);
}
// Bitmap word `n` of the sources that emitted `delay` steps ago.
fn walk_bits(u: Unit, seg: u32, n: u32, delay: u32) -> u32 {
    if (delay > u.step) {
        return 0u;
    }
    let words = (tables[seg + W_UNITS] + 31u) >> 5u;
    let slot = (u.step - delay) % tables[seg + W_RING];
    return lists[u.lists + tables[seg + W_BITS] + slot * words + n];
}
// Reads column entry `n`: its port, weight, and whether the next one is of the same source, delay and projection.
fn walk_entry(w: ptr<function, Walk>, n: u32) {
    let kind = ordered[3u * n + 1u];
    (*w).port = (kind >> 16u) & 0x7fffu;
    (*w).weight = ordered[3u * n + 2u];
    (*w).more = kind >> 31u;
}
// Takes up source `i` (which emitted `delay` steps ago).
fn walk_take(u: Unit, w: ptr<function, Walk>, i: u32, delay: u32) {
    let seg = (*w).seg;
    let slot = (u.step - delay) % tables[seg + W_RING];
    let aux = lists[u.lists + tables[seg + W_AUX] + slot * tables[seg + W_UNITS] + i];
    (*w).graded = tables[seg + W_GRADED];
    if (tables[seg + W_EXTERNAL] == 0u) {
        (*w).payload = aux;
        return;
    }
    let t = E_PTR + u.slot * (ext[E_STEPS] + 1u) + (u.step - delay - ext[E_FIRST]);
    (*w).group = (*w).pos - 1u;
    (*w).ext = ext[t] + aux;
    (*w).ext_end = ext[t + 1u];
    (*w).payload = ext[ext[E_ENTRIES] + 2u * (*w).ext + 1u];
    walk_rest(w);
}
// Is anything left of the current external source?
fn walk_rest(w: ptr<function, Walk>) {
    let at = ext[E_ENTRIES] + 2u * (*w).ext;
    if ((*w).more == 0u) {
        if ((*w).ext + 1u >= (*w).ext_end) {
            (*w).ext_end = 0u;
        } else if (ext[at] != ext[at + 2u]) {
            (*w).ext_end = 0u;
        }
    }
}
// The next arrival from the current external source: each of its events passes all synapses before the next one does.
fn walk_external(w: ptr<function, Walk>) {
    let columns = tables[(*w).seg + W_KIND] == KIND_COLUMNS;
    if ((*w).more != 0u) {
        walk_entry(w, (*w).pos);
        (*w).pos += 1u;
    } else {
        (*w).ext += 1u;
        (*w).payload = ext[ext[E_ENTRIES] + 2u * (*w).ext + 1u];
        if (columns) {
            walk_entry(w, (*w).group);
            (*w).pos = (*w).group + 1u;
        }
    }
    walk_rest(w);
}
// Begins a segment: which words or entries concern this unit.
fn walk_open(u: Unit, w: ptr<function, Walk>) {
    let seg = (*w).seg;
    let t = u.i - tables[seg + W_TSTART];
    (*w).pos = 0u;
    (*w).last = 0u;
    (*w).bits = 0u;
    if (u.i < tables[seg + W_TSTART] || t >= tables[seg + W_TLEN]) {
        return;
    }
    let first = tables[seg + W_START];
    switch (tables[seg + W_KIND]) {
        case KIND_DENSE: {
            (*w).pos = first >> 5u;
            (*w).last = (first + tables[seg + W_COUNT] + 31u) >> 5u;
        }
        case KIND_ONE: {
            (*w).pos = (first + t) >> 5u;
            (*w).last = (*w).pos + 1u;
        }
        default: {
            let columns = tables[seg + W_WEIGHTS];
            (*w).pos = ordered[columns + t];
            (*w).last = ordered[columns + t + 1u];
        }
    }
}
// The sources of bitmap word `n` that concern this unit.
fn walk_mask(u: Unit, seg: u32, n: u32) -> u32 {
    var first = tables[seg + W_START];
    var end = first + tables[seg + W_COUNT];
    if (tables[seg + W_KIND] == KIND_ONE) {
        first += u.i - tables[seg + W_TSTART];
        end = first + 1u;
    }
    let lo = max(first, n * 32u) - n * 32u;
    let hi = min(end, n * 32u + 32u) - n * 32u;
    return (0xffffffffu << lo) & (0xffffffffu >> (32u - hi));
}
// Moves to the next event; false when there is none.
fn walk_next(u: Unit, w: ptr<function, Walk>) -> bool {
    if ((*w).ext_end != 0u) {
        walk_external(w);
        return true;
    }
    while ((*w).seg < (*w).end) {
        let seg = (*w).seg;
        if ((*w).pos == ABSENT) {
            walk_open(u, w);
        }
        let columns = tables[seg + W_KIND] == KIND_COLUMNS;
        if (!columns && (*w).bits != 0u) {
            let b = firstTrailingBit((*w).bits);
            (*w).bits &= (*w).bits - 1u;
            let i = ((*w).pos - 1u) * 32u + b;
            let t = u.i - tables[seg + W_TSTART];
            let row = i - tables[seg + W_START];
            let dense = tables[seg + W_KIND] == KIND_DENSE;
            let k = select(row, row * tables[seg + W_TLEN] + t, dense);
            (*w).port = tables[seg + W_PORT];
            (*w).more = 0u;
            (*w).weight = weight_of(tables[seg + W_WKIND], tables[seg + W_WEIGHTS], k);
            walk_take(u, w, i, tables[seg + W_DELAY]);
            return true;
        }
        if ((*w).pos >= (*w).last) {
            (*w).seg = seg + W_WORDS;
            (*w).pos = ABSENT;
            continue;
        }
        let n = (*w).pos;
        (*w).pos = n + 1u;
        if (columns) {
            let i = ordered[3u * n];
            let delay = ordered[3u * n + 1u] & 0xffffu;
            if (((walk_bits(u, seg, i >> 5u, delay) >> (i & 31u)) & 1u) != 0u) {
                walk_entry(w, n);
                walk_take(u, w, i, delay);
                return true;
            }
        } else {
            (*w).bits = walk_bits(u, seg, n, tables[seg + W_DELAY]) & walk_mask(u, seg, n);
        }
    }
    return false;
}
