//! The layers of a network: each population with the kernel, the pooling and the neurons that make it one, or why it is none.
//!
//! In: a verified network. Out: [`Layers`] in real numbers, every layer behind the one that drives it, with the populations they stand for. Every population that is no layer is reported in one run. Deliberately absent: what a core holds.

use crate::dynamics::{characterise, evaluate};
use std::collections::BTreeMap;
use synfire_ir::network::{
    Connector, Network, PopId, PopKind, Population, Projection, Quantity, Stage, Verified,
};
use synfire_ir::program::Carry;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::Target;
use synfire_targets::layers::{Layer, Layers};

/// Most weights of a layer that are looked at one by one: far beyond what a core holds.
const MOST_WEIGHTS: u64 = 1 << 26;

/// A network's layers, its input, and the population of each layer.
type Found = (Layers, PopId, Vec<PopId>);

fn refuse(p: &Population, target: &Target, why: &str, hint: &str) -> Diagnostic {
    let text = format!(
        "`{}` is no layer that {} can hold: {why}",
        p.name,
        target.name()
    );
    let d = Diagnostic::error("SYN0670", text)
        .class(Class::Fit)
        .note("its cores hold layers: conv2d, pooling before it, or dense, and integrate-and-fire neurons behind")
        .hint(hint)
        .field("limit", "layers")
        .field("population", &p.name);
    match p.span {
        Some(s) => d.label(s, "declared here"),
        None => d.at(p.name.clone()),
    }
}

/// Populations as layers, in an order in which each comes behind the one that drives it.
///
/// Errors: `SYN0670`, one a population that is no layer.
pub(super) fn layers(
    net: &Verified<Network>,
    target: &Target,
    seed: u64,
) -> Result<Found, Diagnostics> {
    let mut wrong = Diagnostics::new();
    let input = input(net, target)?;
    let mut incoming: BTreeMap<PopId, Vec<(PopId, &Projection)>> = BTreeMap::new();
    for (_, a, b, p) in net.projections() {
        incoming.entry(b).or_default().push((a, p));
    }
    let mut layers: Vec<Layer> = vec![];
    let mut pops: Vec<PopId> = vec![];
    let mut left: Vec<(PopId, &Population)> =
        net.populations().filter(|(id, _)| *id != input).collect();
    while !left.is_empty() {
        let before = left.len();
        let mut later = vec![];
        for (id, p) in left {
            let from = incoming.get(&id).map_or(&[][..], |v| v);
            let &[(source, projection)] = from else {
                let n = from.len();
                wrong.push(refuse(
                    p,
                    target,
                    &format!("{n} connections lead to it"),
                    "give each population one connection",
                ));
                continue;
            };
            let driver = pops.iter().position(|x| *x == source);
            if driver.is_none() && source != input {
                later.push((id, p));
                continue;
            }
            match layer(net, id, p, source, projection, seed) {
                Ok(made) => {
                    layers.push(Layer {
                        source: driver,
                        recorded: recorded(net, id),
                        ..made
                    });
                    pops.push(id);
                }
                Err((why, hint)) => wrong.push(refuse(p, target, &why, &hint)),
            }
        }
        if wrong.has_errors() {
            break;
        }
        if later.len() == before {
            let loops = "connect the layers to a chain; loops are not for this chip";
            let lost = later
                .iter()
                .map(|(_, p)| refuse(p, target, "nothing leads to it from the input", loops));
            wrong.0.extend(lost);
            break;
        }
        left = later;
    }
    wrong.result(())?;
    let shape = map(&net.graph[input].shape);
    if layers.iter().filter(|l| l.source.is_none()).count() != 1 {
        let p = &net.graph[input];
        return Err(refuse(
            p,
            target,
            "the input must lead to one layer",
            "let one layer take the input",
        )
        .into());
    }
    Ok((
        Layers {
            input: shape,
            layers,
        },
        input,
        pops,
    ))
}

/// The only population of events.
fn input(net: &Network, target: &Target) -> Result<PopId, Diagnostics> {
    let events = |p: &Population| matches!(p.kind, PopKind::Events { .. });
    let inputs: Vec<PopId> = net
        .populations()
        .filter(|(_, p)| events(p))
        .map(|x| x.0)
        .collect();
    if let &[input] = &inputs[..] {
        return Ok(input);
    }
    let (name, n) = (target.name(), inputs.len());
    let (has, hint) = match n {
        0 => (
            "none".into(),
            "give it a population of events, which feeds its first layer",
        ),
        _ => (
            n.to_string(),
            "join the sources to one, as channels of one map",
        ),
    };
    let text = format!("{name} takes one input; the network has {has}");
    Err(Diagnostic::error("SYN0670", text)
        .class(Class::Fit)
        .at(net.name.clone())
        .hint(hint)
        .field("limit", "inputs")
        .field("needed", n)
        .field("available", 1)
        .into())
}

fn recorded(net: &Network, id: PopId) -> bool {
    net.probes.is_empty()
        || net
            .probes
            .iter()
            .any(|p| p.pop == id && p.what == Quantity::Spikes)
}

/// Extents as channels, rows, columns: a list is all channels, an image has one channel.
fn map(shape: &[u32]) -> [u32; 3] {
    match *shape {
        [c, y, x] => [c, y, x],
        [y, x] => [1, y, x],
        _ => [shape.iter().product(), 1, 1],
    }
}

/// Why a population is no layer, and what would help.
type Why = (String, String);

fn why<T>(what: impl Into<String>, hint: &str) -> Result<T, Why> {
    Err((what.into(), hint.into()))
}

fn layer(
    net: &Verified<Network>,
    id: PopId,
    p: &Population,
    source: PopId,
    projection: &Projection,
    seed: u64,
) -> Result<Layer, Why> {
    let PopKind::Neurons { model, .. } = &p.kind else {
        return why("it has no neurons", "take integrate-and-fire neurons");
    };
    let m = &net.models[*model as usize];
    let values = evaluate(net, id, m, seed);
    let d = characterise(m, &values, 0).map_err(|e| {
        (
            e,
            "take integrate-and-fire neurons (std.neurons.If, NIR's IF)".to_string(),
        )
    })?;
    if !values.uniform() {
        return why(
            "its neurons differ",
            "give all neurons of a layer the same values",
        );
    }
    if d.decay != 1.0 || d.current.is_some() {
        return why(
            format!("its membrane keeps {} of itself each step", d.decay),
            "take neurons without leak or synaptic current",
        );
    }
    if d.threshold.is_nan() || d.threshold <= 0.0 {
        return why(
            format!("its threshold is {}", d.threshold),
            "take a threshold above 0",
        );
    }
    if d.reset.is_some_and(|r| r != 0.0) || d.initial != 0.0 {
        return why(
            "it resets or starts at another value than 0",
            "reset to 0, or take the threshold away",
        );
    }
    let whole = projection.source_range.len as u64 == net.graph[source].size()
        && projection.target_range.len as u64 == p.size();
    if projection.carry != Carry::Events || !whole {
        return why(
            "it is driven by a part of a population, or by values",
            "connect whole populations by spikes",
        );
    }
    if net
        .elements(&projection.delay, 1, seed, "delay")
        .iter()
        .any(|d| *d != 0.0)
    {
        return why(
            "spikes reach it after a delay",
            "write `delay = 0 ms`: on this chip an event acts at once",
        );
    }
    let gain = d.gain.get(projection.port as usize).copied().unwrap_or(1.0);
    let mut made = window(net, &net.graph[source], projection, gain, seed)?;
    made.name = p.name.clone();
    made.threshold = d.threshold;
    made.strict = d.strict;
    made.subtract = d.reset.is_none();
    let neurons = p.size() as u32;
    let biases: Vec<f64> = match &projection.bias {
        Some(b) => net.elements(b, neurons, seed, &format!("{}.bias", projection.name)),
        None => vec![0.0; neurons as usize],
    };
    let per = (neurons / made.features.max(1)).max(1) as usize;
    let all: Vec<f64> = biases.iter().map(|b| b * gain + d.bias).collect();
    if all.chunks(per).any(|c| c.iter().any(|b| *b != c[0])) {
        return why(
            "its biases differ within a channel",
            "give each channel one bias",
        );
    }
    if all.iter().any(|b| *b != 0.0) {
        made.biases = all.chunks(per).map(|c| c[0]).collect();
    }
    Ok(made)
}

/// The stages of a projection as pooling and one kernel.
fn window(
    net: &Verified<Network>,
    source: &Population,
    projection: &Projection,
    gain: f64,
    seed: u64,
) -> Result<Layer, Why> {
    let mut shape = map(&source.shape);
    let (mut pooling, mut factor) = (1, gain);
    let hint = "write it as pooling, then one conv2d or dense";
    let (last, before) = match projection.stages.split_last() {
        Some(s) => s,
        None => return why("nothing connects to it", hint),
    };
    for s in before {
        let Connector::Pool2d(pool) = &s.connector else {
            return why("several linear rules follow one another", hint);
        };
        let [k, l] = pool.kernel;
        let fits = k == l && pool.stride == pool.kernel && pool.padding == [0, 0];
        let even = pool.input[1].is_multiple_of(k.max(1)) && pool.input[2].is_multiple_of(l.max(1));
        if !fits || !even {
            return why(
                "its pooling overlaps, is padded, is not square or leaves a rest",
                "pool squares that cover the map without overlap",
            );
        }
        let weight = net
            .elements(&s.weight, 1, seed, "pool")
            .first()
            .copied()
            .unwrap_or(1.0);
        factor *= weight
            * if pool.average {
                1.0 / f64::from(k * l)
            } else {
                1.0
            };
        pooling *= k;
        shape = [pool.input[0], pool.input[1] / k, pool.input[2] / l];
    }
    let values = |n: u32| -> Vec<f64> {
        let all = net.elements(&last.weight, n, seed, &projection.name);
        all.into_iter().map(|w| w * factor).collect()
    };
    let targets = projection.target_range.len;
    let plain = Layer {
        name: String::new(),
        source: None,
        pooling,
        input: shape,
        features: targets,
        kernel: [shape[1], shape[2]],
        stride: [1, 1],
        padding: [0, 0],
        weights: vec![],
        biases: vec![],
        threshold: 0.0,
        strict: false,
        subtract: false,
        recorded: false,
    };
    let taps = match &last.connector {
        Connector::Conv2d(c) => [c.input[0], c.kernel[0], c.kernel[1]],
        _ => shape,
    };
    let many = taps
        .iter()
        .fold(u64::from(targets_of(last, targets)), |n, k| {
            n.saturating_mul((*k).into())
        });
    if many > MOST_WEIGHTS {
        return why(format!("its kernel has {many} weights"), hint);
    }
    match &last.connector {
        Connector::Dense | Connector::AllToAll { .. } => {
            let n = targets.saturating_mul(shape.iter().product());
            Ok(Layer {
                weights: values(n),
                ..plain
            })
        }
        // A list, unit by unit: channels that do not mix.
        Connector::OneToOne | Connector::Scale if shape == [targets, 1, 1] => {
            let given = values(targets);
            let n = targets as usize;
            let mut weights = vec![0.0; n.saturating_mul(n)];
            let diagonal = weights.iter_mut().step_by(n + 1);
            diagonal.zip(&given).for_each(|(w, g)| *w = *g);
            Ok(Layer { weights, ..plain })
        }
        Connector::Conv2d(c) => {
            if c.dilation != [1, 1] {
                return why("its kernel is dilated", "spread the kernel out with zeros");
            }
            let given = values(c.weight_shape().iter().product());
            let all: u32 = shape.iter().product();
            // A flattened map under a kernel of one element is a dense layer.
            if c.input == [all, 1, 1] && c.kernel == [1, 1] && c.padding == [0, 0] && c.groups <= 1
            {
                let weights = given;
                return Ok(Layer { weights, ..plain });
            }
            if c.input != shape {
                return why("its kernel reads the map in another shape", hint);
            }
            Ok(Layer {
                input: c.input,
                features: c.channels,
                kernel: c.kernel,
                stride: c.stride,
                padding: c.padding,
                weights: spread(&given, c.channels, c.input[0], c.kernel, c.groups.max(1)),
                ..plain
            })
        }
        _ => why("it is connected by a rule without kernel", hint),
    }
}

/// Features of a stage that ends in so many units.
fn targets_of(stage: &Stage, units: u32) -> u32 {
    match &stage.connector {
        Connector::Conv2d(c) => c.channels,
        _ => units,
    }
}

/// Weights of a grouped kernel for all channels, with zeros where groups do not mix.
fn spread(given: &[f64], features: u32, channels: u32, [k, l]: [u32; 2], groups: u32) -> Vec<f64> {
    if groups == 1 {
        return given.to_vec();
    }
    let (taps, per) = ((k * l) as usize, channels / groups);
    let each = (features / groups).max(1);
    let mut out = vec![0.0; features as usize * channels as usize * taps];
    for o in 0..features {
        for i in 0..per {
            let c = (o / each) * per + i;
            let (from, to) = (
                (o * per + i) as usize * taps,
                (o * channels + c) as usize * taps,
            );
            if let (Some(a), Some(b)) = (given.get(from..from + taps), out.get_mut(to..to + taps)) {
                b.copy_from_slice(a);
            }
        }
    }
    out
}
