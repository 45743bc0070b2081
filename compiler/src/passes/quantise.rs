//! `quantise`: units, registers and weights in the chip's integers.
//!
//! A population of the chip's own model keeps its values, which must be whole. Any other population is characterised
//! ([`crate::dynamics`]) and scaled: by 1 or a small power of two if that makes weights, threshold and reset whole, else by the largest
//! factor that keeps them in range, with rounding to the nearest. Everything that was rounded or clipped is in the report.

use super::{ChipNetwork, ChipSynapse, ChipUnit, QuantisationReport};
use crate::dynamics::{Dynamics, Evaluated, characterise, evaluate};
use std::collections::BTreeMap;
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
    let mut q = Quantiser {
        net,
        target,
        backend,
        seed,
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
    for (id, p) in net.populations() {
        if let PopKind::Neurons { model, .. } = &p.kind {
            q.population(
                id,
                p,
                &net.models[*model as usize],
                number[&id],
                shift[&id],
                &number,
                &shift,
            );
        }
    }
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
        let same =
            (later.target, later.source, later.delay) == (first.target, first.source, first.delay);
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
    out: Diagnostics,
    report: QuantisationReport,
    chip: ChipNetwork,
}

/// A synapse in the network's units.
struct Incoming {
    target: u32,
    source: UnitRef,
    delay: u32,
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

    #[allow(clippy::too_many_arguments)]
    fn population(
        &mut self,
        id: PopId,
        p: &Population,
        m: &NeuronModel,
        pop: u32,
        shift: u32,
        number: &BTreeMap<PopId, u32>,
        shifts: &BTreeMap<PopId, u32>,
    ) {
        let own = format!(
            "targets.{}.{}",
            self.target.chip.spec.name, self.target.chip.spec.model.neuron
        );
        let values = evaluate(self.net, id, m, self.seed);
        let Some((incoming, bias)) = self.incoming(id, p, m, number, shifts) else {
            return;
        };
        if m.model.name == own {
            self.own(p, m, pop, shift, &values, &incoming, &bias);
        } else {
            self.scaled(p, m, pop, shift, &values, &incoming, &bias);
        }
    }

    /// Synapses onto a population, sorted by target, with the port in the order of `gain`, and the constant input of every (port, unit).
    #[allow(clippy::type_complexity)]
    fn incoming(
        &mut self,
        id: PopId,
        p: &Population,
        m: &NeuronModel,
        number: &BTreeMap<PopId, u32>,
        shifts: &BTreeMap<PopId, u32>,
    ) -> Option<(Vec<(u16, Incoming)>, Vec<Vec<f64>>)> {
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
                list.push((
                    wires.port,
                    Incoming {
                        target,
                        source,
                        delay,
                        weight: s.weight,
                    },
                ));
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
        list.sort_by_key(|(_, s)| (s.target, s.source, s.delay));
        Some((list, bias))
    }

    #[allow(clippy::too_many_arguments)]
    fn own(
        &mut self,
        p: &Population,
        m: &NeuronModel,
        pop: u32,
        shift: u32,
        values: &Evaluated,
        incoming: &[(u16, Incoming)],
        bias: &[Vec<f64>],
    ) {
        self.chip.ordered |= !m.model.handlers.is_empty();
        let rounded = incoming.iter().find(|(_, s)| s.weight.fract() != 0.0);
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
            let arrivals = arrivals(incoming, |x| &x.1, u, 1.0);
            if !self.unit(
                p,
                pop,
                u,
                &UnitDynamics::Own { fields, states },
                arrivals,
                shift,
            ) {
                return;
            }
        }
        for (_, s) in incoming {
            self.synapse(p, base, s, 1.0, true);
        }
        self.report.scales.push((p.name.clone(), 1.0));
    }

    /// Adds a unit; `false` when the chip cannot compute it.
    fn unit(
        &mut self,
        p: &Population,
        pop: u32,
        unit: u32,
        d: &UnitDynamics,
        arrivals: (i64, i64),
        shift: u32,
    ) -> bool {
        match self
            .backend
            .neuron(&self.target.dialect.name, d, arrivals, shift)
        {
            Ok(registers) => {
                self.chip.units.push(ChipUnit {
                    unit: UnitRef { pop, unit },
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

    fn synapse(&mut self, p: &Population, base: u32, s: &Incoming, scale: f64, exact: bool) {
        let w = self.target.weights();
        let real = s.weight * scale;
        let mut weight = real.round_ties_even();
        if weight != real {
            self.report.weights_rounded += 1;
        }
        let (low, high) = (w.min.value as f64, w.max.value as f64);
        if weight < low || weight > high {
            if exact {
                let d = self.refuse(p, "SYN0625", format!("a weight of {weight} onto `{}` is beyond the {} bits of {} ({low}..{high})", p.name, w.bits.value, self.target.name()));
                let d = d
                    .field("limit", "weights")
                    .field("needed", weight)
                    .field("available", format!("{low}..{high}"));
                if !self.out.0.iter().any(|x| {
                    x.code == "SYN0625" && x.fields.contains(&("population".into(), p.name.clone()))
                }) {
                    self.out.push(
                        d.hint("scale weights and thresholds of the population down together"),
                    );
                }
                return;
            }
            self.report.weights_clipped += 1;
            weight = weight.clamp(low, high);
        }
        if weight == 0.0 && s.weight != 0.0 {
            self.report.weights_lost += 1;
        }
        self.report.max_weight_error = self
            .report
            .max_weight_error
            .max((weight / scale - s.weight).abs());
        self.chip.synapses.push(ChipSynapse {
            target: base + s.target,
            source: s.source,
            delay: s.delay,
            weight: weight as i32,
        });
    }

    #[allow(clippy::too_many_arguments)]
    fn scaled(
        &mut self,
        p: &Population,
        m: &NeuronModel,
        pop: u32,
        shift: u32,
        values: &Evaluated,
        incoming: &[(u16, Incoming)],
        bias: &[Vec<f64>],
    ) {
        let mut dynamics: Vec<Dynamics> = vec![];
        let distinct = if values.uniform() {
            1
        } else {
            p.size() as usize
        };
        for u in 0..distinct {
            match characterise(m, values, u) {
                Ok(d) => dynamics.push(d),
                Err(why) => {
                    let hint = if p.is_source {
                        "make it an `events` source and feed recorded spikes with `--input`"
                            .to_string()
                    } else {
                        format!(
                            "use a threshold unit (std.neurons.If, McCullochPitts) or the chip's own `targets.{}.{}`",
                            self.target.chip.spec.name, self.target.chip.spec.model.neuron
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
                    return;
                }
            }
        }
        let at = |u: usize| &dynamics[if distinct == 1 { 0 } else { u }];
        let inputs: Vec<Incoming> = incoming
            .iter()
            .map(|(port, s)| Incoming {
                weight: s.weight * at(s.target as usize).gain[*port as usize],
                ..*s
            })
            .collect();
        let biases: Vec<f64> = (0..p.size() as usize)
            .map(|u| {
                at(u).bias
                    + bias
                        .iter()
                        .zip(&at(u).gain)
                        .map(|(b, g)| b[u] * g)
                        .sum::<f64>()
            })
            .collect();
        let scale = self.scale(&inputs, &dynamics, &biases);
        if self.target.chip.spec.delivery == Delivery::Serial
            && dynamics.iter().any(|d| d.decay != 0.0)
        {
            self.out.push(
                Diagnostic::warning("SYN0643", format!("`{}` adds up the arrivals of a step; {} takes one after another", p.name, self.target.name()))
                    .at(p.name.clone())
                    .note("inhibition is sent first, so no spike comes too early; but what arrives in a step after the threshold was crossed stays on the membrane, where the network's reset drops it")
                    .hint("`synfire compare` shows what it does to the spikes; the chip's own model computes the same in both"),
            );
        }
        let base = self.chip.units.len() as u32;
        for u in 0..p.size() as u32 {
            let d = at(u as usize);
            let whole = |x: f64| (x * scale).round_ties_even() as i64;
            let th = tidy(d.threshold * scale);
            let threshold = match (d.reset, d.strict) {
                (None, _) => th.round_ties_even() as i64,
                (Some(_), true) => th.floor() as i64 + 1,
                (Some(_), false) => th.ceil() as i64,
            };
            let unit = UnitDynamics::Integrate {
                decay: d.decay,
                bias: whole(biases[u as usize]),
                threshold,
                reset: d.reset.map_or(Reset::Subtract, |r| Reset::To(whole(r))),
                initial: whole(d.initial),
                refractory: 0,
            };
            if !self.unit(p, pop, u, &unit, arrivals(&inputs, |x| x, u, scale), shift) {
                return;
            }
        }
        for s in &inputs {
            self.synapse(p, base, s, scale, false);
        }
        self.report.scales.push((p.name.clone(), scale));
    }

    /// The factor from the network's units to the chip's integers.
    fn scale(&self, inputs: &[Incoming], dynamics: &[Dynamics], biases: &[f64]) -> f64 {
        let w = self.target.weights();
        let top = (w.max.value as f64)
            .min(-(w.min.value as f64))
            .clamp(1.0, 1e6);
        let values = || {
            let d = dynamics
                .iter()
                .flat_map(|d| [d.threshold, d.reset.unwrap_or(0.0), d.initial]);
            inputs
                .iter()
                .map(|s| s.weight)
                .chain(d)
                .chain(biases.iter().copied())
        };
        let heaviest = inputs.iter().map(|s| s.weight.abs()).fold(0.0, f64::max);
        for power in 0..=10 {
            let s = (1u64 << power) as f64;
            let fits = heaviest * s <= w.max.value as f64 || heaviest * s <= -(w.min.value as f64);
            if fits && values().all(|x| tidy(x * s).fract() == 0.0) {
                return s;
            }
        }
        let threshold = dynamics
            .iter()
            .map(|d| d.threshold.abs())
            .fold(0.0, f64::max);
        let range = self
            .target
            .chip
            .spec
            .parameters
            .iter()
            .filter(|q| {
                q.name.contains("thr")
                    && q.max > 0
                    && (q.dialects.is_empty() || q.dialects.contains(&self.target.dialect.name))
            })
            .map(|q| q.max as f64)
            .fold(f64::INFINITY, f64::min);
        let by_weight = if heaviest > 0.0 { top / heaviest } else { 1.0 };
        let by_threshold = if threshold > 0.0 {
            (range.min(1e6) - 1.0) / threshold
        } else {
            f64::INFINITY
        };
        by_weight.min(by_threshold).max(f64::MIN_POSITIVE)
    }
}

/// Least and greatest sum of weights onto `unit` within one step; `list` is sorted by target.
fn arrivals<T>(list: &[T], of: impl Fn(&T) -> &Incoming, unit: u32, scale: f64) -> (i64, i64) {
    let first = list.partition_point(|s| of(s).target < unit);
    let mine = list[first..]
        .iter()
        .map(of)
        .take_while(|s| s.target == unit);
    mine.fold((0, 0), |(low, high), s| {
        let w = (s.weight * scale).round_ties_even() as i64;
        if w < 0 {
            (low + w, high)
        } else {
            (low, high + w)
        }
    })
}

/// Takes away what is left of decimal fractions in binary.
fn tidy(x: f64) -> f64 {
    let near = x.round_ties_even();
    if (x - near).abs() <= 1e-9 * x.abs().max(1.0) {
        near
    } else {
        x
    }
}
