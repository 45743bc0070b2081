// Copies a probed state into its row of the output, in steps that have one.
fn probe(u: Unit) {
    for (var k = 0u; k < descriptor(u, G_PROBES_N); k++) { // at most PROBES
        let p = descriptor(u, G_PROBES) + k * P_SIZE;
        let i = u.i - tables[p + P_START];
        let every = tables[p + P_EVERY];
        if (u.i >= tables[p + P_START] && i < tables[p + P_LEN] && (u.step + 1u) % every == 0u) {
            let row = (u.step + 1u) / every - atomicLoad(&ctl[C_FIRST]) / every - 1u;
            let at = tables[p + P_OUT] + row * tables[p + P_ROW] + u.slot * tables[p + P_LEN] + i;
            out[at] = state[u.at + tables[p + P_STATE] * u.size + u.i];
        }
    }
}
