//! What the text forms of the three levels share: tokens, names, numbers, and the step code of unit models.
//!
//! In: text, or values. Out: values, or text. Every text is a list of items, each of which begins in the first column of a
//! line; new lines mean nothing else, and `//` begins a comment. Printing is total (a value that breaks its own rules has a
//! text, too) and parsing of what was printed gives the value back bit for bit. Parsing allocates no more than a constant
//! times the text's length: nothing is reserved for a stated count.
//!
//! Deliberately absent: any check of meaning. Who parses a text must pass the result through `verify` or `check`.

mod block;
mod model;
mod names;
mod number;
mod print;
pub(crate) mod range;
mod scan;
mod synapse;

pub(crate) use model::{parse_model, print_model};
pub(crate) use names::{Name, Names, Quoted};
pub(crate) use number::{F32, F64, Word};
pub(crate) use print::Printer;
pub(crate) use scan::{Scanner, Token, items};
pub(crate) use synapse::{parse_synapse, print_synapse};

/// Something that does not belong where it stands (an unknown character, an open string).
pub(crate) const BAD_TOKEN: &str = "SYN0710";
/// Something else was expected here.
pub(crate) const EXPECTED: &str = "SYN0711";
/// A number that its place cannot hold.
pub(crate) const RANGE: &str = "SYN0712";
/// A name that was not declared.
pub(crate) const UNKNOWN: &str = "SYN0713";
/// A name that was declared several times.
pub(crate) const AMBIGUOUS: &str = "SYN0714";
/// Something out of order, or twice.
pub(crate) const ORDER: &str = "SYN0715";
/// Nested too deeply.
pub(crate) const DEPTH: &str = "SYN0716";
