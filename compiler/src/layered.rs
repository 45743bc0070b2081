//! Compilation for chips whose cores hold a whole layer each: from a verified network to layers with kernels, and to an artefact.
//!
//! In: a network that is a tree of convolutions, sum or mean pooling and dense layers between integrate-and-fire populations, without delays. Out: the artefact that the chip's `lay` makes of it. A dense layer is a convolution whose kernel covers
//! the map; a mean is a sum with the weights behind it divided; groups are spread out with zeros. Everything else is refused, each with the population. Deliberately absent: limits and placement, which are the chip's.

use crate::compile::{CompileOptions, Compiled};
use crate::dynamics::{characterise, evaluate};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;
use synfire_ir::artifact::{
    Artifact, Bindings, BoundInput, BoundOutput, BoundPopulation, Header, Section, SectionKind,
    Symbol,
};
use synfire_ir::mapping::{MappedPopulation, Mapping};
use synfire_ir::network::{
    Connector, Network, PopId, PopKind, Population, Projection, Quantity, Verified,
};
use synfire_ir::program::Carry;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::Target;
use synfire_targets::layers::{Laid, Layer, Layers};

/// A network's layers, and the population of each.
type Found = (Layers, PopId, Vec<PopId>);

/// Compiles for a chip of layers; `lay` is the chip's.
///
/// Errors: `SYN0670` for what is no such layer, and those of the chip.
pub fn compile(
    net: &Verified<Network>,
    target: &Target,
    lay: &dyn Fn(&Layers) -> Result<Laid, Diagnostics>,
    options: &CompileOptions,
    seed: u64,
) -> Result<Compiled, Diagnostics> {
    let begin = Instant::now();
    let (layers, input, pops) = read(net, target, seed)?;
    let laid = lay(&layers)?;
    let number = |id: PopId| net.populations().position(|(i, _)| i == id).unwrap_or(0) as u32;
    let bindings = bindings(
        net,
        &layers,
        &laid,
        number(input),
        &pops.iter().map(|p| number(*p)).collect::<Vec<_>>(),
    );
    let header = Header {
        network: net.name.clone(),
        target: target.chip.spec.name.clone(),
        dialect: target.dialect.name.clone(),
        target_version: target.chip.spec.version,
        compiler: env!("CARGO_PKG_VERSION").into(),
        source_hash: options.source_hash,
        options: options.options.clone(),
        seed,
        dt: net.dt,
        run: net.run,
    };
    let mut report = report(net, target, &layers, &laid);
    let mapping = Mapping {
        name: net.name.clone(),
        target: header.target.clone(),
        dialect: header.dialect.clone(),
        populations: bindings.populations.iter().map(mapped).collect(),
        ..Mapping::default()
    };
    let mut sections = laid.sections;
    sections.push(Section {
        kind: SectionKind::Report,
        name: "report.json".into(),
        bytes: serde_json::to_vec(&report).unwrap_or_default(),
    });
    report["passes"] = json!([{"name": "layers", "s": begin.elapsed().as_secs_f64()}]);
    Ok(Compiled {
        artifact: Artifact {
            header,
            bindings,
            sections,
        },
        mapping,
        report,
        dumps: vec![],
        warnings: Diagnostics::new(),
    })
}

fn mapped(p: &BoundPopulation) -> MappedPopulation {
    MappedPopulation {
        name: p.name.clone(),
        size: p.size,
        shift: p.shift,
        input: p.input,
        recorded: p.recorded,
    }
}

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
fn read(net: &Verified<Network>, target: &Target, seed: u64) -> Result<Found, Diagnostics> {
    let mut wrong = Diagnostics::new();
    let inputs: Vec<PopId> = net
        .populations()
        .filter(|(_, p)| matches!(p.kind, PopKind::Events { .. }))
        .map(|x| x.0)
        .collect();
    let &[input] = &inputs[..] else {
        let text = format!(
            "{} takes one input; the network has {}",
            target.name(),
            inputs.len()
        );
        return Err(Diagnostic::error("SYN0670", text)
            .class(Class::Fit)
            .at(net.name.clone())
            .hint("join the sources to one, as channels of one map")
            .field("limit", "inputs")
            .field("needed", inputs.len())
            .field("available", 1)
            .into());
    };
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
        if later.len() == before || wrong.has_errors() {
            for (_, p) in later
                .iter()
                .filter(|_| !wrong.has_errors())
                .collect::<Vec<_>>()
            {
                wrong.push(refuse(
                    p,
                    target,
                    "nothing leads to it from the input",
                    "connect the layers to a chain; loops are not for this chip",
                ));
            }
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
    match &last.connector {
        Connector::Dense | Connector::AllToAll { .. } => {
            let n = targets.saturating_mul(shape.iter().product());
            Ok(Layer {
                weights: values(n),
                ..plain
            })
        }
        Connector::Conv2d(c) => {
            if c.dilation != [1, 1] {
                return why("its kernel is dilated", "spread the kernel out with zeros");
            }
            let given = values(c.weight_shape().iter().product());
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

fn bindings(net: &Network, layers: &Layers, laid: &Laid, input: u32, pops: &[u32]) -> Bindings {
    let recorded = |i: u32| {
        pops.iter()
            .position(|p| *p == i)
            .is_some_and(|k| layers.layers[k].recorded)
    };
    let populations = net
        .populations()
        .zip(0..)
        .map(|((_, p), i)| BoundPopulation {
            name: p.name.clone(),
            size: p.size() as u32,
            shift: 0,
            input: i == input,
            recorded: recorded(i),
        });
    let mut b = Bindings {
        populations: populations.collect(),
        ..Bindings::default()
    };
    b.inputs = (0..)
        .zip(&laid.inputs)
        .map(|(unit, &word)| BoundInput {
            pop: input,
            unit,
            offset: 0,
            word,
        })
        .collect();
    for ((words, seat), &pop) in laid.outputs.iter().zip(&laid.seats).zip(pops) {
        for (unit, &word) in (0u32..).zip(words) {
            if recorded(pop) {
                b.outputs.push(BoundOutput { word, pop, unit });
            }
            b.symbols.push(Symbol {
                pop,
                unit,
                core: seat.core as u32,
                slot: unit,
            });
        }
    }
    b.feeds = crate::compile::feeds(net);
    b.outputs.sort_unstable();
    b.symbols.sort_unstable();
    b.feeds.sort_unstable();
    b
}

fn report(net: &Network, target: &Target, layers: &Layers, laid: &Laid) -> Value {
    let cores: Vec<Value> = layers.layers.iter().zip(&laid.seats).zip(&laid.outputs).map(|((l, s), out)| {
        let used: BTreeMap<&str, Value> = s.used.iter().map(|(name, n, of)| (*name, json!([n, of]))).collect();
        json!({"chip": 0, "x": s.core, "y": 0, "neurons": out.len(), "axons": l.input.iter().product::<u32>(), "synapses": l.weights.len(),
            "memory": used, "populations": [{"name": l.name, "neurons": out.len()}]})
    }).collect();
    let share = |k: usize| {
        let v: Vec<f64> = laid
            .seats
            .iter()
            .filter_map(|s| s.used.get(k))
            .map(|u| u.1 as f64 / u.2.max(1) as f64)
            .collect();
        json!({"max": v.iter().copied().fold(0.0, f64::max), "mean": v.iter().sum::<f64>() / v.len().max(1) as f64})
    };
    let available = target
        .limits()
        .cores
        .as_ref()
        .map_or(laid.seats.len() as u64, |c| c.value);
    let (rounded, lost, error) = laid.rounded;
    let scales: Vec<Value> = layers
        .layers
        .iter()
        .zip(&laid.scales)
        .map(|(l, s)| json!({"name": l.name, "scale": s}))
        .collect();
    json!({
        "network": net.name,
        "target": target.name(),
        "neurons": net.neurons(),
        "synapses": net.projections().map(|(id, ..)| net.synapses_of(id)).sum::<f64>() as u64,
        "cores_used": laid.seats.len(),
        "cores_available": available,
        "chips": 1,
        "mesh": [available, 1],
        "slots_used": laid.outputs.iter().map(Vec::len).sum::<usize>(),
        "copies": 0,
        "utilisation": {"kernel_memory": share(0), "neuron_memory": share(1), "bias_memory": share(2), "cores": laid.seats.len() as f64 / available.max(1) as f64},
        "shifts": [],
        "cores": cores,
        "metrics": {},
        "quantisation": {"weights_rounded": rounded, "weights_clipped": 0, "weights_lost": lost, "max_weight_error": error, "layers": scales},
    })
}
