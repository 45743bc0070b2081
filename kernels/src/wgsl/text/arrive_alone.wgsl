// Nobody else adds to this sample's accumulators.
fn arrive(rule: u32, at: u32, x: i32) {
    let before = atomicLoad(&acc[at]);
    if (MAXIMA && (rule == RULE_MAX || (rule & 3u) == RULE_MAX_F)) {
        atomicStore(&acc[at], max(before, x));
    } else {
        atomicStore(&acc[at], before + x);
    }
}
