//! Native files to configuration: the only way in which the emulator learns what a chip holds.
//!
//! Any bytes go in; out comes a legal [`Config`], or diagnostics that say which section and line is wrong. Nothing panics, and memory stays within a small multiple
//! of the input. Codes: `SYN0720` sections missing, twice or unknown, `SYN0721` a section that cannot be read, `SYN0722` sections that contradict each
//! other; and those of [`validate`].

mod rtl;
mod sim;

use super::{Config, Dialect, Packet, validate, validate_packets};
use std::collections::BTreeMap;
use synfire_ir::{Diagnostic, Diagnostics};

/// The configuration in a native image. Sections may stand in any order; those of input packets are left alone.
///
/// Errors: see the module. Warnings that do not stop a run are left to [`validate`].
pub fn decode(dialect: Dialect, sections: &[(String, Vec<u8>)]) -> Result<Config, Diagnostics> {
    decode_parts(dialect, parts(sections))
}

/// [`decode`] from names and bytes wherever they are held.
pub fn decode_parts<'a>(
    dialect: Dialect,
    sections: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Config, Diagnostics> {
    let sections = Named::new(sections)?;
    let config = match dialect {
        Dialect::Sim => sim::config(&sections)?,
        Dialect::Rtl => rtl::config(&sections)?,
    };
    validate(&config).result(config)
}

/// The input packets in native sections (`input.json`; `data.bin` and `count.bin`), one list a tick; none when the sections are absent.
///
/// Errors: see the module, and those of [`validate_packets`].
pub fn decode_packets(
    config: &Config,
    sections: &[(String, Vec<u8>)],
) -> Result<Vec<Vec<Packet>>, Diagnostics> {
    let sections = Named::new(parts(sections))?;
    let packets = match config.dialect {
        Dialect::Sim => sim::packets(&sections)?,
        Dialect::Rtl => rtl::packets(config, &sections)?,
    };
    validate_packets(config, &packets).result(packets)
}

fn parts(sections: &[(String, Vec<u8>)]) -> impl Iterator<Item = (&str, &[u8])> {
    sections
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
}

/// Sections by name.
struct Named<'a>(BTreeMap<&'a str, &'a [u8]>);

impl<'a> Named<'a> {
    fn new(sections: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Self, Diagnostics> {
        let mut map = BTreeMap::new();
        let mut found = Diagnostics::new();
        for (name, bytes) in sections {
            if map.insert(name, bytes).is_some() {
                found.push(wrong_section(name, "stands twice in the image"));
            }
        }
        found.result(Named(map))
    }

    fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.0.get(name).copied()
    }

    fn require(&self, name: &str) -> Result<&'a [u8], Diagnostics> {
        self.get(name)
            .ok_or_else(|| wrong_section(name, "is missing from the image").into())
    }

    fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.0.keys().copied()
    }
}

/// A section that should not be there, or should.
fn wrong_section(name: &str, what: &str) -> Diagnostic {
    Diagnostic::error("SYN0720", format!("the section {name} {what}"))
        .at(name)
        .note("an image holds each native file of its dialect once and nothing else")
        .hint("check that the dialect fits the image, and compile the network again")
}

/// A section that cannot be read.
fn unreadable(place: impl Into<String>, what: impl Into<String>) -> Diagnostic {
    Diagnostic::error("SYN0721", what)
        .at(place)
        .note("the native file is damaged or was not written for this chip")
        .hint("compile the network again, or compare the file with the README of the chip")
}

/// Sections that contradict each other.
fn contradiction(place: impl Into<String>, what: impl Into<String>) -> Diagnostic {
    Diagnostic::error("SYN0722", what)
        .at(place)
        .note("the sizes that one section states must be those that the others hold")
        .hint("take all sections from one compilation")
}
