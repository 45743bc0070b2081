//! The text forms: what is printed reads back to the same value, and prints to the same bytes.

mod examples;
mod mapping;
mod network;
mod program;
