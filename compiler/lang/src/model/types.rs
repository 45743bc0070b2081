//! The types of model code, and the words that stand for choices.
//!
//! A model computes either in real numbers with dimensions or in fixed-width integers, never in both: [`Type::Real`] and
//! [`Type::Int`] do not meet.

use std::fmt;
use synfire_ir::model::{Ty, Width};
use synfire_ir::units::Dimension;

/// A type whose values are a few words.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// Name of the type.
    pub name: &'static str,
    /// Its words; a parameter holds the index.
    pub words: &'static [&'static str],
}

/// All choice types: a new one is a line here.
pub const CHOICES: &[Choice] = &[
    Choice {
        name: "reset",
        words: &["zero", "subtract"],
    },
    Choice {
        name: "cuba_order",
        words: &["new_current", "old_current"],
    },
];

/// The words of a truth value, so that a field may say `linear = true`.
pub const TRUTH: &[&str] = &["false", "true"];

/// The choice type of that name.
pub fn choice(name: &str) -> Option<&'static Choice> {
    CHOICES.iter().find(|c| c.name == name)
}

/// Type of an expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    /// A real number with a dimension.
    Real(Dimension),
    /// True or false.
    Bool,
    /// 32 bits, signed.
    I32,
    /// 32 bits, unsigned.
    U32,
    /// One of a few words.
    Choice(&'static Choice),
    /// Something wrong that was reported: goes with everything.
    Unknown,
}

impl Type {
    /// A plain real number.
    pub const PLAIN: Type = Type::Real(Dimension::NONE);

    /// The type of its values in step code.
    pub fn ty(self) -> Ty {
        match self {
            Type::Real(_) | Type::Unknown => Ty::F32,
            Type::Bool => Ty::Bool,
            Type::I32 | Type::Choice(_) => Ty::I32,
            Type::U32 => Ty::U32,
        }
    }

    /// Its dimension; none for all but reals.
    pub fn dimension(self) -> Dimension {
        match self {
            Type::Real(d) => d,
            _ => Dimension::NONE,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Real(d) => write!(f, "{d}"),
            Type::Bool => f.write_str("bool"),
            Type::I32 => f.write_str("i32"),
            Type::U32 => f.write_str("u32"),
            Type::Choice(c) => write!(f, "{}", c.name),
            Type::Unknown => f.write_str("unknown"),
        }
    }
}

/// What a type name in a declaration means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Declared {
    /// `real`, `time`, ...
    Real(Dimension),
    /// `int`: a real that is whole, or an i32 in a fixed-width model.
    Int,
    /// `bool`.
    Bool,
    /// `i8` to `u32`.
    Fixed(Width),
    /// A choice type.
    Choice(&'static Choice),
}

/// Type names that a declaration in a model may use, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    let widths = ["i8", "i16", "i24", "i32", "u8", "u16", "u32"];
    ["real", "int", "bool"]
        .into_iter()
        .chain(Dimension::NAMED.iter().map(|n| n.0))
        .chain(widths)
}

/// The meaning of a type name.
pub fn declared(name: &str) -> Option<Declared> {
    Some(match name {
        "int" => Declared::Int,
        "bool" => Declared::Bool,
        "i8" => Declared::Fixed(Width::I8),
        "i16" => Declared::Fixed(Width::I16),
        "i24" => Declared::Fixed(Width::I24),
        "i32" => Declared::Fixed(Width::I32),
        "u8" => Declared::Fixed(Width::U8),
        "u16" => Declared::Fixed(Width::U16),
        "u32" => Declared::Fixed(Width::U32),
        _ => match Dimension::of_type(name) {
            Some(d) => Declared::Real(d),
            None => Declared::Choice(choice(name)?),
        },
    })
}

impl Declared {
    /// The width that a state of this type has, in a fixed-width model or in one of reals.
    pub fn width(self, fixed: bool) -> Width {
        match self {
            Declared::Fixed(w) => w,
            Declared::Bool => Width::Bool,
            Declared::Int | Declared::Choice(_) if fixed => Width::I32,
            _ => Width::F32,
        }
    }

    /// The type of an expression that reads it.
    pub fn read(self, fixed: bool) -> Type {
        match self {
            Declared::Real(d) => Type::Real(d),
            Declared::Int if fixed => Type::I32,
            Declared::Int => Type::PLAIN,
            Declared::Bool => Type::Bool,
            Declared::Fixed(Width::U32) => Type::U32,
            Declared::Fixed(_) => Type::I32,
            Declared::Choice(c) => Type::Choice(c),
        }
    }
}

/// Smallest and largest value of a width.
pub fn limits(w: Width) -> (i64, i64) {
    match w {
        Width::F32 | Width::I32 => (i32::MIN as i64, i32::MAX as i64),
        Width::I8 => (-128, 127),
        Width::I16 => (-32_768, 32_767),
        Width::I24 => (-8_388_608, 8_388_607),
        Width::U8 => (0, 255),
        Width::U16 => (0, 65_535),
        Width::U32 => (0, u32::MAX as i64),
        Width::Bool => (0, 1),
    }
}

/// Bits of an integer width, and whether it is signed.
pub fn bits(w: Width) -> (u8, bool) {
    match w {
        Width::I8 => (8, true),
        Width::I16 => (16, true),
        Width::I24 => (24, true),
        Width::I32 | Width::F32 => (32, true),
        Width::U8 => (8, false),
        Width::U16 => (16, false),
        Width::U32 => (32, false),
        Width::Bool => (1, false),
    }
}
