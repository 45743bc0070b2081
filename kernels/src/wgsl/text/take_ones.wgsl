// Takes what has been summed up at a port, leaving 0, and what this unit's one-to-one sources have emitted.
fn take(u: Unit, port: u32) -> i32 {
    var sum = 0i;
    let at = descriptor(u, port + R_ACC);
    if (at != ABSENT) {
        sum = atomicLoad(&acc[u.acc + at + u.i]);
        if (sum != 0i) {
            atomicStore(&acc[u.acc + at + u.i], 0i);
        }
    }
    let n = descriptor(u, port + R_ONES_N);
    for (var k = 0u; k < n; k++) { // at most ONES
        sum = take_one(u, port, descriptor(u, port + R_ONES) + k * ONE_WORDS, sum);
    }
    return sum;
}
// The sum after what came over the one-to-one projection of record `r`.
fn take_one(u: Unit, port: u32, r: u32, before: i32) -> i32 {
    let place = u.i - tables[r + ONE_START];
    let delay = tables[r + ONE_DELAY];
    if (place >= tables[r + ONE_LEN] || delay > u.step) {
        return before;
    }
    let slot = (u.step - delay) % tables[r + ONE_RING];
    let payload = lists[u.lists + tables[r + ONE_AT] + slot * tables[r + ONE_UNITS] + place];
    if (payload == 0u) {
        return before;
    }
    walks += 1u;
    var scale = 1.0;
    if (FLOATS) {
        scale = bitcast<f32>(tables[descriptor(u, port + R_SCALE)]);
    }
    let rule = tables[r + ONE_RULE];
    let weight = tables[tables[r + ONE_WEIGHTS] + place * tables[r + ONE_STRIDE]];
    let x = contribution(rule, payload, weight, scale);
    if (MAXIMA && (rule == RULE_MAX || (rule & 3u) == RULE_MAX_F)) {
        return max(before, x);
    }
    return before + x;
}
// Do events reach a port?
fn reached(u: Unit, port: u32) -> bool {
    return descriptor(u, port + R_ACC) != ABSENT || descriptor(u, port + R_ONES_N) != 0u;
}
