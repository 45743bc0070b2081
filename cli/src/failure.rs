//! What a command ends with when it does not end well, and the exit status that follows.

use crate::interrupt;
use synfire_ir::{Class, Diagnostic, Diagnostics, Severity, SourceMap};

/// Why a command stopped.
#[derive(Debug)]
pub enum Failure {
    /// Something is wrong; the texts are those that spans point into.
    Wrong(Diagnostics, SourceMap),
    /// Everything has been told; only the exit status is left.
    Told(u8),
    /// The user asked to stop.
    Interrupted,
}

/// What a command gives.
pub type Outcome = Result<(), Failure>;

impl From<Diagnostics> for Failure {
    fn from(d: Diagnostics) -> Self {
        Failure::Wrong(d, SourceMap::default())
    }
}

impl From<Diagnostic> for Failure {
    fn from(d: Diagnostic) -> Self {
        Failure::Wrong(d.into(), SourceMap::default())
    }
}

impl Failure {
    /// The exit status: that of the gravest class among the errors, where wrong input outweighs a network that does not
    /// fit (mend the input first), and a failing device outweighs all.
    pub fn status(&self) -> u8 {
        let diagnostics = match self {
            Failure::Interrupted => return interrupt::STATUS,
            Failure::Told(status) => return *status,
            Failure::Wrong(d, _) => d,
        };
        let errors = diagnostics
            .0
            .iter()
            .filter(|d| d.severity == Severity::Error);
        let rank = |c: Class| match c {
            Class::Device => 3,
            Class::Usage => 2,
            Class::Input => 1,
            Class::Fit => 0,
        };
        match errors
            .map(|d| d.class)
            .max_by_key(|c| rank(*c))
            .unwrap_or_default()
        {
            Class::Input => 1,
            Class::Usage => 2,
            Class::Fit => 3,
            Class::Device => 4,
        }
    }
}
