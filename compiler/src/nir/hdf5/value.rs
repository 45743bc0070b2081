//! Values of datasets as plain Rust data.
//!
//! In: a dataset's element type and raw elements as `hdf5_reader` gives them. Out: [`Value`]: numbers as f64 or i64
//! with the type they had in the file, or strings. Invariant: `data.len()` is the product of `shape` (one element
//! for the empty shape). Deliberately absent: compound, opaque and reference types, which NIR never uses.

use hdf5_reader::error::{ByteOrder, Error, Result};
use hdf5_reader::{Datatype, H5Type, StringEncoding, StringPadding};

/// Number type of a dataset, kept so that an export can write the same type again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE 754 half precision.
    F16,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
    /// Signed integer of that many bytes (1, 2, 4, 8).
    Int(u8),
    /// Unsigned integer of that many bytes (1, 2, 4, 8).
    Uint(u8),
    /// h5py's bool: an enumeration over a one-byte integer.
    Bool,
}

/// A numeric array, row-major. A single element may stand for any shape (see [`Array::at`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Lengths of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// Elements, converted to f64 without rounding except for integers beyond 2^53.
    pub data: Vec<f64>,
    /// Type in the file.
    pub dtype: Dtype,
}

impl Array {
    /// A scalar.
    pub fn scalar(value: f64) -> Self {
        Array {
            shape: vec![],
            data: vec![value],
            dtype: Dtype::F64,
        }
    }

    /// An array of that shape; `None` unless `data` has as many elements as `shape` says.
    pub fn new(shape: &[usize], data: Vec<f64>) -> Option<Self> {
        let count = shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))?;
        (count == data.len()).then(|| Array {
            shape: shape.to_vec(),
            data,
            dtype: Dtype::F64,
        })
    }

    /// Element `index` in row-major order; an array of one element has that element everywhere.
    pub fn at(&self, index: usize) -> Option<f64> {
        match self.data.as_slice() {
            [one] => Some(*one),
            many => many.get(index).copied(),
        }
    }
}

/// Integers, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntArray {
    /// Lengths of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// Elements.
    pub data: Vec<i64>,
    /// Type in the file.
    pub dtype: Dtype,
}

/// Strings, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextArray {
    /// Lengths of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// Elements.
    pub data: Vec<String>,
}

/// What a dataset holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Floating-point numbers, and unsigned integers beyond the range of i64.
    Real(Array),
    /// Integers and bools.
    Int(IntArray),
    /// Strings.
    Text(TextArray),
}

impl Value {
    /// Lengths of the axes.
    pub fn shape(&self) -> &[usize] {
        match self {
            Value::Real(a) => &a.shape,
            Value::Int(a) => &a.shape,
            Value::Text(a) => &a.shape,
        }
    }

    /// What to call it in a message.
    pub fn describe(&self) -> &'static str {
        match self {
            Value::Real(_) => "real numbers",
            Value::Int(_) => "integers",
            Value::Text(_) => "text",
        }
    }
}

/// The number type of elements of that HDF5 type, if it is one that can be read.
pub fn number_type(datatype: &Datatype) -> Option<Dtype> {
    match datatype {
        Datatype::FloatingPoint { size: 2, .. } => Some(Dtype::F16),
        Datatype::FloatingPoint { size: 4, .. } => Some(Dtype::F32),
        Datatype::FloatingPoint { size: 8, .. } => Some(Dtype::F64),
        Datatype::FixedPoint {
            size: size @ (1 | 2 | 4 | 8),
            signed: true,
            ..
        } => Some(Dtype::Int(*size)),
        Datatype::FixedPoint {
            size: size @ (1 | 2 | 4 | 8),
            signed: false,
            ..
        } => Some(Dtype::Uint(*size)),
        Datatype::Enum { base, .. } => match base.as_ref() {
            Datatype::FixedPoint { size: 1, .. } => Some(Dtype::Bool),
            Datatype::FixedPoint { .. } => number_type(base),
            _ => None,
        },
        _ => None,
    }
}

/// One real element of any number type.
#[derive(Clone, Copy)]
pub struct RealElement(pub f64);

/// One integer element of any integer type that fits i64.
#[derive(Clone, Copy)]
pub struct IntElement(pub i64);

fn little_endian<const N: usize>(bytes: &[u8], order: ByteOrder) -> Result<[u8; N]> {
    let mut element: [u8; N] = bytes
        .get(..N)
        .and_then(|b| b.try_into().ok())
        .ok_or_else(|| Error::InvalidData(format!("an element of {N} bytes is cut short")))?;
    if order == ByteOrder::BigEndian {
        element.reverse();
    }
    Ok(element)
}

fn integer(bytes: &[u8], size: u8, signed: bool, order: ByteOrder) -> Result<i128> {
    Ok(match (size, signed) {
        (1, true) => i8::from_le_bytes(little_endian(bytes, order)?).into(),
        (2, true) => i16::from_le_bytes(little_endian(bytes, order)?).into(),
        (4, true) => i32::from_le_bytes(little_endian(bytes, order)?).into(),
        (8, true) => i64::from_le_bytes(little_endian(bytes, order)?).into(),
        (1, false) => u8::from_le_bytes(little_endian(bytes, order)?).into(),
        (2, false) => u16::from_le_bytes(little_endian(bytes, order)?).into(),
        (4, false) => u32::from_le_bytes(little_endian(bytes, order)?).into(),
        (8, false) => u64::from_le_bytes(little_endian(bytes, order)?).into(),
        _ => {
            return Err(Error::UnsupportedEncoding(format!(
                "integers of {size} bytes"
            )));
        }
    })
}

fn any_integer(bytes: &[u8], datatype: &Datatype) -> Result<i128> {
    match datatype {
        Datatype::FixedPoint {
            size,
            signed,
            byte_order,
        } => integer(bytes, *size, *signed, *byte_order),
        Datatype::Enum { base, .. } => any_integer(bytes, base),
        _ => Err(Error::UnsupportedEncoding("not an integer type".into())),
    }
}

impl H5Type for RealElement {
    fn hdf5_type() -> Datatype {
        f64::hdf5_type()
    }

    fn from_bytes(bytes: &[u8], datatype: &Datatype) -> Result<Self> {
        let Datatype::FloatingPoint { size, byte_order } = datatype else {
            return Ok(RealElement(any_integer(bytes, datatype)? as f64));
        };
        Ok(RealElement(match size {
            2 => half::f16::from_le_bytes(little_endian(bytes, *byte_order)?).to_f64(),
            4 => f32::from_le_bytes(little_endian(bytes, *byte_order)?).into(),
            8 => f64::from_le_bytes(little_endian(bytes, *byte_order)?),
            n => {
                return Err(Error::UnsupportedEncoding(format!(
                    "real numbers of {n} bytes"
                )));
            }
        }))
    }

    fn element_size(datatype: &Datatype) -> usize {
        hdf5_reader::dtype_element_size(datatype).unwrap_or(0)
    }
}

impl H5Type for IntElement {
    fn hdf5_type() -> Datatype {
        i64::hdf5_type()
    }

    fn from_bytes(bytes: &[u8], datatype: &Datatype) -> Result<Self> {
        i64::try_from(any_integer(bytes, datatype)?)
            .map(IntElement)
            .map_err(|_| Error::UnsupportedEncoding("an integer beyond 64 signed bits".into()))
    }

    fn element_size(datatype: &Datatype) -> usize {
        hdf5_reader::dtype_element_size(datatype).unwrap_or(0)
    }
}

/// Text of one string element: padding removed, checked to be UTF-8 (ASCII is a part of it).
pub fn text(bytes: &[u8], padding: StringPadding, encoding: StringEncoding) -> Result<String> {
    let kept = match padding {
        StringPadding::SpacePad => {
            let end = bytes
                .iter()
                .rposition(|&b| b != b' ' && b != 0)
                .map_or(0, |i| i + 1);
            bytes.get(..end)
        }
        StringPadding::NullTerminate | StringPadding::NullPad => {
            let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
            bytes.get(..end)
        }
    };
    std::str::from_utf8(kept.unwrap_or_default())
        .map(str::to_owned)
        .map_err(|e| {
            let name = match encoding {
                StringEncoding::Ascii => "ASCII",
                StringEncoding::Utf8 => "UTF-8",
            };
            Error::InvalidData(format!("a string marked {name} is not UTF-8: {e}"))
        })
}
