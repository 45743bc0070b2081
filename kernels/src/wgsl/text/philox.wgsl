// Philox4x32-10: the word of `element` under (step, sample, stream and site).
fn philox(element: u32, step: u32, sample: u32, stream: u32) -> u32 {
    var c = vec4<u32>(element >> 2u, step, sample, stream);
    var k = vec2<u32>(tables[T_SEED_LO], tables[T_SEED_HI]);
    for (var r = 0u; r < 10u; r++) { // at most NOISE
        let h0 = mul_hi(0xD2511F53u, c.x);
        let h1 = mul_hi(0xCD9E8D57u, c.z);
        c = vec4<u32>(h1 ^ c.y ^ k.x, 0xCD9E8D57u * c.z, h0 ^ c.w ^ k.y, 0xD2511F53u * c.x);
        k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c[element & 3u];
}
