//! The compiler's mapping into a configuration.
//!
//! The one core's slots become hidden neurons and outputs: an output is what is recorded and drives nothing (or is of the model `XyloOut`). Hidden ids keep the order of the slots where every
//! hidden neuron can take inputs and reach outputs; on chips where only the first and the last can, they are put there in that order. An axon of an input is a channel; an axon of
//! another unit is that neuron itself, one step later. Weights come as they act: each matrix gets the shift that leaves whole mantissas. Whatever does not fit is
//! reported; nothing is clipped.

use super::config::{Config, Neurons, Synapse};
use super::dynamics::FIELDS;
use super::limits::{self, MAX_WEIGHT_SHIFT, Names, Size};
use crate::backend::NativeBindings;
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::{Core, Mapping, UnitRef};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Port of `model.syn` at which aliases arrive.
const ALIAS: u8 = 2;

/// Where a slot went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    Hidden(usize),
    Output(usize),
}

/// Weights of one matrix as they act, before a shift is found: (source, target, state, weight).
type Matrix = Vec<(usize, u16, u8, i32)>;

/// The configuration and native events of a mapping, on a chip of that size. `core` is the semantics, 1 or 2.
///
/// Errors: of class fit: `SYN0610` for weights that no shift makes 8 bits wide, `SYN0611` for a defect of the mapping, `SYN0613` for connections that the chip does not have, `SYN0614` for a limit.
pub fn from_mapping(
    mapping: &Mapping,
    size: &Size,
    core: u8,
) -> Result<(Config, NativeBindings), Diagnostics> {
    let mut report = Report::new();
    let [only] = mapping.cores.as_slice() else {
        let n = mapping.cores.len();
        return Err(Diagnostic::error(
            "SYN0614",
            format!("the mapping has {n} cores, {} has 1", mapping.target),
        )
        .class(Class::Fit)
        .at(mapping.target.clone())
        .hint("make the network smaller")
        .field("limit", "cores")
        .field("needed", n)
        .field("available", 1)
        .into());
    };
    let m = Mapped::new(mapping, only, size, &mut report);
    let mut config = m.neurons(core, &mut report);
    let (channels, numbers) = channels(mapping, only);
    // A core has at least one channel and one hidden neuron; what a network does not need stays silent.
    config.n_in = channels.max(1);
    if config.n_hidden == 0 {
        config.n_hidden = 1;
        config.synapses_rec = vec![vec![]];
        config.synapses_out = vec![vec![]];
        config.aliases = vec![vec![]];
        config.hidden = Neurons {
            threshold: vec![i16::MAX],
            dash_mem: vec![0],
            dash_syn: vec![vec![0; config.n_syn.into()]],
            bias: vec![0],
        };
    }
    m.synapses(&numbers, &mut config, &mut report);
    let bindings = m.bindings(&numbers, &mut report);
    if !report.has_errors() {
        report.extend(limits::check(&config, size, &m.names(&numbers)));
    }
    report.finish().result((config, bindings))
}

/// Number of channels, and the channel of each axon that carries an input: axons of one input and delay are one channel.
fn channels(mapping: &Mapping, core: &Core) -> (usize, Vec<Option<usize>>) {
    let mut next = 0;
    let mut known: BTreeMap<(UnitRef, u16), usize> = BTreeMap::new();
    let mut number = |a: &synfire_ir::mapping::Axon| {
        let pop = mapping.populations.get(a.source.pop as usize)?;
        pop.input.then(|| {
            *known.entry((a.source, a.delay)).or_insert_with(|| {
                next += 1;
                next - 1
            })
        })
    };
    let numbers = core.axons.iter().map(&mut number).collect();
    (next, numbers)
}

struct Mapped<'a> {
    mapping: &'a Mapping,
    core: &'a Core,
    seats: Vec<Seat>,
    slots: BTreeMap<UnitRef, usize>,
}

impl<'a> Mapped<'a> {
    fn new(mapping: &'a Mapping, core: &'a Core, size: &Size, report: &mut Report) -> Self {
        let mut m = Mapped {
            mapping,
            core,
            seats: vec![],
            slots: BTreeMap::new(),
        };
        for (k, n) in core.neurons.iter().enumerate() {
            m.slots.entry(n.unit).or_insert(k);
        }
        let recorded: BTreeSet<UnitRef> = mapping.outputs.iter().copied().collect();
        let drives: BTreeSet<UnitRef> = core.axons.iter().map(|a| a.source).collect();
        let (mut hidden, mut out) = (0, 0);
        for n in &core.neurons {
            let limit = m.register(n, "limit");
            let (rec, drv) = (recorded.contains(&n.unit), drives.contains(&n.unit));
            let output = limit == 1 || (limit == 0 && rec && !drv);
            if output && drv {
                report.add("outputs drive", || {
                    m.wrong(
                        n.unit,
                        "is an output neuron and drives others; outputs of the chip drive nothing",
                        "let a hidden neuron drive them, or record another population",
                    )
                });
            }
            if !output && rec {
                report.add("hidden recorded", || m.wrong(n.unit, "is recorded, and it is a hidden neuron (it drives others, or is declared as one)", "record only populations that drive nothing: `record out.spikes`; or add an output population that it drives"));
            }
            let counter = if output { &mut out } else { &mut hidden };
            m.seats.push(if output {
                Seat::Output(*counter)
            } else {
                Seat::Hidden(*counter)
            });
            *counter += 1;
        }
        m.order(size, hidden);
        m
    }

    fn wrong(&self, unit: UnitRef, what: &str, hint: &str) -> Diagnostic {
        let pop = self.mapping.populations.get(unit.pop as usize);
        let name = pop.map_or("", |p| p.name.as_str());
        let text = format!("`{name}` {what}");
        Diagnostic::error("SYN0613", text)
            .class(Class::Fit)
            .at(name)
            .note("the chip is one path: inputs to hidden neurons, hidden neurons to each other and to outputs, outputs to the host")
            .hint(hint)
            .field("limit", "connectivity")
            .field("population", name)
            .field("unit", unit.unit)
    }

    fn register(&self, n: &synfire_ir::mapping::Neuron, name: &str) -> i64 {
        let at = self.mapping.field(name);
        at.and_then(|k| n.fields.get(k)).copied().unwrap_or(0)
    }

    /// Numbers the hidden neurons: those that inputs reach among the first, those that reach outputs among the last, where the chip asks for it.
    fn order(&mut self, size: &Size, hidden: usize) {
        if hidden <= size.input_expansion.min(size.output_expansion) {
            return;
        }
        let (mut takes, mut gives) = (vec![false; hidden], vec![false; hidden]);
        for s in &self.core.synapses {
            let Some(axon) = self.core.axons.get(s.axon as usize) else {
                continue;
            };
            let target = self.seats.get(s.neuron as usize);
            let source = self
                .slots
                .get(&axon.source)
                .and_then(|k| self.seats.get(*k));
            match (source, target) {
                (None, Some(Seat::Hidden(t))) => takes[*t] = true,
                (Some(Seat::Hidden(h)), Some(Seat::Output(_))) => gives[*h] = true,
                _ => {}
            }
        }
        let of = |t: bool, g: bool| {
            (0..hidden)
                .filter(|&h| takes[h] == t && gives[h] == g)
                .collect::<Vec<_>>()
        };
        let (first, both, mut rest, last) = (
            of(true, false),
            of(true, true),
            of(false, false),
            of(false, true),
        );
        // Neurons of both kinds must lie in the last ones too: neurons of neither kind go before them as far as needed.
        let ahead = if both.is_empty() {
            0
        } else {
            hidden
                .saturating_sub(size.output_expansion + first.len())
                .min(rest.len())
        };
        let behind = rest.split_off(ahead);
        let mut id = vec![0; hidden];
        for (new, old) in [rest, first, both, behind, last]
            .concat()
            .into_iter()
            .enumerate()
        {
            id[old] = new;
        }
        for s in &mut self.seats {
            if let Seat::Hidden(h) = s {
                *h = id[*h];
            }
        }
    }

    /// Populations of channels and neurons.
    fn names(&self, channels: &[Option<usize>]) -> Names<'a> {
        let name = |u: UnitRef| {
            let pop = self.mapping.populations.get(u.pop as usize);
            pop.map_or("", |p| p.name.as_str())
        };
        let mut at: [BTreeMap<usize, &str>; 3] = Default::default();
        for (axon, channel) in self.core.axons.iter().zip(channels) {
            if let Some(c) = channel {
                at[0].insert(*c, name(axon.source));
            }
        }
        for (n, seat) in self.core.neurons.iter().zip(&self.seats) {
            match seat {
                Seat::Hidden(h) => at[1].insert(*h, name(n.unit)),
                Seat::Output(o) => at[2].insert(*o, name(n.unit)),
            };
        }
        let [inputs, hidden, outputs] = at.map(|m| m.into_values().collect());
        Names {
            target: &self.mapping.target,
            inputs,
            hidden,
            outputs,
        }
    }

    /// Sizes and parameters of neurons.
    fn neurons(&self, core: u8, report: &mut Report) -> Config {
        for name in FIELDS.iter().filter(|f| self.mapping.field(f).is_none()) {
            report.add("fields", || {
                defect(format!("the register `{name}` is missing"))
            });
        }
        let count = |output: bool| {
            self.seats
                .iter()
                .filter(|s| matches!(s, Seat::Output(_)) == output)
                .count()
        };
        let n_syn = if self.core.axons.iter().any(|a| a.class == 1) || core == 2 {
            2
        } else {
            1
        };
        let blank = |n: usize, states: u8| Neurons {
            threshold: vec![0; n],
            dash_mem: vec![0; n],
            dash_syn: vec![vec![0; states.into()]; n],
            bias: vec![0; n],
        };
        let (h, o) = (count(false), count(true));
        let mut c = Config {
            core,
            n_hidden: h,
            n_out: o,
            n_syn,
            synapses_rec: vec![vec![]; h],
            synapses_out: vec![vec![]; h],
            aliases: vec![vec![]; h],
            hidden: blank(h, n_syn),
            readout: blank(o, 1),
            ..Config::default()
        };
        for (n, seat) in self.core.neurons.iter().zip(&self.seats) {
            let (list, k) = match seat {
                Seat::Hidden(k) => (&mut c.hidden, *k),
                Seat::Output(k) => (&mut c.readout, *k),
            };
            let mut held = |name: &'static str, low: i64, high: i64| {
                let v = self.register(n, name);
                if !(low..=high).contains(&v) {
                    report.add("registers", || {
                        defect(format!(
                            "the register `{name}` is {v}, it holds {low}..={high}"
                        ))
                    });
                }
                v.clamp(low, high)
            };
            list.threshold[k] = held("thr", i16::MIN.into(), i16::MAX.into()) as i16;
            list.dash_mem[k] = held("dm", 0, 15) as u8;
            list.bias[k] = held("bias", i16::MIN.into(), i16::MAX.into()) as i16;
            let dash = [held("d1", 0, 15) as u8, held("d2", 0, 15) as u8];
            for (slot, d) in list.dash_syn[k].iter_mut().zip(dash) {
                *slot = d;
            }
        }
        c.has_bias = c.hidden.bias.iter().chain(&c.readout.bias).any(|&b| b != 0);
        c
    }

    /// Synapse lists and shifts.
    fn synapses(&self, channels: &[Option<usize>], config: &mut Config, report: &mut Report) {
        let mut matrices: [Matrix; 3] = Default::default();
        for s in &self.core.synapses {
            let axon = self.core.axons.get(s.axon as usize);
            let target = self.seats.get(s.neuron as usize).copied();
            let (Some(axon), Some(target)) = (axon, target) else {
                report.add("synapses", || {
                    defect(format!(
                        "a synapse from axon {} to neuron {}",
                        s.axon, s.neuron
                    ))
                });
                continue;
            };
            let unit = self.core.neurons[s.neuron as usize].unit;
            let channel = channels.get(s.axon as usize).copied().flatten();
            let source = self
                .slots
                .get(&axon.source)
                .and_then(|k| self.seats.get(*k));
            if axon.class == ALIAS {
                report.add("alias", || {
                    self.wrong(
                        unit,
                        "takes an alias",
                        "aliases are emulated, but not mapped: let a synapse carry the spikes",
                    )
                });
            } else if axon.class == 1 && matches!(target, Seat::Output(_)) {
                report.add("second state", || {
                    self.wrong(
                        unit,
                        "is an output neuron, which has one synaptic current",
                        "connect it to `syn1`",
                    )
                });
            }
            let (matrix, from, to) = match (channel, source, target) {
                (Some(c), _, Seat::Hidden(t)) => (0, c, t),
                (None, Some(Seat::Hidden(h)), Seat::Hidden(t)) => (1, *h, t),
                (None, Some(Seat::Hidden(h)), Seat::Output(t)) => (2, *h, t),
                (Some(_), _, Seat::Output(_)) => {
                    report.add("input to output", || {
                        self.wrong(
                            unit,
                            "is an output neuron and takes an input directly",
                            "put a hidden population in between",
                        )
                    });
                    continue;
                }
                // An output that drives others is reported with its unit.
                (None, Some(Seat::Output(_)), _) => continue,
                (None, None, _) => {
                    report.add("sources", || {
                        defect(format!("axon {} carries a unit that is not mapped", s.axon))
                    });
                    continue;
                }
            };
            if channel.is_none() && axon.delay != 1 {
                report.add("delays", || {
                    self.wrong(
                        unit,
                        "has a connection whose delay on the chip is not 1 step",
                        "give connections between neurons one delay along all paths",
                    )
                });
            }
            matrices[matrix].push((from, to as u16, axon.class, s.weight));
        }
        config.synapses_in = vec![vec![]; config.n_in];
        let [input, rec, out] = &matrices;
        config.weight_shift_in = fill("input", input, &mut config.synapses_in, report);
        config.weight_shift_rec = fill("recurrent", rec, &mut config.synapses_rec, report);
        config.weight_shift_out = fill("output", out, &mut config.synapses_out, report);
    }

    /// Native events: an input is its channel, an output its number.
    fn bindings(&self, channels: &[Option<usize>], report: &mut Report) -> NativeBindings {
        let mut native = NativeBindings::default();
        for i in &self.mapping.inputs {
            let channel = channels.get(i.axon as usize).copied().flatten();
            if channel.is_none() || i.core != 0 {
                report.add("bindings", || {
                    defect("an input of the mapping names no channel".into())
                });
            }
            native.inputs.push(channel.unwrap_or(0) as u64);
        }
        for u in &self.mapping.outputs {
            let seat = self.slots.get(u).and_then(|k| self.seats.get(*k));
            native.outputs.push(match seat {
                Some(Seat::Output(o)) => *o as u64,
                _ => 0,
            });
        }
        if !self.mapping.loopbacks.is_empty() || self.mapping.closed_loop {
            report.add("loop", || {
                defect("the mapping sends spikes back through the host".into())
            });
        }
        native
    }
}

/// Writes a matrix as lists in delivery order; gives its shift, the smallest with which every weight has 8 bits.
fn fill(
    what: &'static str,
    matrix: &Matrix,
    lists: &mut [Vec<Synapse>],
    report: &mut Report,
) -> u8 {
    let fits = |shift: u8| {
        matrix.iter().all(|&(.., w)| {
            let m = w >> shift;
            m << shift == w && i8::try_from(m).is_ok()
        })
    };
    let Some(shift) = (0..=MAX_WEIGHT_SHIFT).find(|&k| fits(k)) else {
        let largest = matrix.iter().map(|s| s.3.unsigned_abs()).max().unwrap_or(0);
        report.add(what, || {
            Diagnostic::error("SYN0610", format!("no shift of 0 to {MAX_WEIGHT_SHIFT} makes all {what} weights 8 bits wide; the largest is {largest}"))
                .class(Class::Fit)
                .note("all weights of a matrix (input, recurrent, output) are multiples of one power of two, and -128 to 127 times it")
                .hint("make the weights multiples of a larger power of two, or scale them and the thresholds down")
                .field("limit", "weight shift")
                .field("needed", largest)
                .field("available", 127 << MAX_WEIGHT_SHIFT)
        });
        return 0;
    };
    for &(from, to, state, w) in matrix {
        if let Some(list) = lists.get_mut(from) {
            list.push((to, state, (w >> shift) as i8));
        }
    }
    lists
        .iter_mut()
        .for_each(|l| l.sort_unstable_by_key(|s| (s.1, s.0)));
    shift
}

fn defect(message: String) -> Diagnostic {
    Diagnostic::error("SYN0611", message)
        .class(Class::Fit)
        .note("axons, neurons and host events of a mapping name what is mapped")
        .hint("this is a defect of the mapping: please report it")
}
