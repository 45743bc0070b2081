//! Configuration to [`Program`]: what the emulator runs in place of the chip.
//!
//! Groups: channels (external), in the dialect `lava` rows whose exponent is negative, the compartments of all cores one after another, and the noise where it is given. A channel's spike acts in the step in
//! which it is sent, a compartment's in the next, both later by the delay of the synapse. Weights come as `floor(mantissa * 2^wgtExp)`; what one source sends to one
//! compartment in one step is summed into one synapse. The units are those of `model.syn`.

use super::config::*;
use super::learning::{self, Set};
use crate::model::{group, neuron};
use synfire_ir::model::Model;
use synfire_ir::program::{
    self, Carry, Discipline, GroupKind, Groups, Layout, Observable, Probe, Program, Projection,
    Range, Rows, Run, Weights,
};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// External group of channels.
pub const CHANNELS: u32 = 0;
/// Port of synaptic input of compartments and rows, and of spikes of learning axons.
pub(super) const Q: u16 = 0;
/// Port of given noise.
const RAW: u16 = 1;
/// Most synapses that a program is made of; rows that many axons share are copied for each.
const MOST: u64 = 1 << 27;

pub(super) const TEXT: &str = include_str!("model.syn");

/// Whose arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
    /// nengo-loihi's emulator.
    Nengo,
    /// lava's fixed-point models of neuron and synapse.
    Lava,
}

/// A program and where the compartments of its configuration are.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Its only probe, if the configuration has outputs, records the spikes of all compartments.
    pub program: Program,
    /// The group of compartments.
    pub compartments: u32,
    /// Number of the first compartment of each core in that group.
    pub first: Vec<u32>,
    /// External group of noise, where it is given.
    pub noise: Option<u32>,
    /// What learns, in the order of cores and formats.
    pub sets: Vec<Set>,
}

/// A synapse of the program: delay, target, weight.
pub(super) type Wire = (u16, u32, i32);

/// The program of a configuration. With `given`, noise comes from an external group in place of our own generator.
///
/// Errors: those of [`Config::validate`], `SYN0614` without compartments or for shared rows that would be copied too often, `SYN0617` for registers that the arithmetic does not have.
pub fn lower(config: &Config, arithmetic: Arithmetic, given: bool) -> Result<Lowered, Diagnostics> {
    config.validate().result(())?;
    possible(config, arithmetic)?;
    let mut first = vec![0u32];
    for c in &config.cores {
        first.push(first[first.len() - 1] + c.cx_cfg.len() as u32);
    }
    let n = first.pop().unwrap_or(0);
    let rows = if arithmetic == Arithmetic::Lava {
        shifted(config, &first)
    } else {
        vec![]
    };
    let mut g = Groups::default();
    g.add(
        "channels",
        config.channels.len().max(1),
        0,
        GroupKind::External,
    );
    let mut models = vec![];
    if !rows.is_empty() {
        let model = neuron(TEXT, "LavaRow", &[])?;
        let right = |_: &str, u: usize| rows.get(u).map(|r| r.2);
        let kind = group(&model, 0, rows.len(), &right);
        g.add("rows", rows.len(), 0, kind);
        models.push(model);
    }
    let model = compartment(config, arithmetic, given)?;
    let places: Vec<(usize, usize)> = (config.cores.iter().enumerate())
        .flat_map(|(k, c)| (0..c.cx_cfg.len()).map(move |i| (k, i)))
        .collect();
    let value = |name: &str, u: usize| {
        let &(k, i) = places.get(u)?;
        register(&config.cores[k], i, name)
    };
    let kind = group(&model, models.len() as u32, n as usize, &value);
    let noisy = model.port("raw").is_some();
    models.push(model);
    let mut sets = learning::sets(config)?;
    let phase = match sets.is_empty() {
        true => u16::from(!rows.is_empty()),
        false => 1 + learning::axon_phase(given),
    };
    let compartments = g.add("compartments", n as usize, phase, kind);
    let noise = (given && noisy).then(|| g.add("noise", n as usize, 0, GroupKind::External));
    for set in &mut sets {
        set.groups(config, given, &mut g, &mut models)?;
    }
    let mut sinks = vec![(compartments, n), (1, rows.len() as u32)];
    sinks.extend(sets.iter().map(|s| (s.axons, s.entries.len() as u32)));
    let plan = Plan {
        config,
        first: &first,
        rows: &rows,
        sets: &sets,
        sinks,
    };
    let mut projections = plan.projections();
    if let Some(noise) = noise {
        let layout = Layout::OneToOne {
            delay: 0,
            weights: Weights::Uniform(1),
        };
        projections.push(projection(
            "noise",
            (noise, n),
            (compartments, n),
            RAW,
            layout,
        ));
    }
    let probes = Probe {
        name: "spikes".into(),
        group: compartments,
        range: whole(n),
        what: Observable::Events,
        every: 1,
    };
    let mut learned = learning::Learned::default();
    for set in &mut sets {
        let onto = (compartments, first[set.core]);
        set.wires(config, onto, &mut projections, &mut learned);
    }
    let program = Program {
        name: "loihi".into(),
        arithmetic: program::Arithmetic::Integer,
        dt: None,
        seed: 0,
        discipline: Discipline::Stepped,
        models,
        groups: g.list(),
        projections,
        synapse_models: learned.models,
        plastic: learned.plastic,
        probes: vec![probes],
    };
    Ok(Lowered {
        program,
        compartments,
        first,
        noise,
        sets,
    })
}

/// What no program can be made of.
fn possible(config: &Config, arithmetic: Arithmetic) -> Result<(), Diagnostics> {
    let n: usize = config.cores.iter().map(|c| c.cx_cfg.len()).sum();
    let wires: u64 = all_rows(config).map(|r| r.2.len() as u64).sum();
    if n == 0 || wires > MOST || n as u64 > MOST {
        let text =
            format!("{n} compartments and {wires} synapses, shared rows counted for each axon");
        return Err(Diagnostic::error("SYN0614", text)
            .class(Class::Fit)
            .note(format!("the emulator takes 1 to {MOST} of each"))
            .hint("let fewer axons share their rows, or split the network")
            .field("limit", "emulated synapses")
            .field("needed", wires)
            .field("available", MOST)
            .into());
    }
    let mut out = Diagnostics::new();
    for (k, c) in config.cores.iter().enumerate() {
        let lacks = [
            (
                c.cx_profile_cfg.iter().any(|p| p.refract_delay > 1),
                "a refractory time",
            ),
            (c.cx_profile_cfg.iter().any(|p| p.enable_noise), "noise"),
            (
                c.dendrite_shared_cfg.ends() != (-8_388_607, 8_388_607),
                "membrane ends other than +-(2^23 - 1)",
            ),
        ];
        for (_, what) in lacks
            .iter()
            .filter(|l| l.0 && arithmetic == Arithmetic::Lava)
        {
            out.push(
                Diagnostic::error("SYN0617", format!("core {k} has {what}"))
                    .class(Class::Fit)
                    .note("lava's fixed-point neuron has no such thing, so this dialect does not say what comes of it")
                    .hint("take the default dialect, or leave it out"),
            );
        }
    }
    out.result(())
}

/// Every row that a spike reaches: (core, entry, row), once for each axon.
fn all_rows(config: &Config) -> impl Iterator<Item = (usize, &MapEntry, &[Synapse])> {
    let inner = config
        .cores
        .iter()
        .flat_map(|c| c.axons.iter().map(|a| a.1));
    let all = config.channels.iter().flatten().copied().chain(inner);
    all.filter_map(|d| config.row(d))
        .filter(|r| r.1.cx_base >= 0)
}

/// (core, format, shift) and compartment of each row with a negative exponent, sorted: (compartment of the group, format, shift).
fn shifted(config: &Config, first: &[u32]) -> Vec<(u32, u8, i64)> {
    let mut out = vec![];
    for (k, e, row) in all_rows(config) {
        for s in row.iter().filter(|s| s.lrn_en == 0) {
            let exp = exponent(&config.cores[k], s);
            if exp < 0 {
                out.push((target(first[k], e, s), s.syn_fmt_id, i64::from(-exp)));
            }
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

pub(super) fn exponent(core: &Core, s: &Synapse) -> i32 {
    let f = core.synapse_fmt.get(usize::from(s.syn_fmt_id));
    f.map_or(0, |f| f.wgt_exp.into())
}

/// Compartment of the group that a synapse leads to; the entry's base is not negative.
fn target(first: u32, entry: &MapEntry, s: &Synapse) -> u32 {
    first + entry.cx_base.unsigned_abs() as u32 + u32::from(s.c_idx)
}

fn compartment(config: &Config, arithmetic: Arithmetic, given: bool) -> Result<Model, Diagnostics> {
    let noise = config.cores.iter().flat_map(|c| &c.cx_profile_cfg);
    match arithmetic {
        Arithmetic::Lava => neuron(TEXT, "LavaLif", &[]),
        Arithmetic::Nengo if noise.clone().any(|p| p.enable_noise) => {
            neuron(TEXT, "LoihiNoise", &[("drawn", i64::from(!given))])
        }
        Arithmetic::Nengo => neuron(TEXT, "Loihi", &[]),
    }
}

/// A field of `model.syn`.
fn register(core: &Core, i: usize, name: &str) -> Option<i64> {
    let x = core.cx_cfg.get(i)?;
    let p = core.cx_profile_cfg.get(usize::from(x.cx_profile))?;
    let d = &core.dendrite_shared_cfg;
    let noise = i64::from(d.noise_exp0) - 7;
    Some(match name {
        "du" => p.decay_u.into(),
        "dv" => p.decay_v.into(),
        "bias" => i64::from(x.bias) << x.bias_exp.min(super::validate::MAX_BIAS_EXP),
        "vth" => core
            .vth_profile_cfg
            .get(usize::from(x.vth_profile))?
            .vth
            .into(),
        "refract" => p.refract_delay.into(),
        "vmin" => d.ends().0.into(),
        "vmax" => d.ends().1.into(),
        "noise" => p.enable_noise.into(),
        "at_membrane" => d.noise_at_dend_or_vm.into(),
        "offset" => d.noise_mant_offset0.into(),
        "left" => noise.max(0),
        "right" => (-noise).max(0),
        _ => return None,
    })
}

/// Where wires lead: compartments, rows, and the axons of what learns.
const ONTO: usize = 0;
const ROWS: usize = 1;
const SETS: usize = 2;

struct Plan<'a> {
    config: &'a Config,
    first: &'a [u32],
    rows: &'a [(u32, u8, i64)],
    sets: &'a [Set],
    /// Group and size of each place that wires lead to.
    sinks: Vec<(u32, u32)>,
}

impl Plan<'_> {
    /// Adds what one spike sends to each sink, `late` steps after it.
    fn spike(&self, to: Destination, late: u16, wires: &mut [Vec<Wire>]) {
        let Some((k, entry, row)) = self.config.row(to) else {
            return;
        };
        if entry.cx_base < 0 {
            return;
        }
        if row.first().is_some_and(|s| s.lrn_en == 1) {
            for (i, set) in self.sets.iter().enumerate().filter(|s| s.1.core == k) {
                if let Ok(a) = set.entries.binary_search(&usize::from(to.dst_syn_map_id)) {
                    wires[SETS + i].push((late, a as u32, 1));
                }
            }
            return;
        }
        for s in row {
            let (t, delay) = (target(self.first[k], entry, s), late + u16::from(s.dly));
            let (wgt, exp) = (i32::from(s.wgt), exponent(&self.config.cores[k], s));
            let at = (self.rows).binary_search_by_key(&(t, s.syn_fmt_id), |r| (r.0, r.1));
            match at {
                Ok(row) => wires[ROWS].push((delay, row as u32, wgt)),
                Err(_) if exp < 0 => wires[ONTO].push((delay, t, wgt >> -exp)),
                Err(_) => wires[ONTO].push((delay, t, wgt << exp)),
            }
        }
    }

    fn projections(&self) -> Vec<Projection> {
        let mut out = vec![];
        let channels = self.config.channels.iter().map(Vec::as_slice);
        let sources = channels.len();
        self.matrix("input", (CHANNELS, sources), channels, 0, &mut out);
        let (compartments, n) = self.sinks[ONTO];
        let mut lists: Vec<Vec<Destination>> = vec![vec![]; n as usize];
        for (c, &first) in self.config.cores.iter().zip(self.first) {
            for &(source, to) in &c.axons {
                lists[(first + u32::from(source)) as usize].push(to);
            }
        }
        let all = lists.iter().map(Vec::as_slice);
        self.matrix("axons", (compartments, lists.len()), all, 1, &mut out);
        let lists = self.rows.iter().map(|r| vec![(0, r.0, 1)]);
        let layout = rows_of(lists.collect());
        out.push(projection(
            "rows",
            self.sinks[ROWS],
            self.sinks[ONTO],
            Q,
            layout,
        ));
        out.retain(|p| p.synapses() > 0);
        out
    }

    /// What the sources of one group send to each sink.
    fn matrix<'b>(
        &self,
        name: &str,
        (group, size): (u32, usize),
        lists: impl Iterator<Item = &'b [Destination]>,
        late: u16,
        out: &mut Vec<Projection>,
    ) {
        let mut all: Vec<Vec<Vec<Wire>>> = vec![vec![]; self.sinks.len()];
        for list in lists {
            let mut wires = vec![vec![]; self.sinks.len()];
            for &to in list {
                self.spike(to, late, &mut wires);
            }
            for (sink, w) in all.iter_mut().zip(wires) {
                sink.push(w);
            }
        }
        for (k, (lists, &onto)) in all.into_iter().zip(&self.sinks).enumerate() {
            let name = match k {
                ONTO => name.to_string(),
                ROWS => format!("{name} rows"),
                k => format!("{name} learning {}", k - SETS),
            };
            let from = (group, size as u32);
            out.push(projection(&name, from, onto, Q, rows_of(lists)));
        }
    }
}

/// Rows of the sources' synapses; those with one delay and target become one.
pub(super) fn rows_of(lists: Vec<Vec<Wire>>) -> Layout {
    let (mut row, mut runs, mut targets, mut weights) = (vec![0], vec![], vec![], vec![]);
    for mut list in lists {
        list.sort_unstable();
        for (delay, target, w) in list {
            let last = runs.len();
            let open: Option<&mut Run> = runs.last_mut();
            match open.filter(|r| r.delay == delay && last > row[row.len() - 1] as usize) {
                Some(_) if targets.last() == Some(&target) => {
                    if let Some(sum) = weights.last_mut() {
                        *sum = i32::wrapping_add(*sum, w);
                    }
                    continue;
                }
                Some(run) => run.len += 1,
                None => runs.push(Run {
                    delay,
                    start: targets.len() as u32,
                    len: 1,
                }),
            }
            targets.push(target);
            weights.push(w);
        }
        row.push(runs.len() as u32);
    }
    Layout::Rows(Rows {
        row: row.into(),
        runs: runs.into(),
        targets: targets.into(),
        weights: Weights::from_i32(weights),
    })
}

pub(super) fn projection(
    name: &str,
    (source, sources): (u32, u32),
    (target, targets): (u32, u32),
    port: u16,
    layout: Layout,
) -> Projection {
    Projection {
        name: name.into(),
        source,
        source_range: whole(sources),
        target,
        target_range: whole(targets),
        port,
        carry: Carry::Events,
        layout,
    }
}

pub(super) fn whole(len: u32) -> Range {
    Range { start: 0, len }
}
