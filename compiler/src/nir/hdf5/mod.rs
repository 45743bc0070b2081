//! A thin, tolerant, bounded layer over `hdf5_reader`.
//!
//! In: the bytes of a file. Out: [`Group`]s with their members in byte order of the names, and [`Dataset`]s read into
//! [`Value`]s. Every number type is converted, strings may have fixed or variable length, data may be contiguous or
//! chunked with deflate. Invariants: what is allocated stays within a budget that follows from the size of the file
//! (`meter` for tables, `Budget` for decoded values); a group is entered once, so links cannot form a cycle.
//! Deliberately absent: attributes, links into other files, writing.

mod meter;
mod value;

pub use value::{Array, Dtype, IntArray, TextArray, Value};

use hdf5_reader::btree_v1::collect_btree_v1_leaves_storage;
use hdf5_reader::btree_v2::{BTreeV2Header, BTreeV2Record, collect_btree_v2_records_storage};
use hdf5_reader::error::Error;
use hdf5_reader::fractal_heap::FractalHeap;
use hdf5_reader::local_heap::LocalHeap;
use hdf5_reader::messages::HdfMessage;
use hdf5_reader::messages::link::LinkTarget;
use hdf5_reader::messages::link_info::LinkInfoMessage;
use hdf5_reader::messages::symbol_table_msg::SymbolTableMessage;
use hdf5_reader::symbol_table::SymbolTableNode;
use hdf5_reader::{Datatype, Hdf5File, OpenOptions, Storage, StringSize, VarLenKind};
use meter::Meter;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use value::{IntElement, RealElement, number_type, text};

/// Longest link name that is accepted, in bytes.
const MAX_NAME: u64 = 4096;
/// Most symbolic links in one group; NIR files have none, and each costs a walk over the file.
const MAX_SOFT_LINKS: usize = 16;
/// Largest decoded chunk, in bytes.
const MAX_CHUNK: usize = 64 << 20;
/// Largest object header, in bytes.
const MAX_HEADER: usize = 4 << 20;
/// Bytes of decoded values that any file may ask for.
const DECODED_FLOOR: u64 = 96 << 20;
/// Bytes of decoded values for each byte of the file.
const DECODED_PER_BYTE: u64 = 256;

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hdf5Error {
    /// The bytes are not HDF5, or are damaged.
    Malformed(String),
    /// Valid, but beyond what a file of this size may ask for.
    Limit(String),
    /// Valid HDF5 of a kind that is not read.
    Unsupported(String),
}

/// Result of this layer.
pub type Result<T> = std::result::Result<T, Hdf5Error>;

impl From<Error> for Hdf5Error {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let mut inner = &error;
        while let Error::Context { source, .. } = inner {
            inner = source;
        }
        match inner {
            Error::ResourceLimit(_) => Hdf5Error::Limit(text),
            Error::UnsupportedEncoding(_)
            | Error::UnsupportedFilter(_)
            | Error::UnsupportedDatatypeClass(_) => Hdf5Error::Unsupported(text),
            _ => Hdf5Error::Malformed(text),
        }
    }
}

/// What decoded values may still take.
struct Budget {
    left: Cell<u64>,
    total: u64,
}

impl Budget {
    fn charge(&self, bytes: u64, what: &str) -> Result<()> {
        match self.left.get().checked_sub(bytes) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(Hdf5Error::Limit(format!(
                "{what} would take {bytes} bytes of memory; a file of this size may use {} in all",
                self.total
            ))),
        }
    }
}

struct Shared {
    file: Hdf5File,
    meter: Arc<Meter>,
    budget: Budget,
    entered: RefCell<HashSet<u64>>,
}

/// An open file.
pub struct File(Rc<Shared>);

/// A group of the file.
pub struct Group {
    shared: Rc<Shared>,
    inner: hdf5_reader::group::Group,
}

/// A dataset of the file, not yet read.
pub struct Dataset {
    shared: Rc<Shared>,
    inner: hdf5_reader::Dataset,
}

/// The members of a group, each list in byte order of the names.
pub struct Members {
    /// Child groups with their names.
    pub groups: Vec<(String, Group)>,
    /// Datasets with their names.
    pub datasets: Vec<(String, Dataset)>,
}

impl File {
    /// Opens a file that is in memory.
    pub fn open(bytes: &[u8]) -> Result<File> {
        let meter = Arc::new(Meter::new(bytes));
        let total = (bytes.len() as u64)
            .saturating_mul(DECODED_PER_BYTE)
            .max(DECODED_FLOOR);
        let options = OpenOptions {
            chunk_cache_bytes: 0,
            max_chunk_bytes: MAX_CHUNK,
            max_read_bytes: usize::try_from(total).unwrap_or(usize::MAX),
            max_object_header_bytes: MAX_HEADER,
            ..OpenOptions::default()
        };
        let file = Hdf5File::from_storage_with_options(meter.clone(), options)?;
        let budget = Budget {
            left: Cell::new(total),
            total,
        };
        Ok(File(Rc::new(Shared {
            file,
            meter,
            budget,
            entered: RefCell::default(),
        })))
    }

    /// The root group.
    pub fn root(&self) -> Result<Group> {
        Ok(Group {
            shared: self.0.clone(),
            inner: self.0.file.root_group()?,
        })
    }

    /// Bytes read from the file so far, and the most that may be.
    pub fn bytes_read(&self) -> (u64, u64) {
        (self.0.meter.used(), self.0.meter.limit())
    }
}

impl Group {
    /// Lists the group. A second listing of the same group, by whatever path, is an error.
    pub fn members(&self) -> Result<Members> {
        if !self
            .shared
            .entered
            .borrow_mut()
            .insert(self.inner.address())
        {
            return Err(Hdf5Error::Malformed(
                "this group is linked from two places".into(),
            ));
        }
        self.admit()?;
        let (groups, datasets) = self.inner.members()?;
        let mut members = Members {
            groups: groups
                .into_iter()
                .map(|g| {
                    (
                        g.name().to_owned(),
                        Group {
                            shared: self.shared.clone(),
                            inner: g,
                        },
                    )
                })
                .collect(),
            datasets: datasets
                .into_iter()
                .map(|d| {
                    (
                        d.name().to_owned(),
                        Dataset {
                            shared: self.shared.clone(),
                            inner: d,
                        },
                    )
                })
                .collect(),
        };
        members.groups.sort_by(|a, b| a.0.cmp(&b.0));
        members.datasets.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(members)
    }

    /// Walks the link tables without keeping any name, so that listing the group cannot take more memory than the
    /// budget allows: many links may point to one long name.
    fn admit(&self) -> Result<()> {
        let header = self.shared.file.get_or_parse_header(self.inner.address())?;
        let mut soft = 0;
        for message in &header.messages {
            match message {
                HdfMessage::SymbolTable(table) => soft += self.admit_symbol_table(table)?,
                HdfMessage::LinkInfo(info) => self.admit_dense_links(info)?,
                HdfMessage::Link(link) => {
                    soft += usize::from(!matches!(link.target, LinkTarget::Hard { .. }));
                }
                _ => {}
            }
        }
        if soft > MAX_SOFT_LINKS {
            return Err(Hdf5Error::Limit(format!(
                "a group with {soft} symbolic links; at most {MAX_SOFT_LINKS} are followed"
            )));
        }
        Ok(())
    }

    /// Charges the names of an old-style group; returns the number of its symbolic links.
    fn admit_symbol_table(&self, table: &SymbolTableMessage) -> Result<usize> {
        let (offset, length) = (self.inner.offset_size(), self.inner.length_size());
        let storage = self.inner.storage();
        let heap = LocalHeap::parse_at_storage(storage, table.heap_address, offset, length)?;
        let size = usize::try_from(heap.data_segment_size)
            .map_err(|_| Hdf5Error::Malformed("a name heap larger than memory".into()))?;
        let names = storage.read_range(heap.data_segment_address, size)?;
        let ends = name_lengths(&names);
        let tree = table.btree_address;
        let leaves =
            collect_btree_v1_leaves_storage(storage, tree, offset, length, None, &[], None)?;
        let mut seen = HashSet::new();
        let mut soft = 0;
        for (_, address) in leaves {
            if !seen.insert(address) {
                return Err(Hdf5Error::Malformed(
                    "a group lists one link table twice".into(),
                ));
            }
            for entry in symbol_node(storage, address, offset, length)?.entries {
                soft += usize::from(entry.cache_type == 2);
                let at = usize::try_from(entry.link_name_offset).ok();
                let bytes = at.and_then(|i| ends.get(i)).copied().unwrap_or(0);
                self.charge_name(u64::from(bytes))?;
            }
        }
        Ok(soft)
    }

    /// Charges the names of a new-style group whose links lie in a fractal heap.
    fn admit_dense_links(&self, info: &LinkInfoMessage) -> Result<()> {
        let (offset, length) = (self.inner.offset_size(), self.inner.length_size());
        if hdf5_reader::io::Cursor::is_undefined_offset(info.fractal_heap_address, offset) {
            return Ok(());
        }
        let storage = self.inner.storage();
        let heap =
            FractalHeap::parse_at_storage(storage, info.fractal_heap_address, offset, length)?;
        let index = info.btree_name_index_address;
        let tree = BTreeV2Header::parse_at_storage(storage, index, offset, length)?;
        let records =
            collect_btree_v2_records_storage(storage, &tree, offset, length, None, &[], None)?;
        let mut blocks = hdf5_reader::fractal_heap::FractalHeapDirectBlockCache::default();
        for record in &records {
            if let BTreeV2Record::LinkNameHash { heap_id, .. }
            | BTreeV2Record::CreationOrder { heap_id, .. } = record
            {
                let link =
                    heap.get_object_storage_cached(heap_id, storage, offset, length, &mut blocks)?;
                self.charge_name(link.len() as u64)?;
            }
        }
        Ok(())
    }

    fn charge_name(&self, bytes: u64) -> Result<()> {
        if bytes > MAX_NAME {
            return Err(Hdf5Error::Limit(format!(
                "a name of {bytes} bytes; at most {MAX_NAME} are accepted"
            )));
        }
        // The reader keeps each name twice, and a record of the object beside it.
        self.shared
            .budget
            .charge(2 * bytes + 256, "the list of a group")
    }
}

/// For each byte of a name heap: how many bytes lie before the next zero byte.
fn name_lengths(heap: &[u8]) -> Vec<u32> {
    let mut lengths = vec![0u32; heap.len()];
    let mut run = 0u32;
    for (length, byte) in lengths.iter_mut().zip(heap).rev() {
        run = if *byte == 0 { 0 } else { run.saturating_add(1) };
        *length = run;
    }
    lengths
}

fn symbol_node(
    storage: &dyn Storage,
    address: u64,
    offset: u8,
    length: u8,
) -> Result<SymbolTableNode> {
    let head = storage.read_range(address, 8)?;
    let entries = match head.as_ref() {
        [_, _, _, _, _, _, low, high] => usize::from(u16::from_le_bytes([*low, *high])),
        _ => 0,
    };
    let node = storage.read_range(address, 8 + entries * (2 * usize::from(offset) + 24))?;
    let mut cursor = hdf5_reader::io::Cursor::new(node.as_ref());
    Ok(SymbolTableNode::parse(&mut cursor, offset, length)?)
}

impl Dataset {
    /// Lengths of the axes; empty for a scalar.
    pub fn shape(&self) -> Result<Vec<usize>> {
        self.inner
            .shape()
            .iter()
            .map(|&d| {
                usize::try_from(d)
                    .map_err(|_| Hdf5Error::Malformed("an axis longer than memory".into()))
            })
            .collect()
    }

    /// Reads everything.
    pub fn read(&self) -> Result<Value> {
        let shape = self.shape()?;
        let count = self.inner.num_elements()?;
        let width = self.inner.raw_element_size()? as u64;
        let bytes = count.saturating_mul(width.saturating_add(8));
        self.shared.budget.charge(bytes, "a dataset")?;
        match self.inner.dtype() {
            Datatype::String { .. }
            | Datatype::VarLen {
                kind: VarLenKind::String,
                ..
            } => Ok(Value::Text(TextArray {
                shape,
                data: self.strings(count)?,
            })),
            other => match number_type(other) {
                None => Err(Hdf5Error::Unsupported(format!(
                    "elements of the type {}",
                    name_of_type(other)
                ))),
                Some(dtype @ (Dtype::F16 | Dtype::F32 | Dtype::F64)) => {
                    self.refuse_other_half_formats(dtype)?;
                    Ok(Value::Real(Array {
                        shape,
                        data: self.reals()?,
                        dtype,
                    }))
                }
                Some(Dtype::Uint(8)) => self.unsigned_64(shape),
                Some(dtype) => Ok(Value::Int(IntArray {
                    shape,
                    data: self.ints()?,
                    dtype,
                })),
            },
        }
    }

    fn reals(&self) -> Result<Vec<f64>> {
        let values = self.inner.read_array::<RealElement>()?;
        Ok(values.iter().map(|e| e.0).collect())
    }

    fn ints(&self) -> Result<Vec<i64>> {
        let values = self.inner.read_array::<IntElement>()?;
        Ok(values.iter().map(|e| e.0).collect())
    }

    fn unsigned_64(&self, shape: Vec<usize>) -> Result<Value> {
        let dtype = Dtype::Uint(8);
        match self.ints() {
            Ok(data) => Ok(Value::Int(IntArray { shape, data, dtype })),
            Err(Hdf5Error::Unsupported(_)) => Ok(Value::Real(Array {
                shape,
                data: self.reals()?,
                dtype,
            })),
            Err(e) => Err(e),
        }
    }

    /// Two bytes may also be a bfloat16, which has eight exponent bits at bit 7 instead of five at bit 10.
    fn refuse_other_half_formats(&self, dtype: Dtype) -> Result<()> {
        if dtype != Dtype::F16 {
            return Ok(());
        }
        let raw = self.inner.raw_datatype()?;
        match raw.get(12..14) {
            Some([10, 5]) => Ok(()),
            _ => Err(Hdf5Error::Unsupported(
                "two-byte real numbers that are not IEEE half precision".into(),
            )),
        }
    }

    fn strings(&self, count: u64) -> Result<Vec<String>> {
        self.shared
            .budget
            .charge(count.saturating_mul(48), "the strings of a dataset")?;
        let raw = self.inner.read_raw_bytes()?;
        match self.inner.dtype() {
            Datatype::String {
                size: StringSize::Fixed(width),
                padding,
                encoding,
            } => raw
                .chunks_exact((*width as usize).max(1))
                .map(|element| Ok(text(element, *padding, *encoding)?))
                .collect(),
            Datatype::String {
                size: StringSize::Variable,
                padding,
                encoding,
            }
            | Datatype::VarLen {
                padding, encoding, ..
            } => raw
                .chunks_exact(self.inner.vlen_reference_size().max(1))
                .map(|reference| {
                    let bytes = match reference {
                        [a, b, c, d, ..] => u32::from_le_bytes([*a, *b, *c, *d]),
                        _ => 0,
                    };
                    self.shared
                        .budget
                        .charge(u64::from(bytes) * 2, "a string")?;
                    let bytes = self.inner.resolve_vlen_reference_bytes(reference, 1)?;
                    Ok(text(&bytes, *padding, *encoding)?)
                })
                .collect(),
            other => Err(Hdf5Error::Unsupported(name_of_type(other).into())),
        }
    }
}

fn name_of_type(datatype: &Datatype) -> &'static str {
    match datatype {
        Datatype::FixedPoint { .. } => "integer of an unusual width",
        Datatype::FloatingPoint { .. } => "real number of an unusual width",
        Datatype::String { .. } => "string",
        Datatype::Compound { .. } => "compound",
        Datatype::Array { .. } => "array",
        Datatype::Enum { .. } => "enumeration",
        Datatype::VarLen { .. } => "variable-length sequence",
        Datatype::Opaque { .. } => "opaque",
        Datatype::Reference { .. } => "reference",
        Datatype::Bitfield { .. } => "bit field",
    }
}
