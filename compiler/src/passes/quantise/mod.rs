//! `quantise`: units, registers and weights in the chip's integers.
//!
//! A population of the chip's own model keeps its values, which must be whole. Any other population is characterised
//! ([`crate::dynamics`]) and scaled: by 1 or a small power of two if that makes weights, threshold and reset whole, else by the largest
//! factor that keeps them in range, with rounding to the nearest. Everything that was rounded or clipped is in the report. Where weights share an exponent,
//! a weight is a multiple of `2^exponent` of its group ([`weights`]); `scale` chooses the factors.

mod scale;
mod tuning;
mod units;
mod weights;

pub use tuning::Tuning;

use super::learn::{Scaled, Wanted};
use super::{ChipNetwork, QuantisationReport};
use crate::dynamics::{Dynamics, evaluate};
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::{MappedPopulation, UnitRef};
use synfire_ir::network::{Network, NeuronModel, PopId, PopKind, Population, Quantity, Verified};
use synfire_ir::numerals::count;
use synfire_ir::program::{Carry, Range};
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::Target;
use synfire_targets::backend::Backend;

/// Most synapses that are looked at one by one.
const MOST_SYNAPSES: f64 = 2e8;

/// A network in the chip's integers, with what rounding did.
pub fn quantise(
    net: &Verified<Network>,
    target: &Target,
    backend: &dyn Backend,
    shifts: &[(PopId, u32)],
    learning: &[Wanted],
    seed: u64,
    tuning: &BTreeMap<String, Tuning>,
) -> Result<(ChipNetwork, QuantisationReport, Diagnostics), Diagnostics> {
    let drives = net.projections().map(|(_, a, _, _)| a).collect();
    let mut q = Quantiser {
        net,
        target,
        backend,
        seed,
        tuning,
        drives,
        learning,
        pending: vec![],
        out: Diagnostics::new(),
        report: QuantisationReport::default(),
        chip: ChipNetwork::default(),
    };
    q.chip.learning = vec![Scaled::default(); learning.len()];
    q.chip.fields = backend.fields().iter().map(|f| f.to_string()).collect();
    let number: BTreeMap<PopId, u32> = net
        .populations()
        .enumerate()
        .map(|(i, (id, _))| (id, i as u32))
        .collect();
    let shift: BTreeMap<PopId, u32> = shifts.iter().copied().collect();
    let ends = net.probes.is_empty() && backend.outputs_end();
    for (id, p) in net.populations() {
        q.chip.populations.push(MappedPopulation {
            name: p.name.clone(),
            size: p.size() as u32,
            shift: shift[&id],
            input: matches!(p.kind, PopKind::Events { .. }),
            recorded: recorded(net, id) && !(ends && q.drives.contains(&id)),
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
        q.scaled(p, m, ready, factor * q.tuned(&p.name).factor);
    }
    q.settle();
    q.in_order();
    q.chip.synapses.sort_unstable();
    q.alone();
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
    chip.synapses.retain(|s| s.weight != 0 || s.learns);
}

struct Quantiser<'a> {
    net: &'a Verified<Network>,
    target: &'a Target<'a>,
    backend: &'a dyn Backend,
    seed: u64,
    /// Settings by population.
    tuning: &'a BTreeMap<String, Tuning>,
    /// Populations that something is connected from.
    drives: BTreeSet<PopId>,
    /// What learns.
    learning: &'a [Wanted],
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
    /// Number of the projection that learns.
    learns: Option<u16>,
    /// What the weight was multiplied with so far.
    gain: f64,
    /// Largest magnitude that it may reach.
    most: f64,
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
                    "the network has about {} synapses; {} holds at most {}",
                    count(synapses as u64),
                    self.target.name(),
                    count(held as u64)
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
        let own = self.target.chip.spec.own_neuron(&m.model.name);
        let values = evaluate(self.net, at.id, m, self.seed);
        let (incoming, bias) = self.incoming(at.id, p, m, number, shifts)?;
        match own {
            Some(neuron) => {
                self.own(p, m, neuron, at, &values, &incoming, &bias);
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
            let learns = self.learning.iter().position(|w| w.edge == e);
            let start = learns.and_then(|k| self.learning[k].start);
            let reach = learns.map_or(0.0, |k| self.learning[k].most());
            self.net.visit(e, self.seed, all, |s| {
                let source = UnitRef {
                    pop: number[&a],
                    unit: wires.source_range.start + s.source,
                };
                let target = wires.target_range.start + s.target;
                let delay = (s.delay as i64 + late).max(0) as u32;
                let weight = start.unwrap_or(s.weight);
                list.push(Incoming {
                    target,
                    source,
                    delay,
                    port: wires.port,
                    weight,
                    learns: learns.map(|k| k as u16),
                    gain: 1.0,
                    most: reach.max(weight.abs()),
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
}
