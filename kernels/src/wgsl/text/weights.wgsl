// A weight of buffer `BUFFER`, by the kind and index of a descriptor.
fn weight_of(kind: u32, first: u32, n: u32) -> u32 {
    let k = first + n;
    switch (kind) {
        case WEIGHT_ONE: { return first; }
        case WEIGHT_I8: { return byte_of(BUFFER[k >> 2u], k); }
        case WEIGHT_I16: { return half_of(BUFFER[k >> 1u], k); }
        default: { return BUFFER[k]; }
    }
}
