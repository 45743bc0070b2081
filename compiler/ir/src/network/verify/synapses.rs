//! Do plastic projections fit their synapse model and their ends?

use super::projection::least_delay;
use super::{about_projection, inside};
use crate::diag::{Diagnostic, Diagnostics, nearest};
use crate::network::{Modulation, Network, Plasticity, PopId, Probe, Projection, SynapseModel};
use crate::program::{Carry, MAX_DELAY};
use crate::synapse::{Seen, View};

pub(super) fn plasticity(
    net: &Network,
    (a, b): (PopId, PopId),
    pr: &Projection,
    x: &Plasticity,
    out: &mut Diagnostics,
) {
    let mut bad = |code: &str, what: String, hint: String| {
        out.push(about_projection(net, (a, b), pr, code, what).hint(hint));
    };
    let Some(m) = net.synapses.get(x.model as usize).filter(|m| whole(m)) else {
        let what = format!(
            "the synapse model of `{}` is incomplete or not there",
            pr.name
        );
        return bad("SYN0427", what, "please report this defect".into());
    };
    let name = &m.synapse.name;
    if pr.carry != Carry::Events {
        let what = format!(
            "`{}` carries an analog output, and `{name}` learns from events",
            pr.name
        );
        bad("SYN0427", what, "connect a population that spikes".into());
    }
    if pr.stages.len() > 1 {
        let what = format!("`{}` learns and has a chain of rules", pr.name);
        bad(
            "SYN0427",
            what,
            "give it one rule: the weights of a chain are products, which `synapse` cannot change"
                .into(),
        );
    }
    for (field, _) in &x.values {
        if m.fields.iter().all(|f| &f.name != field) {
            let known = m.fields.iter().map(|f| f.name.as_str());
            let hint = match nearest(field, known.clone()) {
                Some(n) => format!("did you mean `{n}`?"),
                None => format!("it has: {}", known.collect::<Vec<_>>().join(", ")),
            };
            bad(
                "SYN0407",
                format!("`{name}` has no parameter `{field}`"),
                hint,
            );
        }
    }
    for f in m.fields.iter().filter(|f| f.default.is_none()) {
        if x.values.iter().all(|v| v.0 != f.name) {
            let what = format!(
                "the synapses of `{}` need a value for `{}`",
                pr.name, f.name
            );
            let short = name.rsplit('.').next().unwrap_or(name);
            bad(
                "SYN0408",
                what,
                format!("write `synapse = {short}({} = ...)`", f.name),
            );
        }
    }
    let seen = |pop: PopId, s: u16| {
        let states = net.model_of(pop).map_or(0, |m| m.model.states.len());
        (s as usize) < states
    };
    let there = m.synapse.views.iter().all(|v| match v.seen {
        Seen::Source(s) => seen(a, s),
        Seen::Target(s) => seen(b, s),
        Seen::Total(_) => true,
    });
    if !there {
        let what = format!(
            "`{name}` reads states that the ends of `{}` do not have",
            pr.name
        );
        bad("SYN0427", what, "please report this defect".into());
    }
    if let Some((what, hint)) = dendritic(net, pr, x, m) {
        bad("SYN0433", what, hint.into());
    }
    for y in &x.modulators {
        if let Some(what) = modulation(net, y, m, pr) {
            bad(
                "SYN0428",
                what,
                "a modulator takes one value for all synapses, or one for each target neuron"
                    .into(),
            );
        }
    }
}

/// What is wrong with the part of the delay that lies after the synapse, and how to mend it.
fn dendritic(
    net: &Network,
    pr: &Projection,
    x: &Plasticity,
    m: &SynapseModel,
) -> Option<(String, &'static str)> {
    let d = x.dendritic;
    let (name, rule) = (&pr.name, &m.synapse.name);
    let least = least_delay(net, pr);
    if f64::from(d) > least {
        let what = format!(
            "{d} steps of the delay of `{name}` lie after the synapse, and its shortest delay is {least} steps"
        );
        return Some((
            what,
            "`dendritic` is a part of `delay`: give at most the shortest delay",
        ));
    }
    if d > MAX_DELAY / 2 {
        let what = format!("{d} steps of the delay of `{name}` lie after the synapse");
        return Some((what, "at most 32767 steps can"));
    }
    let unit = |v: &View| matches!(v.seen, Seen::Source(_) | Seen::Target(_));
    let view = m.synapse.views.iter().find(|v| d > 0 && unit(v))?;
    let what = format!(
        "`{rule}` reads `{}` of a neuron, which a synapse behind the dendritic delay of `{name}` would see late",
        view.name
    );
    Some((
        what,
        "leave out `dendritic`, or keep a trace in the synapse instead",
    ))
}

/// Are all its lists as long as the code says?
fn whole(m: &SynapseModel) -> bool {
    let s = &m.synapse;
    let decaying = s.states.iter().filter(|s| s.decay.is_some()).count();
    m.columns.len() == s.params.len()
        && m.init.len() == s.states.len()
        && m.decays.len() == decaying
        && m.periods.len() == s.every.len()
}

/// What is wrong with a source of a modulator.
fn modulation(net: &Network, y: &Modulation, m: &SynapseModel, pr: &Projection) -> Option<String> {
    let (Some(pop), Some(port)) = (
        net.graph.node_weight(y.pop),
        m.synapse.modulators.get(y.port as usize),
    ) else {
        return Some(format!("a modulator of `{}` is not there", pr.name));
    };
    let what = format!("`{}` for `{}` of `{}`", pop.name, port.name, pr.name);
    if !inside(y.range, pop) {
        return Some(format!("{what} reaches beyond its units"));
    }
    if y.each && y.range.len != pr.target_range.len {
        let (n, t) = (y.range.len, pr.target_range.len);
        return Some(format!("{what}: {n} values for {t} target neurons"));
    }
    match (y.carry, net.model_of(y.pop)) {
        (Carry::Events, Some(sm)) if !sm.spikes => Some(format!("{what}: it emits no spikes")),
        (Carry::Output(o), sm) if sm.is_none_or(|sm| o as usize >= sm.model.outputs.len()) => {
            Some(format!("{what}: it has no such output"))
        }
        _ => None,
    }
}

/// A probe of a plastic projection.
pub(super) fn probe(
    net: &Network,
    pb: &Probe,
    projection: &str,
    state: &str,
    out: &mut Diagnostics,
) {
    let found = (net.projections()).find(|x| x.3.name == projection && x.2 == pb.pop);
    let plastic = found.and_then(|x| x.3.plasticity.as_ref());
    let model = plastic.and_then(|x| net.synapses.get(x.model as usize));
    if model.is_none_or(|m| m.synapse.state(state).is_none()) || pb.every == 0 {
        let what = format!("`{projection}` has no synapses with a state `{state}` to record");
        out.push(
            Diagnostic::error("SYN0404", what)
                .at(projection)
                .hint("record a state of a projection that has a `synapse`"),
        );
    }
}
