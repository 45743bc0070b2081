//! Which of many last events are new to somebody: what a row of synapses that learn asks of its targets.
//!
//! In: for each target the number of its last event, from 1, and for each event the one before it of the same target. Out:
//! those synapses of a row whose targets have events beyond a number, with these. Invariant: all levels of instructions
//! give the same; the lists keep the order of the row.

use super::isa::{Isa, Level};

/// Room that lists need beyond what is found: whole vectors are written.
const WIDE: usize = 16;

/// Synapses by their places, each with an event counted from 0.
#[derive(Clone, Debug, Default)]
pub struct Found {
    places: Vec<u32>,
    events: Vec<u32>,
    len: usize,
}

impl Found {
    /// Places of the synapses, ascending.
    pub fn places(&self) -> &[u32] {
        &self.places[..self.len]
    }

    /// The event of each.
    pub fn events(&self) -> &[u32] {
        &self.events[..self.len]
    }

    /// Finds the synapses of a row, whose first place is `first`, whose target's last event lies beyond `heard`.
    ///
    /// A target outside `last` is a defect of the caller and panics.
    #[allow(unsafe_code)]
    pub fn newest(&mut self, isa: Isa, heard: u32, last: &[u32], targets: &[u16], first: u32) {
        self.reserve(targets.len());
        let to = (&mut self.places[..], &mut self.events[..]);
        self.len = match isa.0 {
            // SAFETY: an `Isa` of this level exists only if the machine reported its features.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { avx512::newest(heard, last, targets, first, to) },
            _ => {
                let each = targets.iter().map(|&t| last[t as usize]);
                newer(heard, (first..).zip(each), to, 0)
            }
        };
    }

    /// Finds those synapses of another list whose target has an event before theirs that lies beyond `heard`.
    ///
    /// An event outside `before` is a defect of the caller and panics.
    #[allow(unsafe_code)]
    pub fn earlier(&mut self, isa: Isa, heard: u32, before: &[u32], of: &Found) {
        self.reserve(of.len);
        let from = (of.places(), of.events());
        let to = (&mut self.places[..], &mut self.events[..]);
        self.len = match isa.0 {
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { avx512::earlier(heard, before, from, to) },
            _ => {
                let last = from.1.iter().map(|&e| before[e as usize]);
                newer(heard, from.0.iter().copied().zip(last), to, 0)
            }
        };
    }

    fn reserve(&mut self, n: usize) {
        if self.places.len() < n + WIDE {
            self.places.resize(n + WIDE, 0);
            self.events.resize(n + WIDE, 0);
        }
    }
}

/// Appends those of (place, number of an event plus 1) that lie beyond `heard` to the first `n`. Writes before it knows, so
/// that it never branches: whether a target has spiked is a matter of chance.
#[inline(always)]
fn newer(
    heard: u32,
    from: impl Iterator<Item = (u32, u32)>,
    (places, events): (&mut [u32], &mut [u32]),
    n: usize,
) -> usize {
    let mut n = n;
    for (place, last) in from {
        (places[n], events[n]) = (place, last.wrapping_sub(1));
        n += (last > heard) as usize;
    }
    n
}

/// With gathers and compressions: measured on rows of 800 synapses, of which two thirds are found, 0.36 ns a synapse
/// instead of 0.63.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{WIDE, newer};
    use core::arch::x86_64::*;

    type To<'a> = (&'a mut [u32], &'a mut [u32]);

    /// Writes the lanes of a mask at `n`; returns where the next go.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
    fn keep(mask: u16, place: __m512i, last: __m512i, to: &mut To<'_>, n: usize) -> usize {
        let event = _mm512_sub_epi32(last, _mm512_set1_epi32(1));
        let places: [u32; WIDE] = bytemuck::cast(_mm512_maskz_compress_epi32(mask, place));
        let events: [u32; WIDE] = bytemuck::cast(_mm512_maskz_compress_epi32(mask, event));
        to.0[n..n + WIDE].copy_from_slice(&places);
        to.1[n..n + WIDE].copy_from_slice(&events);
        n + mask.count_ones() as usize
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
    #[allow(unsafe_code)]
    pub(super) fn newest(
        heard: u32,
        last: &[u32],
        targets: &[u16],
        first: u32,
        mut to: To<'_>,
    ) -> usize {
        let most = targets.iter().fold(0, |a, &t| a.max(t));
        assert!(targets.is_empty() || (most as usize) < last.len());
        let (whole, rest) = targets.as_chunks::<WIDE>();
        let beyond = _mm512_set1_epi32(heard as i32);
        let lanes: [u32; WIDE] = std::array::from_fn(|i| i as u32);
        let lanes: __m512i = bytemuck::cast(lanes);
        let (mut n, mut at) = (0, first);
        for chunk in whole {
            let index = _mm512_cvtepu16_epi32(bytemuck::cast(*chunk));
            // SAFETY: no target lies outside `last`, as asserted.
            let word = unsafe { _mm512_i32gather_epi32::<4>(index, last.as_ptr().cast()) };
            let mask = _mm512_cmpgt_epu32_mask(word, beyond);
            let place = _mm512_add_epi32(lanes, _mm512_set1_epi32(at as i32));
            n = keep(mask, place, word, &mut to, n);
            at = at.wrapping_add(WIDE as u32);
        }
        let rest = rest.iter().map(|&t| last[t as usize]);
        newer(heard, (at..).zip(rest), to, n)
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
    #[allow(unsafe_code)]
    pub(super) fn earlier(
        heard: u32,
        before: &[u32],
        (places, events): (&[u32], &[u32]),
        mut to: To<'_>,
    ) -> usize {
        let most = events.iter().fold(0, |a, &e| a.max(e));
        let reach = before.len().min(i32::MAX as usize);
        assert!(events.is_empty() || (most as usize) < reach);
        let beyond = _mm512_set1_epi32(heard as i32);
        let (whole, rest) = events.as_chunks::<WIDE>();
        let (place, places) = places.as_chunks::<WIDE>();
        let mut n = 0;
        for (event, place) in whole.iter().zip(place) {
            // SAFETY: no event lies outside `before`, nor beyond what a signed index reaches, as asserted.
            let word = unsafe {
                _mm512_i32gather_epi32::<4>(bytemuck::cast(*event), before.as_ptr().cast())
            };
            let mask = _mm512_cmpgt_epu32_mask(word, beyond);
            n = keep(mask, bytemuck::cast(*place), word, &mut to, n);
        }
        let rest = rest.iter().map(|&e| before[e as usize]);
        newer(heard, places.iter().copied().zip(rest), to, n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is new, and what came before it, by the definition.
    #[test]
    fn lists_follow_the_definition() {
        let words = |n: usize, most: u32, salt: u32| -> Vec<u32> {
            (0..n as u32)
                .map(|i| (i.wrapping_mul(0x9E37_79B9) ^ salt).rotate_left(7) % most)
                .collect()
        };
        for isa in Isa::all() {
            for n in [0, 1, 15, 16, 17, 47, 800] {
                let targets: Vec<u16> = words(n, 500, 3).iter().map(|&t| t as u16).collect();
                let (last, before) = (words(500, 200, 5), words(200, 200, 9));
                for heard in [0, 60, 150, 199, 200] {
                    let (mut newest, mut earlier) = (Found::default(), Found::default());
                    newest.newest(isa, heard, &last, &targets, 7);
                    let all = (7u32..).zip(&targets).map(|(p, &t)| (p, last[t as usize]));
                    let new: Vec<_> = all.filter(|x| x.1 > heard).collect();
                    let pairs = |f: &Found| -> Vec<_> {
                        let events = f.events().iter().map(|e| e + 1);
                        f.places().iter().copied().zip(events).collect()
                    };
                    assert_eq!(pairs(&newest), new, "{isa:?}, {n} beyond {heard}");
                    earlier.earlier(isa, heard, &before, &newest);
                    let old = new.iter().map(|&(p, e)| (p, before[e as usize - 1]));
                    let old: Vec<_> = old.filter(|x| x.1 > heard).collect();
                    assert_eq!(pairs(&earlier), old, "{isa:?}, {n} before {heard}");
                }
            }
        }
    }

    /// No level reads outside of what it was given.
    #[test]
    fn a_target_outside_panics_on_every_level() {
        for isa in Isa::all() {
            let outside = || Found::default().newest(isa, 0, &[1; 20], &[20; 32], 0);
            assert!(std::panic::catch_unwind(outside).is_err(), "{isa:?}");
            let mut newest = Found::default();
            newest.newest(isa, 0, &[9; 20], &[3; 32], 0);
            let outside = || Found::default().earlier(isa, 0, &[1; 8], &newest);
            assert!(std::panic::catch_unwind(outside).is_err(), "{isa:?}");
        }
    }
}
