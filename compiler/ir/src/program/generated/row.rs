//! Rules whose rows follow from their source alone: so many targets drawn for each source, or all of them.
//!
//! In: a rule and a source. Out: the source's synapses in the order of drawing; targets, weights and delays each come from a
//! sequence of the source. Invariant: a row drawn so and the row of a [`Slice`] hold the same synapses, and those of one target
//! and delay come in the same order, so that an engine may store rows or draw them at each event.

use super::slice::{Coding, Entry, Kept, Steps, delays_of};
use super::{Generated, Slice, Store};
use crate::network::{Chosen, DELAYS, Distribution, Ends, Init, Sent};
use crate::rng::{self, Draws};

/// See the module.
#[derive(Debug)]
pub struct RowRule<'a> {
    rule: &'a Generated,
    ends: Ends,
    sent: Sent,
    coding: Coding,
    /// Of drawn weights; else the bits of the one weight.
    weight: Result<Distribution, u32>,
    /// Of drawn delays; else the one delay.
    delay: Result<Steps, u16>,
    /// What 1 is worth of drawn weights that are stored in 16 bits for a float port.
    scale: Option<f32>,
}

impl<'a> RowRule<'a> {
    /// The rule, if rows follow from their sources.
    pub fn new(rule: &'a Generated) -> Option<Self> {
        let weight = match &rule.weight {
            Init::Draw(d) => Ok(*d),
            _ => Err(rule.uniform().unwrap_or(0)),
        };
        let (least, most) = rule.delays();
        let delay = match least == most {
            true => Err(least),
            false => Ok(delays_of(rule, 0).1),
        };
        Some(RowRule {
            rule,
            ends: rule.ends(),
            sent: Sent::of(&rule.connector)?,
            coding: Coding::of(rule),
            scale: (weight.is_ok() && rule.store == Store::Scaled).then(|| rule.scale()),
            weight,
            delay,
        })
    }

    /// Calls `f(target, weight as the bits of the port's type, delay)` for each synapse of a source. `chosen` is kept from call
    /// to call.
    #[inline]
    pub fn each(&self, source: u32, chosen: &mut Chosen, mut f: impl FnMut(u32, u32, u16)) {
        match self.scale {
            None => self.draw(source, chosen, f),
            Some(scale) => self.draw(source, chosen, |t, w, d| {
                f(t, (w as i16 as f32 * scale).to_bits(), d)
            }),
        }
    }

    /// The same with weights as they are stored.
    #[inline]
    fn draw(&self, source: u32, chosen: &mut Chosen, mut f: impl FnMut(u32, u32, u16)) {
        let g = self.rule;
        let words = |key| Draws::new(g.seed, rng::WEIGHTS, key, source);
        match (&self.weight, &self.delay) {
            (Err(w), Err(d)) => self
                .sent
                .targets(&self.ends, source, chosen, |t| f(t, *w, *d)),
            (weight, delay) => {
                let (mut weights, mut delays) = (words(g.key), words(g.key ^ DELAYS));
                self.sent.targets(&self.ends, source, chosen, |t| {
                    let w = match weight {
                        Ok(d) => self.coding.bits(d.draw(&mut weights)),
                        Err(w) => *w,
                    };
                    let d = match delay {
                        Ok(steps) => steps.steps(&mut delays),
                        Err(d) => *d,
                    };
                    f(t, w, d)
                });
            }
        }
    }

    /// The rows of all sources onto the targets `from..to`, which are at most [`Slice::MOST_TARGETS`].
    pub(super) fn slice(&self, (from, to): (u32, u32)) -> Slice {
        let g = self.rule;
        let share = (to - from) as f64 / g.targets.max(1) as f64;
        let expected = (g.synapses() as f64 * share * 1.02) as usize + 64;
        let mut out = Slice {
            row: Vec::with_capacity(g.sources as usize + 1),
            targets: Vec::with_capacity(expected),
            ..Slice::default()
        };
        let mut weights = Kept::of(g, 0);
        let (mut row, mut chosen) = (vec![], Chosen::default());
        out.row.push(0);
        for s in 0..g.sources {
            row.clear();
            self.draw(s, &mut chosen, |t, w, d| {
                if (from..to).contains(&t) {
                    row.push(Entry::new(d, (t - from) as u16, w));
                }
            });
            // By delay, then target; those that have both in common stay in the order of drawing.
            row.sort_by_key(|e| e.0 >> u32::BITS);
            for e in &row {
                let fresh = out.row.last() == Some(&(out.delay.len() as u32));
                if fresh || out.delay.last() != Some(&e.delay()) {
                    out.delay.push(e.delay());
                    out.start.push(out.targets.len() as u32);
                }
                out.targets.push(e.target());
                weights.push(e.weight());
            }
            out.row.push(out.delay.len() as u32);
        }
        out.start.push(out.targets.len() as u32);
        out.weights = weights.done(g);
        out
    }
}

impl Kept {
    fn push(&mut self, bits: u32) {
        match self {
            Kept::One => {}
            Kept::I8(v) => v.push(bits as i8),
            Kept::I16(v) => v.push(bits as i16),
            Kept::I32(v) => v.push(bits as i32),
            Kept::F32(v) => v.push(f32::from_bits(bits)),
        }
    }
}
