//! Integration of a model's equations over one step.
//!
//! Comes in: right sides as nodes, the chosen method, and which states a refractory unit holds. Goes out: for each state its value after
//! the step, inputs and all other states taken as constant over it. Absent on purpose: adaptive steps and implicit methods.

use super::exact::{self, NoForm, System};
use super::graph::{Graph, Id, Node, operands};
use super::linear::{Affine, Linear, linear_in};
use std::collections::HashMap;
use synfire_ir::model::{BinOp, Ty, UnOp};

/// How to integrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The exact solution of linear equations.
    Exact,
    /// x + h f(x).
    Euler,
    /// Each equation exactly, the others' states held constant (Brian2's `exponential_euler`).
    ExponentialEuler,
    /// Midpoint.
    Rk2,
    /// The classical Runge-Kutta method.
    Rk4,
}

/// Words for the methods.
pub const METHODS: &[(&str, Method)] = &[
    ("exact", Method::Exact),
    ("euler", Method::Euler),
    ("exponential_euler", Method::ExponentialEuler),
    ("rk2", Method::Rk2),
    ("rk4", Method::Rk4),
];

/// An equation: a state and its derivative.
#[derive(Clone, Copy, Debug)]
pub struct Equation {
    /// The state.
    pub state: u16,
    /// Its derivative by time.
    pub rate: Id,
}

/// The condition under which some states are held, and which.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// True while the unit is refractory.
    pub condition: Id,
    /// A bit for each state.
    pub states: u64,
}

/// Value of a state after the step.
#[derive(Clone, Debug)]
pub enum Update {
    /// A linear combination.
    Sum(Affine),
    /// Any node.
    Node(Id),
    /// The first while the unit is refractory, the second otherwise.
    Held(Affine, Affine),
}

/// Why a method does not apply, and to which equation.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    /// Number of the equation.
    pub equation: usize,
    /// What to say.
    pub why: &'static str,
    /// Are the equations linear, so that only a closed form is missing?
    pub linear: bool,
}

/// All states after the step.
pub struct Solution {
    /// In the order of the equations.
    pub updates: Vec<Update>,
    /// Euler stands in for an exact solution of linear equations that has no closed form here.
    pub stand_in: Option<Refusal>,
}

impl From<Vec<Update>> for Solution {
    fn from(updates: Vec<Update>) -> Self {
        Solution {
            updates,
            stand_in: None,
        }
    }
}

/// Values of all equations' states after the step. Without a method: exact if the equations are linear, else Euler.
pub fn integrate(
    g: &mut Graph,
    equations: &[Equation],
    method: Option<Method>,
    hold: Option<Hold>,
) -> Result<Solution, Refusal> {
    match method {
        None => match exact_system(g, equations, hold) {
            Ok(u) => Ok(u.into()),
            Err(refusal) => Ok(Solution {
                updates: euler(g, equations),
                stand_in: Some(refusal).filter(|r| r.linear),
            }),
        },
        Some(Method::Exact) => exact_system(g, equations, hold).map(Solution::from),
        Some(Method::Euler) => Ok(euler(g, equations).into()),
        Some(Method::ExponentialEuler) => exponential_euler(g, equations).map(Solution::from),
        Some(Method::Rk2) => Ok(runge_kutta(g, equations, hold, &[0.5]).into()),
        Some(Method::Rk4) => Ok(runge_kutta(g, equations, hold, &[0.5, 0.5, 1.0]).into()),
    }
}

fn mask(equations: &[Equation]) -> u64 {
    equations.iter().fold(0, |m, e| m | 1 << e.state)
}

fn euler(g: &mut Graph, equations: &[Equation]) -> Vec<Update> {
    let mut linear = Linear::new(mask(equations));
    let h = g.dt();
    let advance = |e: &Equation| {
        let x = g.push(Node::State(e.state), Ty::F32);
        let mut sum = Affine::value(g, x);
        let rate = linear.of(g, e.rate);
        sum.add_scaled(g, &rate, h);
        Update::Sum(sum)
    };
    equations.iter().map(advance).collect()
}

/// The equations as a linear system.
fn system(g: &mut Graph, equations: &[Equation]) -> Result<System, Refusal> {
    let all = mask(equations);
    let mut linear = Linear::new(all);
    let n = equations.len();
    let states: Vec<Id> = (equations.iter())
        .map(|e| g.push(Node::State(e.state), Ty::F32))
        .collect();
    let mut s = System {
        matrix: vec![vec![None; n]; n],
        drive: vec![],
        states,
    };
    for (i, e) in equations.iter().enumerate() {
        let rate = linear.of(g, e.rate);
        let mut drive = Affine::constant(rate.constant);
        for t in &rate.terms {
            if let Some(j) = s.states.iter().position(|&x| x == t.value) {
                s.matrix[i][j] = Some(if t.negative {
                    g.neg(t.factor)
                } else {
                    t.factor
                });
            } else if g.info(t.value).states & all != 0 {
                let why = "the equation is not linear in the integrated states with factors that are known before the run";
                return Err(Refusal {
                    equation: i,
                    why,
                    linear: false,
                });
            } else {
                drive.terms.push(*t);
            }
        }
        s.drive.push(drive);
    }
    Ok(s)
}

fn exact_system(
    g: &mut Graph,
    equations: &[Equation],
    hold: Option<Hold>,
) -> Result<Vec<Update>, Refusal> {
    let s = match system(g, equations) {
        Ok(s) => s,
        Err(refusal) => return uncoupled(g, equations).ok_or(refusal),
    };
    let free = closed(g, &s)?;
    let Some(hold) = hold else {
        return Ok(free.into_iter().map(Update::Sum).collect());
    };
    // While some states are held, they drive the others as constants.
    let going: Vec<usize> = (0..equations.len())
        .filter(|&i| hold.states & (1 << equations[i].state) == 0)
        .collect();
    let rest: Vec<Equation> = going.iter().map(|&i| equations[i]).collect();
    let part = system(g, &rest)?;
    let held = closed(g, &part)?;
    let mut out: Vec<Update> = free.into_iter().map(Update::Sum).collect();
    for (k, &i) in going.iter().enumerate() {
        if let Update::Sum(sum) = &out[i]
            && *sum != held[k]
        {
            out[i] = Update::Held(held[k].clone(), sum.clone());
        }
    }
    Ok(out)
}

fn closed(g: &mut Graph, s: &System) -> Result<Vec<Affine>, Refusal> {
    exact::solve(g, s).map_err(|(equation, e)| Refusal {
        equation,
        linear: true,
        why: match e {
            NoForm::Circle => {
                "three or more states drive one another in a circle, for which there is no closed form here"
            }
            NoForm::Long => {
                "the chain of states that drive one another is longer than the closed forms"
            }
        },
    })
}

/// Equations that read no integrated state but their own, linear in it with a factor that may change from step to step.
fn uncoupled(g: &mut Graph, equations: &[Equation]) -> Option<Vec<Update>> {
    let all = mask(equations);
    let alone = |e: &Equation| g.info(e.rate).states & all & !(1 << e.state) == 0;
    if !equations.iter().all(alone) {
        return None;
    }
    exponential_euler(g, equations).ok()
}

fn exponential_euler(g: &mut Graph, equations: &[Equation]) -> Result<Vec<Update>, Refusal> {
    let mut linear = Linear::new(mask(equations));
    let mut out = vec![];
    for (i, e) in equations.iter().enumerate() {
        let x = g.push(Node::State(e.state), Ty::F32);
        let Some((a, b)) = linear_in(g, e.rate, e.state) else {
            return Err(Refusal {
                equation: i,
                why: "the equation is not linear in its own state",
                linear: false,
            });
        };
        if !g.uniform(a) {
            out.push(Update::Node(relaxed(g, x, a, e.rate)));
            continue;
        }
        let drive = linear.of(g, b);
        let own = (g.real_const(a) != Some(0.0)).then_some(a);
        let one = System {
            states: vec![x],
            matrix: vec![vec![own]],
            drive: vec![(*drive).clone()],
        };
        let mut advanced = exact::solve(g, &one).unwrap_or_default();
        out.extend(advanced.pop().map(Update::Sum));
    }
    Ok(out)
}

/// x + h f(x) * (e^z - 1) / z with z = a h, by its series where |z| < 0.1: the relative error stays below 1e-6 in single precision.
fn relaxed(g: &mut Graph, x: Id, a: Id, rate: Id) -> Id {
    let h = g.dt();
    let z = g.mul(a, h);
    let one = g.real(1.0);
    let grown = g.un(UnOp::Exp, z);
    let rise = g.sub(grown, one);
    let quotient = g.div(rise, z);
    let mut series = g.real(1.0 / 120.0);
    for c in [1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
        let next = g.mul(series, z);
        let c = g.real(c);
        series = g.add(next, c);
    }
    let (size, limit) = (g.un(UnOp::Abs, z), g.real(0.1));
    let small = g.bin(BinOp::Lt, size, limit);
    let factor = g.select(small, series, quotient);
    let step = g.mul(h, factor);
    let change = g.mul(step, rate);
    g.add(x, change)
}

/// Explicit Runge-Kutta: one stage for each fraction of the step beyond the first, where the rates are taken at the state that the stage
/// before leads to. `[0.5]` is the midpoint method, `[0.5, 0.5, 1]` the classical one.
fn runge_kutta(
    g: &mut Graph,
    equations: &[Equation],
    hold: Option<Hold>,
    fractions: &[f64],
) -> Vec<Update> {
    let h = g.dt();
    let old: Vec<Id> = (equations.iter())
        .map(|e| g.push(Node::State(e.state), Ty::F32))
        .collect();
    let mut stages: Vec<Vec<Id>> = vec![equations.iter().map(|e| e.rate).collect()];
    for &c in fractions {
        let fraction = g.real(c);
        let step = g.mul(h, fraction);
        let last = stages[stages.len() - 1].clone();
        let mut at = HashMap::new();
        for (i, e) in equations.iter().enumerate() {
            let change = g.mul(step, last[i]);
            let moved = g.add(old[i], change);
            let moved = match hold {
                Some(hold) if hold.states & (1 << e.state) != 0 => {
                    g.select(hold.condition, old[i], moved)
                }
                _ => moved,
            };
            at.insert(old[i], moved);
        }
        stages.push(
            equations
                .iter()
                .map(|e| substitute(g, e.rate, &mut at))
                .collect(),
        );
    }
    let weights: &[f64] = if fractions.len() == 1 {
        &[0.0, 1.0]
    } else {
        &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0]
    };
    let mut out = vec![];
    for i in 0..equations.len() {
        let mut rate = g.real(0.0);
        for (stage, &w) in stages.iter().zip(weights).filter(|s| *s.1 != 0.0) {
            let w = g.real(w);
            let part = g.mul(w, stage[i]);
            rate = g.add(rate, part);
        }
        let change = g.mul(h, rate);
        out.push(Update::Node(g.add(old[i], change)));
    }
    out
}

/// The node with states replaced as `at` says; `at` remembers what was rewritten.
fn substitute(g: &mut Graph, id: Id, at: &mut HashMap<Id, Id>) -> Id {
    if let Some(&to) = at.get(&id) {
        return to;
    }
    if g.info(id).states == 0 {
        return id;
    }
    let node = g.node(id);
    let [a, b, c] = operands(node).map(|o| o.map_or(0, |o| substitute(g, o, at)));
    let to = match node {
        Node::Un(op, _) => g.un(op, a),
        Node::Bin(op, ..) => g.bin(op, a, b),
        Node::If(..) => g.select(a, b, c),
        // A draw is one draw, whatever the stage.
        _ => id,
    };
    at.insert(id, to);
    to
}
