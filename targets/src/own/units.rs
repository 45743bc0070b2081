//! What a unit does, as registers of a described neuron.
//!
//! A unit of the chip's own model gives its registers by name. An integrate-and-fire unit is written by the table `[roles]`, which says which register is the threshold, the bias and the first membrane, and how the
//! neuron resets; what the table cannot say is refused with the role that is missing. The steps in which a unit waits are run, so that one that moves by itself is found.

use super::valid::registers as known;
use crate::backend::{Refusal, Reset, UnitDynamics};
use crate::schema::{ChipSpec, ResetRole, Roles};
use synfire_ir::eval::{Reads, run_block};
use synfire_ir::model::Model;

/// Steps without input that are tried, at most.
const TRIED: u32 = 4096;

/// Register values of a unit in the order of the description, or why there are none.
pub fn registers(
    spec: &ChipSpec,
    model: &Model,
    dialect: &str,
    unit: &UnitDynamics,
    shift: u32,
) -> Result<Vec<i64>, Refusal> {
    let wanted = match unit {
        UnitDynamics::Own { fields, states, .. } => own(spec, fields, states)?,
        UnitDynamics::Current { .. } => return Err(Refusal::no_current()),
        UnitDynamics::Integrate { .. } => written(spec, unit)?,
    };
    let mut out = vec![];
    for p in known(spec) {
        let value = wanted
            .iter()
            .find(|w| w.0 == p.name)
            .map_or(p.default, |w| w.1);
        let holds = p.dialects.is_empty() || p.dialects.iter().any(|d| d == dialect);
        if holds && !(p.min..=p.max).contains(&value) {
            let range = format!("{} to {}", p.min, p.max);
            let hint = "scale weights, thresholds and biases together until they fit";
            return Err(Refusal::new(&p.name, value.to_string(), &range, hint));
        }
        out.push(value);
    }
    let names: Vec<&str> = known(spec).map(|p| p.name.as_str()).collect();
    stays(model, &names, &out, shift)?;
    Ok(out)
}

/// The values of a unit of the chip's own model, by their names.
fn own(
    spec: &ChipSpec,
    fields: &[(String, f64)],
    states: &[(String, i64)],
) -> Result<Vec<(String, i64)>, Refusal> {
    let mut out = vec![];
    for (name, value) in fields {
        if value.fract() != 0.0 || value.abs() > 2f64.powi(53) {
            return Err(Refusal::new(
                name,
                value.to_string(),
                "whole numbers",
                "give a whole number",
            ));
        }
        out.push((name.clone(), *value as i64));
    }
    for (name, value) in states {
        if *value != 0 && !known(spec).any(|p| p.name == *name) {
            let hint =
                "leave the initial value at 0, or describe a register of that name in chip.toml";
            return Err(Refusal::new(
                name,
                value.to_string(),
                "a state that starts at 0",
                hint,
            ));
        }
        out.push((name.clone(), *value));
    }
    Ok(out)
}

/// An integrate-and-fire unit in the registers that `[roles]` names.
fn written(spec: &ChipSpec, unit: &UnitDynamics) -> Result<Vec<(String, i64)>, Refusal> {
    let UnitDynamics::Integrate {
        decay,
        bias,
        threshold,
        reset,
        initial,
        refractory,
    } = unit
    else {
        return Err(Refusal::no_current());
    };
    let own = format!(
        "use the chip's own `targets.{}.{}`",
        spec.name.replace('-', "_"),
        spec.model.neuron
    );
    let refuse =
        |limit: &str, needed: String, available: &str| Refusal::new(limit, needed, available, &own);
    let Some(roles) = &spec.roles else {
        return Err(refuse(
            "roles",
            "an integrate-and-fire neuron".into(),
            "no table [roles] in its chip.toml",
        ));
    };
    if (decay - roles.keep).abs() > 1e-9 {
        let has = format!("a membrane that keeps {} of itself", roles.keep);
        return Err(refuse(
            "keep",
            format!("a membrane that keeps {decay} of itself each step"),
            &has,
        ));
    }
    if *refractory > 0 {
        return Err(refuse(
            "refractory",
            format!("{refractory} steps of silence after a spike"),
            "none",
        ));
    }
    let mut out = vec![(roles.threshold.clone(), *threshold)];
    let mut put = |role: &Option<String>, what: &str, value: i64| match role {
        Some(name) => {
            out.push((name.clone(), value));
            Ok(())
        }
        None if value == 0 => Ok(()),
        None => Err(refuse(
            what,
            value.to_string(),
            "no register with this role",
        )),
    };
    put(&roles.bias, "bias", *bias)?;
    put(&roles.initial, "initial", *initial)?;
    reset_of(roles, *reset, *threshold, &mut out)
        .map_err(|(needed, has)| refuse("reset", needed, &has))?;
    Ok(out)
}

/// The reset that a unit needs, where the neuron has it.
fn reset_of(
    roles: &Roles,
    reset: Reset,
    threshold: i64,
    out: &mut Vec<(String, i64)>,
) -> Result<(), (String, String)> {
    match (reset, &roles.reset) {
        (Reset::To(0), ResetRole::Zero) | (Reset::Subtract, ResetRole::Subtract) => Ok(()),
        (Reset::To(v), ResetRole::Register(name)) => {
            out.push((name.clone(), v));
            Ok(())
        }
        (Reset::To(v), ResetRole::Zero) => Err((format!("a reset to {v}"), "a reset to 0".into())),
        (Reset::To(v), ResetRole::Subtract) => Err((
            format!("a reset to {v}"),
            format!("a reset that takes the threshold of {threshold} away"),
        )),
        (Reset::Subtract, _) => Err((
            "a reset that takes the threshold away".into(),
            "a reset to a value".into(),
        )),
    }
}

/// Registers and states of one neuron, with nothing arriving.
struct Alone<'a> {
    params: &'a [u32],
    states: &'a [u32],
    arrives: u32,
    step: u32,
}

impl Reads for Alone<'_> {
    fn param(&self, i: u16) -> u32 {
        self.params.get(usize::from(i)).copied().unwrap_or(0)
    }
    fn state(&self, i: u16) -> u32 {
        self.states.get(usize::from(i)).copied().unwrap_or(0)
    }
    fn port(&self, _: u16) -> u32 {
        self.arrives
    }
    fn arg(&self) -> u32 {
        self.arrives
    }
    fn step(&self) -> u32 {
        self.step
    }
    fn index(&self) -> u32 {
        0
    }
    fn rand(&self, _: u16) -> u32 {
        0
    }
}

/// One neuron that is run by hand.
pub struct Bench<'a> {
    model: &'a Model,
    params: Vec<u32>,
    /// Its states.
    pub states: Vec<u32>,
    step: u32,
    values: Vec<u32>,
}

impl<'a> Bench<'a> {
    /// A neuron with these registers, by their names.
    pub fn new(model: &'a Model, names: &[&str], values: &[i64]) -> Bench<'a> {
        let value = |name: &str| {
            let at = names.iter().position(|n| *n == name);
            at.and_then(|i| values.get(i)).map_or(0, |v| *v as u32)
        };
        Bench {
            params: model.params.iter().map(|p| value(&p.name)).collect(),
            states: model.states.iter().map(|s| value(&s.name)).collect(),
            model,
            step: 0,
            values: vec![],
        }
    }

    /// A step in which the sum `arrives` comes; does it spike?
    pub fn step(&mut self, arrives: i64) -> bool {
        let mut spikes = false;
        let handlers = self.model.handlers.iter().map(|h| &h.block);
        let handlers = handlers.filter(|_| arrives != 0);
        for block in handlers.chain([&self.model.step]) {
            let reads = Alone {
                params: &self.params,
                states: &self.states,
                arrives: arrives as u32,
                step: self.step,
            };
            run_block(block, &reads, &mut self.values);
            let value = |v: u32| self.values.get(v as usize).copied().unwrap_or(0);
            spikes |= block.emit.is_some_and(|v| value(v) != 0);
            let stores: Vec<(u16, u32)> = block.stores.iter().map(|s| (s.0, value(s.1))).collect();
            for (state, word) in stores {
                if let Some(s) = self.states.get_mut(usize::from(state)) {
                    *s = word;
                }
            }
        }
        self.step += 1;
        spikes
    }
}

/// A unit that runs late must rest until its first step.
fn stays(model: &Model, names: &[&str], values: &[i64], shift: u32) -> Result<(), Refusal> {
    let mut neuron = Bench::new(model, names, values);
    let first = neuron.states.clone();
    for step in 0..shift.min(TRIED) {
        if neuron.step(0) || neuron.states != first {
            return Err(Refusal::new(
                "rest",
                format!("a unit that rests for {shift} steps"),
                &format!("a neuron that moves by itself in step {step}"),
                "leave its bias and initial state at rest, or balance the paths of the network so that this unit runs no steps late",
            ));
        }
    }
    Ok(())
}
