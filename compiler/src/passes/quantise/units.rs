//! Units in the chip's integers.
//!
//! In: a population with what reaches it. Out: registers of its units, as the chip's own code gives them, or why there are none; synapses go on to `weights`. A population of a chip's own
//! model keeps its values; any other one is prepared in the network's units first, and becomes whole with the factor that `scale` chose. In what the chip's neuron differs from the
//! population's is a warning.

use super::scale::tidy;
use super::tuning::tops;
use super::{Incoming, Place, Prepared, Quantiser};
use crate::dynamics::{Dynamics, Evaluated, characterise};
use crate::passes::ChipUnit;
use synfire_ir::Diagnostic;
use synfire_ir::mapping::UnitRef;
use synfire_ir::network::{NeuronModel, Population};
use synfire_targets::backend::{Refusal, Reset, UnitDynamics};
use synfire_targets::schema::Delivery;

impl Quantiser<'_> {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn own(
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
    pub(super) fn prepare(
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
        let tuning = self.tuned(&p.name);
        for d in &mut dynamics {
            d.decay = tuning.decay(d.decay);
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
            s.gain = ready.of(s.target as usize).gain[s.port as usize];
            s.weight *= s.gain;
            s.most *= s.gain.abs();
            s.port = 0;
        }
        inputs.sort_by_key(|s| (s.target, s.source, s.delay));
        let biases = (0..p.size() as usize).map(|u| {
            let d = ready.of(u);
            let constant = bias.iter().zip(&d.gain).map(|(b, g)| b[u] * g).sum::<f64>();
            if constant == 0.0 {
                return d.bias;
            }
            let dialect = &self.target.dialect.name;
            d.bias + constant * self.backend.constant_gain(dialect, &unscaled(d))
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

    pub(super) fn scaled(&mut self, p: &Population, m: &NeuronModel, ready: &Prepared, scale: f64) {
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
        let tuning = self.tuned(&p.name);
        let (mut early, mut clipped) = (0f64, 0);
        let base = self.chip.units.len() as u32;
        for u in 0..p.size() as u32 {
            let d = ready.of(u as usize);
            let whole = |x: f64| (x * scale).round_ties_even() as i64;
            let th = tidy(d.threshold * scale * tuning.threshold);
            let threshold = match (d.reset, d.strict) {
                (None, _) => th.round_ties_even() as i64,
                (Some(_), true) => th.floor() as i64 + 1,
                (Some(_), false) => th.ceil() as i64,
            };
            let (bias, beyond) = self.bias(tuning, ready.biases[u as usize] * scale);
            clipped += u64::from(beyond);
            let unit = unit_of(
                d,
                threshold,
                bias,
                d.reset.map_or(Reset::Subtract, |r| Reset::To(whole(r))),
                whole(d.initial),
            );
            let arrivals = arrivals(&ready.inputs, u, scale);
            let head = self
                .backend
                .head_start(&self.target.dialect.name, &unit, ready.at.shift);
            early = early.max(head.abs());
            if !self.unit(p, ready.at, u, &unit, arrivals) {
                return;
            }
        }
        self.approximate(p, m, ready, early);
        self.sums_fit(p, ready, scale);
        let exact = self.exact(ready) == Some(scale);
        let mut onto = self.onto(p, ready.at.id, base, scale, exact);
        onto.tops = tops(ready, tuning, scale);
        if let Some(l) = self.report.layers.last_mut() {
            l.biases_clipped = clipped;
        }
        for s in &ready.inputs {
            self.synapse(p, &onto, s);
        }
        self.report.scales.push((p.name.clone(), scale));
    }

    /// Says in what the chip's neuron differs from the population's; `early`: the furthest that constant input moves a membrane before the first step, in thresholds.
    fn approximate(&mut self, p: &Population, m: &NeuronModel, ready: &Prepared, early: f64) {
        let dialect = &self.target.dialect.name;
        let mut told: Vec<String> = vec![];
        for d in &ready.dynamics {
            for note in self.backend.differences(dialect, &unscaled(d)) {
                if !told.contains(&note) && told.len() < 4 {
                    told.push(note);
                }
            }
        }
        if early > 0.0 {
            told.push(format!("constant input acts {} before the population's first step: membranes start at up to {:.2} % of the threshold in place of 0", match ready.at.shift { 1 => "a step".to_string(), n => format!("{n} steps") }, early * 100.0));
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
        let mut d = Diagnostic::warning("SYN0645", text).at(p.name.clone());
        for note in told {
            d = d.note(note);
        }
        self.out.push(d.hint("`synfire compare` shows what it does to the spikes; the chip's own model computes the same in both"));
    }
}

/// The unit before any factor: only its shape counts.
pub(super) fn unscaled(d: &Dynamics) -> UnitDynamics {
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
