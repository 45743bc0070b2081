//! The quantiser of sinabs: one scale a layer.
//!
//! The scale is the largest factor that keeps every group of values in range: weights and biases in 8 bits, thresholds and initial states in 16. Values are rounded half to even. A group of zeros does not bind.

/// Ends of 8 bits.
pub const BYTE: (f64, f64) = (-128.0, 127.0);
/// Ends of 16 bits.
pub const WORD: (f64, f64) = (-32768.0, 32767.0);

/// The largest factor that keeps these values between the ends: that of the side that binds, infinite for zeros.
pub fn factor(values: impl IntoIterator<Item = f64>, (low, high): (f64, f64)) -> f64 {
    let (mut least, mut most) = (0f64, 0f64);
    for v in values {
        least = least.min(v);
        most = most.max(v);
    }
    let up = if most > 0.0 {
        high / most
    } else {
        f64::INFINITY
    };
    let down = if least < 0.0 {
        low / least
    } else {
        f64::INFINITY
    };
    up.min(down)
}

/// The scale of a layer: the smallest factor of its groups; 1 when nothing binds.
pub fn scale(weights: &[f64], biases: &[f64], thresholds: &[f64], states: &[f64]) -> f64 {
    let all = [
        factor(weights.iter().copied(), BYTE),
        factor(biases.iter().copied(), BYTE),
        factor(thresholds.iter().copied(), WORD),
        factor(states.iter().copied(), WORD),
    ];
    let least = all.into_iter().fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { 1.0 }
}

/// A value in the chip's integers; the ends hold whatever rounding does at them.
pub fn whole(value: f64, scale: f64, (low, high): (f64, f64)) -> i32 {
    (value * scale).round_ties_even().clamp(low, high) as i32
}

/// A value without what is left of decimal fractions in binary.
pub fn tidy(x: f64) -> f64 {
    let near = x.round_ties_even();
    match (x - near).abs() <= 1e-9 * x.abs().max(1.0) {
        true => near,
        false => x,
    }
}
