//! Fixed arithmetic for ideal networks: an `F32` program becomes an integer one, equal bit for bit on every engine.
//!
//! Every float value of a model gets a binary scale: word = value * 2^fraction. Scales follow from ranges: parameters and
//! weights are known, a port is bounded by the largest sum of weights that can arrive in one step, and states are bounded
//! by growing their ranges until the step code maps them into themselves. A state whose range keeps growing (an integrator
//! without leak) is given 16 times what one step can add and saturates there; the report says so.
//! Decays and other factors become integers with up to 30 bits after the point; products are full and shifted down,
//! toward minus infinity. Functions (exp, logarithm, powers, quotients of values that change, ...) become series of such products
//! (`functions`). A step of exponential Euler lies between the value and the point where its equation rests, whatever the sum of its
//! terms could be; that is seen and used (`form`), so conductances that are never below 0 leave the membrane bounded.
//! What no 32 bits hold well enough is refused, with the numbers.

mod block;
mod form;
mod functions;
mod learning;
mod range;
mod states;

use block::Converter;
use learning::Neurons;
use range::{Interval, port_bound};
use serde::Serialize;
use states::{StateRange, coarse, exponent, state_ranges};
use std::collections::BTreeMap;
use std::sync::Arc;
use synfire_ir::model::{Model, Ty, Width};
use synfire_ir::program::{
    Arithmetic, Carry, Column, GroupKind, Layout, Program, Projection, Scales, Store, Weights,
};
use synfire_ir::{Diagnostic, Diagnostics};

/// Bits after the sign that a scaled value may use, one in hand for sums.
pub(crate) const BITS: i32 = 30;
/// Bits of an analog output that leaves through a projection; its weights have the rest.
const OUTPUT_BITS: i32 = 14;

/// Scale of one state.
#[derive(Clone, Debug, Serialize)]
pub struct StateScale {
    /// Group.
    pub group: String,
    /// State.
    pub state: String,
    /// Bits after the point.
    pub fraction: i32,
    /// Largest magnitude that it holds.
    pub limit: f64,
    /// Does it saturate at the limit (its range could not be bounded)?
    pub saturates: bool,
    #[serde(skip)]
    at: (u32, u16),
}

/// What was chosen, and what rounding did to the weights.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FixedReport {
    /// Every state that was a float.
    pub states: Vec<StateScale>,
    /// Bits after the point of each state of synapses that was a float: (projection, state).
    #[serde(skip)]
    pub synapses: BTreeMap<(u32, u16), i32>,
    /// Largest relative error of a weight against the largest weight of its projection.
    pub max_weight_error: f64,
}

impl FixedReport {
    /// What words are worth.
    pub fn scales(&self) -> Scales {
        let worth = |fraction: i32| 2f64.powi(-fraction);
        let states = self.states.iter();
        let synapses = self.synapses.iter();
        Scales {
            states: states.map(|s| (s.at, worth(s.fraction))).collect(),
            synapses: synapses.map(|(at, f)| (*at, worth(*f))).collect(),
        }
    }
}

/// An integer program and how it was scaled.
pub struct Converted {
    /// The program.
    pub program: Program,
    /// Scales.
    pub report: FixedReport,
}

/// Bits after the point that leave `magnitude` below 2^[`BITS`]. What is always 0 takes the finest scale, which coarsens no sum.
pub(crate) fn fraction_for(magnitude: f64) -> i32 {
    if magnitude <= 0.0 {
        return 60;
    }
    if !magnitude.is_finite() {
        return BITS;
    }
    (BITS - magnitude.log2().floor() as i32 - 1).clamp(-60, 60)
}

/// Converts a float program.
///
/// Errors: a function without an integer form (which, in which population), and graded inputs, whose range nothing bounds.
pub fn convert(p: &Program) -> Result<Converted, Diagnostics> {
    let mut out = Diagnostics::new();
    let learnt = learn(p, &Neurons::default(), &mut out);
    let delivered: BTreeMap<u32, Interval> = (learnt.iter())
        .map(|l| (p.plastic[l.plastic].projection, l.delivered))
        .collect();
    let mut program = p.clone();
    program.arithmetic = Arithmetic::Fixed;
    program.models.clear();
    program.synapse_models.clear();
    let mut report = FixedReport::default();
    let fraction = port_fractions(p, &delivered, &mut out);
    let mut neurons = Neurons::default();
    for g in 0..p.groups.len() {
        let GroupKind::Units {
            model,
            params,
            init,
        } = &p.groups[g].kind
        else {
            continue;
        };
        let m = &p.models[*model as usize];
        let ports: Vec<(i32, Interval)> = (0..m.ports.len())
            .map(|k| fraction[&(g as u32, k as u16)])
            .collect();
        let out_of = |source: u32, carry| source as usize == g && matches!(carry, Carry::Output(_));
        let analog = p.projections.iter().any(|x| out_of(x.source, x.carry))
            || (p.plastic.iter().flat_map(|x| &x.modulators)).any(|y| out_of(y.source, y.carry));
        match group(p, g, m, params, init, &ports, analog) {
            Ok(done) => {
                for (k, f) in done.outputs {
                    neurons.outputs.insert((g as u32, k), f);
                }
                let states = done.scales.iter().map(|s| (s.at, (s.fraction, s.limit)));
                neurons.states.extend(states);
                report.states.extend(done.scales);
                let model = program.models.len() as u32;
                program.models.push(done.model);
                program.groups[g].kind = GroupKind::Units {
                    model,
                    params: done.params,
                    init: done.init,
                };
            }
            Err(d) => out.extend(d),
        }
    }
    out.result(())?;
    for (k, pr) in (0u32..).zip(&mut program.projections) {
        if delivered.contains_key(&k) {
            continue;
        }
        let f = fraction[&(pr.target, pr.port)].0;
        let from = match pr.carry {
            Carry::Output(o) => neurons.outputs.get(&(pr.source, o)).copied().unwrap_or(0),
            Carry::Events => 0,
        };
        if p.models_port_is_float(pr) {
            scale_weights(pr, f - from, &mut report.max_weight_error);
        }
    }
    for l in learn(p, &neurons, &mut out) {
        let projection = p.plastic[l.plastic].projection;
        let pr = &p.projections[projection as usize];
        let f = fraction[&(pr.target, pr.port)].0;
        match l.apply(p, &mut program, f) {
            Ok(scales) => {
                let keyed = scales.into_iter().map(|(k, f)| ((projection, k), f));
                report.synapses.extend(keyed);
            }
            Err(what) => out.push(no_scales(&pr.name, &what)),
        }
    }
    out.extend(synfire_ir::program::check(&program));
    out.result(Converted { program, report })
}

/// Ranges and scales of all plastic projections.
fn learn(p: &Program, neurons: &Neurons, out: &mut Diagnostics) -> Vec<learning::Learnt> {
    let mut all = vec![];
    for (k, x) in p.plastic.iter().enumerate() {
        match learning::ranges(p, k, neurons) {
            Ok(l) => all.push(l),
            Err(what) => out.push(no_scales(&p.projections[x.projection as usize].name, &what)),
        }
    }
    all
}

trait PortType {
    fn models_port_is_float(&self, pr: &Projection) -> bool;
}

impl PortType for Program {
    fn models_port_is_float(&self, pr: &Projection) -> bool {
        self.model_of(pr.target)
            .is_some_and(|m| m.ports[pr.port as usize].ty == Ty::F32)
    }
}

/// Scale and bound of every port.
fn port_fractions(
    p: &Program,
    delivered: &BTreeMap<u32, Interval>,
    out: &mut Diagnostics,
) -> BTreeMap<(u32, u16), (i32, Interval)> {
    let mut all = BTreeMap::new();
    for (g, group) in p.groups.iter().enumerate() {
        let Some(m) = p.model_of(g as u32) else {
            continue;
        };
        for k in 0..m.ports.len() as u16 {
            let bound = port_bound(p, g as u32, k, delivered);
            let fraction = fraction_for(bound.magnitude()).min(narrow_fraction(p, g as u32, k));
            all.insert((g as u32, k), (fraction, bound));
        }
        let graded = p
            .projections
            .iter()
            .find(|pr| pr.target as usize == g && p.groups[pr.source as usize].graded);
        if let Some(pr) = graded {
            out.push(
                Diagnostic::error(
                    "SYN0430",
                    format!(
                        "`{}` brings fractional values into `{}`, and nothing bounds them",
                        pr.name, group.name
                    ),
                )
                .at(group.name.clone())
                .note("fixed arithmetic chooses its scales before the run")
                .hint("drive the network with plain spikes, or run it with `--arithmetic f32`"),
            );
        }
    }
    all
}

/// Most bits after the point with which the drawn weights that a port is given by rules fit 16 bits.
fn narrow_fraction(p: &Program, group: u32, port: u16) -> i32 {
    let drawn = p.projections.iter().filter_map(|pr| match &pr.layout {
        Layout::Generated(g) if (pr.target, pr.port) == (group, port) => {
            (g.weight_bytes() > 0).then(|| g.weight_bounds())?
        }
        _ => None,
    });
    let reach = drawn.map(|(a, b)| a.abs().max(b.abs()));
    let fits = |most: f64| (i16::MAX as f64 / most).log2().floor() as i32;
    reach
        .filter(|r| *r > 0.0)
        .map(fits)
        .min()
        .unwrap_or(i32::MAX)
}

struct Done {
    model: Model,
    params: Vec<Column>,
    init: Vec<Column>,
    scales: Vec<StateScale>,
    outputs: Vec<(u16, i32)>,
}

fn group(
    p: &Program,
    g: usize,
    m: &Model,
    params: &[Column],
    init: &[Column],
    ports: &[(i32, Interval)],
    analog: bool,
) -> Result<Done, Diagnostics> {
    let name = &p.groups[g].name;
    let ranges = state_ranges(m, params, init, ports).map_err(|what| refuse(name, &what))?;
    if let Some(what) = coarse(m, params, init, &ranges) {
        return Err(refuse(name, &what));
    }
    let mut model = m.clone();
    for port in model.ports.iter_mut() {
        if port.ty == Ty::F32 {
            port.ty = Ty::I32;
        }
    }
    for s in model.states.iter_mut() {
        if s.width == Width::F32 {
            s.width = Width::I32;
        }
    }
    let mut cv = Converter::new(m, params, ports, &ranges);
    model.step = cv
        .block(&m.step, None)
        .map_err(|what| refuse(name, &what))?;
    for (k, h) in m.handlers.iter().enumerate() {
        model.handlers[k].block = cv
            .block(&h.block, Some(h.port))
            .map_err(|what| refuse(name, &what))?;
    }
    let mut outputs = vec![];
    let mut init: Vec<Column> = init
        .iter()
        .enumerate()
        .map(|(k, c)| match m.states[k].width {
            Width::F32 => quantise(c, ranges[k].fraction),
            _ => c.clone(),
        })
        .collect();
    if analog {
        for k in 0..model.outputs.len() {
            let s = model.outputs[k].state as usize;
            if m.states[s].width == Width::F32 {
                let drop = (BITS - OUTPUT_BITS).max(0);
                outputs.push((k as u16, ranges[s].fraction - drop));
                model.outputs[k].state = cv.coarse_output(&mut model, s as u16, drop);
                init.push(Column::Uniform(0));
            }
        }
    }
    let (columns, names) = cv.columns();
    model.params = names;
    let scales = ranges
        .iter()
        .enumerate()
        .filter(|(k, _)| m.states[*k].width == Width::F32)
        .map(|(k, r)| StateScale {
            group: name.clone(),
            state: m.states[k].name.clone(),
            fraction: r.fraction,
            limit: r.limit,
            saturates: r.saturates,
            at: (g as u32, k as u16),
        })
        .collect();
    Ok(Done {
        model,
        params: columns,
        init,
        scales,
        outputs,
    })
}

fn no_scales(projection: &str, what: &str) -> Diagnostic {
    let message = format!("the synapses of `{projection}` have no integer form: {what}");
    Diagnostic::error("SYN0432", message)
        .at(projection)
        .note("fixed arithmetic gives every value a scale before the run, which needs a bound: limits, or a fall between events; functions need arguments within theirs")
        .hint("run it with `--arithmetic f32`, which is deterministic on the CPU engine")
}

fn refuse(group: &str, what: &str) -> Diagnostics {
    Diagnostic::error(
        "SYN0431",
        format!("the dynamics of `{group}` have no integer form: {what}"),
    )
    .at(group)
    .note("fixed arithmetic gives every value a scale before the run, from the largest magnitude that it could take")
    .hint("run it with `--arithmetic f32`, which is deterministic on the CPU engine")
    .into()
}

pub(crate) fn quantise(c: &Column, fraction: i32) -> Column {
    let word = |w: u32| scaled(f32::from_bits(w) as f64, fraction) as u32;
    match c {
        Column::Uniform(w) => Column::Uniform(word(*w)),
        Column::PerUnit(v) => Column::PerUnit(v.iter().map(|&w| word(w)).collect::<Arc<[u32]>>()),
    }
}

pub(crate) fn scaled(x: f64, fraction: i32) -> i32 {
    (x * 2f64.powi(fraction)).round_ties_even() as i32
}

fn scale_weights(pr: &mut Projection, fraction: i32, error: &mut f64) {
    let weights = match &mut pr.layout {
        Layout::Rows(r) => &mut r.weights,
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => weights,
        Layout::Generated(g) => {
            let (a, b) = g.weight_bounds().unwrap_or((0.0, 0.0));
            let top = a.abs().max(b.abs());
            if top > 0.0 {
                *error = error.max(0.5 * 2f64.powi(-fraction) / top);
            }
            Arc::make_mut(g).store = Store::Integer { fraction };
            return;
        }
        _ => return,
    };
    let values: Vec<f32> = match weights {
        Weights::F32(v) => v.to_vec(),
        Weights::Uniform(w) => vec![f32::from_bits(*w)],
        _ => return,
    };
    let top = values.iter().fold(0f32, |a, w| a.max(w.abs())) as f64;
    let words: Vec<i32> = values.iter().map(|&w| scaled(w as f64, fraction)).collect();
    for (w, q) in values.iter().zip(&words) {
        if top > 0.0 {
            *error = error.max((*q as f64 * 2f64.powi(-fraction) - *w as f64).abs() / top);
        }
    }
    *weights = match weights {
        Weights::Uniform(_) => Weights::Uniform(words[0] as u32),
        _ => Weights::from_i32(words),
    };
}
