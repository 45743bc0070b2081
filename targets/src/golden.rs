//! What comparing a run with a golden vector gives.
//!
//! The forms of the vectors are the chips' (`golden.rs` in each folder); the answer has one shape for all.

use std::fmt;

/// The first place where something differs from its golden vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, e.g. `tick 3, core (1,0), neuron 7, potential`.
    pub place: String,
    /// What the vector holds.
    pub expected: String,
    /// What came out.
    pub got: String,
}

impl Difference {
    /// `Some` difference when the two values are not equal.
    pub fn between<T: PartialEq + fmt::Debug>(
        place: impl FnOnce() -> String,
        expected: &T,
        got: &T,
    ) -> Option<Difference> {
        (expected != got).then(|| Difference {
            place: place(),
            expected: shown(expected),
            got: shown(got),
        })
    }
}

/// A value as one line of bounded length.
fn shown(value: &impl fmt::Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(200) {
        Some((cut, _)) => format!("{}...", &text[..cut]),
        None => text,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: expected {}, got {}",
            self.place, self.expected, self.got
        )
    }
}
