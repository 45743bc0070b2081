//! What reaches the modulators of a plastic projection in a step.
//!
//! In: emissions and analog outputs of the sources of modulators. Out: for each modulator, which targets of the tile it
//! reached, and with what. Values add in the order of the program's modulations, then of units, so that float sums have one
//! order.

use super::Now;
use crate::engine::cpu::plan::Plan;
use crate::engine::cpu::spikes::History;
use synfire_ir::model::Ty;
use synfire_ir::program::{Carry, Modulation};

/// What a modulator brought in a step; both lists count targets from the tile's first unit.
#[derive(Clone, Debug, Default)]
pub(super) struct Input {
    pub reached: Vec<bool>,
    /// 0 where nothing came.
    pub value: Vec<u32>,
    /// Was anything reached?
    pub any: bool,
}

fn add(ty: Ty, a: u32, b: u32) -> u32 {
    match ty {
        Ty::F32 => (f32::from_bits(a) + f32::from_bits(b)).to_bits(),
        _ => a.wrapping_add(b),
    }
}

impl Input {
    pub fn new(targets: usize) -> Self {
        Input {
            reached: vec![false; targets],
            value: vec![0; targets],
            any: false,
        }
    }

    fn clear(&mut self) {
        if self.any {
            self.reached.fill(false);
            self.value.fill(0);
            self.any = false;
        }
    }

    fn put(&mut self, targets: std::ops::Range<usize>, ty: Ty, value: u32) {
        self.any |= !targets.is_empty();
        self.reached[targets.clone()].fill(true);
        (self.value[targets].iter_mut()).for_each(|w| *w = add(ty, *w, value));
    }
}

/// Reads what the modulators of a projection bring in this step.
pub(super) fn read(now: Now<'_>, plan: &Plan, history: &[History], inputs: &mut [Input]) {
    inputs.iter_mut().for_each(Input::clear);
    for x in &now.x.modulators {
        let ty = now.m.modulators[x.port as usize].ty;
        let input = &mut inputs[x.port as usize];
        arrivals(now, plan, history, x, |unit, value| {
            let (at, n, low) = now.lesson.part;
            let targets = match x.each {
                false => at..at + n,
                true => match unit.checked_sub(low).filter(|i| *i < n) {
                    Some(i) => at + i..at + i + 1,
                    None => return,
                },
            };
            input.put(targets.start as usize..targets.end as usize, ty, value);
        });
    }
}

/// Calls `f(unit, counted from the range's start, weighted value)` for what a source of a modulator sends.
fn arrivals(
    now: Now<'_>,
    plan: &Plan,
    history: &[History],
    x: &Modulation,
    mut f: impl FnMut(u32, u32),
) {
    let p = &plan.program;
    let ty = now.m.modulators[x.port as usize].ty;
    let Some(then) = now.step.checked_sub(x.delay as u32) else {
        return;
    };
    let mut send = |unit: u32, word: u32, float: bool| {
        let Some(i) = unit.checked_sub(x.range.start).filter(|i| *i < x.range.len) else {
            return;
        };
        let value = match ty {
            Ty::F32 => {
                let word = if float {
                    f32::from_bits(word)
                } else {
                    word as i32 as f32
                };
                (word * f32::from_bits(x.weight)).to_bits()
            }
            _ => word.wrapping_mul(x.weight),
        };
        f(i, value);
    };
    let graded = p.groups[x.source as usize].graded;
    for k in plan.of_group[x.source as usize].clone() {
        let tile = &plan.tiles[k];
        match x.carry {
            Carry::Events => {
                for (unit, word) in history[k].list(then).iter() {
                    send(tile.start + unit, word, graded);
                }
            }
            Carry::Output(o) => {
                let state = p.model_of(x.source).map(|m| m.outputs[o as usize].state);
                let column = tile.analog.iter().position(|a| Some(a.0) == state);
                let Some(column) = column else { continue };
                for (unit, &word) in (tile.start..).zip(history[k].analog(column, then)) {
                    send(unit, word, true);
                }
            }
        }
    }
}
