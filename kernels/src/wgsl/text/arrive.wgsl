fn arrive(rule: u32, at: u32, x: i32) {
    if (MAXIMA && (rule == RULE_MAX || (rule & 3u) == RULE_MAX_F)) {
        atomicMax(&acc[at], x);
    } else {
        atomicAdd(&acc[at], x);
    }
}
