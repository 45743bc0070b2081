//! Do the rules, weights and delays of a projection fit its populations?

use super::{about_projection, array_len, inside};
use crate::diag::Diagnostics;
use crate::network::connector::Connector;
use crate::network::expand::widths;
use crate::network::{Array, Init, Network, PopId, Projection, Stage};
use crate::program::{Carry, MAX_DELAY};

pub(super) fn projection(
    net: &Network,
    a: PopId,
    b: PopId,
    pr: &Projection,
    out: &mut Diagnostics,
) {
    let (src, dst) = (&net.graph[a], &net.graph[b]);
    let mut bad = |code: &str, what: String, hint: &str| {
        out.push(about_projection(net, (a, b), pr, code, what).hint(hint));
    };
    if !inside(pr.source_range, src) || !inside(pr.target_range, dst) {
        return bad(
            "SYN0302",
            format!("`{}` reaches beyond its populations", pr.name),
            "slices end at the population's size",
        );
    }
    let Some(m) = net.model_of(b) else {
        return bad(
            "SYN0409",
            format!(
                "`{}` is driven from outside and cannot be a target",
                dst.name
            ),
            "connect to a population of neurons",
        );
    };
    if pr.port as usize >= m.model.ports.len() {
        return bad(
            "SYN0410",
            format!("`{}` has no such input", dst.name),
            "name one of its inputs, e.g. `exc.i`",
        );
    }
    match (pr.carry, net.model_of(a)) {
        (Carry::Events, Some(sm)) if !sm.spikes => {
            return bad(
                "SYN0411",
                format!("`{}` emits no spikes", src.name),
                "connect one of its outputs, e.g. `a.r -> b.i`",
            );
        }
        (Carry::Output(o), sm) if sm.is_none_or(|sm| o as usize >= sm.model.outputs.len()) => {
            return bad(
                "SYN0412",
                format!("`{}` has no such output", src.name),
                "declare it with `output`",
            );
        }
        _ => {}
    }
    if pr.stages.is_empty() {
        return bad(
            "SYN0413",
            format!("`{}` has no rule", pr.name),
            "write `: all_to_all`, `: dense`, ...",
        );
    }
    let w = widths(pr);
    let targets = pr.target_range.len;
    let mut synapses = None;
    for (i, s) in pr.stages.iter().enumerate() {
        let chained = pr.stages.len() > 1;
        if chained
            && (s.connector.random()
                || matches!(s.weight, Init::Draw(_))
                || matches!(s.connector, Connector::List { .. }))
        {
            return bad(
                "SYN0414",
                format!("rule {} of `{}` cannot stand in a chain", i + 1, pr.name),
                "only conv, pool, flatten, scale, dense, one_to_one and all_to_all with given weights chain",
            );
        }
        if let Connector::FixedProbability { p, .. } = &s.connector
            && !(0.0..=1.0).contains(p)
        {
            return bad(
                "SYN0303",
                format!("rule {} of `{}`: a probability of {p}", i + 1, pr.name),
                "probabilities lie between 0 and 1",
            );
        }
        match stage(net, s, w[i], w[i + 1]) {
            Ok(n) => synapses = n.filter(|_| !chained),
            Err(what) => {
                return bad(
                    "SYN0303",
                    format!("rule {} of `{}`: {what}", i + 1, pr.name),
                    "make the shapes of source, weights and target agree",
                );
            }
        }
    }
    if let Some(n) = array_len(net, &pr.delay)
        && n != 1
        && synapses != Some(n as u64)
    {
        let want = match synapses {
            Some(w) => format!("1 or {w} are needed"),
            None => "its synapses are drawn or chained and take one delay".into(),
        };
        return bad(
            "SYN0306",
            format!("`{}` has {n} delays where {want}", pr.name),
            "give one delay, or one for each weight",
        );
    }
    if let Some(n) = pr.bias.as_ref().and_then(|b| array_len(net, b))
        && n != 1
        && n != targets as usize
    {
        bad(
            "SYN0304",
            format!("`{}` has {n} biases for {targets} targets", pr.name),
            "give one bias, or one for each target",
        );
    }
    let most = match &pr.delay {
        Init::Const(c) => *c,
        Init::Array(k) => net.arrays.get(*k as usize).map_or(0.0, |a| {
            (0..a.count()).map(|i| a.get(i)).fold(0.0, f64::max)
        }),
        Init::Draw(d) => d.mean(),
    };
    if !(0.0..=MAX_DELAY as f64).contains(&most)
        || least_delay(net, pr).is_nan()
        || least_delay(net, pr) < 0.0
    {
        bad(
            "SYN0415",
            format!("`{}` has a delay outside 0 to {MAX_DELAY} steps", pr.name),
            "delays are times of at least 0; a longer step makes them fewer steps",
        );
    }
}

/// How many weights an array for this rule holds; `None` when its synapses are drawn.
fn stage(net: &Network, s: &Stage, sources: u32, targets: u32) -> Result<Option<u64>, String> {
    let product = |d: &[u32]| d.iter().map(|&x| x as u64).fold(1, u64::saturating_mul);
    let size = |d: [u32; 3]| product(&d);
    let weights = array_len(net, &s.weight)
        .filter(|&n| n != 1)
        .map(|n| n as u64);
    let want = match &s.connector {
        Connector::AllToAll { .. } | Connector::Dense | Connector::FixedProbability { .. } => {
            Some(sources as u64 * targets as u64)
        }
        Connector::OneToOne | Connector::Scale => {
            if sources != targets {
                return Err(format!("one to one between {sources} and {targets} units"));
            }
            Some(targets as u64)
        }
        Connector::List { pre, post } => {
            let (Some(a), Some(b)) = (
                net.arrays.get(*pre as usize),
                net.arrays.get(*post as usize),
            ) else {
                return Err("its lists of indices are not there".into());
            };
            if a.count() != b.count() {
                return Err(format!(
                    "{} sources listed against {} targets",
                    a.count(),
                    b.count()
                ));
            }
            let outside = |a: &Array, n: u32| {
                (0..a.count()).any(|i| !(a.get(i) >= 0.0 && a.get(i) < n as f64))
            };
            if outside(a, sources) || outside(b, targets) {
                return Err(format!(
                    "an index leaves its {sources} sources or {targets} targets"
                ));
            }
            Some(a.count() as u64)
        }
        Connector::Conv2d(c) => {
            if c.groups == 0
                || c.input[0] % c.groups != 0
                || c.channels % c.groups != 0
                || c.kernel.contains(&0)
                || c.stride.contains(&0)
                || c.dilation.contains(&0)
            {
                return Err("groups, kernel, stride and dilation must be positive, and groups divide the channels".into());
            }
            if size(c.input) != sources as u64 || size(c.output()) != targets as u64 {
                return Err(format!(
                    "a convolution from {:?} to {:?} between {sources} and {targets} units",
                    c.input,
                    c.output()
                ));
            }
            Some(product(&c.weight_shape()))
        }
        Connector::Pool2d(c) => {
            if c.kernel.contains(&0) || c.stride.contains(&0) {
                return Err("kernel and stride must be positive".into());
            }
            if size(c.input) != sources as u64 || size(c.output()) != targets as u64 {
                return Err(format!(
                    "pooling from {:?} to {:?} between {sources} and {targets} units",
                    c.input,
                    c.output()
                ));
            }
            Some(1)
        }
        Connector::FixedIndegree { .. }
        | Connector::FixedOutdegree { .. }
        | Connector::FixedTotal { .. } => None,
    };
    match (weights, want) {
        (Some(n), Some(w)) if n != w => Err(format!(
            "{n} weights where {w} are needed ({sources} sources, {targets} targets)"
        )),
        (Some(n), None) => Err(format!(
            "an array of {n} weights for connections that are drawn"
        )),
        _ => Ok(want),
    }
}

/// Smallest delay in steps that a projection can have.
pub(super) fn least_delay(net: &Network, pr: &Projection) -> f64 {
    match &pr.delay {
        Init::Const(c) => c.round_ties_even(),
        Init::Array(k) => net.arrays.get(*k as usize).map_or(0.0, |a| {
            (0..a.count())
                .map(|i| a.get(i))
                .fold(f64::INFINITY, f64::min)
                .round_ties_even()
        }),
        Init::Draw(_) => 1.0,
    }
}
