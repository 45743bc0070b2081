//! The syntax of the language: lexer, parser, tree and formatter.
//!
//! Comes in: one text. Goes out: a [`tree::File`] with spans and comments and everything that is wrong with the text, or the text in
//! canonical layout. Invariants: no text makes it panic or overflow the stack; time and memory are linear in the text, which is limited to
//! [`MAX_BYTES`] and [`MAX_TOKENS`]. Absent on purpose: names are not resolved, units and types not checked.

mod format;
mod keywords;
mod lexer;
mod parser;
mod report;
pub mod tree;

pub use format::format;
pub use keywords::is_keyword;

use synfire_ir::diag::{Diagnostics, Span};

/// Longest text that is read, in bytes.
pub const MAX_BYTES: usize = 16 << 20;
/// Most words, numbers, marks and comments of a text: bounds the memory that a tree takes.
pub const MAX_TOKENS: usize = 2_000_000;

/// Parses the text of file `file_id` of a source map. Never fails: the tree holds what could be understood, the diagnostics (codes SYN0001
/// to SYN0019, sorted by place) what could not; later stages may rely on the tree being complete only if there is no error.
pub fn parse(file_id: u32, text: &str) -> (tree::File, Diagnostics) {
    if text.len() > MAX_BYTES {
        let span = Span::new(file_id, 0, 0);
        let file = tree::File {
            id: file_id,
            span,
            ..Default::default()
        };
        return (
            file,
            report::file_too_large(file_id, text.len(), MAX_BYTES).into(),
        );
    }
    let lexed = lexer::lex(file_id, text, MAX_TOKENS);
    let (file, _, diagnostics) = parser::parse(file_id, text, &lexed);
    (file, diagnostics)
}
