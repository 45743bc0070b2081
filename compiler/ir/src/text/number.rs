//! Numbers that keep their bits: floats as the shortest decimal that reads back to the same bits, not-a-number as `0x` and
//! its bits, 32-bit words by their type.

use super::RANGE;
use super::scan::{Scanner, Token};
use crate::diag::Diagnostics;
use crate::model::Ty;
use std::fmt;

/// Prints a double.
pub(crate) struct F64(pub f64);

impl fmt::Display for F64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() {
            write!(f, "{:#018x}", self.0.to_bits())
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

/// Prints a single.
pub(crate) struct F32(pub f32);

impl fmt::Display for F32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() {
            write!(f, "{:#010x}", self.0.to_bits())
        } else {
            write!(f, "{:?}", self.0)
        }
    }
}

/// Prints a 32-bit word of a type; as bits when the type is not known.
pub(crate) struct Word(pub u32, pub Option<Ty>);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.1, self.0) {
            (Some(Ty::F32), w) => F32(f32::from_bits(w)).fmt(f),
            (Some(Ty::I32), w) => write!(f, "{}", w as i32),
            (Some(Ty::U32), w) => write!(f, "{w}"),
            (Some(Ty::Bool), 0) => f.write_str("false"),
            (Some(Ty::Bool), 1) => f.write_str("true"),
            (_, w) => write!(f, "{w:#010x}"),
        }
    }
}

/// A whole number of stated range.
pub(crate) trait Whole: TryFrom<i128> {
    /// Smallest.
    const LEAST: i128;
    /// Largest.
    const MOST: i128;
}

macro_rules! whole {
    ($($t:ty)*) => {
        $(impl Whole for $t {
            const LEAST: i128 = <$t>::MIN as i128;
            const MOST: i128 = <$t>::MAX as i128;
        })*
    };
}

whole!(u8 u16 u32 u64 i8 i16 i32 i64);

impl Scanner<'_> {
    /// A whole number within the range of its type.
    pub fn int<T: Whole>(&mut self, what: &str) -> Result<T, Diagnostics> {
        let Token::Number(digits) = self.peek() else {
            return Err(self.expected(what));
        };
        let whole = digits
            .trim_start_matches('-')
            .bytes()
            .all(|c| c.is_ascii_digit());
        if !whole {
            return Err(self.expected(&format!("{what} (a whole number)")));
        }
        match digits.parse().ok().and_then(|n: i128| T::try_from(n).ok()) {
            Some(n) => {
                self.bump();
                Ok(n)
            }
            None => Err(self.out_of_range(what, format!("{} to {}", T::LEAST, T::MOST))),
        }
    }

    fn out_of_range(&self, what: &str, range: impl fmt::Display) -> Diagnostics {
        self.fault(RANGE, format!("{what} does not fit its place"))
            .note(format!("it holds {range}"))
            .hint("write a number of that range")
            .into()
    }

    /// The digits after `0x`, if such a number is next.
    fn hex(&mut self, what: &str, most: u64) -> Result<Option<u64>, Diagnostics> {
        let Token::Number(n) = self.peek() else {
            return Ok(None);
        };
        let Some(digits) = n.strip_prefix("0x") else {
            return Ok(None);
        };
        match u64::from_str_radix(digits, 16) {
            Ok(bits) if bits <= most => {
                self.bump();
                Ok(Some(bits))
            }
            _ => Err(self.out_of_range(what, format!("0x0 to {most:#x}"))),
        }
    }

    /// The text of a decimal number.
    fn decimal<T: std::str::FromStr>(
        &mut self,
        what: &str,
        finite: impl Fn(&T) -> bool,
    ) -> Result<T, Diagnostics> {
        let text = match self.peek() {
            Token::Number(n) => n,
            Token::Word("inf") => "inf",
            _ => return Err(self.expected(what)),
        };
        match text.parse::<T>() {
            Ok(x) if finite(&x) || text.ends_with("inf") => {
                self.bump();
                Ok(x)
            }
            Ok(_) => Err(self.out_of_range(what, "no number so large; infinity is `inf`")),
            Err(_) => Err(self.expected(what)),
        }
    }

    /// A double.
    pub fn f64(&mut self, what: &str) -> Result<f64, Diagnostics> {
        match self.hex(what, u64::MAX)? {
            Some(bits) => Ok(f64::from_bits(bits)),
            None => self.decimal(what, |x: &f64| x.is_finite()),
        }
    }

    /// A single.
    pub fn f32(&mut self, what: &str) -> Result<f32, Diagnostics> {
        match self.hex(what, u32::MAX as u64)? {
            Some(bits) => Ok(f32::from_bits(bits as u32)),
            None => self.decimal(what, |x: &f32| x.is_finite()),
        }
    }

    /// A word of a type; only bits when the type is not known.
    pub fn word_of(&mut self, ty: Option<Ty>, what: &str) -> Result<u32, Diagnostics> {
        if let Some(bits) = self.hex(what, u32::MAX as u64)? {
            return Ok(bits as u32);
        }
        match ty {
            Some(Ty::F32) => Ok(self.f32(what)?.to_bits()),
            Some(Ty::I32) => Ok(self.int::<i32>(what)? as u32),
            Some(Ty::U32) => self.int(what),
            Some(Ty::Bool) => self.choice("`true` or `false`", |w| match w {
                "true" => Some(1),
                "false" => Some(0),
                _ => None,
            }),
            None => Err(self.expected("`0x` and the bits of a value whose type is not known")),
        }
    }
}
