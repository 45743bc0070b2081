//! Numbers as people read them, in reports and in refusals alike.

/// `1234567` as `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number with three significant digits, without trailing zeros or exponents where it can be.
pub fn short(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    let magnitude = x.abs().log10().floor() as i32;
    if !(-4..9).contains(&magnitude) {
        return format!("{x:.2e}");
    }
    let decimals = (2 - magnitude).clamp(0, 8) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').into()
    } else {
        text
    }
}

/// Bytes in binary units.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut x = n as f64;
    let mut k = 0;
    while x >= 1023.5 && k + 1 < UNITS.len() {
        x /= 1024.0;
        k += 1;
    }
    format!("{} {}", short(x), UNITS[k])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(
            [count(0), count(999), count(1000), count(1_234_567)],
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [
                short(0.88),
                short(42.53),
                short(1234.5),
                short(0.0001234),
                short(3.0)
            ],
            ["0.88", "42.5", "1234", "0.000123", "3"]
        );
        assert_eq!(
            [bytes(17), bytes(2048), bytes(3 << 29)],
            ["17 B", "2 KiB", "1.5 GiB"]
        );
    }
}
