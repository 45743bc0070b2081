//! A rule of sums of products in the chip's mantissas and exponents.
//!
//! In: a [`Normal`] in the network's units, and what one of the weight's mantissa is worth there. Out: numbers of the chip's registers, each beside the one that it stands for, or every number that no
//! register holds.

use super::products::{Monomial, Normal};
use std::collections::BTreeMap;
use synfire_ir::mapping::{Factor, Gate, Products, Term, Trace};
use synfire_ir::synapse::Place;
use synfire_targets::schema::LearningForm;

/// A trace is scaled so that this many spikes at once fill it.
const SPIKES: f64 = 8.0;
/// A tag is scaled so that this many of the largest changes fill it.
const CHANGES: f64 = 16.0;

/// A number of a rule, and what the chip's registers make of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounded {
    /// What it is.
    pub what: String,
    /// As the network has it.
    pub wanted: f64,
    /// As the chip has it.
    pub got: f64,
}

impl Normal {
    /// The rule in the chip's mantissas, with everything that was rounded. `unit`: one of the weight's mantissa in the network's units.
    ///
    /// Errors: every number that the registers cannot hold.
    pub fn rounded(
        &self,
        form: &LearningForm,
        unit: f64,
    ) -> Result<(Products, Vec<Rounded>), Vec<String>> {
        let LearningForm::Products {
            trace,
            bits,
            product,
            mantissa,
            exponent,
            tag,
            ..
        } = form
        else {
            return Err(vec![]);
        };
        let (mut told, mut why) = (vec![], vec![]);
        let mut out = Products {
            decimate: self.decimate,
            ..Products::default()
        };
        // Number of each trace on its side, and the chip's units for 1 of it.
        let mut seats: BTreeMap<u16, (Factor, f64)> = BTreeMap::new();
        for (&k, t) in &self.traces {
            let name = &self.names[usize::from(k)];
            let top = f64::from(trace.value);
            let factor = if t.whole {
                1.0
            } else {
                ((top + 1.0) / SPIKES).floor().max(1.0) / t.adds
            };
            let impulse = t.adds * factor;
            if impulse > top {
                why.push(format!(
                    "a spike adds {impulse} to `{name}`; the chip's traces end at {top}"
                ));
            }
            let tau = -1.0 / t.left.ln();
            let steps = tau.round_ties_even().clamp(0.0, 65_535.0);
            told.push(Rounded {
                what: format!("steps in which `{name}` falls to 1/e"),
                wanted: tau,
                got: steps,
            });
            let whole = Trace {
                tau: steps as u32,
                impulse: impulse.floor().min(top) as u32,
                part: (impulse.fract() * 256.0).round_ties_even() as u32,
            };
            let side = match t.place {
                Place::Source => &mut out.source,
                _ => &mut out.target,
            };
            let number = side.len() as u16;
            side.push(whole);
            let seat = match t.place {
                Place::Source => Factor::Source(number),
                _ => Factor::Target(number),
            };
            seats.insert(k, (seat, factor));
        }
        let largest = tag.as_ref().map_or(0, |t| t.value[1]);
        let tagged = self.tag_scale(largest as f64, unit);
        let of_tag = self.tag.iter().flat_map(|t| &t.1);
        let all = self.terms.iter().map(|t| (t, false));
        for ((gate, c, states), is_tag) in all.chain(of_tag.map(|t| (t, true))) {
            let one = if is_tag { 1.0 / tagged } else { unit };
            let (mut factors, mut wanted, mut width) =
                (vec![], c / one, mantissa_bits(mantissa.value));
            for k in states {
                match seats.get(k) {
                    Some(&(f, scale)) => {
                        factors.push(f);
                        wanted /= scale;
                        width += bits.value[0];
                    }
                    None if self.tag.as_ref().is_some_and(|t| t.0 == *k) => {
                        factors.push(Factor::Tag);
                        wanted /= tagged;
                        width += bits.value[1];
                    }
                    None => {
                        factors.push(Factor::Weight);
                        wanted *= unit;
                        width += bits.value[1];
                    }
                }
            }
            let mut text = self.text(*gate, states);
            if is_tag {
                text += ", onto the tag";
            }
            let dropped = f64::from(width.saturating_sub(product.value)).exp2();
            match fitted(wanted * dropped, mantissa.value, exponent.value) {
                Ok((m, e)) => {
                    let got = f64::from(m) * f64::from(e).exp2() / dropped;
                    told.push(Rounded {
                        what: format!("factor of {text}"),
                        wanted,
                        got,
                    });
                    out.terms.push(Term {
                        tag: is_tag,
                        gate: *gate,
                        mantissa: m,
                        exponent: e,
                        factors,
                    });
                }
                Err(small) => why.push(format!(
                    "the factor {wanted:.3e} of {text}, in the weight's unit on the chip, is too {}",
                    if small { "small: it rounds to nothing" } else { "large for its registers" }
                )),
            }
        }
        if why.is_empty() {
            Ok((out, told))
        } else {
            Err(why)
        }
    }

    /// The chip's units of the tag for 1 of the network's: a whole tag keeps its values, a real one is scaled by the largest change that one spike of each trace can make, or one whole mantissa of a weight.
    fn tag_scale(&self, largest: f64, unit: f64) -> f64 {
        let Some((own, terms)) = self.tag.as_ref().filter(|_| !self.whole_tag) else {
            return 1.0;
        };
        let size = |k: &u16| match self.traces.get(k) {
            Some(t) => t.adds,
            None => self.high.unwrap_or(unit),
        };
        let raised = terms.iter().filter(|t| !t.2.contains(own));
        let most = raised
            .map(|t| t.1.abs() * t.2.iter().map(size).product::<f64>())
            .fold(0.0, f64::max);
        match most > 0.0 {
            true => (largest + 1.0) / CHANGES / most,
            false => 1.0,
        }
    }

    /// A term as a reader knows it.
    fn text(&self, gate: Gate, states: &[u16]) -> String {
        let gate = match gate {
            Gate::Source => "an arrival",
            Gate::Target => "a spike of the target",
            Gate::Interval => "an interval",
        };
        let names: Vec<&str> = states
            .iter()
            .map(|&k| self.names[usize::from(k)].as_str())
            .collect();
        match names.is_empty() {
            true => format!("1 at {gate}"),
            false => format!("`{}` at {gate}", names.join(" * ")),
        }
    }

    /// All terms, one after another.
    pub fn summary(&self) -> String {
        let one = |(gate, c, states): &(Gate, f64, Monomial)| {
            format!("{c:e} * {}", self.text(*gate, states))
        };
        let all: Vec<String> = self.terms.iter().map(one).collect();
        all.join(" + ")
    }
}

/// Bits of a mantissa with its sign.
fn mantissa_bits([low, high]: [i32; 2]) -> u32 {
    let bits = |x: i32| 32 - x.unsigned_abs().leading_zeros();
    bits(high).max(bits(low.saturating_add(1))) + 1
}

/// Mantissa and exponent nearest to a value; the error says whether it is too small (or too large).
fn fitted(value: f64, [low, high]: [i32; 2], [least, most]: [i32; 2]) -> Result<(i32, i32), bool> {
    let mut best: Option<(f64, i32, i32)> = None;
    for e in least..=most {
        let m = (value / f64::from(e).exp2()).round_ties_even();
        if m == 0.0 && e == least {
            return Err(true);
        }
        if m == 0.0 || m < f64::from(low) || m > f64::from(high) {
            continue;
        }
        let error = (m * f64::from(e).exp2() - value).abs();
        if best.is_none_or(|b| error < b.0) {
            best = Some((error, m as i32, e));
        }
    }
    best.map(|b| (b.1, b.2)).ok_or(false)
}
