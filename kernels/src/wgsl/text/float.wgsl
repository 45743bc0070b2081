// 2^31 is not an f32 below the integers' end, so both ends are tested, and a NaN passes neither.
fn to_i32(x: f32) -> i32 {
    var r = 0i;
    if (x >= 2147483648.0) {
        r = 2147483647i;
    } else if (x <= -2147483648.0) {
        r = bitcast<i32>(0x80000000u);
    } else if (x > -2147483648.0) {
        r = i32(x);
    }
    return r;
}
fn to_u32(x: f32) -> u32 {
    var r = 0u;
    if (x >= 4294967296.0) {
        r = 0xffffffffu;
    } else if (x > 0.0) {
        r = u32(x);
    }
    return r;
}
fn sign_f(x: f32) -> f32 {
    return select(0.0, 1.0, x > 0.0) - select(0.0, 1.0, x < 0.0);
}
// `pow` is defined for positive bases only.
fn pow_f(x: f32, y: f32) -> f32 {
    if (y == 0.0) {
        return 1.0;
    }
    let size = pow(abs(x), y);
    let whole = floor(y) == y;
    let odd = whole && floor(y * 0.5) * 2.0 != y;
    return select(size, -size, x < 0.0 && odd);
}
// Beyond 15 the result is 1 in f32, and some drivers overflow on the way to it.
fn tanh_f(x: f32) -> f32 {
    return tanh(clamp(x, -15.0, 15.0));
}
