//! Arrays of NumPy inside an archive: just the types that spike files hold.
//!
//! Reading takes integers, floats, booleans and text of any width and byte order, row-major; writing gives format 1.0,
//! little-endian. Deliberately absent: Fortran order beyond one axis, objects, structured types.

/// Most bytes that all arrays of one packed file may unpack to.
pub const MAX_UNPACKED: u64 = 4 << 30;

/// Kinds of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Signed,
    Unsigned,
    Float,
    /// `U`: UTF-32 code units.
    Text,
    /// `S`: bytes.
    Bytes,
}

/// An array over the unpacked bytes of its file.
#[derive(Debug)]
pub struct Npy {
    /// Extents of the axes.
    pub shape: Vec<usize>,
    kind: Kind,
    /// Bytes of an element.
    width: usize,
    big: bool,
    bytes: Vec<u8>,
    start: usize,
}

impl Npy {
    /// Takes the bytes of an `.npy` file. The error says what is wrong with them.
    pub fn parse(bytes: Vec<u8>) -> Result<Npy, String> {
        let rest = bytes
            .strip_prefix(b"\x93NUMPY")
            .ok_or("it does not begin as an .npy array does")?;
        let (length, skip) = match *rest {
            [1, _, a, b, ..] => (u16::from_le_bytes([a, b]) as usize, 10),
            [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
            _ => return Err("its header is damaged".into()),
        };
        let start = skip + length;
        let header = bytes.get(skip..start).ok_or("it ends inside its header")?;
        let header = std::str::from_utf8(header).map_err(|_| "its header is no text")?;
        let (kind, width, big) = descr(entry(header, "descr").ok_or("its header names no type")?)?;
        let shape = shape(entry(header, "shape").ok_or("its header names no shape")?)?;
        let fortran =
            entry(header, "fortran_order").is_some_and(|t| t.trim_start().starts_with("True"));
        if fortran && shape.iter().filter(|n| **n > 1).count() > 1 {
            return Err("it is in Fortran order; save it with numpy.ascontiguousarray".into());
        }
        let count = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        let need = count
            .and_then(|n| n.checked_mul(width))
            .ok_or("its shape is too large")?;
        let have = bytes.len() - start;
        if need != have {
            return Err(format!(
                "its header promises {need} bytes of data, but {have} are there"
            ));
        }
        Ok(Npy {
            shape,
            kind,
            width,
            big,
            bytes,
            start,
        })
    }

    /// Elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    fn raw(&self, i: usize) -> &[u8] {
        let at = self.start + i * self.width;
        self.bytes.get(at..at + self.width).unwrap_or(&[])
    }

    /// The bits of element `i` in the low end of a word, without sign.
    fn bits(&self, i: usize) -> u64 {
        let fold = |n: u64, b: &u8| n << 8 | u64::from(*b);
        let raw = self.raw(i);
        if self.big {
            raw.iter().fold(0, fold)
        } else {
            raw.iter().rev().fold(0, fold)
        }
    }

    /// Element `i` as a number; integers beyond 2^53 lose their low bits. Text reads as NaN.
    pub fn float(&self, i: usize) -> f64 {
        let bits = self.bits(i);
        match (self.kind, self.width) {
            (Kind::Float, 4) => f64::from(f32::from_bits(bits as u32)),
            (Kind::Float, 8) => f64::from_bits(bits),
            (Kind::Signed, w) => {
                let shift = 64 - 8 * w as u32;
                ((bits << shift) as i64 >> shift) as f64
            }
            (Kind::Bool | Kind::Unsigned, _) => bits as f64,
            _ => f64::NAN,
        }
    }

    /// Element `i` as a whole number from 0 on; `None` when it is none.
    pub fn whole(&self, i: usize) -> Option<u64> {
        match self.kind {
            Kind::Bool | Kind::Unsigned => Some(self.bits(i)),
            Kind::Signed | Kind::Float => {
                let x = self.float(i);
                (x >= 0.0 && x.fract() == 0.0 && x <= u32::MAX as f64).then_some(x as u64)
            }
            Kind::Text | Kind::Bytes => None,
        }
    }

    /// Is it an array of text?
    pub fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Bytes)
    }

    /// Element `i` as text, trailing zeros removed.
    pub fn text(&self, i: usize) -> String {
        let raw = self.raw(i);
        if self.kind == Kind::Bytes {
            return String::from_utf8_lossy(raw)
                .trim_end_matches('\0')
                .to_string();
        }
        let unit = |c: &[u8]| -> u32 {
            let word = [c[0], c[1], c[2], c[3]];
            if self.big {
                u32::from_be_bytes(word)
            } else {
                u32::from_le_bytes(word)
            }
        };
        let text: String = raw
            .chunks_exact(4)
            .map(|c| char::from_u32(unit(c)).unwrap_or('\u{fffd}'))
            .collect();
        text.trim_end_matches('\0').to_string()
    }
}

/// The text after `'key':` in a header.
fn entry<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let at = header.find(&format!("'{key}'"))?;
    header[at + key.len() + 2..]
        .trim_start()
        .strip_prefix(':')
        .map(str::trim_start)
}

fn descr(text: &str) -> Result<(Kind, usize, bool), String> {
    let unsupported = "it holds a type that spike files do not use (numbers and text are read)";
    let inner = text
        .strip_prefix('\'')
        .and_then(|t| t.split('\'').next())
        .ok_or(unsupported)?;
    let (order, rest) = match inner.chars().next() {
        Some(c @ ('<' | '>' | '|' | '=')) => (c, &inner[1..]),
        _ => ('<', inner),
    };
    let letter = rest.chars().next().ok_or(unsupported)?;
    let width: usize = rest
        .get(letter.len_utf8()..)
        .unwrap_or("")
        .parse()
        .map_err(|_| unsupported)?;
    let (kind, width) = match (letter, width) {
        ('b', 1) => (Kind::Bool, 1),
        ('i', 1 | 2 | 4 | 8) => (Kind::Signed, width),
        ('u', 1 | 2 | 4 | 8) => (Kind::Unsigned, width),
        ('f', 4 | 8) => (Kind::Float, width),
        ('U', 1..=65_536) => (Kind::Text, width * 4),
        ('S', 1..=65_536) => (Kind::Bytes, width),
        _ => return Err(unsupported.into()),
    };
    Ok((kind, width, order == '>'))
}

fn shape(text: &str) -> Result<Vec<usize>, String> {
    let inner = text
        .strip_prefix('(')
        .and_then(|t| t.split(')').next())
        .ok_or("its shape cannot be read")?;
    let axes = inner.split(',').map(str::trim).filter(|t| !t.is_empty());
    let shape: Result<Vec<usize>, _> = axes.map(str::parse).collect();
    shape
        .ok()
        .filter(|s| s.len() <= 32)
        .ok_or_else(|| "its shape cannot be read".into())
}

/// An `.npy` file: `descr` (such as `<u4`), shape and little-endian data.
pub fn file(descr: &str, shape: &[usize], data: impl Iterator<Item = u8>) -> Vec<u8> {
    let axes: String = shape.iter().map(|n| format!("{n},")).collect();
    let axes = if shape.len() == 1 {
        axes
    } else {
        axes.trim_end_matches(',').replace(',', ", ")
    };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({axes}), }}");
    // NumPy aligns the data to 64 bytes; magic, version and length take 10, the line end 1.
    let pad = (64 - (header.len() + 11) % 64) % 64;
    header.extend(std::iter::repeat_n(' ', pad));
    header.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(data);
    out
}

/// An `.npy` file of texts.
pub fn texts(list: &[&str]) -> Vec<u8> {
    let width = list
        .iter()
        .map(|t| t.chars().count())
        .max()
        .unwrap_or(0)
        .max(1);
    let padded = |t: &&str| {
        let chars = t
            .chars()
            .map(u32::from)
            .chain(std::iter::repeat(0))
            .take(width);
        chars.flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
    };
    let data: Vec<u8> = list.iter().flat_map(padded).collect();
    file(&format!("<U{width}"), &[list.len()], data.into_iter())
}
