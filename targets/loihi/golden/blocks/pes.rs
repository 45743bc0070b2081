//! Learning in vectors of nengo-loihi: errors and rounding draws as events, weights after each update.

use super::super::super::config::*;
use super::super::super::learning::{DRAW, Set};
use super::super::super::lower::Lowered;
use super::super::{bits, word};
use super::Vector;
use crate::backend::{NativeInput, Observed};
use crate::golden::Difference;
use synfire_ir::program::{Observable, Probe, Range};

/// The weights of one axon as they must be.
pub(super) struct Weights {
    place: String,
    /// Number of the probe.
    probe: u32,
    /// (step from 0, effective weights in the order of targets).
    by_step: Vec<(u32, Vec<i32>)>,
}

/// The rule of a vector.
pub(super) fn rule(l: &super::Learning) -> Result<Pes, String> {
    let parts = l.mag * 128.0;
    if parts.fract() != 0.0 || !(0.0..128.0 * 128.0).contains(&parts) {
        return Err(format!("mag is {}, no multiple of 1/128 below 128", l.mag));
    }
    Ok(Pes {
        tau: l.tau,
        spike_level_int: l.mag as u8,
        spike_level_frac: (parts as u32 & 127) as u8,
        train_epoch: l.train_epoch,
        learn_epoch: l.learn_epoch,
        lr_int: l.lr_int,
        lr_exp: l.lr_exp,
    })
}

fn of(set: &Set, config: &Config) -> Option<Pes> {
    let core = config.cores.get(set.core)?;
    let f = core.synapse_fmt.get(usize::from(set.format))?;
    match core.stdp_profile_cfg.get(usize::from(f.stdp_profile))? {
        StdpProfile::Pes(p) => Some(*p),
        StdpProfile::SumOfProducts(_) => None,
    }
}

/// Adds what learning takes from outside, and probes of the weights.
pub(super) fn prepare(
    v: &Vector,
    config: &Config,
    lowered: &mut Lowered,
    input: &mut Vec<(u32, NativeInput)>,
) -> Result<Vec<Weights>, String> {
    let sets = std::mem::take(&mut lowered.sets);
    let rules: Vec<(&Set, Pes)> = sets
        .iter()
        .filter_map(|s| Some((s, of(s, config)?)))
        .collect();
    let mut draws = v.round_draws.iter();
    for t in 1..=v.steps {
        // A step takes the lists of all traces first.
        let due = |epoch: u8| t.is_multiple_of(epoch.into());
        for (set, _) in rules.iter().filter(|r| due(r.1.train_epoch)) {
            let list = draws.next().ok_or("too few rounding draws")?;
            for (a, &x) in (0..set.entries.len() as u32).zip(list) {
                input.push((t - 1, word(set.trace_draws, a, bits(x, DRAW))));
            }
        }
        for (set, _) in rules.iter().filter(|r| due(r.1.learn_epoch)) {
            learn(v, config, set, t, &mut draws, input)?;
        }
    }
    let mut out = vec![];
    for (set, _) in rules {
        expected(v, config, set, lowered, &mut out)?;
    }
    Ok(out)
}

/// The place of a set among the vector's: "block,synapse".
fn key(set: &Set) -> String {
    format!("{},{}", set.core, set.format - 1)
}

/// Errors and draws of one update.
fn learn<'a>(
    v: &Vector,
    config: &Config,
    set: &Set,
    t: u32,
    draws: &mut impl Iterator<Item = &'a Vec<f64>>,
    input: &mut Vec<(u32, NativeInput)>,
) -> Result<(), String> {
    let n = config.cores[set.core].cx_cfg.len() as u32;
    let errors = v
        .pes_errors
        .get(&t.to_string())
        .and_then(|e| e.get(&key(set)));
    let errors = errors.cloned().unwrap_or_default();
    // First the negated errors, then the errors themselves.
    let both: Vec<i32> = errors
        .iter()
        .map(|e| -e)
        .chain(errors.iter().copied())
        .collect();
    for a in 0..set.entries.len() {
        let list = draws.next().ok_or("too few rounding draws")?;
        for (j, s) in set.row(config, a).iter().enumerate() {
            let target = set.target(config, a, s);
            let mine = a as u32 * n + target;
            let draw = *list.get(j).ok_or("too few rounding draws of an axon")?;
            input.push((t - 1, word(set.draws, mine, bits(draw, DRAW))));
            if a == 0 || set.own_errors {
                let unit = if set.own_errors { mine } else { target };
                let e = both.get(j).copied().unwrap_or(0);
                input.push((t - 1, word(set.errors, unit, e)));
            }
        }
    }
    Ok(())
}

/// Probes of the weights of a set, and what they must show.
fn expected(
    v: &Vector,
    config: &Config,
    set: &Set,
    lowered: &mut Lowered,
    out: &mut Vec<Weights>,
) -> Result<(), String> {
    for (a, &projection) in set.projections.iter().enumerate() {
        let row = set.row(config, a);
        // The program has a row's synapses in the order of targets.
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by_key(|&j| row[j].c_idx);
        let mut by_step = vec![];
        for (t, sets) in &v.expected.weights {
            let t: u32 = t.parse().map_err(|e| format!("step `{t}`: {e}"))?;
            let Some(weights) = sets.get(&key(set)).and_then(|rows| rows.get(a)) else {
                continue;
            };
            let sorted = order.iter().map(|&j| weights.get(j).copied().unwrap_or(0));
            by_step.push((t.saturating_sub(1), sorted.collect()));
        }
        out.push(Weights {
            place: format!("weights of axon {a} of block {}", set.core),
            probe: lowered.program.probes.len() as u32,
            by_step,
        });
        lowered.program.probes.push(Probe {
            name: format!("w {} {a}", key(set)),
            group: lowered.compartments,
            range: Range {
                start: 0,
                len: row.len() as u32,
            },
            what: Observable::Synapse {
                projection,
                state: 0,
            },
            every: 1,
        });
    }
    Ok(())
}

/// The first weight that differs; the vector holds them in units of u, the program in units of 64.
pub(super) fn compare(all: &[Weights], seen: &Observed) -> Result<(), String> {
    for w in all {
        let trace = seen.traces.get(&w.probe).map_or(&[][..], |t| t);
        for (step, row) in &w.by_step {
            let words = trace.iter().find(|t| t.0 == *step);
            let got: Vec<i32> = words
                .map_or(&[][..], |t| &t.1)
                .iter()
                .map(|&x| (x as i32) << 6)
                .collect();
            let place = || format!("{} after step {}", w.place, step + 1);
            if let Some(d) = Difference::between(place, row, &got) {
                return Err(d.to_string());
            }
        }
    }
    Ok(())
}
