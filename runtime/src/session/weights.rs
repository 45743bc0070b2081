//! Weights of projections that learn: read from a session at any time, and given to a plan to start from.
//!
//! In and out: [`Weights`], synapse by synapse under the names of the network. Invariant: what a session gives, a plan of the same
//! network takes back bit for bit.

use super::chip::broken;
use super::{Plan, Session, Wiring};
use crate::engine::Engine;
use crate::spikes::weights::Weights;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use synfire_ir::artifact::{Artifact, BoundLearning};
use synfire_ir::diag::nearest;
use synfire_ir::model::Ty;
use synfire_ir::program::{Layout, Program, Projection, Weights as Stored};
use synfire_ir::synapse::Place;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::backend::{Emulation, WeightCell, Words};

/// Source, target and delay of each synapse, in the order of the layout.
fn ends(pr: &Projection) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
    let (s0, t0) = (pr.source_range.start, pr.target_range.start);
    let (mut source, mut target, mut delay) = (vec![], vec![], vec![]);
    let mut put = |s: u32, t: u32, d: u16| {
        source.push(s0 + s);
        target.push(t0 + t);
        delay.push(u32::from(d));
    };
    match &pr.layout {
        Layout::Rows(r) => {
            for (s, w) in (0u32..).zip(r.row.windows(2)) {
                for run in &r.runs[w[0] as usize..w[1] as usize] {
                    let first = run.start as usize;
                    let targets = &r.targets[first..first + run.len as usize];
                    targets.iter().for_each(|&t| put(s, t, run.delay));
                }
            }
        }
        Layout::Dense { delay, .. } => {
            for s in 0..pr.source_range.len {
                (0..pr.target_range.len).for_each(|t| put(s, t, *delay));
            }
        }
        Layout::OneToOne { delay, .. } => (0..pr.source_range.len).for_each(|s| put(s, s, *delay)),
        _ => {}
    }
    (source, target, delay)
}

fn weight_ty(p: &Program, projection: u32) -> Ty {
    let model = p.plastic_of(projection);
    model.and_then(|x| x.1.read_ty(0)).unwrap_or(Ty::F32)
}

/// A projection that learns on a chip, and where each of its weights stands.
pub(super) type Learnt = (BoundLearning, Vec<WeightCell>);

/// The cells of all weights that learn, checked against the program.
pub(super) fn cells(
    emulation: &Emulation,
    artifact: &Artifact,
) -> Result<Vec<Learnt>, Diagnostics> {
    let program = &emulation.program;
    let sound = |c: &WeightCell| {
        let len = match c.words {
            Words::Units { group, state } => program.groups.get(group as usize).and_then(|g| {
                let m = program.model_of(group)?;
                (usize::from(state) < m.states.len()).then_some(u64::from(g.size))
            }),
            Words::Synapses { projection, state } => {
                program.plastic_of(projection).and_then(|(_, m)| {
                    let at = m.states.get(usize::from(state))?;
                    let of_synapses = at.place == Place::Synapse;
                    of_synapses.then(|| program.projections[projection as usize].synapses())
                })
            }
        };
        len.is_some_and(|n| u64::from(c.index) < n)
    };
    let of = |l: &BoundLearning| {
        let cell = |&place: &u64| {
            let cell = emulation.weight(place).filter(sound);
            cell.ok_or_else(|| broken(format!("no weight learns at {place:#x}")))
        };
        let cells: Result<Vec<WeightCell>, Diagnostics> = l.place.iter().map(cell).collect();
        Ok((l.clone(), cells?))
    };
    artifact.learning.iter().map(of).collect()
}

/// Weights that a chip learnt, in the network's units.
fn on_chip(
    learning: &[Learnt],
    engine: &mut dyn Engine,
    program: &Program,
) -> Result<Vec<Weights>, Diagnostics> {
    let mut words: BTreeMap<Words, Vec<u32>> = BTreeMap::new();
    for cell in learning.iter().flat_map(|l| &l.1) {
        if let Entry::Vacant(slot) = words.entry(cell.words) {
            slot.insert(match cell.words {
                Words::Units { group, state } => engine.state(group, state)?,
                Words::Synapses { projection, state } => engine.synapses(projection, state)?,
            });
        }
    }
    let each = |w: Words| match w {
        Words::Units { group, .. } => program.groups[group as usize].size as usize,
        Words::Synapses { projection, .. } => {
            program.projections[projection as usize].synapses() as usize
        }
    };
    let value = |l: &BoundLearning, c: &WeightCell, sample: usize| {
        let of = words.get(&c.words);
        let word = of.and_then(|w| w.get(sample * each(c.words) + c.index as usize));
        c.weight(word.copied().unwrap_or(0)) as f64 / l.scale
    };
    let samples = |cells: &[WeightCell]| {
        let first = cells
            .first()
            .map(|c| (words[&c.words].len(), each(c.words)));
        first.map_or(1, |(all, one)| all / one.max(1))
    };
    let of = |(l, cells): &(BoundLearning, Vec<WeightCell>)| Weights {
        projection: l.projection.clone(),
        source: l.source.clone(),
        target: l.target.clone(),
        delay: l.delay.clone(),
        values: (0..samples(cells))
            .map(|s| cells.iter().map(|c| value(l, c, s)).collect())
            .collect(),
    };
    Ok(learning.iter().map(of).collect())
}

impl Session {
    /// Weights of every projection that learns, as they stand, in SI units.
    ///
    /// Errors: those of the engine.
    pub fn weights(&mut self) -> Result<Vec<Weights>, Diagnostics> {
        if let Wiring::Chip(chip) = &self.wiring {
            return on_chip(&chip.learning, self.engine.as_mut(), self.program.as_ref());
        }
        let program = self.program.clone();
        let mut out = vec![];
        for x in &program.plastic {
            let pr = &program.projections[x.projection as usize];
            let words = self.engine.synapses(x.projection, 0)?;
            let scale = (self.wiring.scales()).map_or(1.0, |s| s.synapse(x.projection, 0));
            // A word of 32 bits times a power of 2 is exact.
            let value = |w: &u32| match weight_ty(&program, x.projection) {
                Ty::F32 => f64::from(f32::from_bits(*w)),
                Ty::I32 => f64::from(*w as i32) * scale,
                _ => f64::from(*w) * scale,
            };
            let (source, target, delay) = ends(pr);
            let values: Vec<f64> = words.iter().map(value).collect();
            let each = source.len().max(1);
            out.push(Weights {
                projection: pr.name.clone(),
                values: values.chunks(each).map(<[f64]>::to_vec).collect(),
                source,
                target,
                delay,
            });
        }
        Ok(out)
    }
}

impl Plan {
    /// Lets projections that learn start from these weights instead of the network's own.
    ///
    /// Errors: `SYN0915` for a projection that is not there, does not learn, or has other synapses.
    pub fn set_weights(&mut self, given: &[Weights]) -> Result<(), Diagnostics> {
        let mut out = Diagnostics::new();
        for x in given {
            if let Err(d) = self.take(x) {
                out.push(d);
            }
        }
        out.result(())
    }

    fn take(&mut self, x: &Weights) -> Result<(), Diagnostic> {
        let wrong = |what: String| {
            Diagnostic::error("SYN0915", what)
                .class(Class::Input)
                .field("projection", &x.projection)
        };
        let p = &self.program;
        let learning = || {
            let of = |y: &synfire_ir::program::Plastic| {
                p.projections[y.projection as usize].name.as_str()
            };
            p.plastic.iter().map(of)
        };
        let Some(k) = learning().position(|n| n == x.projection) else {
            let d = wrong(format!(
                "no projection `{}` of the network learns",
                x.projection
            ));
            return Err(match nearest(&x.projection, learning()) {
                Some(n) => d.hint(format!("did you mean `{n}`?")),
                None => d.hint("load the weights of a run of this network"),
            });
        };
        let index = p.plastic[k].projection;
        let pr = &p.projections[index as usize];
        let (source, target, delay) = ends(pr);
        if (&source, &target, &delay) != (&x.source, &x.target, &x.delay) {
            let n = source.len();
            let what = format!(
                "the {} weights for `{}` are for other synapses than its {n}",
                x.source.len(),
                x.projection
            );
            return Err(wrong(what)
                .note("sources, targets and delays must agree one by one")
                .hint("run with the seed and the sizes with which the weights were saved"));
        }
        let values = x.values.first().map_or(&[][..], |v| v);
        if values.iter().any(|w| !w.is_finite()) {
            return Err(
                wrong(format!("a weight for `{}` is not finite", x.projection))
                    .hint("save the weights again"),
            );
        }
        let scale = (self.wiring.scales()).map_or(1.0, |s| s.synapse(index, 0));
        let stored = match weight_ty(p, index) {
            Ty::F32 => Stored::from_f32(values.iter().map(|w| *w as f32).collect()),
            _ => {
                let words = values.iter().map(|w| (w / scale).round_ties_even());
                let (least, most) = (f64::from(i32::MIN), f64::from(i32::MAX));
                if words.clone().any(|w| !(least..=most).contains(&w)) {
                    let top = most * scale;
                    let what = format!(
                        "a weight for `{}` is beyond {top:e}, the most that its integers hold",
                        x.projection
                    );
                    return Err(wrong(what)
                        .note("fixed arithmetic chooses its scales from the network's own weights")
                        .hint("run with `--arithmetic f32`"));
                }
                Stored::from_i32(words.map(|w| w as i32).collect())
            }
        };
        match &mut self.program.projections[index as usize].layout {
            Layout::Rows(r) => r.weights = stored,
            Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => *weights = stored,
            _ => {}
        }
        Ok(())
    }
}
