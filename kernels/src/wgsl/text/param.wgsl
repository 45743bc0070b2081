fn param(u: Unit, k: u32) -> u32 {
    return tables[descriptor(u, k) + u.i * descriptor(u, k + 1u)];
}
