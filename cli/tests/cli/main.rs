//! The binary as its users and their scripts see it; one module a topic.

mod bench;
mod bench_mapping;
mod boards;
mod bridge;
mod eval;
mod experiments;
mod explain;
mod fabric;
#[cfg(unix)]
mod long;
mod place;
mod procedural;
mod run;
