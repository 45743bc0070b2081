// Before each delivery: how many events there are, and how many workgroups they need. The first one of a step also begins the step.

fn list_len(c: u32, list: u32, step: u32) -> u32 {
    return atomicLoad(&ctl[c + tables[list + L_LEN] + step % tables[list + L_RING]]);
}
fn ext_place(slot: u32, step: u32) -> u32 {
    return E_PTR + slot * (ext[E_STEPS] + 1u) + (step - ext[E_FIRST]);
}
// Begins a step if it should run and what it may record has room.
fn begin_step(c: u32) {
    let step = atomicLoad(&ctl[c + S_NEXT]);
    let room = atomicLoad(&ctl[C_REC_CAP]) - atomicLoad(&ctl[C_REC_LEN]);
    let go = step < atomicLoad(&ctl[C_UNTIL]) && room >= atomicLoad(&ctl[C_REC_NEED]);
    atomicStore(&ctl[c + S_LIVE], word(go));
    if (go) {
        atomicStore(&ctl[c + S_STEP], step);
        atomicStore(&ctl[c + S_NEXT], step + 1u);
    }
}
// Empties the lists' slots for a new step.
fn clear_lists(c: u32, step: u32, lid: u32) {
    for (var k = lid; k < tables[T_LISTS_N]; k += TOGETHER) { // at most LISTS
        let list = tables[T_LISTS] + k * L_SIZE;
        atomicStore(&ctl[c + tables[list + L_LEN] + step % tables[list + L_RING]], 0u);
    }
}
// First event of the step, in [start, to), whose source is at least `src`.
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
// Marks which units of the external groups have events in this step, and where: for ordered ports.
fn ingest(slot: u32, step: u32, lid: u32) {
    let home = slot * tables[T_LISTS_STRIDE];
    let at = ext_place(slot, step);
    let start = ext[at];
    let to = ext[at + 1u];
    for (var k = 0u; k < tables[T_INGEST_N]; k++) { // at most INGESTED
        let r = tables[T_INGEST] + k * I_WORDS;
        let size = tables[r + I_SIZE];
        let words = (size + 31u) >> 5u;
        let ring = step % tables[r + I_RING];
        let bits_at = home + tables[r + I_BITS] + ring * words;
        let aux_at = home + tables[r + I_AUX] + ring * size;
        for (var w = lid; w < words; w += TOGETHER) { // at most MARKS
            let first = tables[r + I_BASE] + w * 32u;
            var bits = 0u;
            let end = first_event(start, to, first + min(32u, size - w * 32u));
            for (var e = first_event(start, to, first); e < end; e++) { // at most MARKED
                let i = ext[ext[E_ENTRIES] + 2u * e] - first;
                if (((bits >> i) & 1u) == 0u) {
                    lists[aux_at + w * 32u + i] = e - start;
                }
                bits |= 1u << i;
            }
            lists[bits_at + w] = bits;
        }
    }
}
fn feed_len(c: u32, slot: u32, step: u32, k: u32) -> u32 {
    let f = dispatch.feeds + k * F_SIZE;
    let delay = tables[f + F_DELAY];
    let list = tables[f + F_LIST];
    if (delay > step) {
        return 0u;
    }
    if (list != ABSENT) {
        return list_len(c, list, step - delay);
    }
    let at = ext_place(slot, step - delay);
    return ext[at + 1u] - ext[at];
}

// Says how many events there are and how many workgroups they need.
fn conclude(prefix: u32, events: u32) {
    atomicStore(&ctl[prefix + dispatch.feeds_n], events);
    let rest = select(events, 0u, events <= dispatch.alone);
    let groups = (rest + dispatch.per_group - 1u) / dispatch.per_group;
    atomicMax(&args[dispatch.args], min(groups, MAX_X));
    atomicMax(&args[dispatch.args + 2u], (groups + MAX_X - 1u) / MAX_X);
    atomicStore(&args[dispatch.args_next], 0u);
    atomicStore(&args[dispatch.args_next + 2u], 0u);
}
