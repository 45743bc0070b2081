// One event after another, a workgroup a sample. Invocation 0 says in each round what comes next (a tile of 256 units of an
// event, or a tile of something else); all do it; who emits is gathered in a bitmap, whose counts give each emitter its place in
// the output and in the queue. What is unfinished when the rounds of a dispatch end waits in `ctl` for the next one.
var<workgroup> emitted: array<atomic<u32>, 8>;
var<workgroup> pending: array<u32, 8>;
// 0 round, 1 row or port or probe, 2 value, 3 and 4 first and last unit, 5 tile, 6 step, 7 free places, 8 and 9 range of what
// is given or looked through, 10 next entry of output, 11 tail of the queue.
var<workgroup> order: array<u32, 12>;

// What invocation 0 knows; the words of a sample in `ctl`, and what the next round is.
struct Run {
    step: u32,
    part: u32,
    at: u32,
    tile: u32,
    head: u32,
    waiting: u32,
    kind: u32,
    what: u32,
    value: u32,
    first: u32,
    last: u32,
    output: u32,
    lost: u32,
    walked: u32,
    fired: u32,
    work: u32,
    round: u32,  // EVENT_* of the coming round
    until: u32,
    room: u32,   // entries of output that fit
    left: u32,   // rows of the found tile that are still to come
    base: u32,   // its first row
}
fn load(c: u32) -> Run {
    var r = Run();
    r.step = atomicLoad(&ctl[c + N_STEP]);
    r.part = atomicLoad(&ctl[c + N_PART]);
    r.at = atomicLoad(&ctl[c + N_AT]);
    r.tile = atomicLoad(&ctl[c + N_TILE]);
    r.head = atomicLoad(&ctl[c + N_HEAD]);
    r.waiting = atomicLoad(&ctl[c + N_WAITING]);
    r.kind = atomicLoad(&ctl[c + N_KIND]);
    r.what = atomicLoad(&ctl[c + N_WHAT]);
    r.value = atomicLoad(&ctl[c + N_VALUE]);
    r.first = atomicLoad(&ctl[c + N_FIRST]);
    r.last = atomicLoad(&ctl[c + N_LAST]);
    r.work = atomicLoad(&ctl[c + N_WORK]);
    // The first dispatch of a submission begins its output anew.
    if (dispatch.stage != 0u) {
        r.output = atomicLoad(&ctl[c + N_OUT]);
        r.lost = atomicLoad(&ctl[c + N_LOST]);
        r.walked = atomicLoad(&ctl[c + N_WALKED]);
        r.fired = atomicLoad(&ctl[c + N_FIRED]);
    }
    r.until = atomicLoad(&ctl[C_UNTIL]);
    r.room = atomicLoad(&ctl[C_REC_CAP]);
    return r;
}
fn save(c: u32, r: Run) {
    atomicStore(&ctl[c + N_STEP], r.step);
    atomicStore(&ctl[c + N_PART], r.part);
    // Which rows of a tile were found is not kept: the tile is looked through again.
    atomicStore(&ctl[c + N_AT], select(r.at, r.base, r.part == PART_ROWS && r.at != 0u));
    atomicStore(&ctl[c + N_TILE], r.tile);
    atomicStore(&ctl[c + N_HEAD], r.head);
    atomicStore(&ctl[c + N_WAITING], r.waiting);
    atomicStore(&ctl[c + N_KIND], r.kind);
    atomicStore(&ctl[c + N_WHAT], r.what);
    atomicStore(&ctl[c + N_VALUE], r.value);
    atomicStore(&ctl[c + N_FIRST], r.first);
    atomicStore(&ctl[c + N_LAST], r.last);
    atomicStore(&ctl[c + N_OUT], r.output);
    atomicStore(&ctl[c + N_LOST], r.lost);
    atomicStore(&ctl[c + N_WALKED], r.walked);
    atomicStore(&ctl[c + N_FIRED], r.fired);
    atomicStore(&ctl[c + N_WORK], r.work);
}
fn write_out(slot: u32, n: u32, step: u32, address: u32) {
    let at = 2u * (slot * atomicLoad(&ctl[C_REC_CAP]) + n);
    out[at] = step;
    out[at + 1u] = address;
}
// Takes an event up. `fresh`: it is not one that another event has set off.
fn take_up(r: ptr<function, Run>, slot: u32, kind: u32, what: u32, fresh: bool) {
    let v = tables[T_SERIAL];
    (*r).kind = kind;
    (*r).what = what;
    if (fresh) {
        (*r).work = 0u;
    }
    if ((kind & 255u) == EVENT_ROW) {
        (*r).kind = EVENT_ROW | EVENT_QUEUED;
        (*r).first = tables[v + V_TSTART];
        (*r).last = (*r).first + tables[v + V_TLEN] - 1u;
        (*r).walked += tables[v + V_TLEN];
        if (tables[v + V_POPPED] != 0u) {
            write_out(slot, (*r).output, (*r).step, what);
            (*r).output += 1u;
        }
        if (tables[v + V_TLEN] == 0u) {
            (*r).kind = EVENT_NONE;
        }
    }
    (*r).tile = (*r).first >> 8u;
}
// An event of `ext` or `tables` whose words are `kind` and so on.
fn take_words(r: ptr<function, Run>, slot: u32, kind: u32, what: u32, value: u32, first: u32, last: u32) {
    (*r).value = value;
    (*r).first = first;
    (*r).last = last;
    take_up(r, slot, kind, what, true);
}
// Where the events of this step begin in `ext`: those of rows, and the rest.
fn given(slot: u32, step: u32, rest: u32) -> u32 {
    return ext[E_PTR + slot * (2u * ext[E_STEPS] + 1u) + 2u * (step - ext[E_FIRST]) + rest];
}
// The next row of the found tile.
fn next_row(r: ptr<function, Run>, slot: u32) {
    let v = tables[T_SERIAL];
    var n = 0u;
    for (var w = 8u; w > 0u; w--) {
        if (pending[w - 1u] != 0u) {
            n = w - 1u;
        }
    }
    let row = (*r).base + 32u * n + firstTrailingBit(pending[n]);
    let due = slot * tables[T_ACC_STRIDE] + tables[v + V_DUE];
    let at = due + ((*r).step % tables[v + V_SLOTS]) * tables[v + V_ROWS] + row;
    if (atomicSub(&acc[at], 1i) == 1i) {
        pending[n] &= pending[n] - 1u;
        (*r).left -= 1u;
    }
    take_up(r, slot, EVENT_ROW, row, true);
}
// One move between the parts of a step; true when a round, or an event, has been found.
fn advance(r: ptr<function, Run>, slot: u32) -> bool {
    let v = tables[T_SERIAL];
    switch ((*r).part) {
        case PART_BEGIN: {
            if ((*r).step >= (*r).until) {
                return true;
            }
            let sorted = tables[v + V_SORTED] != 0u;
            (*r).part = select(PART_EVENTS, PART_GIVEN, sorted);
            (*r).at = given(slot, (*r).step, select(1u, 0u, sorted));
        }
        case PART_GIVEN: {
            if ((*r).at < given(slot, (*r).step, 1u)) {
                (*r).round = EVENT_GIVE;
                return true;
            }
            (*r).part = PART_ROWS;
            (*r).at = 0u;
        }
        case PART_ROWS: {
            if ((*r).left != 0u) {
                next_row(r, slot);
                return true;
            }
            if ((*r).at < tables[v + V_ROWS]) {
                (*r).base = (*r).at;
                (*r).round = EVENT_FIND;
                return true;
            }
            (*r).part = PART_EVENTS;
            (*r).at = given(slot, (*r).step, 1u);
        }
        case PART_EVENTS: {
            if ((*r).at < given(slot, (*r).step, 2u)) {
                let e = ext[E_ENTRIES] + Y_WORDS * (*r).at;
                (*r).at += 1u;
                take_words(r, slot, ext[e], ext[e + Y_WHAT], ext[e + Y_VALUE], ext[e + Y_FIRST], ext[e + Y_LAST]);
                return true;
            }
            (*r).part = PART_TAIL;
            (*r).at = 0u;
        }
        case PART_TAIL: {
            if ((*r).at < tables[v + V_TAIL_N]) {
                let e = tables[v + V_TAIL] + Y_WORDS * (*r).at;
                (*r).at += 1u;
                take_words(r, slot, tables[e], tables[e + Y_WHAT], tables[e + Y_VALUE], tables[e + Y_FIRST], tables[e + Y_LAST]);
                return true;
            }
            (*r).part = PART_PROBES;
            (*r).at = 0u;
            (*r).tile = 0u;
        }
        default: {
            if ((*r).at < tables[v + V_PROBES_N]) {
                let p = tables[v + V_PROBES] + (*r).at * P_SIZE;
                if (((*r).step + 1u) % tables[p + P_EVERY] == 0u && (*r).tile * 256u < tables[p + P_LEN]) {
                    (*r).round = EVENT_PROBE;
                    return true;
                }
                (*r).at += 1u;
                (*r).tile = 0u;
            } else {
                (*r).step += 1u;
                (*r).part = PART_BEGIN;
                (*r).at = 0u;
            }
        }
    }
    return false;
}
// Says what the next round is; EVENT_NONE when there is nothing to do, or no room for what it could put out.
fn choose(r: ptr<function, Run>, slot: u32) {
    let v = tables[T_SERIAL];
    (*r).round = EVENT_NONE;
    if ((*r).output + 257u > (*r).room || (*r).work > MOST_WORK) {
        return;
    }
    var found = (*r).kind != EVENT_NONE;
    for (var n = 0u; n < 6u && !found; n++) {
        if ((*r).waiting != 0u) {
            let row = atomicLoad(&acc[slot * tables[T_ACC_STRIDE] + tables[v + V_QUEUE] + (*r).head]);
            (*r).head = ((*r).head + 1u) % tables[v + V_PLACES];
            (*r).waiting -= 1u;
            take_up(r, slot, EVENT_ROW, bitcast<u32>(row), false);
            found = true;
        } else {
            found = advance(r, slot);
        }
    }
    if ((*r).kind != EVENT_NONE) {
        (*r).round = (*r).kind & 255u;
    }
}
// After a round: `total` units have emitted, or so many rows were found.
fn conclude(r: ptr<function, Run>, total: u32) {
    let v = tables[T_SERIAL];
    switch ((*r).round) {
        case EVENT_GIVE: {
            (*r).at = min((*r).at + 256u, order[9]);
        }
        case EVENT_FIND: {
            (*r).left = total;
            (*r).at += 256u;
        }
        case EVENT_PROBE: {
            (*r).tile += 1u;
        }
        case EVENT_ROW, EVENT_DIRECT, EVENT_STEP: {
            (*r).fired += total;
            (*r).work += 1u;
            if (tables[v + V_POPPED] == 0u) {
                (*r).output += total;
            }
            if (tables[v + V_CLOSED] != 0u) {
                let kept = min(total, order[7]);
                (*r).waiting += kept;
                (*r).lost += total - kept;
            }
            (*r).tile += 1u;
            if ((*r).tile * 256u > (*r).last) {
                (*r).kind = EVENT_NONE;
            }
        }
        default: {}
    }
}
// One unit's part of an event.
fn visit(g: u32, i: u32, slot: u32) -> i32 {
    let v = tables[T_SERIAL];
    var u = Unit();
    u.g = g;
    u.i = i;
    u.size = tables[g + G_SIZE];
    u.home = slot * tables[T_STATE_STRIDE];
    u.at = u.home + tables[g + G_STATE];
    u.slot = slot;
    u.sample = atomicLoad(&ctl[C_SAMPLE0]) + slot;
    u.step = order[6];
    u.zero = dispatch.first;
    switch (order[0]) {
        case EVENT_ROW: {
            let n = order[1] * tables[v + V_TLEN] + (i - tables[v + V_TSTART]);
            return on_port(tables[v + V_PORT], u, weight_of(tables[v + V_WKIND], tables[v + V_WEIGHTS], n));
        }
        case EVENT_DIRECT: { return on_port(order[1], u, order[2]); }
        default: { return on_step(u); }
    }
}
// What the host sends back for a spike.
fn loop_back(i: u32, slot: u32) {
    let v = tables[T_SERIAL];
    if (tables[v + V_BACK] == ABSENT) {
        return;
    }
    let due = slot * tables[T_ACC_STRIDE] + tables[v + V_DUE];
    let end = tables[tables[v + V_BACK] + i + 1u];
    for (var k = tables[tables[v + V_BACK] + i]; k < end; k++) {
        let pair = tables[v + V_BACKS] + 2u * k;
        let ring = (order[6] + tables[pair]) % tables[v + V_SLOTS];
        atomicAdd(&acc[due + ring * tables[v + V_ROWS] + tables[pair + 1u]], 1i);
    }
}
fn probe_tile(slot: u32, lid: u32) {
    let p = tables[tables[T_SERIAL] + V_PROBES] + order[1] * P_SIZE;
    let i = order[5] * 256u + lid;
    if (i < tables[p + P_LEN]) {
        let every = tables[p + P_EVERY];
        let row = (order[6] + 1u) / every - atomicLoad(&ctl[C_FIRST]) / every - 1u;
        let at = tables[p + P_OUT] + row * tables[p + P_ROW] + slot * tables[p + P_LEN] + i;
        out[at] = state[slot * tables[T_STATE_STRIDE] + tables[p + P_STATE] + tables[p + P_START] + i];
    }
}
// Given rows: each counts once more in the slot of the step. Rows to be found: is it due?
fn give_row(slot: u32, lid: u32) {
    let v = tables[T_SERIAL];
    let e = order[8] + lid;
    if (e < order[9]) {
        let ring = slot * tables[T_ACC_STRIDE] + tables[v + V_DUE] + (order[6] % tables[v + V_SLOTS]) * tables[v + V_ROWS];
        atomicAdd(&acc[ring + ext[ext[E_ENTRIES] + Y_WORDS * e + Y_WHAT]], 1i);
    }
}
fn is_due(slot: u32, lid: u32) -> bool {
    let v = tables[T_SERIAL];
    let row = order[8] + lid;
    if (row >= tables[v + V_ROWS]) {
        return false;
    }
    let ring = slot * tables[T_ACC_STRIDE] + tables[v + V_DUE] + (order[6] % tables[v + V_SLOTS]) * tables[v + V_ROWS];
    return atomicLoad(&acc[ring + row]) != 0i;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let v = tables[T_SERIAL];
    let slot = wg.y;
    let c = tables[T_CTL] + slot * tables[T_CTL_STRIDE];
    let g = tables[v + V_GROUP];
    let queue = slot * tables[T_ACC_STRIDE] + tables[v + V_QUEUE];
    var r = load(c);
    for (var n = 0u; n < dispatch.budget; n++) {
        if (lid < 8u) {
            atomicStore(&emitted[lid], 0u);
        }
        if (lid == 0u) {
            choose(&r, slot);
            order[0] = r.round;
            order[1] = select(r.what, r.at, r.round == EVENT_PROBE);
            order[2] = r.value;
            order[3] = r.first;
            order[4] = r.last;
            order[5] = r.tile;
            order[6] = r.step;
            let holding = select(0u, 1u, (r.kind & EVENT_QUEUED) != 0u);
            order[7] = tables[v + V_CAPACITY] - min(tables[v + V_CAPACITY], r.waiting + holding);
            order[8] = select(r.at, r.base, r.round == EVENT_FIND);
            order[9] = 0u;
            order[10] = r.output;
            order[11] = r.head + r.waiting;
            if (r.round == EVENT_GIVE) {
                order[9] = given(slot, r.step, 1u);
            }
        }
        workgroupBarrier();
        let round = order[0];
        let i = order[5] * 256u + lid;
        let fires = round == EVENT_ROW || round == EVENT_DIRECT || round == EVENT_STEP;
        var yes = false;
        if (fires) {
            if (i >= order[3] && i <= order[4]) {
                yes = visit(g, i, slot) != 0i;
            }
        } else if (round == EVENT_FIND) {
            yes = is_due(slot, lid);
        } else if (round == EVENT_GIVE) {
            give_row(slot, lid);
        } else if (round == EVENT_PROBE) {
            probe_tile(slot, lid);
        }
        if (yes) {
            atomicOr(&emitted[lid >> 5u], 1u << (lid & 31u));
        }
        workgroupBarrier();
        var total = 0u;
        var rank = 0u;
        for (var w = 0u; w < 8u; w++) {
            let bits = atomicLoad(&emitted[w]);
            if (w == lid >> 5u) {
                rank = total + countOneBits(bits & ((1u << (lid & 31u)) - 1u));
            }
            total += countOneBits(bits);
        }
        if (round == EVENT_FIND && lid < 8u) {
            pending[lid] = atomicLoad(&emitted[lid]);
        }
        if (fires && yes) {
            if (tables[v + V_POPPED] == 0u) {
                write_out(slot, order[10] + rank, order[6], i);
            }
            if (tables[v + V_CLOSED] != 0u && rank < order[7]) {
                let place = (order[11] + rank) % tables[v + V_PLACES];
                atomicStore(&acc[queue + place], bitcast<i32>(i));
            }
            loop_back(i, slot);
        }
        if (lid == 0u) {
            conclude(&r, total);
        }
        workgroupBarrier();
        storageBarrier();
    }
    if (lid == 0u) {
        save(c, r);
        let stopped = r.output + 257u > r.room || r.work > MOST_WORK;
        if (r.step < r.until && !stopped) {
            atomicMax(&args[dispatch.args], 1u);
        }
    }
}
