// Analog arrivals: each target adds up the outputs of its sources, in the order of projections and sources. A dispatch
// takes the positions `start..stop` of that order; the first one begins the sum.
// What source `i` of record `r` showed `delay` steps ago.
fn shown(r: u32, home: u32, step: u32, i: u32, delay: u32) -> u32 {
    let slot = (step - delay) % tables[r + A_RING];
    return state[home + tables[r + A_AT] + slot * tables[r + A_UNITS] + i];
}
fn combine(rule: u32, sum: u32, x: u32, w: u32) -> u32 {
    switch (rule) {
        case RULE_ADD: { return sum + x * w; }
        case RULE_MAX: { return bitcast<u32>(max(bitcast<i32>(sum), bitcast<i32>(x * w))); }
        case RULE_ADD_F: {
            return bitcast<u32>(bitcast<f32>(sum) + bitcast<f32>(x) * bitcast<f32>(w));
        }
        default: {
            return bitcast<u32>(max(bitcast<f32>(sum), bitcast<f32>(x) * bitcast<f32>(w)));
        }
    }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let c = tables[T_CTL] + wg.y * tables[T_CTL_STRIDE];
    let step = atomicLoad(&ctl[c + S_STEP]);
    let tile = tables[T_GATHER_TILES] + 2u * (dispatch.first + wg.x);
    let q = tables[tile];
    let i = tables[tile + 1u] + lid;
    if (i >= tables[q + Q_SIZE] || atomicLoad(&ctl[c + S_LIVE]) == 0u) {
        return;
    }
    let home = wg.y * tables[T_STATE_STRIDE];
    let rule = tables[q + Q_RULE];
    let floats = rule == RULE_ADD_F || rule == RULE_MAX_F;
    let place = wg.y * tables[T_ACC_STRIDE] + tables[q + Q_ACC] + i;
    var sum = 0u;
    if (floats && dispatch.start != 0u) {
        sum = bitcast<u32>(atomicLoad(&acc[place]));
    }
    var passed = 0u;
    for (var k = 0u; k < tables[q + Q_RECS_N]; k++) { // at most RECORDS
        let r = tables[q + Q_RECS] + k * A_WORDS;
        let t = i - tables[r + A_TSTART];
        if (i < tables[r + A_TSTART] || t >= tables[r + A_TLEN]) {
            continue;
        }
        let kind = tables[r + A_KIND];
        var first = tables[r + A_START];
        var n = tables[r + A_COUNT];
        if (kind == KIND_ONE) {
            first += t;
            n = 1u;
        } else if (kind == KIND_COLUMNS) {
            first = gathered[tables[r + A_WEIGHTS] + t];
            n = gathered[tables[r + A_WEIGHTS] + t + 1u] - first;
        }
        let lo = clamp(dispatch.start, passed, passed + n) - passed;
        let hi = clamp(dispatch.stop, passed, passed + n) - passed;
        passed += n;
        for (var j = lo; j < hi; j++) { // at most POSITIONS
            var source = first + j;
            var delay = tables[r + A_DELAY];
            var w = 0u;
            if (kind == KIND_COLUMNS) {
                let e = 3u * source;
                source = gathered[e];
                delay = gathered[e + 1u];
                w = gathered[e + 2u];
            } else {
                let at = select(t, j * tables[r + A_TLEN] + t, kind == KIND_DENSE);
                w = weight_of(tables[r + A_WKIND], tables[r + A_WEIGHTS], at);
            }
            if (delay <= step) {
                sum = combine(rule, sum, shown(r, home, step, source, delay), w);
            }
        }
    }
    if (floats) {
        atomicStore(&acc[place], bitcast<i32>(sum));
    } else if (rule == RULE_ADD) {
        atomicAdd(&acc[place], bitcast<i32>(sum));
    } else {
        atomicMax(&acc[place], bitcast<i32>(sum));
    }
}
