//! How often the loops of every kernel run in one invocation, at most.
//!
//! In: what a program asks of its kernels. Out: for each kernel a number for each name that its text states beside a loop
//! (`// at most NAME`): all iterations of that loop in one invocation together, however often it is entered. Loops of which only
//! one is entered share a name. No sum exceeds [`MAX_ITERATIONS`]; a program for which one would is refused ([`Loops::check`]).

use super::limits::too_long;
use crate::wgsl::shape::MAX_ITERATIONS;
use std::collections::BTreeMap;
use synfire_ir::Diagnostic;

/// Iterations of one bisection: of at most 2^32 elements.
pub const SEARCH: u64 = 33;
/// Iterations of one draw of random numbers.
pub const DRAW: u64 = 10;

/// The loops of one use of a kernel.
type Use = BTreeMap<&'static str, u64>;

/// For each kernel its uses: the groups of an update, the projections of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loops(BTreeMap<&'static str, Vec<Use>>);

impl Loops {
    /// Notes the loops of one use of a kernel.
    pub fn note(&mut self, kernel: &'static str, loops: &[(&'static str, u64)]) {
        let all = self.0.entry(kernel).or_default();
        all.push(loops.iter().copied().collect());
    }

    /// The names of a kernel's loops; `None` when the program does not use it.
    pub fn of(&self, kernel: &str) -> Option<Vec<&'static str>> {
        let uses = self.0.get(kernel)?.iter();
        Some(uses.flat_map(|u| u.keys().copied()).collect())
    }

    /// Most iterations of one invocation of a kernel.
    pub fn sum(&self, kernel: &str) -> u64 {
        let uses = self.0.get(kernel).into_iter().flatten();
        uses.map(|u| u.values().sum()).max().unwrap_or(0)
    }

    /// Errors: `SYN0818` when a kernel could loop for too long.
    pub fn check(&self, p: &str) -> Result<(), Diagnostic> {
        for kernel in self.0.keys() {
            let n = self.sum(kernel);
            if n > MAX_ITERATIONS {
                let what = format!("kernel `{kernel}` of `{p}`");
                return Err(too_long(what, n, MAX_ITERATIONS));
            }
        }
        Ok(())
    }
}

/// The loops that a text has, by the names stated beside them; an error names the line of a loop without one.
pub fn stated(text: &str) -> Result<Vec<&str>, String> {
    let mut out = vec![];
    for line in text.lines() {
        let (code, comment) = line.split_once("//").unwrap_or((line, ""));
        let loops = ["for (", "while (", "loop {"];
        if loops.iter().any(|l| code.contains(l)) {
            let name = comment.trim().strip_prefix("at most ");
            out.push(name.ok_or_else(|| line.to_string())?);
        }
    }
    Ok(out)
}
