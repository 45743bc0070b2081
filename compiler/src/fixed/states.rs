//! Ranges of the states of neurons, found by growing them until the step code keeps them; and whether 32 bits hold them well enough.
//!
//! Comes in: a model, its columns and the bounds of its ports. Goes out: for each state a limit that is a power of 2, whether it can fall
//! below 0, and whether it saturates (a state whose range keeps growing is given [`HEADROOM`] doublings beyond what one step can add).

use super::BITS;
use super::range::{self, Interval};
use synfire_ir::model::{Model, Op, Ty, Width};
use synfire_ir::program::Column;

/// Rounds of growing ranges before a state is taken as unbounded.
const ROUNDS: usize = 48;
/// Largest step of a state beside the values that it starts from and is set to.
const COARSE: f64 = 1.0 / 256.0;
/// Doublings beyond what one step can add, for states without a bound.
const HEADROOM: i32 = 4;
/// Range and scale of a state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateRange {
    pub fraction: i32,
    pub limit: f64,
    pub saturates: bool,
    /// Is it never below 0?
    pub positive: bool,
}

impl StateRange {
    pub(crate) fn interval(&self) -> Interval {
        Interval::new(if self.positive { 0.0 } else { -self.limit }, self.limit)
    }
}

/// Grows the ranges of the float states until the code keeps them: from -2^e or 0 to 2^e.
pub(super) fn state_ranges(
    m: &Model,
    params: &[Column],
    init: &[Column],
    ports: &[(i32, Interval)],
) -> Result<Vec<StateRange>, String> {
    let start: Vec<Interval> = init.iter().map(|c| range::column(c, Ty::F32)).collect();
    let mut power: Vec<i32> = start.iter().map(|i| exponent(i.magnitude())).collect();
    let mut positive: Vec<bool> = start.iter().map(|i| i.low >= 0.0).collect();
    let mut first: Option<Vec<i32>> = None;
    let mut free = vec![false; m.states.len()];
    for _ in 0..ROUNDS {
        let reach = range::stores(m, params, ports, &around(&power, &positive))?;
        let mut grown = below(&reach, &mut positive);
        for (k, r) in reach.iter().enumerate() {
            let e = exponent(r.magnitude());
            if m.states[k].width == Width::F32 && e > power[k] && !free[k] {
                power[k] = e;
                grown = true;
            }
        }
        if !grown {
            break;
        }
        let base = first.get_or_insert_with(|| power.clone());
        for k in 0..power.len() {
            if power[k] > base[k] + 16 {
                power[k] = base[k] + HEADROOM;
                free[k] = true;
            }
        }
    }
    let reach = loop {
        let reach = range::stores(m, params, ports, &around(&power, &positive))?;
        if !below(&reach, &mut positive) {
            break reach;
        }
    };
    let limits: Vec<f64> = power.iter().map(|&e| 2f64.powi(e)).collect();
    Ok((0..power.len())
        .map(|k| StateRange {
            fraction: (BITS - power[k]).clamp(-60, 60),
            limit: limits[k],
            saturates: m.states[k].width == Width::F32 && reach[k].magnitude() > limits[k],
            positive: positive[k],
        })
        .collect())
}

/// Notes the states that can fall below 0; says whether there is a new one.
fn below(reach: &[Interval], positive: &mut [bool]) -> bool {
    let fallen = |k: &usize| positive[*k] && reach[*k].low < 0.0;
    let new: Vec<usize> = (0..positive.len()).filter(fallen).collect();
    new.iter().for_each(|&k| positive[k] = false);
    !new.is_empty()
}

/// Ranges as powers of 2, around 0 or above it.
fn around(power: &[i32], positive: &[bool]) -> Vec<Interval> {
    let ends = power.iter().zip(positive);
    ends.map(|(&e, &p)| Interval::new(if p { 0.0 } else { -2f64.powi(e) }, 2f64.powi(e)))
        .collect()
}

/// Smallest e with magnitude <= 2^e.
pub(super) fn exponent(magnitude: f64) -> i32 {
    if magnitude <= 0.0 || !magnitude.is_finite() {
        -40
    } else {
        (magnitude.log2().ceil() as i32).max(-40)
    }
}

/// A state whose range is so wide that its steps are coarse beside what it starts from and is set to; and why that is bad.
pub(super) fn coarse(
    m: &Model,
    params: &[Column],
    init: &[Column],
    ranges: &[StateRange],
) -> Option<String> {
    let blocks = || std::iter::once(&m.step).chain(m.handlers.iter().map(|h| &h.block));
    let floats = (0..ranges.len()).filter(|&k| m.states[k].width == Width::F32);
    for k in floats {
        let mut size = range::column(&init[k], Ty::F32).magnitude();
        for b in blocks() {
            let mut open: Vec<u32> = (b.stores.iter())
                .filter(|s| s.0 as usize == k)
                .map(|s| s.1)
                .collect();
            let mut seen = vec![false; b.insts.len()];
            while let Some(v) = open.pop() {
                if std::mem::replace(&mut seen[v as usize], true) {
                    continue;
                }
                match b.insts[v as usize].op {
                    Op::Select(_, x, y) => open.extend([x, y]),
                    Op::Const(c) => size = size.max(f32::from_bits(c).abs() as f64),
                    Op::Param(p) => {
                        size = size.max(range::column(&params[p as usize], Ty::F32).magnitude());
                    }
                    _ => {}
                }
            }
        }
        let step = 2f64.powi(-ranges[k].fraction);
        if step > size * COARSE && size > 0.0 {
            return Some(format!(
                "`{}` could reach {:.1e}, and 32 bits leave steps of {step:.1e}, coarse beside its values of {size:.1e} (`min` and `max` around what drives it would bound it)",
                m.states[k].name, ranges[k].limit
            ));
        }
    }
    None
}
