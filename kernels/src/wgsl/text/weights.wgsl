// A weight of buffer `BUFFER`, sign-extended, by the kind and index of a descriptor.
fn weight_of(kind: u32, first: u32, n: u32) -> u32 {
    if (kind == WEIGHT_ONE) {
        return first;
    }
    let k = first + n;
    let halvings = WEIGHT_32 - kind;
    let bits = 32u >> halvings;
    let above = 32u - bits - (k & ((1u << halvings) - 1u)) * bits;
    return bitcast<u32>(bitcast<i32>(BUFFER[k >> halvings] << above) >> (32u - bits));
}
