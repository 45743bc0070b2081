// The same for floats: the events' fixed-point sum and the analog arrivals.
fn take_f(u: Unit, port: u32, largest: bool) -> f32 {
    var x = 0.0;
    if (reached(u, port)) {
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
