//! Rules of a mapping as registers, and synapses that follow them.
//!
//! In: what learns in a mapping. Out: for each rule of a core a profile and a format, and rows of synapses that name it; an axon's synapses learn all or none. What a rule's registers cannot hold is
//! reported. A place of a weight is its core in bits 63..32, its entry of the synapse map in bits 31..16 and its compartment in bits 15..0. An error is a native word with bit 63 set: its core in bits 62..40, its format in bits 39..32, its unit
//! of the emulator's errors in bits 31..0.

use super::config::*;
use super::learning::Set;
use super::lower::Lowered;
use super::mapping::{defect, extra};
use crate::backend::{NativeInput, WeightCell, Words};
use crate::report::Report;
use std::collections::BTreeMap;
use synfire_ir::mapping::{self, Core as Mapped, Errors, Learner, Mapping, Products, Rule};
use synfire_ir::program::{GroupKind, Program};
use synfire_ir::{Class, Diagnostic};

/// What learns on one core.
pub(super) struct Learning<'a> {
    /// Number in the mapping's list, by axon and neuron.
    of: BTreeMap<(u32, u32), usize>,
    all: &'a [mapping::Learning],
}

/// The places of all weights that learn.
pub(super) fn places(mapping: &Mapping) -> Vec<Vec<u64>> {
    let of = |l: &mapping::Learning| l.synapses.iter().map(place).collect();
    mapping.learning.iter().map(of).collect()
}

fn place(s: &Learner) -> u64 {
    u64::from(s.core) << 32 | u64::from(s.axon & 0xFFFF) << 16 | u64::from(s.neuron & 0xFFFF)
}

impl<'a> Learning<'a> {
    pub fn of(mapping: &'a Mapping, core: u32) -> Learning<'a> {
        let mut of = BTreeMap::new();
        for (k, l) in mapping.learning.iter().enumerate() {
            let here = l.synapses.iter().filter(|s| s.core == core);
            of.extend(here.map(|s| ((s.axon, s.neuron), k)));
        }
        Learning {
            of,
            all: &mapping.learning,
        }
    }

    /// The projection by which a synapse learns.
    pub fn rule(&self, s: &mapping::Synapse) -> Option<usize> {
        self.of.get(&(s.axon, s.neuron)).copied()
    }

    /// Adds profiles, formats and rows of what learns.
    pub fn rows(
        &self,
        mapping: &Mapping,
        core: &Mapped,
        c: &mut Core,
        rows: &mut [Vec<Synapse>],
        report: &mut Report,
    ) {
        let mut formats: BTreeMap<usize, u8> = BTreeMap::new();
        for s in &core.synapses {
            let Some(k) = self.rule(s) else { continue };
            let l = &self.all[k];
            let (Some(axon), Some(row)) = (
                core.axons.get(s.axon as usize),
                rows.get_mut(s.axon as usize),
            ) else {
                continue;
            };
            if extra(mapping, axon) > 0 {
                report.add("learning delays", || late(&l.projection));
            }
            let id = *formats.entry(k).or_insert_with(|| format(l, c, report));
            row.push(Synapse {
                c_idx: s.neuron.min(u16::MAX.into()) as u16,
                wgt: mantissa(l, s.weight),
                syn_fmt_id: id,
                dly: 0,
                tag: 0,
                lrn_en: 1,
            });
        }
    }
}

/// The stored mantissa of a weight. One that an error drives is mixed: its lowest bit is dropped, so its unit is twice the format's.
fn mantissa(l: &mapping::Learning, weight: i32) -> i16 {
    match &l.rule {
        Rule::Errors(_) => (weight >> (l.exponent.clamp(1, 8) - 1)).clamp(-254, 254) as i16,
        _ => (weight >> l.exponent.min(7)).clamp(0, 255) as i16,
    }
}

/// A format with the profile of a rule.
fn format(l: &mapping::Learning, c: &mut Core, report: &mut Report) -> u8 {
    let index = c.cx_cfg.len().max(2).next_power_of_two().trailing_zeros();
    let profile = match &l.rule {
        Rule::Products(p) => StdpProfile::SumOfProducts(registers(p)),
        Rule::Errors(e) => StdpProfile::Pes(pes(e)),
        Rule::Gated(_) => {
            report.add("learning", || {
                defect(format!(
                    "`{}` learns by a rule that the chip has not",
                    l.projection
                ))
            });
            return 0;
        }
    };
    let known = c.stdp_profile_cfg.iter().position(|p| *p == profile);
    let at = known.unwrap_or_else(|| {
        c.stdp_profile_cfg.push(profile);
        c.stdp_profile_cfg.len() - 1
    });
    let tagged = matches!(&l.rule, Rule::Products(p) if p.terms.iter().any(|t| t.tag));
    let (exponent, fanout_type) = match &l.rule {
        Rule::Errors(_) => (l.exponent.clamp(1, 8) - 1, MIXED),
        _ => (l.exponent.min(7), EXCITATORY),
    };
    c.synapse_fmt.push(SynapseFmt {
        wgt_exp: exponent as i8,
        wgt_bits: 7,
        idx_bits: index.saturating_sub(5).clamp(1, 7) as u8,
        fanout_type,
        tag_bits: if tagged { 3 } else { 0 },
        num_synapses: 63,
        learning_cfg: 1,
        stdp_profile: at.min(255) as u8,
        ..SynapseFmt::default()
    });
    (c.synapse_fmt.len() - 1).min(255) as u8
}

fn late(projection: &str) -> Diagnostic {
    let text = format!("`{projection}` learns over delays of more than one step");
    Diagnostic::error("SYN0644", text)
        .class(Class::Fit)
        .at(projection)
        .note("when a synapse with a delay reads the trace of its source is not public: nengo-loihi and lava compute no delays, and what their learning calls a delay is a number that it may change")
        .hint("give the connect a delay of 1 step, or put a population in between")
        .field("limit", "learning")
}

fn pes(e: &Errors) -> Pes {
    Pes {
        tau: e.trace.tau.min(u16::MAX.into()) as u16,
        spike_level_int: e.trace.impulse.min(127) as u8,
        spike_level_frac: e.trace.part.min(127) as u8,
        train_epoch: e.trace_period.min(255) as u8,
        learn_epoch: e.period.min(255) as u8,
        lr_int: e.mantissa.clamp(-127, 127) as i8,
        lr_exp: e.exponent.clamp(-128, 127) as i8,
    }
}

fn registers(p: &Products) -> SumOfProducts {
    let trace = |t: Option<&mapping::Trace>| {
        t.map_or(Trace::default(), |t| Trace {
            tau: t.tau.min(u16::MAX.into()) as u16,
            impulse_int: t.impulse.min(127) as u8,
            impulse_frac: t.part.min(256) as u16,
        })
    };
    let product = |t: &mapping::Term| Product {
        target: if t.tag { Target::T } else { Target::W },
        gate: match t.gate {
            mapping::Gate::Source => Gate::X0,
            mapping::Gate::Target => Gate::Y0,
            mapping::Gate::Interval => Gate::U,
        },
        mant: t.mantissa.clamp(-8, 7) as i8,
        exp7: (t.exponent + 7).clamp(0, 15) as u8,
        factors: t.factors.iter().map(factor).collect(),
    };
    SumOfProducts {
        t_epoch: 1,
        decimate: p.decimate.min(15) as u8,
        x: [trace(p.source.first()), trace(p.source.get(1))],
        y: [
            trace(p.target.first()),
            trace(p.target.get(1)),
            trace(p.target.get(2)),
        ],
        products: p.terms.iter().map(product).collect(),
    }
}

fn factor(f: &mapping::Factor) -> Factor {
    let var = match f {
        mapping::Factor::Source(0) => Variable::X1,
        mapping::Factor::Source(_) => Variable::X2,
        mapping::Factor::Target(0) => Variable::Y1,
        mapping::Factor::Target(1) => Variable::Y2,
        mapping::Factor::Target(_) => Variable::Y3,
        mapping::Factor::Weight => Variable::W,
        mapping::Factor::Tag => Variable::T,
    };
    Factor {
        var,
        add: 0,
        sgn: false,
    }
}

/// Places of all weights that learn in a lowered image, ascending, and where they stand in its program.
pub(super) fn cells(config: &Config, lowered: &Lowered) -> Vec<(u64, WeightCell)> {
    let mut out = vec![];
    for set in &lowered.sets {
        let core = &config.cores[set.core];
        let f = core.synapse_fmt[usize::from(set.format)];
        let mut index = 0;
        for (axon, &entry) in set.entries.iter().enumerate() {
            // Of an error-driven rule each axon is a projection of its own.
            let own = set.errors != 0;
            let Some(&projection) = set.projections.get(if own { axon } else { 0 }) else {
                continue;
            };
            if own {
                index = 0;
            }
            let row = set.row(config, axon).iter();
            let mut targets: Vec<u32> = row.map(|s| set.target(config, axon, s)).collect();
            targets.sort_unstable();
            for neuron in targets {
                let at = Learner {
                    core: set.core as u32,
                    axon: entry as u32,
                    neuron,
                    ..Learner::default()
                };
                let cell = WeightCell {
                    words: Words::Synapses {
                        projection,
                        state: 0,
                    },
                    index,
                    shift: 0,
                    bits: 32,
                    // The word of a weight that an error drives is what it delivers.
                    exponent: if own { 0 } else { f.wgt_exp.max(0) as u8 },
                };
                out.push((place(&at), cell));
                index += 1;
            }
        }
    }
    out.sort_unstable_by_key(|x| x.0);
    out
}

/// Bit of words that carry an error.
const ERROR: u64 = 1 << 63;

/// The words that carry each value of a mapping, by the sets that learn in its configuration.
pub(super) fn values(mapping: &Mapping, config: &Config, sets: &[Set]) -> Vec<Vec<(u32, u64)>> {
    let of = |l: &mapping::Learning| {
        let mut out = vec![];
        for (k, v) in (0u32..).zip(&l.values) {
            let here = |s: &&Set| s.core == v.core as usize && learns(l, config, s);
            for set in sets.iter().filter(here) {
                let word = |unit: u32| {
                    ERROR | u64::from(v.core) << 40 | u64::from(set.format) << 32 | u64::from(unit)
                };
                out.extend(set.error_units(config, v.neuron).map(|u| (k, word(u))));
            }
        }
        out
    };
    mapping.learning.iter().map(of).collect()
}

/// Do synapses of a projection belong to a set?
fn learns(l: &mapping::Learning, config: &Config, set: &Set) -> bool {
    let first = l.synapses.iter().find(|s| s.core as usize == set.core);
    first.is_some_and(|s| {
        let axon = set.entries.binary_search(&(s.axon as usize));
        let row = axon.ok().map_or(&[][..], |a| set.row(config, a));
        row.iter().any(|x| u32::from(x.c_idx) == s.neuron)
    })
}

/// The event of a word that carries an error.
pub(super) fn error(program: &Program, word: u64) -> Option<NativeInput> {
    let (core, format) = ((word & !ERROR) >> 40, word >> 32 & 0xFF);
    let name = Set::errors_name(core as usize, format as u8);
    let at = program.groups.iter().position(|g| g.name == name);
    let group = at.filter(|_| word & ERROR != 0)?;
    let (unit, errors) = (word as u32, &program.groups[group]);
    let known = errors.kind == GroupKind::External && unit < errors.size;
    known.then_some(NativeInput::Event {
        group: group as u32,
        unit,
        payload: 1,
        delay: 0,
    })
}
