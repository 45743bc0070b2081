// One round of Philox4x32.
fn philox_round(c: vec4<u32>, k: vec2<u32>) -> vec4<u32> {
    let h0 = mul_hi(0xD2511F53u, c.x);
    let h1 = mul_hi(0xCD9E8D57u, c.z);
    return vec4<u32>(h1 ^ c.y ^ k.x, 0xCD9E8D57u * c.z, h0 ^ c.w ^ k.y, 0xD2511F53u * c.x);
}
// Four targets of a row that is drawn: words of one block, each scaled to the number of targets but the one that is left out.
fn drawn_targets(counter: vec4<u32>, key: vec2<u32>, targets: u32, left_out: u32) -> vec4<u32> {
    let more = vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    var c = philox_round(counter, key);
    c = philox_round(c, key + more);
    c = philox_round(c, key + 2u * more);
    c = philox_round(c, key + 3u * more);
    c = philox_round(c, key + 4u * more);
    c = philox_round(c, key + 5u * more);
    c = philox_round(c, key + 6u * more);
    c = philox_round(c, key + 7u * more);
    c = philox_round(c, key + 8u * more);
    c = philox_round(c, key + 9u * more);
    let n = select(targets - 1u, targets, left_out == ABSENT);
    let t = vec4<u32>(mul_hi(c.x, n), mul_hi(c.y, n), mul_hi(c.z, n), mul_hi(c.w, n));
    return t + select(vec4<u32>(0u), vec4<u32>(1u), t >= vec4<u32>(left_out));
}
