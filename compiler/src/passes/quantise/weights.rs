//! Weights in the chip's integers.
//!
//! Where weights have no exponent, each is rounded as it comes. Else they wait until all are known: the synapses of a group share the smallest exponent e for which every one fits
//! `m 2^e`, and are rounded to multiples of `2^e`. What rounding did is counted for the network and for each population.

use super::super::ChipSynapse;
use super::super::learn::Scaled;
use super::{Incoming, Quantiser};
use crate::passes::LayerError;
use std::collections::BTreeMap;
use synfire_ir::network::{PopId, Population};
use synfire_ir::{Class, Diagnostic};

/// A synapse that waits for the exponent of its group.
pub(super) struct Pending {
    synapse: ChipSynapse,
    real: f64,
    scale: f64,
    weight: f64,
    group: usize,
    /// Index into the report's layers.
    layer: usize,
}

/// A population that synapses are added onto.
pub(super) struct Onto {
    /// Number of its first unit.
    base: u32,
    scale: f64,
    /// Must weights come out whole?
    exact: bool,
    drives: bool,
    /// Index into the report's layers.
    layer: usize,
    /// Largest magnitudes by source population, where weights are clipped on purpose.
    pub tops: BTreeMap<u32, f64>,
}

impl Quantiser<'_> {
    /// The population `p` as a target, with a new entry in the report.
    pub(super) fn onto(
        &mut self,
        p: &Population,
        id: PopId,
        base: u32,
        scale: f64,
        exact: bool,
    ) -> Onto {
        self.report.layers.push(LayerError {
            population: p.name.clone(),
            scale,
            exact,
            ..LayerError::default()
        });
        Onto {
            base,
            scale,
            exact,
            drives: self.drives.contains(&id),
            layer: self.report.layers.len() - 1,
            tops: BTreeMap::new(),
        }
    }

    /// Adds a synapse.
    pub(super) fn synapse(&mut self, p: &Population, onto: &Onto, s: &Incoming) {
        let &Onto {
            base,
            scale,
            exact,
            drives,
            layer,
            ref tops,
        } = onto;
        if let Some(k) = s.learns {
            self.learner(p, onto, s, usize::from(k));
            return;
        }
        let top = self
            .exponents()
            .map_or(1.0, |(_, high)| f64::from(1 << high));
        let w = self.target.weights();
        let (low, high) = (w.min.value as f64 * top, w.max.value as f64 * top);
        let mut real = s.weight * scale;
        let top = tops.get(&s.source.pop).copied().unwrap_or(f64::INFINITY);
        let mut clipped = real.abs() > top;
        real = real.clamp(-top, top);
        if exact && (real < low || real > high) {
            self.beyond(p, real, (low, high));
            return;
        }
        if real.round_ties_even() < low || real.round_ties_even() > high {
            clipped = true;
            real = real.clamp(low, high);
        }
        if clipped {
            self.report.weights_clipped += 1;
            self.report.layers[layer].clipped += 1;
        }
        let synapse = ChipSynapse {
            target: base + s.target,
            source: s.source,
            delay: s.delay,
            port: s.port as u8,
            weight: 0,
            learns: false,
        };
        let from_input = self.chip.populations[s.source.pop as usize].input;
        let group = self.backend.weight_group(from_input, drives, real);
        let pending = Pending {
            synapse,
            real,
            scale,
            weight: s.weight,
            group,
            layer,
        };
        match self.exponents() {
            None => self.round(&pending, 0),
            // Whole weights of the chip's own models stay as they are: the chip finds their exponent, or says why there is none.
            Some(_) if exact => self.round(&pending, 0),
            Some(_) => self.pending.push(pending),
        }
    }

    /// Adds a synapse that learns: its weight keeps the exponent of its projection.
    fn learner(&mut self, p: &Population, onto: &Onto, s: &Incoming, k: usize) {
        let learning = self.learning;
        let wanted = &learning[k];
        let (name, range) = (&wanted.name, wanted.range);
        let scale = s.gain * onto.scale;
        let known = &mut self.chip.learning[k];
        if known.scale == 0.0 {
            let exponent = wanted.exponent(scale);
            *known = Scaled { scale, exponent };
        }
        let unit = f64::from(1u32 << known.exponent.min(30));
        let (other, real) = (known.scale != scale, s.weight * onto.scale / unit);
        let refused = |q: &mut Self, text: String, note: &str, hint: &str| {
            let told = |x: &Diagnostic| x.code == "SYN0644" && x.message == text;
            if !q.out.0.iter().any(told) {
                let d = q.refuse(p, "SYN0644", text).note(note).hint(hint);
                q.out.push(d.field("limit", "learning"));
            }
        };
        if other || (wanted.whole() && scale != 1.0) {
            let text = format!(
                "the synapses of `{name}` learn in units of their own, but weights onto `{}` are scaled by {scale}",
                p.name
            );
            return refused(
                self,
                text,
                "the chip's rule counts in its own integers, so that one of the network's units has to be one of the chip's for all of its synapses",
                "lead it onto a population of the chip's own model",
            );
        }
        let weight = real.round_ties_even();
        if !(range[0] as f64..=range[1] as f64).contains(&weight) {
            let text = format!(
                "a weight of {} of `{name}` is beyond what its rule keeps on the chip",
                s.weight
            );
            let (low, high) = (
                range[0] as f64 * unit / scale,
                range[1] as f64 * unit / scale,
            );
            return refused(
                self,
                text,
                &format!(
                    "weights that learn there lie within {low}..{high} in the network's units"
                ),
                "start within that range",
            );
        }
        let pending = Pending {
            synapse: ChipSynapse {
                target: onto.base + s.target,
                source: s.source,
                delay: s.delay,
                port: s.port as u8,
                weight: 0,
                learns: true,
            },
            real: real * unit,
            scale: onto.scale,
            weight: s.weight,
            group: 0,
            layer: onto.layer,
        };
        let exponent = self.chip.learning[k].exponent.min(30) as i32;
        self.round(&pending, exponent);
    }

    /// Refuses synapses that share their place on the chip with one that learns.
    pub(super) fn alone(&mut self) {
        let key = |s: &ChipSynapse| (s.target, s.source, s.delay, s.port);
        let pairs = self.chip.synapses.windows(2);
        let clash = pairs.filter(|w| key(&w[0]) == key(&w[1]) && (w[0].learns || w[1].learns));
        let Some(s) = clash.map(|w| w[0]).next() else {
            return;
        };
        let (from, to) = (
            self.chip.name(s.source),
            self.chip.name(self.chip.units[s.target as usize].unit),
        );
        self.out.push(
            Diagnostic::error("SYN0644", format!("two synapses from `{from}` onto `{to}` take the same place, and one of them learns"))
                .class(Class::Fit)
                .at(to)
                .note("a chip has one weight for a source, a delay and a target")
                .hint("give one of the connects another delay, or leave it out")
                .field("limit", "learning"),
        );
    }

    fn exponents(&self) -> Option<(i32, i32)> {
        let e = self.target.weights().exponent.as_ref()?.value;
        Some((e[0].clamp(0, 30), e[1].clamp(0, 30)))
    }

    /// Rounds all that waits, group by group.
    pub(super) fn settle(&mut self) {
        if let Some((least, most)) = self.exponents() {
            self.by_exponent(least, most);
        }
        for l in &mut self.report.layers {
            if l.weight_squares > 0.0 {
                l.relative_rms = (l.squares / l.weight_squares).sqrt();
            }
        }
    }

    fn by_exponent(&mut self, least: i32, most: i32) {
        let w = self.target.weights();
        let (low, high) = (w.min.value as f64, w.max.value as f64);
        let pending = std::mem::take(&mut self.pending);
        let groups = pending.iter().map(|p| p.group + 1).max().unwrap_or(0);
        let mut exponents = vec![least; groups];
        for p in &pending {
            let e = &mut exponents[p.group];
            let fits = |e: i32| {
                let m = (p.real / f64::from(1 << e)).round_ties_even();
                (low..=high).contains(&m)
            };
            while *e < most && !fits(*e) {
                *e += 1;
            }
        }
        for p in &pending {
            self.round(p, exponents[p.group]);
        }
        self.report.exponents = exponents;
    }

    fn round(&mut self, p: &Pending, exponent: i32) {
        let unit = f64::from(1 << exponent);
        let w = self.target.weights();
        let mantissa = (p.real / unit).round_ties_even();
        let weight = match self.exponents() {
            Some(_) if exponent > 0 => {
                mantissa.clamp(w.min.value as f64, w.max.value as f64) * unit
            }
            _ => mantissa,
        };
        let report = &mut self.report;
        let layer = &mut report.layers[p.layer];
        layer.weights += 1;
        if weight != p.weight * p.scale {
            report.weights_rounded += 1;
            layer.rounded += 1;
        }
        if weight == 0.0 && p.weight != 0.0 {
            report.weights_lost += 1;
            layer.lost += 1;
        }
        let error = (weight / p.scale - p.weight).abs();
        report.max_weight_error = report.max_weight_error.max(error);
        layer.max_error = layer.max_error.max(error);
        layer.squares += error * error;
        layer.weight_squares += p.weight * p.weight;
        self.chip.synapses.push(ChipSynapse {
            weight: weight as i32,
            ..p.synapse
        });
    }

    fn beyond(&mut self, p: &Population, weight: f64, (low, high): (f64, f64)) {
        let told = self.out.0.iter().any(|x| {
            x.code == "SYN0625" && x.fields.contains(&("population".into(), p.name.clone()))
        });
        if told {
            return;
        }
        let bits = self.target.weights().bits.value;
        let text = format!(
            "a weight of {weight} onto `{}` is beyond the {bits} bits of {} ({low}..{high})",
            p.name,
            self.target.name()
        );
        let d = self
            .refuse(p, "SYN0625", text)
            .field("limit", "weights")
            .field("needed", weight)
            .field("available", format!("{low}..{high}"));
        self.out
            .push(d.hint("scale weights and thresholds of the population down together"));
    }
}
