//! `Artifact`: what `compile` writes and `run`, `deploy` and `inspect` read (`OUT.synx`).
//!
//! File: magic `SYNX`, format version, header length, header checksum, header (bincode), then sections back to back. The
//! header names every section with its offset, length and checksum. Native images are stored exactly as the board takes
//! them. Decoding checks magic, version, lengths and checksums before anything is read out of a section, and allocates no
//! more than the file's own size justifies.
//!
//! `bincode` is used here and nowhere else.

mod learning;

pub use learning::{BoundEvery, BoundLearning, BoundValues};

use crate::diag::{Class, Diagnostic, Diagnostics};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Version of the file format.
pub const FORMAT: u16 = 1;
const MAGIC: &[u8; 4] = b"SYNX";
/// Largest header, in bytes of the file. Decoded it takes at most 24 times as much (an option of two empty names).
const HEADER: usize = 4 << 20;
/// Largest bindings, in bytes of the file. Decoded they take at most 8 times as much (a word below 251).
const BINDINGS: usize = 16 << 20;
/// Most that bincode may account for: 8 bytes for each byte of the file, so that whatever is written can be read.
const LIMIT: usize = 8 * BINDINGS;

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SectionKind {
    /// A file exactly as the chip's own tools take it.
    Native,
    /// [`Bindings`].
    Bindings,
    /// JSON for people and reports; nothing that runs depends on it.
    Report,
    /// A text of the user's own chip (`chip.toml`, `model.syn`).
    Chip,
    /// A list of [`BoundLearning`].
    Learning,
    /// What the host gives to each of them, in their order.
    Given,
}

/// A named part of the artefact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Kind.
    pub kind: SectionKind,
    /// Name; for native images the file name that the chip's tools expect.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
}

/// Who made it, from what, for what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Name of the network.
    pub network: String,
    /// Chip.
    pub target: String,
    /// Dialect.
    pub dialect: String,
    /// Version of the chip's description.
    pub target_version: u32,
    /// Version of the compiler.
    pub compiler: String,
    /// CRC-32 of the network's source bytes.
    pub source_hash: u32,
    /// Options that shaped it.
    pub options: Vec<(String, String)>,
    /// Seed of every draw.
    pub seed: u64,
    /// Seconds a step, if the network has them.
    pub dt: Option<f64>,
    /// Steps that the network's own experiment runs.
    pub run: Option<u32>,
}

/// A population's names and times on the chip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundPopulation {
    /// The network's name.
    pub name: String,
    /// Units.
    pub size: u32,
    /// Chip step - shift = network step.
    pub shift: u32,
    /// Driven from outside?
    pub input: bool,
    /// Are its spikes brought back?
    pub recorded: bool,
}

/// What one spike of an input unit becomes: native event `word`, `offset` chip steps later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BoundInput {
    /// Population (index into [`Bindings::populations`]).
    pub pop: u32,
    /// Unit.
    pub unit: u32,
    /// Chip steps.
    pub offset: u32,
    /// The native event.
    pub word: u64,
}

/// Native event `word` is a spike of that unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BoundOutput {
    /// The native event.
    pub word: u64,
    /// Population.
    pub pop: u32,
    /// Unit.
    pub unit: u32,
}

/// The host answers native event `out` with `word`, `delay` chip steps later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BoundLoopback {
    /// What left the chip.
    pub out: u64,
    /// Chip steps, at least 1.
    pub delay: u16,
    /// What is sent.
    pub word: u64,
}

/// Where a unit sits: slot `slot` of core `core`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Symbol {
    /// Population.
    pub pop: u32,
    /// Unit.
    pub unit: u32,
    /// Core (index in the chip's own numbering).
    pub core: u32,
    /// Slot.
    pub slot: u32,
}

/// Between the network's names and steps and the chip's native events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bindings {
    /// Populations in the network's order.
    pub populations: Vec<BoundPopulation>,
    /// Sorted.
    pub inputs: Vec<BoundInput>,
    /// Sorted.
    pub outputs: Vec<BoundOutput>,
    /// Sorted.
    pub loopbacks: Vec<BoundLoopback>,
    /// Native events that the host sends at the end of every step (a time reference).
    pub tail: Vec<u64>,
    /// Stimuli of the network itself: (population, step, unit).
    pub feeds: Vec<(u32, u32, u32)>,
    /// Sorted.
    pub symbols: Vec<Symbol>,
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// Header.
    pub header: Header,
    /// Names and times.
    pub bindings: Bindings,
    /// What learns on the chip.
    pub learning: Vec<BoundLearning>,
    /// All other sections: native images, report, chip.
    pub sections: Vec<Section>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    kind: SectionKind,
    name: String,
    offset: u64,
    length: u64,
    crc: u32,
}

#[derive(Serialize, Deserialize)]
struct Table {
    header: Header,
    sections: Vec<Entry>,
}

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<LIMIT>()
}

fn damaged(name: &str, what: impl Into<String>) -> Diagnostics {
    Diagnostic::error("SYN0701", what)
        .at(name)
        .note("an artefact is read only when every length and checksum agrees")
        .hint("compile the network again, or copy the file again")
        .into()
}

fn write<T: Serialize>(what: &str, most: usize, value: &T) -> Result<Vec<u8>, Diagnostics> {
    let bytes = bincode::serde::encode_to_vec(value, config()).map_err(|e| e.to_string());
    let bytes = bytes.and_then(|b| match b.len() <= most {
        true => Ok(b),
        false => Err(format!("it takes {} bytes", b.len())),
    });
    bytes.map_err(|e| {
        Diagnostic::error(
            "SYN0702",
            format!("the artefact's {what} cannot be written: {e}"),
        )
        .note(format!("it holds at most {} MiB", most >> 20))
        .hint("split the network")
        .into()
    })
}

fn read<T: DeserializeOwned>(
    name: &str,
    what: &str,
    most: usize,
    bytes: &[u8],
) -> Result<T, Diagnostics> {
    if bytes.len() > most {
        let (found, most) = (bytes.len(), most >> 20);
        return Err(damaged(
            name,
            format!("its {what} takes {found} bytes; at most {most} MiB are read"),
        ));
    }
    match bincode::serde::decode_from_slice(bytes, config()) {
        Ok((value, used)) if used == bytes.len() => Ok(value),
        Ok((_, used)) => Err(damaged(
            name,
            format!("its {what} ends after {used} of {} bytes", bytes.len()),
        )),
        Err(e) => Err(damaged(name, format!("its {what} cannot be read: {e}"))),
    }
}

impl Artifact {
    /// The file's bytes. Same artefact, same bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Diagnostics> {
        let bindings = write("bindings", BINDINGS, &self.bindings)?;
        let learning = write("list of what learns", BINDINGS, &self.learning)?;
        let given = learning::given(&self.learning);
        let given = write("list of what the host gives", BINDINGS, &given)?;
        let mut parts = vec![(SectionKind::Bindings, "bindings", &bindings[..])];
        if !self.learning.is_empty() {
            parts.push((SectionKind::Learning, "learning", &learning[..]));
        }
        if self.learning.iter().any(BoundLearning::is_given) {
            parts.push((SectionKind::Given, "given", &given[..]));
        }
        parts.extend(
            self.sections
                .iter()
                .map(|s| (s.kind, s.name.as_str(), &s.bytes[..])),
        );
        let mut offset = 0u64;
        let mut sections = vec![];
        for (kind, name, bytes) in &parts {
            let length = bytes.len() as u64;
            sections.push(Entry {
                kind: *kind,
                name: name.to_string(),
                offset,
                length,
                crc: crc32fast::hash(bytes),
            });
            offset += length;
        }
        let table = Table {
            header: self.header.clone(),
            sections,
        };
        let table = write("header", HEADER, &table)?;
        let mut out = Vec::with_capacity(16 + table.len() + offset as usize);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&0u16.to_le_bytes());
        out.extend_from_slice(&(table.len() as u32).to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(&table).to_le_bytes());
        out.extend_from_slice(&table);
        parts.iter().for_each(|p| out.extend_from_slice(p.2));
        Ok(out)
    }

    /// Reads a file's bytes; `name` is what messages call it.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Artifact, Diagnostics> {
        let word = |at: usize| {
            bytes
                .get(at..at + 4)
                .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        };
        if bytes.get(..4) != Some(MAGIC) {
            return Err(damaged(
                name,
                "this is not an artefact: it does not begin with `SYNX`",
            ));
        }
        let (Some(version), Some(length), Some(crc)) = (word(4), word(8), word(12)) else {
            return Err(damaged(name, "the file ends inside its first 16 bytes"));
        };
        if version >> 16 != 0 {
            return Err(damaged(name, "its reserved bytes are not zero"));
        }
        if version != FORMAT as u32 {
            return Err(Diagnostic::error(
                "SYN0703",
                format!("format {version} of artefact; this build reads {FORMAT}"),
            )
            .at(name)
            .class(Class::Input)
            .hint("compile the network again with this build")
            .into());
        }
        let end = 16usize.saturating_add(length as usize);
        let Some(table) = bytes.get(16..end) else {
            return Err(damaged(
                name,
                format!(
                    "the file ends inside its header ({} of {end} bytes)",
                    bytes.len()
                ),
            ));
        };
        if crc32fast::hash(table) != crc {
            return Err(damaged(name, "the checksum of its header does not agree"));
        }
        let table: Table = read(name, "header", HEADER, table)?;
        let mut sections = vec![];
        let mut at = end as u64;
        for e in table.sections {
            if Some(at) != e.offset.checked_add(end as u64) {
                return Err(damaged(
                    name,
                    format!("section `{}` does not follow the one before", e.name),
                ));
            }
            let stop = at.saturating_add(e.length);
            let Some(body) = usize::try_from(stop)
                .ok()
                .and_then(|stop| bytes.get(at as usize..stop))
            else {
                return Err(damaged(
                    name,
                    format!("the file ends inside section `{}`", e.name),
                ));
            };
            if crc32fast::hash(body) != e.crc {
                return Err(damaged(
                    name,
                    format!("the checksum of section `{}` does not agree", e.name),
                ));
            }
            sections.push(Section {
                kind: e.kind,
                name: e.name,
                bytes: body.to_vec(),
            });
            at = stop;
        }
        if at != bytes.len() as u64 {
            return Err(damaged(
                name,
                format!("{} bytes follow its last section", bytes.len() as u64 - at),
            ));
        }
        let Some(k) = sections
            .iter()
            .position(|s| s.kind == SectionKind::Bindings)
        else {
            return Err(damaged(name, "it has no bindings"));
        };
        let bindings: Bindings = read(name, "bindings", BINDINGS, &sections.remove(k).bytes)?;
        bindings.check(name)?;
        let mut list = |kind: SectionKind| {
            let k = sections.iter().position(|s| s.kind == kind)?;
            Some(sections.remove(k).bytes)
        };
        let (learns, gives) = (list(SectionKind::Learning), list(SectionKind::Given));
        let mut learning: Vec<BoundLearning> = match learns {
            Some(b) => read(name, "list of what learns", BINDINGS, &b)?,
            None => vec![],
        };
        let given = match gives {
            Some(b) => Some(read(name, "list of what the host gives", BINDINGS, &b)?),
            None => None,
        };
        let again = |s: &Section| matches!(s.kind, SectionKind::Learning | SectionKind::Given);
        let whole = given.is_none_or(|g| learning::give(&mut learning, g));
        if !whole || !learning.iter().all(BoundLearning::sound) || sections.iter().any(again) {
            return Err(damaged(name, "its list of what learns contradicts itself"));
        }
        Ok(Artifact {
            header: table.header,
            bindings,
            learning,
            sections,
        })
    }

    /// What the host sends at intervals; an event may be there several times.
    pub fn intervals(&self) -> impl Iterator<Item = BoundEvery> {
        self.learning.iter().flat_map(|l| l.every.iter().copied())
    }

    /// Native images in order.
    pub fn native(&self) -> impl Iterator<Item = &Section> {
        self.sections
            .iter()
            .filter(|s| s.kind == SectionKind::Native)
    }

    /// A section by kind and name.
    pub fn section(&self, kind: SectionKind, name: &str) -> Option<&Section> {
        self.sections
            .iter()
            .find(|s| s.kind == kind && s.name == name)
    }
}

impl Bindings {
    /// Do all indices name what is there?
    fn check(&self, name: &str) -> Result<(), Diagnostics> {
        let ok = |pop: u32, unit: u32| {
            self.populations
                .get(pop as usize)
                .is_some_and(|p| unit < p.size)
        };
        let sound = self.inputs.iter().all(|i| ok(i.pop, i.unit))
            && self.outputs.iter().all(|o| ok(o.pop, o.unit))
            && self.symbols.iter().all(|s| ok(s.pop, s.unit))
            && self.feeds.iter().all(|f| ok(f.0, f.2))
            && self.loopbacks.iter().all(|l| l.delay > 0);
        if sound {
            Ok(())
        } else {
            Err(damaged(name, "its bindings name a unit that is not there"))
        }
    }
}
