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
// Do events reach a port?
fn reached(u: Unit, port: u32) -> bool {
    return descriptor(u, port + R_ACC) != ABSENT;
}
