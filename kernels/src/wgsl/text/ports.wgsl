// Takes what has been summed up at a port, leaving 0.
fn take(u: Unit, port: u32) -> i32 {
    let at = descriptor(u, port + R_ACC);
    if (at == ABSENT) {
        return 0i;
    }
    // Nothing else touches it in this dispatch, and plain accesses are cheaper than an exchange.
    let sum = atomicLoad(&acc[u.acc + at + u.i]);
    if (sum != 0i) {
        atomicStore(&acc[u.acc + at + u.i], 0i);
    }
    return sum;
}
// The same for floats: the events' fixed-point sum and the analog arrivals.
fn take_f(u: Unit, port: u32, largest: bool) -> f32 {
    var x = 0.0;
    if (descriptor(u, port + R_ACC) != ABSENT) {
        x = f32(take(u, port)) * bitcast<f32>(tables[descriptor(u, port + R_SCALE) + 1u]);
    }
    let at = descriptor(u, port + R_ANALOG);
    if (at != ABSENT) {
        let y = bitcast<f32>(atomicLoad(&acc[u.acc + at + u.i]));
        x = select(x + y, max(x, y), largest);
    }
    return x;
}
// Keeps an analog output for those who read it now or later.
fn give(u: Unit, output: u32, value: u32) {
    let ring = descriptor(u, output + O_RING);
    if (ring != 0u) {
        state[u.home + descriptor(u, output + O_AT) + (u.step % ring) * u.size + u.i] = value;
    }
}
