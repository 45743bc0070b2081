//! Diagnostics of the importer: one place that knows the file's name, how strict to be, and how many of a kind to tell.
//!
//! In: findings with a code and a place. Out: [`Diagnostics`] with at most a dozen of each code and a closing
//! count. Invariant: the report is bounded however large the graph is, and its order is the order of discovery.

use std::collections::BTreeMap;
use synfire_ir::{Diagnostic, Diagnostics, Severity};

/// How many findings with one code are told in full.
const MOST_OF_A_KIND: usize = 12;

/// Stable codes of this area.
pub mod code {
    /// Not HDF5, damaged, or HDF5 of a kind that is not read.
    pub const HDF5: &str = "SYN0501";
    /// HDF5, but not a NIR graph.
    pub const NOT_NIR: &str = "SYN0502";
    /// More nodes, edges, levels or bytes than are accepted.
    pub const LIMIT: &str = "SYN0503";
    /// Node type missing or unknown.
    pub const TYPE: &str = "SYN0504";
    /// Field missing.
    pub const MISSING: &str = "SYN0505";
    /// Field of a wrong type, shape or value.
    pub const FIELD: &str = "SYN0506";
    /// Field that the type does not have.
    pub const UNKNOWN: &str = "SYN0507";
    /// Edge to or from a node that does not exist.
    pub const DANGLING: &str = "SYN0508";
    /// Edge given twice.
    pub const DUPLICATE: &str = "SYN0509";
    /// Edge into an Input or out of an Output, or no edges at all.
    pub const EDGE: &str = "SYN0510";
    /// Subgraph with several or no Inputs.
    pub const PORTS: &str = "SYN0511";
    /// Input or Output of a subgraph with the shape of its neighbour's neighbour.
    pub const PORT_SHAPE: &str = "SYN0512";
    /// The two ends of an edge disagree in shape.
    pub const SHAPE: &str = "SYN0513";
    /// A shape that cannot be inferred or computed.
    pub const INFER: &str = "SYN0514";
    /// Axes of length 1 kept in an Input or Output.
    pub const BATCH_AXIS: &str = "SYN0515";
    /// Parameter of one element where the node has more.
    pub const BROADCAST: &str = "SYN0516";
    /// Loop without spiking neuron and without delay.
    pub const LOOP: &str = "SYN0517";
    /// Input or Output missing.
    pub const ENDS: &str = "SYN0518";
    /// Where the time step comes from.
    pub const DT: &str = "SYN0519";
    /// Time constant out of proportion to the time step.
    pub const TAU: &str = "SYN0520";
    /// Delay that is not a whole number of steps.
    pub const DELAY: &str = "SYN0521";
    /// Two nodes of one name after flattening.
    pub const NAME: &str = "SYN0522";
}

/// Collects the findings of one import.
pub struct Report {
    file: String,
    strict: bool,
    found: Diagnostics,
    counts: BTreeMap<(String, Severity), usize>,
    failed: bool,
}

impl Report {
    /// An empty report about that file.
    pub fn new(file: &str, strict: bool) -> Self {
        Report {
            file: file.to_owned(),
            strict,
            found: Diagnostics::new(),
            counts: BTreeMap::new(),
            failed: false,
        }
    }

    /// Adds a finding at that path of the file (empty: the file as a whole).
    pub fn push(&mut self, path: &str, finding: Diagnostic) {
        self.failed |= finding.severity == Severity::Error;
        let count = self
            .counts
            .entry((finding.code.clone(), finding.severity))
            .or_default();
        *count += 1;
        if *count > MOST_OF_A_KIND {
            return;
        }
        let place = match path {
            "" => self.file.clone(),
            path => format!("{}: {path}", self.file),
        };
        let finding = finding.field("file", &self.file);
        self.found.push(
            if path.is_empty() {
                finding
            } else {
                finding.field("path", path)
            }
            .at(place),
        );
    }

    /// Adds something that can be mended without guessing: done and told with what was done, or an error when strict.
    pub fn repair(&mut self, path: &str, code: &str, message: String, done: &str, hint: &str) {
        let finding = if self.strict {
            Diagnostic::error(code, message)
                .hint(hint)
                .hint(format!("without --strict it is repaired: {done}"))
        } else {
            Diagnostic::warning(code, message)
                .note(format!("repaired: {done}"))
                .hint(hint)
        };
        self.push(path, finding);
    }

    /// Must repairs be refused?
    pub fn strict(&self) -> bool {
        self.strict
    }

    /// Has an error been found?
    pub fn failed(&self) -> bool {
        self.failed
    }

    /// All findings; where some were left out, how many.
    pub fn finish(mut self) -> Diagnostics {
        for ((code, severity), count) in &self.counts {
            if *count > MOST_OF_A_KIND {
                let more = count - MOST_OF_A_KIND;
                let text = format!("{more} more findings of this kind ({code}) are not shown");
                let closing = match severity {
                    Severity::Error => {
                        Diagnostic::error(code, text).hint("mend the first ones and run again")
                    }
                    Severity::Warning => Diagnostic::warning(code, text),
                    Severity::Note => Diagnostic::note_of(code, text),
                };
                self.found.push(closing.at(self.file.clone()));
            }
        }
        self.found
    }
}
