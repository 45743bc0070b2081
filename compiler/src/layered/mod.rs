//! Compilation for chips whose cores hold a whole layer each: from a verified network to layers with kernels ([`find`]), and to an artefact.
//!
//! In: a network that is a tree of convolutions, sum or mean pooling and dense layers between integrate-and-fire populations, without delays. Out: the artefact that the chip's `lay` makes of it. A dense layer is a convolution whose kernel covers
//! the map; a mean is a sum with the weights behind it divided; groups are spread out with zeros. Everything else is refused, each with the population. Deliberately absent: limits and placement, which are the chip's.

mod find;

use crate::compile::{CompileOptions, Compiled};
use crate::resources::Resource;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;
use synfire_ir::Diagnostics;
use synfire_ir::artifact::{
    Artifact, Bindings, BoundInput, BoundOutput, BoundPopulation, Section, SectionKind, Symbol,
};
use synfire_ir::mapping::{MappedPopulation, Mapping};
use synfire_ir::network::{Network, PopId, Verified};
use synfire_targets::Target;
use synfire_targets::layers::{Laid, Layers};

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
    let mut dumps = vec![];
    let mut dump = |name: &str, text: &dyn Fn() -> String| options.dump(name, text, &mut dumps);
    dump("verify", &|| crate::dump::network(net));
    let (layers, input, pops) = find::layers(net, target, seed)?;
    let laid = lay(&layers)?;
    dump("quantise", &|| crate::dump::layers(&layers, &laid));
    dump("emit", &|| crate::dump::sections(&laid.sections));
    let number = |id: PopId| net.populations().position(|(i, _)| i == id).unwrap_or(0) as u32;
    let bindings = bindings(
        net,
        &layers,
        &laid,
        number(input),
        &pops.iter().map(|p| number(*p)).collect::<Vec<_>>(),
    );
    let header = options.header(net, target, seed);
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
            learning: vec![],
            header,
            bindings,
            sections,
        },
        mapping,
        report,
        dumps,
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
        "resources": resources(layers, laid, available),
        "quantisation": {"weights_rounded": rounded, "weights_clipped": 0, "weights_lost": lost, "max_weight_error": error, "layers": scales},
    })
}

/// The layer that takes most of each memory, and the cores; the largest share first.
fn resources(layers: &Layers, laid: &Laid, available: u64) -> Vec<Resource> {
    let one = |name: &str, used: u64, available: u64| Resource {
        resource: name.into(),
        used,
        available,
        share: used as f64 / available.max(1) as f64,
    };
    let mut out = vec![one("cores", layers.layers.len() as u64, available)];
    let most = laid.seats.first().map_or(0, |s| s.used.len());
    for k in 0..most {
        let of = laid.seats.iter().filter_map(|s| s.used.get(k));
        let of = of.map(|&(name, used, available)| one(name, used, available));
        out.extend(of.max_by(|a, b| a.share.total_cmp(&b.share)));
    }
    out.sort_by(|a, b| b.share.total_cmp(&a.share));
    out
}
