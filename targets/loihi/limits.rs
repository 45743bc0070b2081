//! What a core has no room for.
//!
//! The figures are nengo-loihi's (its block and hardware checks) where nothing else is said. A configuration goes in, every limit that it breaks comes out with the amount.

use super::config::*;
use crate::backend::Resource;
use crate::report::Report;
use std::collections::BTreeSet;
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Compartments of a core.
pub const COMPARTMENTS: usize = 1024;
/// Input axons of a core: entries of its synapse map.
pub const IN_AXONS: usize = 4096;
/// Slots of output axons of a core; an axon to a `pop32` entry takes two.
pub const OUT_AXONS: usize = 4096;
/// Bits of a core's synapse memory: 16,384 words of 64.
pub const SYNAPSE_BITS: u64 = 1 << 20;
/// Compartment profiles of a core: its builder asks for fewer than 32.
pub const CX_PROFILES: usize = 31;
/// Threshold profiles of a core: the builder asks for fewer than 8 (the validator for up to 16).
pub const VTH_PROFILES: usize = 7;
/// Synapse formats of a core beside the unused format 0: builder and validator disagree as above.
pub const FORMATS: usize = 7;

/// Bits of one row of `n` synapses: groups of `numSynapses + 1`, each with a head of 10 bits and rounded up to whole words of 64 bits.
pub fn row_bits(f: &SynapseFmt, n: usize) -> u64 {
    let index = if f.compression == 0 {
        f.index_bits()
    } else {
        0
    };
    let each = f.weight_bits() + u32::from(f.dly_bits) + u32::from(f.tag_bits) + index;
    let group = usize::from(f.num_synapses) + 1;
    let bits = |k: usize| (k as u64 * u64::from(each) + 10).div_ceil(64) * 64;
    let rest = if n.is_multiple_of(group) {
        0
    } else {
        bits(n % group)
    };
    (n / group) as u64 * bits(group) + rest
}

/// Bits of a core's synapse memory in use; rows that several axons share count once.
pub fn synapse_bits(core: &Core) -> u64 {
    let mut rows: BTreeSet<(u32, u32)> = BTreeSet::new();
    for e in &core.synapse_map {
        let starts = (0..u32::from(e.pop_size)).map(|a| e.synapse_ptr + a * e.synapse_len);
        rows.extend(starts.map(|s| (s, e.synapse_len)));
    }
    let format = |s: u32| {
        let id = core.synapses.get(s as usize)?.syn_fmt_id;
        core.synapse_fmt.get(usize::from(id))
    };
    let bits = |&(s, n): &(u32, u32)| format(s).map_or(0, |f| row_bits(f, n as usize));
    rows.iter().map(bits).sum()
}

/// What a core takes of something, how much there is, and what would take less.
type Figure = (&'static str, u64, u64, &'static str);

fn figures(config: &Config, c: &Core) -> [Figure; 7] {
    let slots = c.axons.iter().map(|(_, d)| match config.row(*d) {
        Some((_, e, _)) if e.kind == MapKind::Pop32 => 2,
        _ => 1,
    });
    [
        (
            "compartments",
            c.cx_cfg.len() as u64,
            COMPARTMENTS as u64,
            "put fewer neurons on it",
        ),
        (
            "input axons",
            c.synapse_map.len() as u64,
            IN_AXONS as u64,
            "lower the number of distinct sources",
        ),
        (
            "output axon slots",
            slots.sum(),
            OUT_AXONS as u64,
            "let its neurons reach fewer cores",
        ),
        (
            "synapse_bits_per_core",
            synapse_bits(c),
            SYNAPSE_BITS,
            "put fewer neurons on it, or make their connections sparser",
        ),
        (
            "profiles_per_core",
            c.cx_profile_cfg.len() as u64,
            CX_PROFILES as u64,
            "let its neurons share decays and refractory times",
        ),
        (
            "threshold profiles",
            c.vth_profile_cfg.len() as u64,
            VTH_PROFILES as u64,
            "let its neurons share thresholds",
        ),
        (
            "synapse formats",
            c.synapse_fmt.len().saturating_sub(1) as u64,
            FORMATS as u64,
            "let its synapses share exponents, signs and delays",
        ),
    ]
}

/// What the fullest cores take of what only the image tells.
pub fn used(config: &Config) -> Vec<Resource> {
    let all: Vec<[Figure; 7]> = config.cores.iter().map(|c| figures(config, c)).collect();
    let of = |k: usize| {
        let (name, _, available, _) = all.first()?[k];
        let used = all.iter().map(|f| f[k].1).max()?;
        Some(Resource {
            name,
            used,
            available,
        })
    };
    (3..7).filter_map(of).collect()
}

/// Every limit that a configuration breaks.
///
/// Errors: `SYN0614` for each, with the limit, the amount and the core.
pub fn check(config: &Config) -> Diagnostics {
    let mut report = Report::new();
    for (k, c) in config.cores.iter().enumerate() {
        for (what, needed, available, hint) in figures(config, c) {
            if needed > available {
                report.add(what, || over(k, what, needed, available, hint));
            }
        }
    }
    report.finish()
}

fn over(core: usize, what: &str, needed: u64, available: u64, hint: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0614",
        format!("core {core} needs {needed} {what}; a core has {available}"),
    )
    .class(Class::Fit)
    .note("limits of nengo-loihi's blocks and hardware checks")
    .hint(hint)
    .field("limit", what)
    .field("needed", needed)
    .field("available", available)
}
