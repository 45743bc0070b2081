//! The syntax of the language: lexer, parser, tree and formatter.
//!
//! Comes in: one text. Goes out: a [`tree::File`] with spans and comments, and everything that is wrong with the text.

pub mod tree;
