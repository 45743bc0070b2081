// High word of the product of two unsigned words, by 16-bit limbs.
fn mul_hi(a: u32, b: u32) -> u32 {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let low = al * bl;
    let m = al * bh;
    let n = ah * bl;
    let mid = (low >> 16u) + (m & 0xffffu) + (n & 0xffffu);
    return ah * bh + (m >> 16u) + (n >> 16u) + (mid >> 16u);
}
// The same when the factors' signs count: take away what a negative factor adds as an unsigned one.
fn mul_hi_signed(a: u32, a_signed: bool, b: u32, b_signed: bool) -> u32 {
    let over_a = select(0u, b, a_signed && (a >> 31u) == 1u);
    let over_b = select(0u, a, b_signed && (b >> 31u) == 1u);
    return mul_hi(a, b) - over_a - over_b;
}
fn div_i(a: i32, b: i32) -> i32 {
    let odd = b == 0i || b == -1i;
    let q = a / select(b, 1i, odd);
    return select(q, select(0i - a, 0i, b == 0i), odd);
}
fn rem_i(a: i32, b: i32) -> i32 {
    let odd = b == 0i || b == -1i;
    return select(a % select(b, 1i, odd), 0i, odd);
}
fn div_u(a: u32, b: u32) -> u32 {
    return select(a / select(b, 1u, b == 0u), 0u, b == 0u);
}
fn rem_u(a: u32, b: u32) -> u32 {
    return select(a % select(b, 1u, b == 0u), 0u, b == 0u);
}
fn shl_i(a: i32, n: i32) -> i32 {
    return select(0i, a << (bitcast<u32>(n) & 31u), n >= 0i && n < 32i);
}
fn shl_u(a: u32, n: i32) -> u32 {
    return select(0u, a << (bitcast<u32>(n) & 31u), n >= 0i && n < 32i);
}
fn shr_i(a: i32, n: i32) -> i32 {
    return a >> bitcast<u32>(clamp(n, 0i, 31i));
}
fn shr_u(a: u32, n: i32) -> u32 {
    return select(a >> bitcast<u32>(clamp(n, 0i, 31i)), 0u, n > 31i);
}
fn word(c: bool) -> u32 {
    return select(0u, 1u, c);
}
