//! Numbers with units: from the literal as written to an SI value with its dimension.
//!
//! Comes in: a [`Number`] of the tree, or the text of a unit. Goes out: a [`Quantity`]. Powers of ten are applied by one division or
//! multiplication, so that `0.1 ms` is the double nearest to 1e-4.

use crate::syntax::tree::Number;
use synfire_ir::units::Dimension;

/// An SI value with its dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// The value in SI units.
    pub value: f64,
    /// Its dimension.
    pub dimension: Dimension,
}

impl Quantity {
    /// A plain number.
    pub fn plain(value: f64) -> Self {
        Quantity {
            value,
            dimension: Dimension::NONE,
        }
    }
}

/// What a unit stands for: `factor * 10^exponent` SI units of a dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitScale {
    /// 60 for `min`, 3600 for `h`, products of these, else 1.
    pub factor: f64,
    /// Power of ten.
    pub exponent: i32,
    /// The dimension.
    pub dimension: Dimension,
}

impl UnitScale {
    /// A number of these units in SI.
    pub fn apply(&self, value: f64) -> f64 {
        let power = 10f64.powi(self.exponent.abs());
        let scaled = if self.exponent < 0 {
            value / power
        } else {
            value * power
        };
        scaled * self.factor
    }
}

/// The meaning of `mV`, `uF/cm^2`, `%`, ...; `None` for what is no unit or has exponents out of range.
pub fn unit(text: &str) -> Option<UnitScale> {
    let mut all = UnitScale {
        factor: 1.0,
        exponent: 0,
        dimension: Dimension::NONE,
    };
    if text == "%" {
        all.exponent = -2;
        return Some(all);
    }
    let mut sign = 1;
    let mut rest = text;
    loop {
        let end = rest.find(['*', '/']).unwrap_or(rest.len());
        let (one, power) = match rest[..end].split_once('^') {
            Some((one, digit)) => (one, digit.parse::<i32>().ok()?),
            None => (&rest[..end], 1),
        };
        let (factor, exponent, dimension) = stem(one)?;
        let power = power.checked_mul(sign)?;
        all.factor *= factor.powi(power);
        all.exponent = all.exponent.checked_add(exponent.checked_mul(power)?)?;
        all.dimension = all.dimension.times(dimension.power(power)?)?;
        match rest[end..].chars().next() {
            Some(mark) => {
                sign = if mark == '/' { -1 } else { 1 };
                rest = &rest[end + 1..];
            }
            None => break,
        }
    }
    (all.exponent.abs() <= 300).then_some(all)
}

/// Factor, power of ten and dimension of one unit word.
fn stem(word: &str) -> Option<(f64, i32, Dimension)> {
    match word {
        "cm" => return Some((1.0, -2, Dimension::LENGTH)),
        "min" => return Some((60.0, 0, Dimension::TIME)),
        "h" => return Some((3600.0, 0, Dimension::TIME)),
        _ => {}
    }
    let base = |w: &str| {
        Some(match w {
            "s" => Dimension::TIME,
            "V" => Dimension::VOLTAGE,
            "A" => Dimension::CURRENT,
            "Hz" => Dimension::RATE,
            "S" => Dimension::CONDUCTANCE,
            "F" => Dimension::CAPACITANCE,
            "Ohm" => Dimension::RESISTANCE,
            "m" => Dimension::LENGTH,
            _ => return None,
        })
    };
    if let Some(d) = base(word) {
        return Some((1.0, 0, d));
    }
    let prefixes = [
        ('p', -12),
        ('n', -9),
        ('u', -6),
        ('m', -3),
        ('k', 3),
        ('M', 6),
        ('G', 9),
    ];
    let (_, exponent) = prefixes.iter().find(|(p, _)| word.starts_with(*p))?;
    Some((1.0, *exponent, base(&word[1..])?))
}

/// The value of a literal; `None` when its unit is out of range or the value is not finite.
pub fn literal(n: &Number) -> Option<Quantity> {
    let Some(u) = &n.unit else {
        return Some(Quantity::plain(n.value));
    };
    let scale = unit(&u.text)?;
    let value = scale.apply(n.value);
    value.is_finite().then_some(Quantity {
        value,
        dimension: scale.dimension,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: f64, text: &str) -> f64 {
        unit(text).unwrap().apply(number)
    }

    #[test]
    fn decimal_prefixes_round_once() {
        assert_eq!(value(0.1, "ms"), 1e-4);
        assert_eq!(value(1.5, "ms"), 1.5e-3);
        assert_eq!(value(-65.0, "mV"), -0.065);
        assert_eq!(value(25.0, "%"), 0.25);
        assert_eq!(value(2.0, "min"), 120.0);
    }

    #[test]
    fn compound_units_have_their_dimension() {
        let u = unit("uF/cm^2").unwrap();
        assert_eq!(u.exponent, -2);
        let area = Dimension::LENGTH.power(2).unwrap();
        assert_eq!(u.dimension.times(area).unwrap(), Dimension::CAPACITANCE);
        assert_eq!(unit("V/A").unwrap().dimension, Dimension::RESISTANCE);
        assert_eq!(unit("mfurlong"), None);
        assert_eq!(unit(""), None);
        assert_eq!(unit("ms*"), None);
        assert_eq!(
            unit("m^9*m^9*m^9*m^9*m^9*m^9*m^9*m^9*m^9*m^9*m^9*m^9*m^9*m^9*m^9"),
            None
        );
    }
}
