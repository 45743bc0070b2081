//! `quantise`: units, registers and weights in the chip's integers.
//!
//! A population of the chip's own model keeps its values, which must be whole. Any other population is characterised
//! ([`crate::dynamics`]) and scaled: by 1 or a small power of two if that makes weights, threshold and reset whole, else by the largest
//! factor that keeps them in range, with rounding to the nearest. Everything that was rounded or clipped is in the report. Where weights share an exponent,
//! a weight is a multiple of `2^exponent` of its group ([`weights`]); `scale` chooses the factors.

mod scale;
mod weights;

use super::{ChipNetwork, ChipUnit, QuantisationReport};
use crate::dynamics::{Dynamics, Evaluated, characterise, evaluate};
use scale::tidy;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::{MappedPopulation, UnitRef};
use synfire_ir::network::{Network, NeuronModel, PopId, PopKind, Population, Quantity, Verified};
use synfire_ir::program::{Carry, Range};
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::Target;
use synfire_targets::backend::{Backend, Refusal, Reset, UnitDynamics};
use synfire_targets::schema::Delivery;

/// Most synapses that are looked at one by one.
const MOST_SYNAPSES: f64 = 2e8;

/// A network in the chip's integers, with what rounding did.
pub fn quantise(
    net: &Verified<Network>,
    target: &Target,
    backend: &dyn Backend,
    shifts: &[(PopId, u32)],
    seed: u64,
) -> Result<(ChipNetwork, QuantisationReport, Diagnostics), Diagnostics> {
    let drives = net.projections().map(|(_, a, _, _)| a).collect();
    let mut q = Quantiser {
        net,
        target,
        backend,
        seed,
        drives,
        pending: vec![],
        out: Diagnostics::new(),
        report: QuantisationReport::default(),
        chip: ChipNetwork::default(),
    };
    q.chip.fields = backend.fields().iter().map(|f| f.to_string()).collect();
    let number: BTreeMap<PopId, u32> = net
        .populations()
        .enumerate()
        .map(|(i, (id, _))| (id, i as u32))
        .collect();
    let shift: BTreeMap<PopId, u32> = shifts.iter().copied().collect();
    for (id, p) in net.populations() {
        q.chip.populations.push(MappedPopulation {
            name: p.name.clone(),
            size: p.size() as u32,
            shift: shift[&id],
            input: matches!(p.kind, PopKind::Events { .. }),
            recorded: recorded(net, id),
        });
    }
    q.too_many()?;
    let mut scaled = vec![];
    for (id, p) in net.populations() {
        if let PopKind::Neurons { model, .. } = &p.kind {
            let m = &net.models[*model as usize];
            let at = Place {
                id,
                pop: number[&id],
                shift: shift[&id],
            };
            if let Some(ready) = q.population(p, m, at, &number, &shift) {
                scaled.push((p, m, ready));
            }
        }
    }
    let factors = q.factors(&scaled.iter().map(|s| &s.2).collect::<Vec<_>>());
    for ((p, m, ready), factor) in scaled.iter().zip(factors) {
        q.scaled(p, m, ready, factor);
    }
    q.settle();
    q.in_order();
    q.chip.synapses.sort_unstable();
    let Quantiser {
        out,
        report,
        mut chip,
        ..
    } = q;
    merge(&mut chip);
    let (errors, warnings): (Vec<_>, Vec<_>) = out
        .0
        .into_iter()
        .partition(|d| d.severity == synfire_ir::Severity::Error);
    if errors.is_empty() {
        Ok((chip, report, Diagnostics(warnings)))
    } else {
        Err(Diagnostics(errors))
    }
}

fn recorded(net: &Network, id: PopId) -> bool {
    let spikes = |p: &synfire_ir::network::Probe| p.pop == id && p.what == Quantity::Spikes;
    let neurons = matches!(net.graph[id].kind, PopKind::Neurons { .. });
    neurons && !net.graph[id].is_source && (net.probes.is_empty() || net.probes.iter().any(spikes))
}

/// Sums synapses with equal target, source and delay.
fn merge(chip: &mut ChipNetwork) {
    chip.synapses.dedup_by(|later, first| {
        let key = |s: &super::ChipSynapse| (s.target, s.source, s.delay, s.port);
        let same = key(later) == key(first);
        if same {
            first.weight = first.weight.saturating_add(later.weight);
        }
        same
    });
    chip.synapses.retain(|s| s.weight != 0);
}

struct Quantiser<'a> {
    net: &'a Verified<Network>,
    target: &'a Target<'a>,
    backend: &'a dyn Backend,
    seed: u64,
    /// Populations that something is connected from.
    drives: BTreeSet<PopId>,
    /// Synapses whose group's exponent is not known yet.
    pending: Vec<weights::Pending>,
    out: Diagnostics,
    report: QuantisationReport,
    chip: ChipNetwork,
}

/// A population in the network and on the chip.
#[derive(Clone, Copy)]
struct Place {
    id: PopId,
    pop: u32,
    shift: u32,
}

/// A population whose factor is still to be chosen.
struct Prepared {
    at: Place,
    dynamics: Vec<Dynamics>,
    inputs: Vec<Incoming>,
    biases: Vec<f64>,
}

impl Prepared {
    fn of(&self, unit: usize) -> &Dynamics {
        &self.dynamics[if self.dynamics.len() == 1 { 0 } else { unit }]
    }
}

/// A synapse in the network's units.
struct Incoming {
    target: u32,
    source: UnitRef,
    delay: u32,
    port: u16,
    weight: f64,
}

impl Quantiser<'_> {
    fn too_many(&self) -> Result<(), Diagnostics> {
        let synapses: f64 = self
            .net
            .projections()
            .map(|(id, ..)| self.net.synapses_of(id))
            .sum();
        let limits = self.target.limits();
        let cores = limits
            .cores
            .as_ref()
            .map_or(f64::INFINITY, |c| c.value as f64);
        let held = limits
            .synapses_per_core
            .as_ref()
            .map_or(MOST_SYNAPSES, |s| s.value as f64 * cores)
            .min(MOST_SYNAPSES);
        if synapses > held {
            return Err(Diagnostic::error(
                "SYN0621",
                format!(
                    "the network has about {synapses:.0} synapses; {} holds at most {held:.0}",
                    self.target.name()
                ),
            )
            .class(Class::Fit)
            .at(self.net.name.clone())
            .hint("make the network smaller or sparser, or choose a larger target")
            .field("limit", "synapses")
            .field("needed", format!("{synapses:.0}"))
            .field("available", format!("{held:.0}"))
            .into());
        }
        Ok(())
    }

    fn refuse(&mut self, p: &Population, code: &str, message: String) -> Diagnostic {
        let d = Diagnostic::error(code, message)
            .class(Class::Fit)
            .field("population", &p.name)
            .field("target", self.target.name());
        match p.span {
            Some(s) => d.label(s, "declared here"),
            None => d.at(p.name.clone()),
        }
    }

    /// Puts units into the network's order: those that needed no factor were added first.
    fn in_order(&mut self) {
        let units = &mut self.chip.units;
        if units.is_sorted_by_key(|u| u.unit) {
            return;
        }
        let mut order: Vec<u32> = (0..units.len() as u32).collect();
        order.sort_by_key(|&k| units[k as usize].unit);
        let mut at = vec![0; order.len()];
        for (new, &old) in (0u32..).zip(&order) {
            at[old as usize] = new;
        }
        units.sort_by_key(|u| u.unit);
        for s in &mut self.chip.synapses {
            s.target = at[s.target as usize];
        }
    }

    /// Puts a population of a chip's own model into the chip's integers; any other one comes back for a factor to be chosen.
    fn population(
        &mut self,
        p: &Population,
        m: &NeuronModel,
        at: Place,
        number: &BTreeMap<PopId, u32>,
        shifts: &BTreeMap<PopId, u32>,
    ) -> Option<Prepared> {
        let spec = &self.target.chip.spec;
        let own = m.model.name.strip_prefix("targets.").and_then(|rest| {
            let (chip, neuron) = rest.split_once('.')?;
            let names = &spec.model;
            let known = names.neuron == neuron || names.others.iter().any(|o| o == neuron);
            (chip == spec.name.replace('-', "_") && known).then(|| neuron.to_string())
        });
        let values = evaluate(self.net, at.id, m, self.seed);
        let (incoming, bias) = self.incoming(at.id, p, m, number, shifts)?;
        match own {
            Some(neuron) => {
                self.own(p, m, &neuron, at, &values, &incoming, &bias);
                None
            }
            None => self.prepare(p, m, at, &values, incoming, &bias),
        }
    }

    /// Synapses onto a population, sorted by target, and the constant input of every (port, unit).
    #[allow(clippy::type_complexity)]
    fn incoming(
        &mut self,
        id: PopId,
        p: &Population,
        m: &NeuronModel,
        number: &BTreeMap<PopId, u32>,
        shifts: &BTreeMap<PopId, u32>,
    ) -> Option<(Vec<Incoming>, Vec<Vec<f64>>)> {
        let mut list = vec![];
        let mut bias = vec![vec![0.0; p.size() as usize]; m.model.ports.len()];
        for (e, a, b, wires) in self.net.projections().filter(|x| x.2 == id) {
            let graded = matches!(self.net.graph[a].kind, PopKind::Events { graded: true });
            if matches!(wires.carry, Carry::Output(_)) || graded {
                let d = self.refuse(
                    p,
                    "SYN0622",
                    format!(
                        "`{}` carries analog values, and {} knows only spikes",
                        wires.name,
                        self.target.name()
                    ),
                );
                self.out.push(
                    d.hint("put a spiking population in between, or encode the values as spikes")
                        .field("limit", "analog"),
                );
                return None;
            }
            let driven = matches!(self.net.graph[a].kind, PopKind::Events { .. });
            let late = if driven {
                shifts[&b] as i64
            } else {
                shifts[&b] as i64 - shifts[&a] as i64
            };
            let all = Range {
                start: 0,
                len: wires.target_range.len,
            };
            self.net.visit(e, self.seed, all, |s| {
                let source = UnitRef {
                    pop: number[&a],
                    unit: wires.source_range.start + s.source,
                };
                let target = wires.target_range.start + s.target;
                let delay = (s.delay as i64 + late).max(0) as u32;
                list.push(Incoming {
                    target,
                    source,
                    delay,
                    port: wires.port,
                    weight: s.weight,
                });
            });
            if let Some(v) = &wires.bias {
                let each = self.net.elements(
                    v,
                    wires.target_range.len,
                    self.seed,
                    &format!("{}.bias", wires.name),
                );
                each.iter().enumerate().for_each(|(i, x)| {
                    bias[wires.port as usize][wires.target_range.start as usize + i] += x
                });
            }
        }
        list.sort_by_key(|s| (s.target, s.source, s.delay, s.port));
        Some((list, bias))
    }

    #[allow(clippy::too_many_arguments)]
    fn own(
        &mut self,
        p: &Population,
        m: &NeuronModel,
        neuron: &str,
        at: Place,
        values: &Evaluated,
        incoming: &[Incoming],
        bias: &[Vec<f64>],
    ) {
        self.chip.ordered |= !m.model.handlers.is_empty();
        let rounded = incoming.iter().find(|s| s.weight.fract() != 0.0);
        if rounded.is_some() || bias.iter().flatten().any(|b| *b != 0.0) {
            let d = self.refuse(
                p,
                "SYN0623",
                format!(
                    "`{}` is the chip's own model, but its inputs are not whole weights alone",
                    p.name
                ),
            );
            self.out.push(d.hint("give whole weights and no bias; put a constant input into the model's own fields").field("limit", "weights"));
            return;
        }
        let base = self.chip.units.len() as u32;
        for u in 0..p.size() as u32 {
            let fields = m
                .fields
                .iter()
                .enumerate()
                .map(|(k, f)| (f.name.clone(), values.fields[k].at(u as usize)))
                .collect();
            let states = m
                .model
                .states
                .iter()
                .enumerate()
                .map(|(k, s)| (s.name.clone(), values.initial(k, u as usize) as i64))
                .collect();
            let own = UnitDynamics::Own {
                model: neuron.to_string(),
                fields,
                states,
            };
            let arrivals = arrivals(incoming, u, 1.0);
            if !self.unit(p, at, u, &own, arrivals) {
                return;
            }
        }
        let onto = self.onto(p, at.id, base, 1.0, true);
        for s in incoming {
            self.synapse(p, &onto, s);
        }
        self.report.scales.push((p.name.clone(), 1.0));
    }

    /// Adds a unit; `false` when the chip cannot compute it.
    fn unit(
        &mut self,
        p: &Population,
        at: Place,
        unit: u32,
        d: &UnitDynamics,
        arrivals: (i64, i64),
    ) -> bool {
        match self
            .backend
            .neuron(&self.target.dialect.name, d, arrivals, at.shift)
        {
            Ok(registers) => {
                self.chip.units.push(ChipUnit {
                    unit: UnitRef { pop: at.pop, unit },
                    registers,
                });
                true
            }
            Err(Refusal {
                limit,
                needed,
                available,
                hint,
            }) => {
                let what = format!(
                    "{} cannot compute `{}`: {limit} needs {needed}, the chip has {available}",
                    self.target.name(),
                    p.name
                );
                let d = self
                    .refuse(p, "SYN0624", what)
                    .hint(hint)
                    .field("limit", limit)
                    .field("needed", needed)
                    .field("available", available);
                self.out.push(d.field("unit", unit));
                false
            }
        }
    }

    /// What a population computes and what reaches it, in the network's units.
    fn prepare(
        &mut self,
        p: &Population,
        m: &NeuronModel,
        at: Place,
        values: &Evaluated,
        mut inputs: Vec<Incoming>,
        bias: &[Vec<f64>],
    ) -> Option<Prepared> {
        let distinct = if values.uniform() {
            1
        } else {
            p.size() as usize
        };
        let mut dynamics: Vec<Dynamics> = vec![];
        for u in 0..distinct {
            match characterise(m, values, u) {
                Ok(d) => dynamics.push(d),
                Err(why) => {
                    self.unlike(p, m, why);
                    return None;
                }
            }
        }
        for d in &mut dynamics {
            let g = self.backend.gain(&self.target.dialect.name, &unscaled(d));
            d.gain.iter_mut().for_each(|x| *x *= g);
        }
        let ready = Prepared {
            at,
            dynamics,
            inputs: vec![],
            biases: vec![],
        };
        for s in &mut inputs {
            s.weight *= ready.of(s.target as usize).gain[s.port as usize];
            s.port = 0;
        }
        inputs.sort_by_key(|s| (s.target, s.source, s.delay));
        let biases = (0..p.size() as usize).map(|u| {
            let d = ready.of(u);
            let constant = bias.iter().zip(&d.gain).map(|(b, g)| b[u] * g);
            d.bias + constant.sum::<f64>()
        });
        Some(Prepared {
            biases: biases.collect(),
            inputs,
            ..ready
        })
    }

    fn unlike(&mut self, p: &Population, m: &NeuronModel, why: String) {
        let spec = &self.target.chip.spec;
        let hint = if p.is_source {
            "make it an `events` source and feed recorded spikes with `--input`".to_string()
        } else {
            format!(
                "use a threshold unit (std.neurons.If, McCullochPitts) or the chip's own `targets.{}.{}`",
                spec.name.replace('-', "_"),
                spec.model.neuron
            )
        };
        let d = self.refuse(
            p,
            "SYN0626",
            format!(
                "{} cannot compute `{}` (`{}`): {why}",
                self.target.name(),
                p.name,
                m.model.name
            ),
        );
        self.out.push(d.hint(hint).field("limit", "model"));
    }

    fn scaled(&mut self, p: &Population, m: &NeuronModel, ready: &Prepared, scale: f64) {
        if self.target.chip.spec.delivery == Delivery::Serial
            && ready.dynamics.iter().any(|d| d.decay != 0.0)
        {
            self.out.push(
                Diagnostic::warning("SYN0643", format!("`{}` adds up the arrivals of a step; {} takes one after another", p.name, self.target.name()))
                    .at(p.name.clone())
                    .note("inhibition is sent first, so no spike comes too early; but what arrives in a step after the threshold was crossed stays on the membrane, where the network's reset drops it")
                    .hint("`synfire compare` shows what it does to the spikes; the chip's own model computes the same in both"),
            );
        }
        self.approximate(p, m, ready);
        let base = self.chip.units.len() as u32;
        for u in 0..p.size() as u32 {
            let d = ready.of(u as usize);
            let whole = |x: f64| (x * scale).round_ties_even() as i64;
            let th = tidy(d.threshold * scale);
            let threshold = match (d.reset, d.strict) {
                (None, _) => th.round_ties_even() as i64,
                (Some(_), true) => th.floor() as i64 + 1,
                (Some(_), false) => th.ceil() as i64,
            };
            let unit = unit_of(
                d,
                threshold,
                whole(ready.biases[u as usize]),
                d.reset.map_or(Reset::Subtract, |r| Reset::To(whole(r))),
                whole(d.initial),
            );
            let arrivals = arrivals(&ready.inputs, u, scale);
            if !self.unit(p, ready.at, u, &unit, arrivals) {
                return;
            }
        }
        let onto = self.onto(p, ready.at.id, base, scale, false);
        for s in &ready.inputs {
            self.synapse(p, &onto, s);
        }
        self.report.scales.push((p.name.clone(), scale));
    }

    /// Says in what the chip's neuron differs from the population's.
    fn approximate(&mut self, p: &Population, m: &NeuronModel, ready: &Prepared) {
        let dialect = &self.target.dialect.name;
        let mut told: Vec<String> = vec![];
        for d in &ready.dynamics {
            for note in self.backend.differences(dialect, &unscaled(d)) {
                if !told.contains(&note) && told.len() < 4 {
                    told.push(note);
                }
            }
        }
        if told.is_empty() {
            return;
        }
        let text = format!(
            "{} computes `{}` (`{}`) with a neuron that is not the same",
            self.target.name(),
            p.name,
            m.model.name
        );
        let mut d = Diagnostic::warning("SYN0644", text).at(p.name.clone());
        for note in told {
            d = d.note(note);
        }
        self.out.push(d.hint("`synfire compare` shows what it does to the spikes; the chip's own model computes the same in both"));
    }
}

/// The unit before any factor: only its shape counts.
fn unscaled(d: &Dynamics) -> UnitDynamics {
    let reset = d
        .reset
        .map_or(Reset::Subtract, |r| Reset::To(i64::from(r != 0.0)));
    unit_of(d, 1, 0, reset, 0)
}

fn unit_of(d: &Dynamics, threshold: i64, bias: i64, reset: Reset, initial: i64) -> UnitDynamics {
    let membrane = UnitDynamics::Integrate {
        decay: d.decay,
        bias,
        threshold,
        reset,
        initial,
        refractory: 0,
    };
    match d.current {
        None => membrane,
        Some(keep) => UnitDynamics::Current {
            keep,
            then: Box::new(membrane),
        },
    }
}

/// Least and greatest sum of weights onto `unit` within one step; `list` is sorted by target.
fn arrivals(list: &[Incoming], unit: u32, scale: f64) -> (i64, i64) {
    let first = list.partition_point(|s| s.target < unit);
    let mine = list[first..].iter().take_while(|s| s.target == unit);
    mine.fold((0, 0), |(low, high), s| {
        let w = (s.weight * scale).round_ties_even() as i64;
        if w < 0 {
            (low + w, high)
        } else {
            (low, high + w)
        }
    })
}
