//! Configuration to [`Program`]: what the emulator runs in place of the chip.
//!
//! Groups in order: channels (external), inputs (which keep 15 spikes a step of each channel), hidden neurons, counts, outputs. Deliveries at the currents are ordered: inputs ascending, then
//! hidden neurons ascending with their counts of the step before, because groups come in that order and units of a group ascend. An alias to a neuron of higher number acts within the
//! step: hidden neurons that receive some lie in groups of later phases. An alias to a lower number (or itself) is added to what that neuron has sent, by the counts, which
//! exist only where there are aliases. The units are those of `model.syn`.

use super::Config;
use super::config::Synapse;
use crate::model::{group, neuron};
use synfire_ir::Diagnostics;
use synfire_ir::program::{
    Arithmetic, Carry, Discipline, GroupKind, Groups, Layout, Observable, Probe, Program,
    Projection, Range, Rows, Run, Weights,
};

/// External group of input channels.
pub const CHANNELS: u32 = 0;
const INPUTS: u32 = 1;
/// First of the groups of hidden neurons.
pub const HIDDEN: u32 = 2;
/// States of hidden and output neurons, in the order of `model.syn`.
pub const V: u16 = 0;
/// First synaptic current; the second follows.
pub const I1: u16 = 1;
/// What names of groups of hidden neurons begin with, and the name of the outputs.
pub const NEURONS: &str = "hidden";
/// See [`NEURONS`].
pub const OUTPUTS: &str = "outputs";
const SYN1: u16 = 0;
const ALIAS: u16 = 2;

/// A program and where the neurons of its configuration are.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Its only probe records the spikes of the outputs.
    pub program: Program,
    /// Ids of the hidden neurons of each group from [`HIDDEN`] on, ascending.
    pub levels: Vec<Vec<u32>>,
    /// Group whose emissions are the counts of all hidden neurons by id.
    pub counts: u32,
    /// Group of output neurons.
    pub outputs: u32,
}

/// The program of a configuration. `text` is the chip's `model.syn`.
///
/// Errors: those of [`Config::validate`] and [`neuron`].
pub fn lower(text: &str, config: &Config) -> Result<Lowered, Diagnostics> {
    config.validate().result(())?;
    let levels = levels(config);
    let core = [("core1", i64::from(config.core == 1))];
    let any = config.hidden.threshold.iter().any(|&t| t < 1);
    let hidden = neuron(text, if any { "XyloAny" } else { "Xylo" }, &core)?;
    let (input, count) = (
        neuron(text, "XyloInput", &[])?,
        neuron(text, "XyloCount", &[])?,
    );
    let out = neuron(text, "XyloOut", &core)?;
    let aliases = config.aliases.iter().any(|a| !a.is_empty());
    let mut g = Groups::default();
    let channels = config.n_in;
    g.add("channels", channels, 0, GroupKind::External);
    g.add(
        "inputs",
        channels,
        0,
        group(&input, 0, channels, &|_, _| None),
    );
    for (k, ids) in levels.iter().enumerate() {
        let value = |name: &str, u: usize| register(config, false, name, *ids.get(u)? as usize);
        let name = if levels.len() == 1 {
            NEURONS.into()
        } else {
            format!("{NEURONS}{k}")
        };
        g.add(
            name,
            ids.len(),
            1 + k as u16,
            group(&hidden, 1, ids.len(), &value),
        );
    }
    let mut counts = HIDDEN;
    if aliases {
        let kind = group(&count, 2, config.n_hidden, &|_, _| None);
        counts = g.add("counts", config.n_hidden, 1 + levels.len() as u16, kind);
    }
    let value = |name: &str, u: usize| register(config, true, name, u);
    let outputs = g.add(
        OUTPUTS,
        config.n_out,
        1,
        group(&out, 3, config.n_out, &value),
    );
    let mut wires = vec![channel_wires(config)];
    hidden_wires(config, &levels, counts, &mut wires);
    wires.push(matrix(
        "readout".into(),
        &config.synapses_out,
        config.weight_shift_out,
        (counts, 1),
        (outputs, SYN1),
        &|t| Some(t),
    ));
    if aliases {
        alias_wires(config, &levels, counts, &mut wires);
    }
    let groups = g.list();
    for w in &mut wires {
        w.target_range.len = groups.get(w.target as usize).map_or(0, |g| g.size);
    }
    wires.retain(|w| w.synapses() > 0);
    let program = Program {
        name: "xylo".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 0,
        discipline: Discipline::Stepped,
        models: vec![input, hidden, count, out],
        groups,
        projections: wires,
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![Probe {
            name: "outputs".into(),
            group: outputs,
            range: whole(config.n_out),
            what: Observable::Events,
            every: 1,
        }],
    };
    Ok(Lowered {
        program,
        levels,
        counts,
        outputs,
    })
}

/// Ids of hidden neurons by the length of the longest chain of ascending aliases that ends in them.
fn levels(config: &Config) -> Vec<Vec<u32>> {
    let mut level = vec![0usize; config.n_hidden];
    for (j, a) in config.aliases.iter().enumerate() {
        for t in a.iter().map(|&t| usize::from(t)).filter(|&t| t > j) {
            level[t] = level[t].max(level[j] + 1);
        }
    }
    let mut out = vec![vec![]; level.iter().max().map_or(1, |m| m + 1)];
    for (id, l) in (0u32..).zip(level) {
        out[l].push(id);
    }
    out
}

/// A field of `model.syn`.
fn register(config: &Config, readout: bool, name: &str, id: usize) -> Option<i64> {
    let n = if readout {
        &config.readout
    } else {
        &config.hidden
    };
    let dash = |s: usize| n.dash_syn.get(id)?.get(s).map(|&d| i64::from(d));
    match name {
        "thr" => n.threshold.get(id).map(|&t| t.into()),
        "dm" => n.dash_mem.get(id).map(|&d| d.into()),
        "d1" => dash(0),
        "d2" => dash(1),
        "bias" => n
            .bias
            .get(id)
            .filter(|_| config.has_bias)
            .map(|&b| b.into()),
        _ => None,
    }
}

fn whole(len: usize) -> Range {
    Range {
        start: 0,
        len: len as u32,
    }
}

fn channel_wires(config: &Config) -> Projection {
    Projection {
        name: "channels".into(),
        source: CHANNELS,
        source_range: whole(config.n_in),
        target: INPUTS,
        target_range: whole(config.n_in),
        port: 0,
        carry: Carry::Events,
        layout: Layout::OneToOne {
            delay: 0,
            weights: Weights::Uniform(1),
        },
    }
}

/// What reaches the currents of hidden neurons; inputs first, as the order of groups has it.
fn hidden_wires(config: &Config, levels: &[Vec<u32>], counts: u32, wires: &mut Vec<Projection>) {
    let sides = [
        (
            "input",
            &config.synapses_in,
            config.weight_shift_in,
            (INPUTS, 0),
        ),
        (
            "recurrent",
            &config.synapses_rec,
            config.weight_shift_rec,
            (counts, 1),
        ),
    ];
    for (name, lists, shift, source) in sides {
        for state in 0..config.n_syn {
            let some: Vec<Vec<Synapse>> = lists
                .iter()
                .map(|l| l.iter().filter(|s| s.1 == state).copied().collect())
                .collect();
            for (k, ids) in levels.iter().enumerate() {
                let port = SYN1 + u16::from(state);
                let local = |t: u32| ids.binary_search(&t).ok().map(|i| i as u32);
                let name = format!("{name}{}.{k}", state + 1);
                wires.push(matrix(
                    name,
                    &some,
                    shift,
                    source,
                    (HIDDEN + k as u32, port),
                    &local,
                ));
            }
        }
    }
}

/// Rows from (group, delay) onto (group, port), of the targets that `local` numbers in the target group.
fn matrix(
    name: String,
    lists: &[Vec<Synapse>],
    shift: u8,
    (source, delay): (u32, u16),
    (target, port): (u32, u16),
    local: &dyn Fn(u32) -> Option<u32>,
) -> Projection {
    let rows = lists.iter().map(|list| {
        let mut row: Vec<(u32, i32)> = list
            .iter()
            .filter_map(|&(t, _, w)| {
                Some((local(t.into())?, i32::from((i32::from(w) << shift) as i16)))
            })
            .collect();
        row.sort_by_key(|s| s.0);
        row
    });
    let layout = layout(rows.collect(), delay);
    Projection {
        name,
        source,
        source_range: whole(lists.len()),
        target,
        target_range: whole(0),
        port,
        carry: Carry::Events,
        layout,
    }
}

/// Sparse rows of (target, weight), all with one delay.
fn layout(rows: Vec<Vec<(u32, i32)>>, delay: u16) -> Layout {
    let (mut row, mut runs, mut targets, mut weights) = (vec![0], vec![], vec![], vec![]);
    for list in rows {
        if !list.is_empty() {
            runs.push(Run {
                delay,
                start: targets.len() as u32,
                len: list.len() as u32,
            });
        }
        row.push(runs.len() as u32);
        for (t, w) in list {
            targets.push(t);
            weights.push(w);
        }
    }
    Layout::Rows(Rows {
        row: row.into(),
        runs: runs.into(),
        targets: targets.into(),
        weights: Weights::from_i32(weights),
    })
}

fn alias_wires(config: &Config, levels: &[Vec<u32>], counts: u32, wires: &mut Vec<Projection>) {
    let target = |j: u32| {
        config
            .aliases
            .get(j as usize)
            .and_then(|a| a.first())
            .map(|&t| u32::from(t))
    };
    for (k, ids) in levels.iter().enumerate() {
        let mut add = |name: String, rows: Vec<Vec<(u32, i32)>>, to: u32, port: u16| {
            wires.push(Projection {
                name,
                source: HIDDEN + k as u32,
                source_range: whole(ids.len()),
                target: to,
                target_range: whole(0),
                port,
                carry: Carry::Events,
                layout: layout(rows, 0),
            });
        };
        for (l, later) in levels.iter().enumerate().skip(k + 1) {
            let forward = |j: &u32| {
                target(*j)
                    .filter(|t| t > j)
                    .and_then(|t| later.binary_search(&t).ok())
            };
            let rows = ids
                .iter()
                .map(|j| forward(j).map(|i| (i as u32, 1)).into_iter().collect());
            add(
                format!("alias{k}.{l}"),
                rows.collect(),
                HIDDEN + l as u32,
                ALIAS,
            );
        }
        let sent = |&j: &u32| {
            let mut row = vec![(j, 1)];
            match target(j).filter(|&t| t <= j) {
                Some(t) if t == j => row = vec![(j, 2)],
                Some(t) => row.insert(0, (t, 1)),
                None => {}
            }
            row
        };
        add(
            format!("sent{k}"),
            ids.iter().map(sent).collect(),
            counts,
            0,
        );
    }
}
