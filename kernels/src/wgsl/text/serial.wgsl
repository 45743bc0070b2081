// One event after another, a workgroup a sample. In each round the workgroup does a tile of 256 units of an event, or a tile of
// something else; who emits is gathered in a bitmap, whose counts give each emitter its place in the output and in the queue.
// Every invocation follows what the rounds are about by itself, from the same words, so that nothing need be told. What is
// unfinished when the rounds of a dispatch end waits in `ctl` for the next one.
var<workgroup> emitted: array<atomic<u32>, 8>;

// What the sample is about to do, in four vectors of `ctl`; then what the coming round is.
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
    round: u32,  // EVENT_*
    popped: u32, // 1 when the row that is taken up in this round goes out
    bits: u32,   // due rows of the 32 from `base` on that are still to come
    base: u32,
    paid: u32,   // place in `acc` of the due row that is taken up, or ABSENT
}
// What does not change: the record of the program, and where the sample's words lie.
struct Fixed {
    slot: u32,
    g: u32,
    tstart: u32,
    tlen: u32,
    wkind: u32,
    weights: u32,
    port: u32,
    rows: u32,
    capacity: u32,
    closed: bool,
    popped: bool,
    sorted: bool,
    queue: u32,
    places: u32,
    due: u32,
    slots: u32,
    back: u32,
    backs: u32,
    probes: u32,
    probes_n: u32,
    given: u32,    // pointers of the sample's events in `ext`, counted from step 0
    entries: u32,
    until: u32,
    room: u32,     // entries of output that fit
    out_at: u32,
    size: u32,
    state: u32,
    home: u32,
    sample: u32,
    first_step: u32,
}
fn fixed(slot: u32) -> Fixed {
    let v = tables[T_SERIAL];
    let acc_at = slot * tables[T_ACC_STRIDE];
    var f = Fixed();
    f.slot = slot;
    f.g = tables[v + V_GROUP];
    f.tstart = tables[v + V_TSTART];
    f.tlen = tables[v + V_TLEN];
    f.wkind = tables[v + V_WKIND];
    f.weights = tables[v + V_WEIGHTS];
    f.port = tables[v + V_PORT];
    f.rows = tables[v + V_ROWS];
    f.capacity = tables[v + V_CAPACITY];
    f.closed = tables[v + V_CLOSED] != 0u;
    f.popped = tables[v + V_POPPED] != 0u;
    f.sorted = tables[v + V_SORTED] != 0u;
    f.queue = acc_at + tables[v + V_QUEUE];
    f.places = tables[v + V_PLACES];
    f.due = acc_at + tables[v + V_DUE];
    f.slots = tables[v + V_SLOTS];
    f.back = tables[v + V_BACK];
    f.backs = tables[v + V_BACKS];
    f.probes = tables[v + V_PROBES];
    f.probes_n = tables[v + V_PROBES_N];
    f.given = E_PTR + slot * (2u * ext[E_STEPS] + 1u) - 2u * ext[E_FIRST];
    f.entries = ext[E_ENTRIES];
    f.until = tables[v + V_UNTIL];
    f.room = tables[v + V_ROOM];
    f.out_at = 2u * slot * f.room;
    f.size = tables[f.g + G_SIZE];
    f.home = slot * tables[T_STATE_STRIDE];
    f.state = f.home + tables[f.g + G_STATE];
    f.sample = dispatch.samples + slot;
    f.first_step = ext[E_FIRST];
    return f;
}
fn load(slot: u32) -> Run {
    let a = runs[4u * slot];
    let b = runs[4u * slot + 1u];
    let c = runs[4u * slot + 2u];
    // The first dispatch of a submission begins its counts anew.
    let d = select(runs[4u * slot + 3u], vec4<u32>(0u, 0u, 0u, runs[4u * slot + 3u].w), dispatch.stage == 0u);
    var r = Run();
    r.step = a.x;
    r.part = a.y;
    r.at = a.z;
    r.tile = a.w;
    r.head = b.x;
    r.waiting = b.y;
    r.kind = b.z;
    r.what = b.w;
    r.value = c.x;
    r.first = c.y;
    r.last = c.z;
    r.output = select(c.w, 0u, dispatch.stage == 0u);
    r.lost = d.x;
    r.walked = d.y;
    r.fired = d.z;
    r.work = d.w;
    r.base = a.z;
    return r;
}
fn save(slot: u32, r: Run) {
    // Which rows of a stretch are due is not kept: the stretch is looked through again.
    let at = select(r.at, r.base, r.part == PART_ROWS);
    runs[4u * slot] = vec4<u32>(r.step, r.part, at, r.tile);
    runs[4u * slot + 1u] = vec4<u32>(r.head, r.waiting, r.kind, r.what);
    runs[4u * slot + 2u] = vec4<u32>(r.value, r.first, r.last, r.output);
    runs[4u * slot + 3u] = vec4<u32>(r.lost, r.walked, r.fired, r.work);
}
// First word, in `acc`, of the rows due in the current step.
fn due_now(f: Fixed, step: u32) -> u32 {
    return f.due + (step % f.slots) * f.rows;
}
// One move between the parts of a step; true when a round, or an event, has been found.
fn advance(f: Fixed, r: ptr<function, Run>) -> bool {
    let step = (*r).step;
    if ((*r).part == PART_BEGIN) {
        if (step >= f.until) {
            return true;
        }
        (*r).part = select(PART_EVENTS, PART_GIVEN, f.sorted);
        (*r).at = ext[f.given + 2u * step + select(1u, 0u, f.sorted)];
        return false;
    }
    if ((*r).part == PART_ROWS) {
        if ((*r).bits != 0u) {
            let row = (*r).base + firstTrailingBit((*r).bits);
            (*r).paid = due_now(f, step) + row;
            if (atomicLoad(&acc[(*r).paid]) == 1i) {
                (*r).bits &= (*r).bits - 1u;
            }
            (*r).what = row;
            (*r).kind = EVENT_ROW | EVENT_QUEUED;
            (*r).work = 0u;
            return true;
        }
        if ((*r).at < f.rows) {
            (*r).round = EVENT_FIND;
            return true;
        }
        (*r).part = PART_EVENTS;
        (*r).at = ext[f.given + 2u * step + 1u];
        return false;
    }
    if ((*r).part == PART_PROBES) {
        if ((*r).at >= f.probes_n) {
            (*r).step = step + 1u;
            (*r).part = PART_BEGIN;
            return false;
        }
        let p = f.probes + (*r).at * P_SIZE;
        if ((step + 1u) % tables[p + P_EVERY] == 0u && (*r).tile * 256u < tables[p + P_LEN]) {
            (*r).round = EVENT_PROBE;
            return true;
        }
        (*r).at += 1u;
        (*r).tile = 0u;
        return false;
    }
    // Given rows become due first; the other events come one by one.
    let rows = (*r).part == PART_GIVEN;
    if ((*r).at < ext[f.given + 2u * step + select(2u, 1u, rows)]) {
        if (rows) {
            (*r).round = EVENT_GIVE;
            return true;
        }
        let e = f.entries + Y_WORDS * (*r).at;
        (*r).kind = ext[e];
        (*r).what = ext[e + Y_WHAT];
        (*r).value = ext[e + Y_VALUE];
        (*r).first = ext[e + Y_FIRST];
        (*r).last = ext[e + Y_LAST];
        (*r).work = 0u;
        (*r).at += 1u;
        return true;
    }
    (*r).part = select(PART_PROBES, PART_ROWS, rows);
    (*r).at = 0u;
    (*r).base = 0u;
    (*r).tile = 0u;
    return false;
}
// Says what the coming round is; EVENT_NONE when there is nothing to do, or no room for what it could put out.
fn choose(f: Fixed, r: ptr<function, Run>) {
    (*r).round = EVENT_NONE;
    (*r).popped = 0u;
    (*r).paid = ABSENT;
    if ((*r).output + 257u > f.room || (*r).work > MOST_WORK) {
        return;
    }
    let held = (*r).kind != EVENT_NONE;
    var found = held;
    for (var n = 0u; n < 6u && !found; n++) { // at most PARTS
        if ((*r).waiting != 0u) {
            (*r).what = bitcast<u32>(atomicLoad(&acc[f.queue + (*r).head]));
            (*r).kind = EVENT_ROW | EVENT_QUEUED;
            (*r).head = ((*r).head + 1u) % f.places;
            (*r).waiting -= 1u;
            found = true;
        } else {
            found = advance(f, r);
        }
    }
    if ((*r).kind == EVENT_NONE) {
        return;
    }
    (*r).round = (*r).kind & 255u;
    if (!held) {
        if ((*r).round == EVENT_ROW) {
            // No target at all is the empty range 1..=0.
            (*r).first = select(f.tstart, 1u, f.tlen == 0u);
            (*r).last = select(f.tstart + f.tlen - 1u, 0u, f.tlen == 0u);
            (*r).walked += f.tlen;
            (*r).popped = select(0u, 1u, f.popped);
        }
        (*r).tile = (*r).first >> 8u;
    }
}
// After a round in which `total` units have emitted.
fn conclude(f: Fixed, r: ptr<function, Run>, total: u32, space: u32) {
    switch ((*r).round) {
        case EVENT_GIVE: {
            (*r).at = min((*r).at + 256u, ext[f.given + 2u * (*r).step + 1u]);
        }
        case EVENT_PROBE: {
            (*r).tile += 1u;
        }
        case EVENT_ROW, EVENT_DIRECT, EVENT_STEP: {
            (*r).fired += total;
            (*r).work += 1u;
            (*r).output += select(total, (*r).popped, f.popped);
            if (f.closed) {
                let kept = min(total, space);
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
// Goes on to the first 32 rows of a looked-through stretch of which one is due.
fn found_rows(r: ptr<function, Run>) {
    (*r).bits = 0u;
    for (var w = 0u; w < 8u && (*r).bits == 0u; w++) { // at most FOUND
        (*r).bits = atomicLoad(&emitted[w]);
        (*r).base = (*r).at;
        (*r).at += 32u;
    }
}
// One unit's part of an event.
fn visit(f: Fixed, r: Run, i: u32) -> i32 {
    var u = Unit();
    u.g = f.g;
    u.i = i;
    u.size = f.size;
    u.at = f.state;
    u.home = f.home;
    u.slot = f.slot;
    u.sample = f.sample;
    u.step = r.step;
    u.zero = dispatch.first;
    var port = r.what;
    var value = r.value;
    if (r.round == EVENT_STEP) {
        return on_step(u);
    }
    if (r.round == EVENT_ROW) {
        port = f.port;
        value = weight_of(f.wkind, f.weights, r.what * f.tlen + (i - f.tstart));
    }
    return on_port(port, u, value);
}
// What the host sends back for a spike.
fn loop_back(f: Fixed, i: u32, step: u32) {
    let end = tables[f.back + i + 1u];
    for (var k = tables[f.back + i]; k < end; k++) { // at most BACK
        let row = f.due + ((step + tables[f.backs + 2u * k]) % f.slots) * f.rows;
        atomicAdd(&acc[row + tables[f.backs + 2u * k + 1u]], 1i);
    }
}
fn probe_tile(f: Fixed, r: Run, lid: u32) {
    let p = f.probes + r.at * P_SIZE;
    let i = r.tile * 256u + lid;
    if (i < tables[p + P_LEN]) {
        let every = tables[p + P_EVERY];
        let row = (r.step + 1u) / every - f.first_step / every - 1u;
        let at = tables[p + P_OUT] + row * tables[p + P_ROW] + f.slot * tables[p + P_LEN] + i;
        out[at] = state[f.home + tables[p + P_STATE] + tables[p + P_START] + i];
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let f = fixed(wg.y);
    var r = load(wg.y);
    for (var n = 0u; n < dispatch.budget; n++) { // at most ROUNDS
        choose(f, &r);
        let space = f.capacity - min(f.capacity, r.waiting + (r.kind >> 8u));
        if (lid < 8u) {
            atomicStore(&emitted[lid], 0u);
        }
        workgroupBarrier();
        let i = r.tile * 256u + lid;
        let fires = r.round == EVENT_ROW || r.round == EVENT_DIRECT || r.round == EVENT_STEP;
        var yes = false;
        if (fires) {
            if (i >= r.first && i <= r.last) {
                yes = visit(f, r, i) != 0i;
            }
        } else if (r.round == EVENT_FIND) {
            if (r.at + lid < f.rows) {
                yes = atomicLoad(&acc[due_now(f, r.step) + r.at + lid]) != 0i;
            }
        } else if (r.round == EVENT_GIVE) {
            if (r.at + lid < ext[f.given + 2u * r.step + 1u]) {
                let row = ext[f.entries + Y_WORDS * (r.at + lid) + Y_WHAT];
                atomicAdd(&acc[due_now(f, r.step) + row], 1i);
            }
        } else if (r.round == EVENT_PROBE) {
            probe_tile(f, r, lid);
        }
        if (yes) {
            atomicOr(&emitted[lid >> 5u], 1u << (lid & 31u));
        }
        workgroupBarrier();
        var total = 0u;
        var rank = 0u;
        for (var w = 0u; w < 8u; w++) { // at most RANKED
            let bits = atomicLoad(&emitted[w]);
            if (w == lid >> 5u) {
                rank = total + countOneBits(bits & ((1u << (lid & 31u)) - 1u));
            }
            total += countOneBits(bits);
        }
        if (r.round == EVENT_FIND) {
            found_rows(&r);
        }
        // A row that goes out, or a unit: the round's output.
        let shows = select(fires && yes, lid == 0u && r.popped != 0u, f.popped);
        if (shows) {
            let at = f.out_at + 2u * (r.output + select(rank, 0u, f.popped));
            out[at] = r.step;
            out[at + 1u] = select(i, r.what, f.popped);
        }
        if (fires && yes) {
            if (f.closed && rank < space) {
                let place = (r.head + r.waiting + rank) % f.places;
                atomicStore(&acc[f.queue + place], bitcast<i32>(i));
            }
            if (f.back != ABSENT) {
                loop_back(f, i, r.step);
            }
        }
        if (lid == 0u && r.paid != ABSENT) {
            atomicSub(&acc[r.paid], 1i);
        }
        conclude(f, &r, total, space);
        storageBarrier();
    }
    if (lid == 0u) {
        save(wg.y, r);
        let stopped = r.output + 257u > f.room || r.work > MOST_WORK;
        if (r.step < f.until && !stopped) {
            atomicMax(&args[dispatch.args], 1u);
        }
    }
}
