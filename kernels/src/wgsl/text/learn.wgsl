// A synapse of a projection that learns, or one of its rows or targets alone, in one sample.
struct Syn {
    d: u32,       // descriptor of the projection
    at: u32,      // block of the sample in `learned`
    home: u32,    // block of the sample in `state`
    row: u32,
    t: u32,       // target, counted from the first
    i: u32,       // synapse
    step: u32,
    slot: u32,    // sample of this batch
    sample: u32,  // number of the sample in the whole batch
    zero: u32,    // 0, unknown to the compiler
}
fn live(slot: u32) -> bool {
    return atomicLoad(&ctl[tables[T_CTL] + slot * tables[T_CTL_STRIDE] + S_LIVE]) != 0u;
}
fn lesson(slot: u32) -> Syn {
    var u = Syn();
    u.d = dispatch.lesson;
    u.at = slot * tables[u.d + D_STRIDE];
    u.home = slot * tables[T_STATE_STRIDE];
    u.step = atomicLoad(&ctl[tables[T_CTL] + slot * tables[T_CTL_STRIDE] + S_STEP]);
    u.slot = slot;
    u.sample = atomicLoad(&ctl[C_SAMPLE0]) + slot;
    u.zero = dispatch.stage;
    return u;
}
// One byte of a number of steps takes a distance to the rest times the power for it, toward zero.
fn power_i(x: u32, powers: u32, steps: u32, k: u32) -> u32 {
    let b = (steps >> (8u * k)) & 255u;
    if (b == 0u) {
        return x;
    }
    let p = tables[powers + 256u * k + b];
    let lo = x * p;
    let hi = mul_hi_signed(x, true, p, false);
    return ((lo >> 31u) | (hi << 1u)) + word((hi >> 31u) == 1u && (lo << 1u) != 0u);
}
fn power_f(x: f32, powers: u32, steps: u32, k: u32) -> f32 {
    let b = (steps >> (8u * k)) & 255u;
    if (b == 0u) {
        return x;
    }
    return x * bitcast<f32>(tables[powers + 256u * k + b]);
}
fn decayed_i(v: u32, rest: u32, powers: u32, steps: u32) -> u32 {
    if (steps == 0u) {
        return v;
    }
    var x = power_i(v - rest, powers, steps, 0u);
    if (steps > 255u) {
        x = power_i(x, powers, steps, 1u);
        x = power_i(x, powers, steps, 2u);
        x = power_i(x, powers, steps, 3u);
    }
    return rest + x;
}
fn decayed_f(v: f32, rest: f32, powers: u32, steps: u32) -> f32 {
    if (steps == 0u) {
        return v;
    }
    var x = power_f(v - rest, powers, steps, 0u);
    if (steps > 255u) {
        x = power_f(x, powers, steps, 1u);
        x = power_f(x, powers, steps, 2u);
        x = power_f(x, powers, steps, 3u);
    }
    return rest + x;
}
