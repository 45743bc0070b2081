//! What synapses have learned, read back between two steps and written again.
//!
//! In: a sample's blocks of `learned`, one buffer for each plastic projection. Out: words as they stand after the last step
//! ([`Stepped::synapses`]), or as they were last stored, with their stamps, for a snapshot. Sums that last for one step are left out.

use super::buffers::{self, Use};
use super::device::Shared;
use super::lot::Lot;
use super::stepped::Stepped;
use crate::engine::snapshot::Learnt;
use synfire_ir::Diagnostic;
use synfire_ir::eval::{Powers, decayed, kept};
use synfire_ir::program::Program;
use synfire_ir::synapse::Place;
use synfire_kernels::wgsl::image::Image;
use synfire_kernels::wgsl::image::lesson::Lesson;
use synfire_kernels::wgsl::shape::NONE;

/// Parts (first word, words) of the block of a sample of lesson `k`, whose words are `stride`.
fn block(
    s: &Shared,
    (lot, slot): (&Lot, u32),
    (k, stride): (usize, usize),
    parts: &[(u32, u32)],
) -> Result<Vec<u32>, Diagnostic> {
    let home = u64::from(slot) * stride as u64;
    let parts: Vec<_> = (parts.iter())
        .map(|&(at, n)| (&lot.learned[k], home + u64::from(at), u64::from(n)))
        .collect();
    buffers::read(s, &parts)
}

fn place(p: Place) -> usize {
    match p {
        Place::Source => 0,
        Place::Target => 1,
        Place::Synapse => 2,
    }
}

impl Stepped {
    /// See [`crate::engine::Engine::synapses`]; `None` when there is no such state.
    pub fn synapses(&self, projection: u32, state: u16) -> Result<Option<Vec<u32>>, Diagnostic> {
        let at = self
            .p
            .plastic
            .iter()
            .position(|x| x.projection == projection);
        let Some(k) = at else { return Ok(None) };
        let l = &self.image.lessons[k];
        let m = &self.p.synapse_models[l.synapse as usize];
        let Some(cell) = m.states.get(state as usize) else {
            return Ok(None);
        };
        let place = place(cell.place);
        let n = l.elements[place];
        let mut parts = vec![(l.states[state as usize], n)];
        if cell.decay.is_some() {
            parts.push((l.stamps[place], n));
        }
        let powers = cell
            .decay
            .map(|d| (d, Powers::new(d.factor, cell.width.ty())));
        let step = self.now.saturating_sub(1);
        let mut out = vec![];
        for lot in self.lots.iter().map(|r| &r.lot) {
            for slot in 0..lot.samples {
                let words = block(&self.s, (lot, slot), (k, l.learned.len()), &parts)?;
                let (states, stamps) = words.split_at(n as usize);
                match &powers {
                    None => out.extend_from_slice(states),
                    Some((d, powers)) => {
                        let now = states.iter().zip(stamps).map(|(&v, &stamp)| {
                            kept(decayed(v, d.rest, powers, step - stamp), cell.width)
                        });
                        out.extend(now);
                    }
                }
            }
        }
        Ok(Some(out))
    }
}

/// What a sample has learned.
pub(super) fn save(
    s: &Shared,
    p: &Program,
    image: &Image,
    lot: &Lot,
    slot: u32,
) -> Result<Vec<Learnt>, Diagnostic> {
    let mut out = vec![];
    for (k, l) in image.lessons.iter().enumerate() {
        let m = &p.synapse_models[l.synapse as usize];
        let states = m.states.iter().zip(&l.states);
        let mut parts: Vec<(u32, u32)> = states
            .map(|(c, &at)| (at, l.elements[place(c.place)]))
            .collect();
        let stamped = |n: usize| l.stamps[n] != NONE;
        parts.extend(
            (0..3)
                .filter(|&n| stamped(n))
                .map(|n| (l.stamps[n], l.elements[n])),
        );
        let words = block(s, (lot, slot), (k, l.learned.len()), &parts)?;
        let mut rest = &words[..];
        let mut take = |n: u32| {
            let (taken, more) = rest.split_at(n as usize);
            rest = more;
            taken.to_vec()
        };
        out.push(Learnt {
            states: (m.states.iter())
                .map(|c| take(l.elements[place(c.place)]))
                .collect(),
            stamps: [0, 1, 2].map(|n| match stamped(n) {
                true => take(l.elements[n]),
                false => vec![0; l.elements[n] as usize],
            }),
        });
    }
    Ok(out)
}

/// Writes what a sample has learned.
pub(super) fn restore(s: &Shared, image: &Image, lot: &Lot, slot: u32, from: &[Learnt]) {
    for ((l, buffer), learnt) in image.lessons.iter().zip(&lot.learned).zip(from) {
        let words = filled(l, learnt);
        let home = u64::from(slot) * words.len() as u64;
        buffers::write(s, buffer, home, &words);
    }
}

/// A sample's block.
fn filled(l: &Lesson, from: &Learnt) -> Vec<u32> {
    let mut out = l.learned.clone();
    let states = l.states.iter().zip(&from.states);
    let stamps = l.stamps.iter().zip(&from.stamps).filter(|s| *s.0 != NONE);
    for (&at, words) in states.chain(stamps) {
        out[at as usize..at as usize + words.len()].copy_from_slice(words);
    }
    out
}

/// A buffer with the same words for each sample.
pub(super) fn teach(s: &Shared, words: &[u32], samples: u32) -> wgpu::Buffer {
    let n = words.len() as u64;
    let buffer = buffers::make(s, "Learned", n * u64::from(samples), Use::Storage);
    (0..u64::from(samples)).for_each(|k| buffers::write(s, &buffer, k * n, words));
    buffer
}
