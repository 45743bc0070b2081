//! Tests of the three levels, their text forms, the artefact, and the definitions that engines are compared with.

mod arbitrary;
mod artifact;
mod check;
mod distributions;
mod eval;
mod expand;
mod generated;
mod hostile;
mod learning;
mod text;
mod verify;

/// So many random cases; failures are told, not written to files.
fn cases(n: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        failure_persistence: None,
        ..proptest::test_runner::Config::with_cases(n)
    }
}
