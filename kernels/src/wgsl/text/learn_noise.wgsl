fn noise(u: Syn, site: u32) -> u32 {
    return philox(tables[u.d + D_BASE] + u.i, u.step, u.sample, 5u | (site << 8u));
}
