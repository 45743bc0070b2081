// Narrow values in words, sign-extended.
fn byte_of(w: u32, k: u32) -> u32 {
    return bitcast<u32>(bitcast<i32>(w << (24u - 8u * (k & 3u))) >> 24u);
}
fn half_of(w: u32, k: u32) -> u32 {
    return bitcast<u32>(bitcast<i32>(w << (16u - 16u * (k & 1u))) >> 16u);
}
