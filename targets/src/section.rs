//! The native files of a chip as sections of an artefact, and the events of its input channels.
//!
//! For chips whose image is one file. In: the file's bytes, or the sections of an artefact. Out: what a [`Backend`](crate::backend::Backend) returns, or `SYN0720` for sections that are
//! not what the chip takes. Deliberately absent: chips with several files, which say themselves how these belong together.

use crate::backend::{Encoded, NativeBindings, NativeInput};
use synfire_ir::artifact::{Section, SectionKind};
use synfire_ir::program::{GroupKind, Program};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// The one native file of a chip.
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// Name of its section.
    pub name: &'static str,
    /// What an image of the chip is, in a sentence.
    pub is: &'static str,
}

impl Image {
    /// The file as what a mapping was encoded to.
    pub fn encoded(&self, bytes: Vec<u8>, bindings: NativeBindings) -> Encoded {
        Encoded {
            sections: vec![native((self.name.into(), bytes))],
            bindings,
        }
    }

    /// The bytes of the only section.
    ///
    /// Errors: `SYN0720` for any other number of sections, or another name.
    pub fn only<'a>(&self, sections: &[&'a Section]) -> Result<&'a [u8], Diagnostics> {
        match sections {
            [section] if section.name == self.name => Ok(&section.bytes),
            [section] => Err(self.misplaced(format!("the native section `{}`", section.name))),
            _ => Err(self.misplaced(format!("{} native sections", sections.len()))),
        }
    }

    /// `SYN0720`: `what` stands where the file belongs.
    pub fn misplaced(&self, what: String) -> Diagnostics {
        let name = self.name;
        Diagnostic::error("SYN0720", format!("{what} where one `{name}` belongs"))
            .at(name)
            .note(self.is)
            .hint("compile the network again, or copy the file again")
            .into()
    }
}

/// A file as a section.
pub fn native((name, bytes): (String, Vec<u8>)) -> Section {
    Section {
        kind: SectionKind::Native,
        name,
        bytes,
    }
}

/// What a configuration made from a mapping violates is a matter of fit, not of damaged input.
pub fn unfit(mut found: Diagnostics) -> Diagnostics {
    found.0.iter_mut().for_each(|d| d.class = Class::Fit);
    found
}

/// The event of a unit of the external group `group`, whose number is the native word; `None` where the program has no such unit.
pub fn channel(program: &Program, group: u32, word: u64) -> Option<NativeInput> {
    let channels = program.groups.get(group as usize)?;
    let unit = u32::try_from(word).ok()?;
    let known = channels.kind == GroupKind::External && unit < channels.size;
    known.then_some(NativeInput::Event {
        group,
        unit,
        payload: 1,
        delay: 0,
    })
}
