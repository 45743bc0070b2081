//! Arrays of NumPy's `.npy` and `.npz` files.
//!
//! Comes in: the bytes of a file. Goes out: an [`Array`], row-major, with the numbers as they stood in the file (half
//! precision widens to single, integers beyond 32 bits to double when that is exact). Text arrays (`S`, `U`) come as the
//! codes of their characters, with one axis more. Formats: npy 1.0 to 3.0, npz with stored or deflated members.
//! Invariants: no bytes make it panic; memory stays within a constant times the file's own size, and within
//! [`MAX_UNPACKED`] for packed members. What is
//! written is read back bit for bit, and depends on the arrays alone. Absent on purpose: objects (pickles), complex numbers, encrypted archives.

use std::io::{Cursor, Read, Write};
use synfire_ir::network::{Array, ArrayData};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Most bytes that one member of an archive may unpack to.
pub const MAX_UNPACKED: u64 = 1 << 30;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads an `.npy` file; `name` becomes the array's name. The error says what is wrong with the bytes.
pub fn read_npy(bytes: &[u8], name: &str) -> Result<Array, String> {
    let rest = bytes
        .strip_prefix(MAGIC)
        .ok_or("it does not begin as an .npy file does")?;
    let (version, rest) = rest
        .split_first_chunk::<2>()
        .ok_or("it ends inside its header")?;
    let (len, rest) = match version[0] {
        1 => rest
            .split_first_chunk::<2>()
            .map(|(n, r)| (u16::from_le_bytes(*n) as usize, r)),
        2 | 3 => rest
            .split_first_chunk::<4>()
            .map(|(n, r)| (u32::from_le_bytes(*n) as usize, r)),
        v => return Err(format!("its format version {v} is not known (1 to 3 are)")),
    }
    .ok_or("it ends inside its header")?;
    let text = rest.get(..len).ok_or("it ends inside its header")?;
    let header = Header::parse(&String::from_utf8_lossy(text))?;
    let data = rest.get(len..).unwrap_or(&[]);
    header.array(data, name)
}

/// Names of the arrays in an `.npz` file, sorted, without their `.npy`.
pub fn npz_keys(bytes: &[u8]) -> Result<Vec<String>, String> {
    let archive = open(bytes)?;
    let mut keys: Vec<String> = archive
        .file_names()
        .map(|n| n.strip_suffix(".npy").unwrap_or(n).to_string())
        .collect();
    keys.sort();
    Ok(keys)
}

/// Reads the array `key` of an `.npz` file; `name` becomes the array's name. Without a key the file must hold exactly one
/// array. The error names the keys that are there.
pub fn read_npz(bytes: &[u8], key: Option<&str>, name: &str) -> Result<Array, String> {
    let keys = npz_keys(bytes)?;
    let key = match (key, &keys[..]) {
        (Some(k), _) => k,
        (None, [only]) => only,
        (None, _) => {
            return Err(format!(
                "it holds {} arrays, and no key says which: {}",
                keys.len(),
                listed(&keys)
            ));
        }
    };
    if !keys.iter().any(|k| k == key) {
        let near = synfire_ir::diag::nearest(key, keys.iter().map(String::as_str));
        let near = near.map_or(String::new(), |n| format!(" (did you mean `{n}`?)"));
        return Err(format!(
            "it has no array `{key}`{near}; it has: {}",
            listed(&keys)
        ));
    }
    read_npy(&member(bytes, key)?, name).map_err(|e| format!("array `{key}`: {e}"))
}

fn listed(keys: &[String]) -> String {
    let shown = keys.iter().take(20).map(String::as_str).collect::<Vec<_>>();
    let more = keys.len().saturating_sub(20);
    match (shown.is_empty(), more) {
        (true, _) => "nothing".into(),
        (_, 0) => shown.join(", "),
        _ => format!("{} and {more} more", shown.join(", ")),
    }
}

fn open(bytes: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>, String> {
    ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("it is no .npz (zip) file: {e}"))
}

fn member(bytes: &[u8], key: &str) -> Result<Vec<u8>, String> {
    let mut archive = open(bytes)?;
    let packed = format!("{key}.npy");
    let name = if archive.index_for_name(&packed).is_some() {
        packed
    } else {
        key.to_string()
    };
    let file = archive
        .by_name(&name)
        .map_err(|e| format!("array `{key}` cannot be read: {e}"))?;
    if file.size() > MAX_UNPACKED {
        return Err(format!(
            "array `{key}` unpacks to {} bytes; at most {MAX_UNPACKED} are read",
            file.size()
        ));
    }
    let mut out = vec![];
    file.take(MAX_UNPACKED + 1)
        .read_to_end(&mut out)
        .map_err(|e| format!("array `{key}` cannot be unpacked: {e}"))?;
    if out.len() as u64 > MAX_UNPACKED {
        return Err(format!(
            "array `{key}` unpacks to more than {MAX_UNPACKED} bytes"
        ));
    }
    Ok(out)
}

/// What kind of number an element is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Float,
    Signed,
    Unsigned,
    Bool,
    /// Bytes (`S`) or UTF-32 (`U`) characters; the item is several of them.
    Text,
}

struct Header {
    kind: Kind,
    /// Bytes of one number (of one character for text).
    width: usize,
    big_endian: bool,
    fortran: bool,
    shape: Vec<u32>,
}

impl Header {
    fn parse(text: &str) -> Result<Header, String> {
        let field = |key: &str| {
            let quoted = [format!("'{key}'"), format!("\"{key}\"")];
            quoted
                .iter()
                .find_map(|q| text.split_once(q.as_str()))
                .and_then(|(_, after)| after.trim_start().strip_prefix(':'))
                .map(str::trim_start)
                .ok_or_else(|| format!("its header has no `{key}`"))
        };
        let descr = field("descr")?;
        let quote = descr.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let quote = quote.ok_or("its elements are records; only plain numbers are read")?;
        let descr = descr[1..].split(quote).next().unwrap_or("");
        let fortran = match field("fortran_order")? {
            f if f.starts_with("True") => true,
            f if f.starts_with("False") => false,
            _ => return Err("its header does not say the order of its axes".into()),
        };
        let shape = field("shape")?
            .strip_prefix('(')
            .and_then(|s| s.split_once(')'))
            .ok_or("its header has no readable shape")?
            .0;
        let shape: Vec<u32> = shape
            .split(',')
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(|s| {
                s.parse()
                    .map_err(|_| format!("an axis of `{}` elements cannot be", clip(s)))
            })
            .collect::<Result<_, _>>()?;
        if shape.len() > 32 {
            return Err(format!("it has {} axes; at most 32 can be", shape.len()));
        }
        let mut header = Header::of_type(descr)?;
        (header.fortran, header.shape) = (fortran, [shape, header.shape].concat());
        Ok(header)
    }

    /// From a type such as `<f4`; the shape is that of one item.
    fn of_type(descr: &str) -> Result<Header, String> {
        let unknown = || {
            format!(
                "its elements are of type `{}`; read are floats, integers and booleans",
                clip(descr)
            )
        };
        let order = descr.chars().next().ok_or_else(unknown)?;
        let plain = descr.trim_start_matches(['<', '>', '|', '=']);
        let letter = plain.chars().next().filter(char::is_ascii);
        let size: usize = plain
            .get(1..)
            .and_then(|s| s.parse().ok())
            .ok_or_else(unknown)?;
        let (kind, width, shape) = match (letter, size) {
            (Some('f'), 2 | 4 | 8) => (Kind::Float, size, vec![]),
            (Some('i'), 1 | 2 | 4 | 8) => (Kind::Signed, size, vec![]),
            (Some('u'), 1 | 2 | 4 | 8) => (Kind::Unsigned, size, vec![]),
            (Some('b'), 1) => (Kind::Bool, 1, vec![]),
            (Some('S'), n) if n <= 1 << 20 => (Kind::Text, 1, vec![n as u32]),
            (Some('U'), n) if n <= 1 << 20 => (Kind::Text, 4, vec![n as u32]),
            _ => return Err(unknown()),
        };
        Ok(Header {
            kind,
            width,
            big_endian: order == '>',
            fortran: false,
            shape,
        })
    }

    fn array(self, data: &[u8], name: &str) -> Result<Array, String> {
        let count = self
            .shape
            .iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d as usize));
        let bytes = count.and_then(|n| n.checked_mul(self.width));
        let data = bytes.and_then(|n| data.get(..n)).ok_or_else(|| {
            format!(
                "its shape {:?} needs more than the {} bytes that follow",
                self.shape,
                data.len()
            )
        })?;
        let count = count.unwrap_or(0);
        let mut order: Option<Vec<usize>> = None;
        if self.fortran && self.shape.len() > 1 && self.kind != Kind::Text {
            order = Some(row_major(&self.shape, count));
        }
        let item = |i: usize| {
            let at = order.as_ref().map_or(i, |o| o[i]) * self.width;
            let mut word = [0u8; 8];
            word[..self.width].copy_from_slice(&data[at..at + self.width]);
            if self.big_endian {
                word[..self.width].reverse();
            }
            u64::from_le_bytes(word)
        };
        let data = self.numbers(count, item)?;
        Ok(Array {
            name: name.into(),
            shape: self.shape,
            data,
        })
    }

    fn numbers(&self, count: usize, item: impl Fn(usize) -> u64) -> Result<ArrayData, String> {
        let all = 0..count;
        Ok(match (self.kind, self.width) {
            (Kind::Float, 2) => ArrayData::F32(all.map(|i| half(item(i) as u16)).collect()),
            (Kind::Float, 4) => {
                ArrayData::F32(all.map(|i| f32::from_bits(item(i) as u32)).collect())
            }
            (Kind::Float, _) => ArrayData::F64(all.map(|i| f64::from_bits(item(i))).collect()),
            (Kind::Bool, _) => ArrayData::I32(all.map(|i| (item(i) != 0) as i32).collect()),
            (Kind::Signed, 1) => ArrayData::I32(all.map(|i| item(i) as i8 as i32).collect()),
            (Kind::Signed, 2) => ArrayData::I32(all.map(|i| item(i) as i16 as i32).collect()),
            (Kind::Unsigned, 1 | 2) => ArrayData::I32(all.map(|i| item(i) as i32).collect()),
            (Kind::Signed, 4) => ArrayData::I32(all.map(|i| item(i) as i32).collect()),
            (Kind::Signed, _) => wide(all.map(|i| item(i) as i64 as i128))?,
            (Kind::Unsigned, _) => wide(all.map(|i| item(i) as i128))?,
            (Kind::Text, _) => ArrayData::I32(all.map(|i| item(i) as i32).collect()),
        })
    }
}

/// Integers that may leave 32 bits: as such when they do not, else as doubles when that is exact.
fn wide(values: impl Iterator<Item = i128> + Clone) -> Result<ArrayData, String> {
    let fits = |v: i128| i32::try_from(v).is_ok();
    if values.clone().all(fits) {
        return Ok(ArrayData::I32(values.map(|v| v as i32).collect()));
    }
    match values.clone().find(|v| *v as f64 as i128 != *v) {
        Some(v) => Err(format!(
            "the integer {v} has no exact double-precision form"
        )),
        None => Ok(ArrayData::F64(values.map(|v| v as f64).collect())),
    }
}

/// For each element in row-major order, its place in column-major order.
fn row_major(shape: &[u32], count: usize) -> Vec<usize> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1usize;
    for &d in shape {
        strides.push(stride);
        stride = stride.saturating_mul(d as usize);
    }
    let mut index = vec![0u32; shape.len()];
    let mut out = Vec::with_capacity(count);
    for _ in 0..count {
        out.push(
            index
                .iter()
                .zip(&strides)
                .map(|(&i, &s)| i as usize * s)
                .sum(),
        );
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}

/// An `.npz` file of the arrays, each under its key, in their order; members are deflated. The error says what cannot be packed.
pub fn write_npz(arrays: &[(&str, &Array)]) -> Result<Vec<u8>, String> {
    let failed = |e: &dyn std::fmt::Display| format!("the arrays cannot be packed: {e}");
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    for (key, array) in arrays {
        let bytes = npy(array);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644)
            .large_file(bytes.len() > u32::MAX as usize / 2);
        zip.start_file(format!("{key}.npy"), options)
            .map_err(|e| failed(&e))?;
        zip.write_all(&bytes).map_err(|e| failed(&e))?;
    }
    let done = zip.finish().map_err(|e| failed(&e))?;
    Ok(done.into_inner())
}

/// An `.npy` file of format 1.0, little-endian, row-major.
fn npy(array: &Array) -> Vec<u8> {
    let descr = match array.data {
        ArrayData::F32(_) => "<f4",
        ArrayData::F64(_) => "<f8",
        ArrayData::I32(_) => "<i4",
    };
    let axes: String = array.shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({axes}), }}");
    // NumPy aligns the data to 64 bytes; magic, version and length take 10, the line end 1.
    let pad = (64 - (header.len() + 11) % 64) % 64;
    header.extend(std::iter::repeat_n(' ', pad));
    header.push('\n');
    let mut out = MAGIC.to_vec();
    out.extend([1, 0]);
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    match &array.data {
        ArrayData::F32(v) => v.iter().for_each(|x| out.extend(x.to_le_bytes())),
        ArrayData::F64(v) => v.iter().for_each(|x| out.extend(x.to_le_bytes())),
        ArrayData::I32(v) => v.iter().for_each(|x| out.extend(x.to_le_bytes())),
    }
    out
}

/// IEEE half precision to single.
fn half(bits: u16) -> f32 {
    let (sign, exponent, mantissa) = (bits >> 15, bits >> 10 & 31, (bits & 1023) as f32);
    let value = match exponent {
        0 => mantissa * 2f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        e => (1.0 + mantissa / 1024.0) * 2f32.powi(e as i32 - 15),
    };
    if sign == 1 { -value } else { value }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
