// Target `n` of a run, by the kind and index of its record.
fn target_of(kind: u32, first: u32, n: u32) -> u32 {
    if (kind == TARGETS_ALL) {
        return first + n;
    }
    let k = first + n;
    let halvings = TARGETS_U32 - kind;
    let bits = 32u >> halvings;
    let above = 32u - bits - (k & halvings) * bits;
    return (synapses[k >> halvings] << above) >> (32u - bits);
}
