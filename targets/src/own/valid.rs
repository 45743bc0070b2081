//! Does a description agree with its model, and can it do without code?
//!
//! A checked `chip.toml` and the neuron of its `model.syn` come in; every contradiction goes out as `SYN0604` with its line and column. The table `[roles]` is tried: a neuron with a few thresholds is run beside
//! the integrate-and-fire unit that the table says it is.

use super::is_neuron;
use super::units::Bench;
use crate::schema::{ChipSpec, Delivery, Found, Key, Parameter, ResetRole, Roles, Scope};
use synfire_ir::model::Model;
use synfire_ir::{Diagnostics, SourceMap};

/// Steps of a trial of `[roles]`.
const STEPS: u32 = 48;

/// The registers of a neuron, in the order of the description.
pub fn registers(spec: &ChipSpec) -> impl Iterator<Item = &Parameter> {
    spec.parameters.iter().filter(|p| is_neuron(p.scope))
}

/// What is wrong with a text, with its line and column in place of a span.
pub fn placed(mut found: Diagnostics, place: &str, text: &str) -> Diagnostics {
    let mut map = SourceMap::default();
    map.add(place, text.to_string());
    for d in &mut found.0 {
        let at = d.labels.first().and_then(|l| map.line_col(l.span));
        d.place = Some(match at {
            Some((line, column)) => format!("{place}:{line}:{column}"),
            None => place.into(),
        });
        d.labels.clear();
    }
    found
}

/// Everything in which the two texts contradict each other.
pub fn agree(place: &str, toml: &str, spec: &ChipSpec, model: &Model) -> Diagnostics {
    let mut found = Found::new(place, toml);
    needs_no_code(spec, &mut found);
    let ports = model.ports.len();
    if ports != 1 {
        let text = format!(
            "the neuron `{}` has {ports} inputs; a described chip's has one",
            spec.model.neuron
        );
        found.add(
            &["model".into(), "neuron".into()],
            text,
            "give model.syn one `input`, to which all synapses lead",
        );
    }
    for (i, p) in spec
        .parameters
        .iter()
        .enumerate()
        .filter(|p| is_neuron(p.1.scope))
    {
        if model.param(&p.name).is_none() && model.state(&p.name).is_none() {
            let text = format!(
                "`{}` is no parameter and no state of the neuron `{}`",
                p.name, spec.model.neuron
            );
            found.add(
                &["parameters".into(), i.into(), "name".into()],
                text,
                "give the register the name that model.syn uses",
            );
        }
    }
    for p in &model.params {
        if !registers(spec).any(|r| r.name == p.name) {
            let text = format!(
                "the neuron's parameter `{}` has no [[parameters]] with scope \"neuron\"",
                p.name
            );
            found.add(
                &["model".into(), "neuron".into()],
                text,
                "describe its bits and its range, so that a mapper knows what it holds",
            );
        }
    }
    if let Some(roles) = &spec.roles {
        named(spec, roles, &mut found);
        if found.is_empty() {
            tried(spec, roles, model, &mut found);
        }
    }
    found.done()
}

/// What a described chip cannot have.
fn needs_no_code(spec: &ChipSpec, found: &mut Found) {
    let code = "such a chip needs a module of code; see CONTRIBUTING.md";
    if spec.delivery == Delivery::Serial {
        found.add(
            &["delivery".into()],
            "a described chip has steps: it cannot take one event after another".into(),
            code,
        );
    }
    if spec.delays.scope == Scope::Host {
        found.add(
            &["delays".into(), "scope".into()],
            "a described chip sends its own spikes; no host sends them back".into(),
            "say `scope = \"axon\"`",
        );
    }
    if spec.delays.min.value < 1 {
        found.add(
            &["delays".into(), "min".into()],
            "a delay of 0 steps would act in the step of its own spike".into(),
            "1 is the next step",
        );
    }
    let dialect = spec.dialects.iter().filter_map(|d| d.weights.as_ref());
    if dialect.chain([&spec.weights]).any(|w| w.exponent.is_some()) {
        found.add(
            &["weights".into(), "exponent".into()],
            "weights of a described chip have no exponent".into(),
            code,
        );
    }
    if let Some(d) = spec.delays.max.value.checked_sub(u32::from(u16::MAX) + 1) {
        let text = format!("the longest delay is {} steps above {}", d + 1, u16::MAX);
        found.add(
            &["delays".into(), "max".into()],
            text,
            "steps of a delay are counted in 16 bits",
        );
    }
}

/// Do the roles name registers?
fn named(spec: &ChipSpec, roles: &Roles, found: &mut Found) {
    let reset = match &roles.reset {
        ResetRole::Register(name) => Some(name.clone()),
        _ => None,
    };
    let roles = [
        ("threshold", Some(roles.threshold.clone())),
        ("bias", roles.bias.clone()),
        ("initial", roles.initial.clone()),
        ("reset", reset),
    ];
    for (role, name) in roles {
        let Some(name) = name.filter(|n| !registers(spec).any(|p| p.name == *n)) else {
            continue;
        };
        let path: [Key; 2] = ["roles".into(), role.into()];
        found.add(
            &path,
            format!("the role `{role}` names `{name}`, which is no register of the neuron"),
            "name one of the [[parameters]] with scope \"neuron\"",
        );
    }
}

/// Runs the neuron beside the unit that the roles say it is.
fn tried(spec: &ChipSpec, roles: &Roles, model: &Model, found: &mut Found) {
    // What becomes of a membrane that forgets a part of itself depends on the chip's rounding.
    if roles.keep != 1.0 && roles.keep != 0.0 {
        return;
    }
    let range = |name: &str| {
        registers(spec)
            .find(|p| p.name == name)
            .map(|p| (p.min, p.max))
    };
    let names: Vec<&str> = registers(spec).map(|p| p.name.as_str()).collect();
    let Some((low, high)) = range(&roles.threshold) else {
        return;
    };
    let high = high.min(100);
    for threshold in [low.max(1), (low.max(1) + high) / 2, high] {
        let values: Vec<i64> = registers(spec)
            .map(|p| {
                if p.name == roles.threshold {
                    threshold
                } else {
                    p.default
                }
            })
            .collect();
        let mut neuron = Bench::new(model, &names, &values);
        let back = match &roles.reset {
            ResetRole::Register(name) => registers(spec)
                .find(|p| p.name == *name)
                .map_or(0, |p| p.default),
            _ => 0,
        };
        let bias = roles
            .bias
            .as_ref()
            .and_then(|b| registers(spec).find(|p| p.name == *b))
            .map_or(0, |p| p.default);
        let initial = roles
            .initial
            .as_ref()
            .and_then(|b| registers(spec).find(|p| p.name == *b))
            .map_or(0, |p| p.default);
        let mut v = initial;
        for step in 0..STEPS {
            // Small sums of both signs, more of them positive, and the same in every run.
            let arrives = i64::from((step * 7 + 3) % 11) - 4;
            v = (if roles.keep == 1.0 { v } else { 0 }) + arrives + bias;
            let spikes = v >= threshold;
            if spikes {
                v = match roles.reset {
                    ResetRole::Subtract => v - threshold,
                    _ => back,
                };
            }
            if neuron.step(arrives) != spikes {
                let said = if spikes { "spikes" } else { "rests" };
                let does = if spikes { "rests" } else { "spikes" };
                let text = format!(
                    "with {} = {threshold} the neuron of model.syn {does} in step {step} of a trial, the unit that [roles] describes {said}",
                    roles.threshold
                );
                found.add(&["roles".into()], text, "correct the roles, or take the table away: networks then use the chip's own neuron");
                return;
            }
        }
    }
}
