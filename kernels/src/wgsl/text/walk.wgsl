// The events that reach one unit's ordered ports in this step, in canonical order.
struct Walk {
    seg: u32,        // next segment
    end: u32,        // one past the last
    home: u32,       // block of the sample in `state`
    pos: u32,        // next bitmap word or column entry of the open segment
    last: u32,       // one past the last of these
    bits: u32,       // sources of the current word still to come
    // The open segment.
    kind: u32,
    units: u32,      // units of the source group
    ring_bits: u32,
    ring_aux: u32,
    slots: u32,
    slot: u32,       // slot of this step
    outside: bool,
    first: u32,      // first source
    stop: u32,       // one past the last
    delay: u32,
    place: u32,      // this unit among the targets
    targets: u32,
    wkind: u32,
    weights: u32,
    // An external source whose events are being taken.
    ext: u32,        // place of the event's words
    ext_end: u32,    // one past the last of its step; 0 when none is left
    group: u32,      // first column entry of its group
    more: u32,       // 1 when the next column entry belongs to the group
    // The event.
    port: u32,
    graded: u32,
    payload: u32,
    weight: u32,
}
fn walk_begin(u: Unit) -> Walk {
    var w = Walk();
    w.home = u.home;
    w.seg = descriptor(u, G_SEGS);
    w.end = w.seg + descriptor(u, G_SEGS_N) * W_WORDS;
    return w;
}
fn walk_value(w: Walk) -> i32 {
    return bitcast<i32>(w.payload * w.weight);
}
fn walk_value_f(w: Walk) -> f32 {
    let x = select(f32(bitcast<i32>(w.payload)), bitcast<f32>(w.payload), w.graded != 0u);
    return x * bitcast<f32>(w.weight);
}
// Opens the next segment: which words or entries concern this unit.
fn walk_open(u: Unit, w: ptr<function, Walk>) {
    let seg = (*w).seg;
    (*w).seg = seg + W_WORDS;
    (*w).kind = tables[seg + W_KIND];
    (*w).port = tables[seg + W_PORT];
    (*w).graded = tables[seg + W_GRADED];
    (*w).ring_bits = u.lists + tables[seg + W_BITS];
    (*w).units = tables[seg + W_UNITS];
    (*w).ring_aux = u.lists + tables[seg + W_AUX];
    (*w).slots = tables[seg + W_RING];
    (*w).slot = u.step % (*w).slots;
    (*w).outside = tables[seg + W_EXTERNAL] != 0u;
    (*w).delay = tables[seg + W_DELAY];
    (*w).targets = tables[seg + W_TLEN];
    (*w).wkind = tables[seg + W_WKIND];
    (*w).weights = tables[seg + W_WEIGHTS];
    (*w).place = u.i - tables[seg + W_TSTART];
    (*w).first = tables[seg + W_START];
    (*w).stop = (*w).first + tables[seg + W_COUNT];
    (*w).more = 0u;
    (*w).pos = 0u;
    (*w).last = 0u;
    // Of a unit before the targets the difference has wrapped, and is no target either.
    if ((*w).place >= (*w).targets) {
        return;
    }
    if ((*w).kind == KIND_COLUMNS) {
        (*w).pos = ordered[(*w).weights + (*w).place];
        (*w).last = ordered[(*w).weights + (*w).place + 1u];
        return;
    }
    if ((*w).kind == KIND_ONE) {
        (*w).first += (*w).place;
        (*w).stop = (*w).first + 1u;
    }
    (*w).pos = (*w).first >> 5u;
    (*w).last = ((*w).stop + 31u) >> 5u;
}
// The slot of `delay` steps ago, which is fewer than there are; a remainder would cost more in every iteration of a scan.
fn walk_slot(w: Walk, delay: u32) -> u32 {
    return select(w.slot + w.slots - delay, w.slot - delay, delay <= w.slot);
}
// Bitmap word `n` of the sources that emitted `delay` steps ago.
fn walk_bits(u: Unit, w: Walk, n: u32, delay: u32) -> u32 {
    if (delay > u.step) {
        return 0u;
    }
    let words = (w.units + 31u) >> 5u;
    return lists[w.ring_bits + walk_slot(w, delay) * words + n];
}
// Column entry `n`: its port, weight, and whether the next one is of the same source, delay and projection.
fn walk_entry(w: ptr<function, Walk>, n: u32, kinds: u32) {
    (*w).port = (kinds >> 16u) & 0x3fffu;
    (*w).weight = ordered[3u * n + 2u];
    if (((kinds >> 30u) & 1u) != 0u) {
        (*w).weight = state[(*w).home + (*w).weight];
    }
    (*w).more = kinds >> 31u;
    (*w).pos = n + 1u;
}
// Takes up source `i` (which emitted `delay` steps ago).
fn walk_take(u: Unit, w: ptr<function, Walk>, i: u32, delay: u32) {
    let step = u.step - delay;
    let aux = lists[(*w).ring_aux + walk_slot(*w, delay) * (*w).units + i];
    (*w).payload = aux;
    if ((*w).outside) {
        let t = E_PTR + u.slot * (ext[E_STEPS] + 1u) + (step - ext[E_FIRST]);
        (*w).group = (*w).pos - 1u;
        (*w).ext = ext[E_ENTRIES] + 2u * (ext[t] + aux);
        (*w).ext_end = ext[E_ENTRIES] + 2u * ext[t + 1u];
    }
}
// The next arrival from the current external source: each of its events passes all synapses before the next one does.
fn walk_external(w: ptr<function, Walk>, again: bool) {
    if (again) {
        let columns = (*w).kind == KIND_COLUMNS;
        if ((*w).more == 0u) {
            (*w).ext += 2u;
        }
        if (columns) {
            let n = select((*w).group, (*w).pos, (*w).more != 0u);
            walk_entry(w, n, ordered[3u * n + 1u]);
        }
    }
    (*w).payload = ext[(*w).ext + 1u];
    // Is anything left of it?
    if ((*w).more == 0u) {
        let next = (*w).ext + 2u;
        if (next >= (*w).ext_end || ext[next] != ext[(*w).ext]) {
            (*w).ext_end = 0u;
        }
    }
}
// Is there anything left?
fn walk_more(w: Walk) -> bool {
    return w.ext_end != 0u || w.seg < w.end || w.pos < w.last || w.bits != 0u;
}
// Entries of the open columns up to the next one whose source emitted: its number, or that of the last one. Long scans find little, so
// nothing else is in this loop: some adapters run through all of a loop's branches in every iteration.
fn walk_entries(u: Unit, w: Walk) -> u32 {
    var n = w.pos;
    let words = (w.units + 31u) >> 5u;
    for (; n < w.last; n++) { // at most WALKED
        let source = ordered[3u * n];
        let delay = ordered[3u * n + 1u] & 0xffffu;
        var bits = 0u;
        if (delay <= u.step) {
            bits = lists[w.ring_bits + walk_slot(w, delay) * words + (source >> 5u)];
        }
        if (((bits >> (source & 31u)) & 1u) != 0u) {
            break;
        }
    }
    return n;
}
// Words of the open segment's sources up to the next one with an event: its number, or that of the last one.
fn walk_words(u: Unit, w: Walk) -> u32 {
    var n = w.pos;
    for (; n < w.last; n++) { // at most WALKED
        if (walk_sources(u, w, n) != 0u) {
            break;
        }
    }
    return n;
}
// Which sources of word `n` of the open segment have an event.
fn walk_sources(u: Unit, w: Walk, n: u32) -> u32 {
    let lo = max(w.first, n * 32u) - n * 32u;
    let hi = min(w.stop, n * 32u + 32u) - n * 32u;
    return walk_bits(u, w, n, w.delay) & (0xffffffffu << lo) & (0xffffffffu >> (32u - hi));
}
// Goes on to the next event of the open segment, or opens the next one; true when an event was found.
fn walk_next(u: Unit, w: ptr<function, Walk>) -> bool {
    let again = (*w).ext_end != 0u;
    if (!again) {
        if ((*w).bits == 0u && (*w).pos >= (*w).last) {
            walk_open(u, w);
        }
        let columns = (*w).kind == KIND_COLUMNS;
        var i = ABSENT;
        var delay = (*w).delay;
        if (columns) {
            let n = walk_entries(u, *w);
            (*w).pos = n;
            if (n < (*w).last) {
                let kinds = ordered[3u * n + 1u];
                i = ordered[3u * n];
                delay = kinds & 0xffffu;
                walk_entry(w, n, kinds);
            }
        } else {
            if ((*w).bits == 0u) {
                let n = walk_words(u, *w);
                (*w).pos = n;
                if (n < (*w).last) {
                    (*w).bits = walk_sources(u, *w, n);
                    (*w).pos = n + 1u;
                }
            }
            if ((*w).bits != 0u) {
                i = ((*w).pos - 1u) * 32u + firstTrailingBit((*w).bits);
                (*w).bits &= (*w).bits - 1u;
                let row = i - (*w).first;
                let k = select((*w).place, row * (*w).targets + (*w).place, (*w).kind == KIND_DENSE);
                if ((*w).wkind == WEIGHT_LEARNED) {
                    (*w).weight = state[(*w).home + (*w).weights + k];
                } else {
                    (*w).weight = weight_of((*w).wkind, (*w).weights, k);
                }
            }
        }
        if (i == ABSENT) {
            return false;
        }
        walk_take(u, w, i, delay);
    }
    if ((*w).ext_end != 0u) {
        walk_external(w, again);
    }
    return true;
}
