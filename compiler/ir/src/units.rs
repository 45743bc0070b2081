//! Physical dimensions. All values inside the compiler are in SI units; text carries prefixes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Exponents of metre, kilogram, second and ampere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dimension(pub [i8; 4]);

impl Dimension {
    /// A plain number.
    pub const NONE: Dimension = Dimension([0, 0, 0, 0]);
    /// Second.
    pub const TIME: Dimension = Dimension([0, 0, 1, 0]);
    /// Volt.
    pub const VOLTAGE: Dimension = Dimension([2, 1, -3, -1]);
    /// Ampere.
    pub const CURRENT: Dimension = Dimension([0, 0, 0, 1]);
    /// Siemens.
    pub const CONDUCTANCE: Dimension = Dimension([-2, -1, 3, 2]);
    /// Farad.
    pub const CAPACITANCE: Dimension = Dimension([-2, -1, 4, 2]);
    /// Ohm.
    pub const RESISTANCE: Dimension = Dimension([2, 1, -3, -2]);
    /// Hertz.
    pub const RATE: Dimension = Dimension([0, 0, -1, 0]);
    /// Metre.
    pub const LENGTH: Dimension = Dimension([1, 0, 0, 0]);

    /// Type names of the language that carry a unit, and their dimensions.
    pub const NAMED: [(&str, Dimension); 8] = [
        ("time", Self::TIME),
        ("voltage", Self::VOLTAGE),
        ("current", Self::CURRENT),
        ("conductance", Self::CONDUCTANCE),
        ("capacitance", Self::CAPACITANCE),
        ("resistance", Self::RESISTANCE),
        ("rate", Self::RATE),
        ("length", Self::LENGTH),
    ];

    /// The dimension that a type name of the language stands for.
    pub fn of_type(name: &str) -> Option<Dimension> {
        if ["real", "int", "bool"].contains(&name) {
            return Some(Self::NONE);
        }
        let named = Self::NAMED.iter().find(|n| n.0 == name);
        named.map(|n| n.1)
    }

    /// The type name that carries this dimension, if there is one; a plain number has none.
    pub fn name(self) -> Option<&'static str> {
        let named = Self::NAMED.iter().find(|n| n.1 == self);
        named.map(|n| n.0)
    }

    /// Sum of exponents; `None` when one leaves the range of an `i8`.
    pub fn times(self, other: Dimension) -> Option<Dimension> {
        let mut d = [0i8; 4];
        for (k, x) in d.iter_mut().enumerate() {
            *x = self.0[k].checked_add(other.0[k])?;
        }
        Some(Dimension(d))
    }

    /// Each exponent times `n`; `None` when one leaves the range of an `i8`.
    pub fn power(self, n: i32) -> Option<Dimension> {
        let mut d = [0i8; 4];
        for (k, x) in d.iter_mut().enumerate() {
            *x = i8::try_from(self.0[k] as i32 * n).ok()?;
        }
        Some(Dimension(d))
    }

    /// Is it a plain number?
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str("a plain number");
        }
        if let Some(n) = self.name() {
            return f.write_str(n);
        }
        let mut first = true;
        for (name, &e) in ["m", "kg", "s", "A"].iter().zip(&self.0) {
            if e != 0 {
                f.write_str(if first { "" } else { " " })?;
                first = false;
                match e {
                    1 => write!(f, "{name}")?,
                    _ => write!(f, "{name}^{e}")?,
                }
            }
        }
        Ok(())
    }
}
