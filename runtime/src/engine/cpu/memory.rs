//! Does a run fit this machine? Asked before anything is allocated, since sizes come from outside.

use super::plan::Plan;
use synfire_ir::diag::{Class, Diagnostic, Diagnostics};
use synfire_ir::program::Program;

/// What a run may take when the machine does not say what it has: 64 GiB.
const UNKNOWN: u64 = 64 << 30;

/// An error if the state of `samples` copies of the program needs more than the machine has free.
pub(super) fn check(p: &Program, samples: u32) -> Result<(), Diagnostics> {
    let (need, have) = (Plan::bytes(p) * samples as u128, free());
    if need <= have as u128 {
        return Ok(());
    }
    let mib = |b: u128| b >> 20;
    Err(Diagnostic::error(
        "SYN0802",
        format!(
            "{samples} samples of `{}` need {} MiB of state, this machine has {} MiB free",
            p.name,
            mib(need),
            mib(have as u128)
        ),
    )
    .class(Class::Device)
    .note("an engine keeps the states, ports and delayed outputs of all samples in memory")
    .hint("run fewer samples at once, or a smaller network")
    .field("needed", need)
    .field("available", have)
    .into())
}

/// Bytes that the system says are available.
fn free() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|l| l.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map_or(UNKNOWN, |k| k << 10)
}
