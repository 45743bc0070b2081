// What synapse `i` onto target `t` of a row delivers. A weight beyond the range that sums of floats are scaled for is told.
fn learned_weight(row: Syn, t: u32, i: u32, rule: u32) -> u32 {
    var u = row;
    u.t = t;
    u.i = i;
    let w = offered(u);
    if (FLOATS && rule >= RULE_ADD_F && !(abs(bitcast<f32>(w)) <= bitcast<f32>(tables[u.d + D_BOUND]))) {
        atomicStore(&ctl[C_OVER], 1u);
    }
    return w;
}
