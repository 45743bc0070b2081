//! What a population computes, found from its step code: the chips' common ground.
//!
//! A model's step block is evaluated once a unit over *affine forms* `sum of a * state + sum of gains * ports + c` of its carried states: a membrane, and at most
//! one synaptic current that feeds it. States that provably keep their initial value (a refractory counter that is never set) are constants. What comes out is a
//! threshold unit with decay, gains, bias and reset; any other code is refused with the place where it left that form.

mod forms;

use crate::ideal::{Values, evaluate_fields};
use forms::{Affine, Form, binary, choose, close, unary};
use synfire_ir::model::{Block, Op, Ty};
use synfire_ir::network::{Network, NeuronModel, PopId, PopKind};
use synfire_ir::rng::{self, Draws, name_key};

/// Once a step `v := decay * v + x + bias` with `x = sum(gain[port] * arrivals[port])`; a spike when `v > threshold` (or `>=`). With a current, `i := current * i + x` comes
/// first, and v takes i in place of x.
#[derive(Clone, Debug, PartialEq)]
pub struct Dynamics {
    /// Multiplier of v.
    pub decay: f64,
    /// What is left of the synaptic current after a step, where there is one.
    pub current: Option<f64>,
    /// Multiplier of each port's arrivals.
    pub gain: Vec<f64>,
    /// Constant.
    pub bias: f64,
    /// Threshold.
    pub threshold: f64,
    /// `>` rather than `>=`?
    pub strict: bool,
    /// Reset value, or `None` when the threshold is subtracted.
    pub reset: Option<f64>,
    /// Before step 0.
    pub initial: f64,
}

/// Per-unit values of a population: columns of its model and initial states, in f64.
pub struct Evaluated {
    params: Vec<Values>,
    init: Vec<Values>,
    /// Fields in the model's order.
    pub(crate) fields: Vec<Values>,
}

/// Evaluates a population's fields, columns and initial states.
pub fn evaluate(net: &Network, id: PopId, m: &NeuronModel, seed: u64) -> Evaluated {
    let PopKind::Neurons { values, .. } = &net.graph[id].kind else {
        return Evaluated {
            params: vec![],
            init: vec![],
            fields: vec![],
        };
    };
    let size = net.graph[id].size() as u32;
    let dt = net.dt.unwrap_or(1.0);
    let fields = evaluate_fields(net, id, m, values, size, seed);
    let n = if fields.iter().all(|f| f.0.len() == 1) {
        1
    } else {
        size as usize
    };
    let per_unit = |e: &synfire_ir::network::HostExpr| {
        Values(
            (0..n)
                .map(|u| e.eval(&|k| fields[k as usize].at(u), dt))
                .collect(),
        )
    };
    let params = m.columns.iter().map(per_unit).collect();
    let init = m
        .init
        .iter()
        .zip(&m.model.states)
        .map(|(e, s)| match values.iter().find(|v| v.0 == s.name) {
            Some((_, v)) => {
                let key = name_key(&format!("{}.{}", net.graph[id].name, s.name));
                Values(
                    (0..size)
                        .map(|u| {
                            net.element(v, u as usize, &mut Draws::new(seed, rng::INITIAL, key, u))
                        })
                        .collect(),
                )
            }
            None => per_unit(e),
        })
        .collect();
    Evaluated {
        params,
        init,
        fields,
    }
}

impl Evaluated {
    /// Initial value of a state.
    pub fn initial(&self, state: usize, unit: usize) -> f64 {
        self.init[state].at(unit)
    }

    /// Do all units share their values?
    pub fn uniform(&self) -> bool {
        self.params.iter().chain(&self.init).all(|v| v.0.len() == 1)
    }
}

/// Reads the dynamics of unit `unit` out of a model; the error says what left the form.
pub fn characterise(m: &NeuronModel, values: &Evaluated, unit: usize) -> Result<Dynamics, String> {
    if !m.model.handlers.is_empty() {
        return Err("it handles arriving events one by one".into());
    }
    if m.model
        .ports
        .iter()
        .any(|p| p.combine != synfire_ir::model::Combine::Sum)
    {
        return Err("its inputs do not simply add up".into());
    }
    let block = &m.model.step;
    let mut carried: Vec<usize> = vec![];
    // A state is carried when it does not keep its initial value; a membrane and a current may be.
    for _ in 0..=m.model.states.len() {
        let forms = evaluate_block(m, block, values, unit, &carried)?;
        let mut grown = false;
        for &(s, v) in &block.stores {
            let kept = forms[v as usize] == Form::Const(values.initial(s as usize, unit));
            if !kept && !carried.contains(&(s as usize)) {
                carried.push(s as usize);
                grown = true;
            }
        }
        if carried.len() > 2 {
            let names: Vec<&str> = carried
                .iter()
                .map(|&s| m.model.states[s].name.as_str())
                .collect();
            return Err(format!("it carries several states ({})", names.join(", ")));
        }
        if !grown {
            return read(m, block, &forms, &carried, values, unit);
        }
    }
    Err("its states depend on one another".into())
}

fn read(
    m: &NeuronModel,
    block: &Block,
    forms: &[Form],
    carried: &[usize],
    values: &Evaluated,
    unit: usize,
) -> Result<Dynamics, String> {
    let emit = block.emit.ok_or("it emits no spikes")?;
    let Form::Choice { test, yes, no } = &forms[emit as usize] else {
        return Err("its spikes do not follow from one threshold".into());
    };
    let Form::Test { difference, strict } = &**test else {
        return Err("its spikes do not follow from one threshold".into());
    };
    if **yes != Form::Const(1.0) || **no != Form::Const(0.0) {
        return Err("it emits something other than single spikes".into());
    }
    let zero = Affine {
        v: vec![0.0; m.model.states.len()],
        ports: vec![0.0; m.model.ports.len()],
        c: 0.0,
    };
    if carried.is_empty() {
        // No memory: the difference itself is the membrane, and the threshold is 0 on it.
        return Ok(Dynamics {
            decay: 0.0,
            current: None,
            gain: difference.ports.clone(),
            bias: 0.0,
            threshold: -difference.c,
            strict: *strict,
            reset: Some(0.0),
            initial: 0.0,
        });
    }
    let stored = |s: usize| {
        let found = block.stores.iter().find(|x| x.0 as usize == s);
        found.map(|x| &forms[x.1 as usize])
    };
    // The membrane is the state that the test resets; the other one is the current.
    let resets = |s: &usize| matches!(stored(*s), Some(Form::Choice { test: t, .. }) if t == test);
    let s = *carried
        .iter()
        .find(|s| resets(s))
        .ok_or("its reset does not follow its threshold")?;
    let Some(Form::Choice {
        yes: after,
        no: keep,
        ..
    }) = stored(s)
    else {
        return Err("its reset does not follow its threshold".into());
    };
    let keep = match &**keep {
        Form::Affine(a) => a.clone(),
        Form::Const(c) => Affine {
            c: *c,
            ..zero.clone()
        },
        _ => {
            return Err(format!(
                "`{}` does not change linearly",
                m.model.states[s].name
            ));
        }
    };
    // The tested value must be the membrane up to a constant.
    if difference.v != keep.v || difference.ports != keep.ports {
        return Err("it compares something other than its membrane with the threshold".into());
    }
    let threshold = keep.c - difference.c;
    let reset = match &**after {
        Form::Const(c) => Some(*c),
        Form::Affine(a)
            if a.v == keep.v && a.ports == keep.ports && close(keep.c - a.c, threshold) =>
        {
            None
        }
        Form::Affine(a) if a.v == zero.v && a.ports == zero.ports => Some(a.c),
        _ => return Err("its reset is neither a value nor the threshold's subtraction".into()),
    };
    let (current, gain) = match carried.iter().find(|c| **c != s) {
        None => (None, keep.ports.clone()),
        Some(&i) => {
            let (left, gain) =
                through_current(m, stored(i), &keep, (s, i), values.initial(i, unit))?;
            (Some(left), gain)
        }
    };
    Ok(Dynamics {
        decay: keep.v[s],
        current,
        gain,
        bias: keep.c,
        threshold,
        strict: *strict,
        reset,
        initial: values.initial(s, unit),
    })
}

/// What is left of the current `i` after a step, and the gain of each port through it onto the membrane `v`.
fn through_current(
    m: &NeuronModel,
    stored: Option<&Form>,
    membrane: &Affine,
    (v, i): (usize, usize),
    initial: f64,
) -> Result<(f64, Vec<f64>), String> {
    let name = &m.model.states[i].name;
    let Some(Form::Affine(a)) = stored else {
        return Err(format!("`{name}` does not change linearly"));
    };
    if a.v[v] != 0.0 || a.c != 0.0 || initial != 0.0 {
        return Err(format!(
            "`{name}` is more than a sum of arrivals that decays"
        ));
    }
    let (left, onto) = (a.v[i], membrane.v[i]);
    if left == 0.0 || onto == 0.0 {
        return Err(format!(
            "its membrane does not take `{name}` as it stands after the arrivals"
        ));
    }
    // The membrane takes factor * (new current).
    let factor = onto / left;
    let gain: Vec<f64> = a.ports.iter().map(|g| g * factor).collect();
    if membrane
        .ports
        .iter()
        .zip(&gain)
        .any(|(p, g)| !close(*p, *g))
    {
        return Err(format!("its membrane takes `{name}` of the step before"));
    }
    Ok((left, gain))
}

fn evaluate_block(
    m: &NeuronModel,
    b: &Block,
    values: &Evaluated,
    unit: usize,
    carried: &[usize],
) -> Result<Vec<Form>, String> {
    let (states, ports) = (m.model.states.len(), m.model.ports.len());
    let mut out: Vec<Form> = Vec::with_capacity(b.insts.len());
    for inst in &b.insts {
        let at = |v: u32| &out[v as usize];
        let form = match inst.op {
            Op::Const(c) => Form::Const(match inst.ty {
                Ty::F32 => f32::from_bits(c) as f64,
                Ty::I32 => c as i32 as f64,
                _ => c as f64,
            }),
            Op::Param(k) => Form::Const(values.params[k as usize].at(unit)),
            Op::State(k) if carried.contains(&(k as usize)) => {
                let mut v = vec![0.0; states];
                v[k as usize] = 1.0;
                Form::Affine(Affine {
                    v,
                    ports: vec![0.0; ports],
                    c: 0.0,
                })
            }
            Op::State(k) => Form::Const(values.initial(k as usize, unit)),
            Op::Port(k) => {
                let mut g = vec![0.0; ports];
                g[k as usize] = 1.0;
                Form::Affine(Affine {
                    v: vec![0.0; states],
                    ports: g,
                    c: 0.0,
                })
            }
            Op::Select(c, a, e) => choose(at(c), at(a), at(e)),
            Op::Un(o, a) => unary(o, at(a))?,
            Op::Bin(o, a, c) => binary(o, at(a), at(c))?,
            Op::Wrap { a, bits: 32, .. } | Op::Sat { a, bits: 32 } => at(a).clone(),
            Op::MulShift { .. } | Op::Sat { .. } | Op::Wrap { .. } => {
                return Err("it computes in fixed-width integers of its own".into());
            }
            Op::Rand { .. } => return Err("it draws random numbers".into()),
            Op::Step | Op::Index | Op::Arg => {
                return Err("it depends on the number of the step or of the unit".into());
            }
        };
        out.push(form);
    }
    Ok(out)
}
