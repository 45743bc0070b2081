//! Quantities as people write them.
//!
//! Comes in: an SI value with its dimension. Goes out: a readable text such as `20 ms`. The other way is
//! [`crate::model::quantity`].

use synfire_ir::units::Dimension;

const PREFIXES: [(char, i32); 7] = [
    ('p', -12),
    ('n', -9),
    ('u', -6),
    ('m', -3),
    ('k', 3),
    ('M', 6),
    ('G', 9),
];

/// An SI value in a unit that people read: `20 ms`, `-65 mV`, `0.5`, `3 m^2 kg`.
pub(crate) fn show(value: f64, dimension: Dimension) -> String {
    if dimension.is_none() {
        return format!("{value}");
    }
    let known = [
        ("s", Dimension::TIME),
        ("V", Dimension::VOLTAGE),
        ("A", Dimension::CURRENT),
        ("S", Dimension::CONDUCTANCE),
        ("F", Dimension::CAPACITANCE),
        ("Ohm", Dimension::RESISTANCE),
        ("Hz", Dimension::RATE),
        ("m", Dimension::LENGTH),
    ];
    let Some((symbol, _)) = known.iter().find(|k| k.1 == dimension) else {
        return format!("{value} {dimension}");
    };
    let size = value.abs();
    if value == 0.0 || (1.0..1000.0).contains(&size) || !value.is_finite() {
        return format!("{} {symbol}", short(value));
    }
    let fits = |tens: i32| (0.999_999_999_9..999.999_999_9).contains(&(size / 10f64.powi(tens)));
    match PREFIXES.iter().find(|p| fits(p.1)) {
        Some((prefix, tens)) => format!("{} {prefix}{symbol}", short(value / 10f64.powi(*tens))),
        None => format!("{value:e} {symbol}"),
    }
}

/// At most nine significant digits, without trailing zeros.
pub(crate) fn short(value: f64) -> String {
    let text = format!("{value:.8e}");
    let rounded: f64 = text.parse().unwrap_or(value);
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_as_written() {
        assert_eq!(show(0.02, Dimension::TIME), "20 ms");
        assert_eq!(show(-0.065, Dimension::VOLTAGE), "-65 mV");
        assert_eq!(show(1e-4, Dimension::TIME), "100 us");
        assert_eq!(show(0.001, Dimension::TIME), "1 ms");
        assert_eq!(show(0.0, Dimension::TIME), "0 s");
        assert_eq!(show(2.5, Dimension::NONE), "2.5");
    }
}
