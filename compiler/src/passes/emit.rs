//! `emit`: a mapping in the chip's own bytes, with the names and times that bind it, as an artefact.

use synfire_ir::Diagnostics;
use synfire_ir::artifact::{
    Artifact, Bindings, BoundInput, BoundLearning, BoundLoopback, BoundOutput, BoundPopulation,
    BoundValues, Header, Symbol,
};
use synfire_ir::mapping::{Learner, Learning, Mapping, Rule};
use synfire_targets::backend::{Backend, NativeBindings};

/// Encodes a mapping. Feeds are (population, step, unit).
pub fn emit(
    mapping: &Mapping,
    backend: &dyn Backend,
    header: Header,
    feeds: Vec<(u32, u32, u32)>,
) -> Result<Artifact, Diagnostics> {
    let encoded = backend.encode(mapping)?;
    let native = &encoded.bindings;
    let mut b = Bindings {
        populations: mapping
            .populations
            .iter()
            .map(|p| BoundPopulation {
                name: p.name.clone(),
                size: p.size,
                shift: p.shift,
                input: p.input,
                recorded: p.recorded,
            })
            .collect(),
        inputs: mapping
            .inputs
            .iter()
            .zip(&native.inputs)
            .map(|(i, &word)| BoundInput {
                pop: i.unit.pop,
                unit: i.unit.unit,
                offset: i.offset,
                word,
            })
            .collect(),
        outputs: mapping
            .outputs
            .iter()
            .zip(&native.outputs)
            .map(|(u, &word)| BoundOutput {
                word,
                pop: u.pop,
                unit: u.unit,
            })
            .collect(),
        loopbacks: mapping
            .loopbacks
            .iter()
            .zip(&native.loopbacks)
            .map(|(l, &(out, word))| BoundLoopback {
                out,
                delay: l.delay,
                word,
            })
            .collect(),
        tail: native.tail.clone(),
        feeds,
        symbols: vec![],
    };
    for (c, core) in mapping.cores.iter().enumerate() {
        for (slot, n) in core.neurons.iter().enumerate() {
            b.symbols.push(Symbol {
                pop: n.unit.pop,
                unit: n.unit.unit,
                core: c as u32,
                slot: slot as u32,
            });
        }
    }
    let given = mapping.learning.iter().zip(&native.values);
    for (value, word) in given.flat_map(|(l, words)| {
        let of = |&(k, word): &(u32, u64)| Some((l.values.get(k as usize)?, word));
        words.iter().filter_map(of).collect::<Vec<_>>()
    }) {
        b.inputs.push(BoundInput {
            pop: value.source.pop,
            unit: value.source.unit,
            offset: value.offset,
            word,
        });
    }
    b.inputs.sort_unstable();
    b.outputs.sort_unstable();
    b.loopbacks.sort_unstable();
    b.feeds.sort_unstable();
    b.symbols.sort_unstable();
    Ok(Artifact {
        header,
        bindings: b,
        learning: learning(mapping, native),
        sections: encoded.sections,
    })
}

/// Names of the synapses that learn, and where the chip keeps them.
fn learning(mapping: &Mapping, native: &NativeBindings) -> Vec<BoundLearning> {
    let of = |(k, (l, places)): (usize, (&Learning, &Vec<u64>))| {
        let column = |f: fn(&Learner) -> u32| l.synapses.iter().map(f).collect();
        BoundLearning {
            projection: l.projection.clone(),
            scale: l.scale,
            source: column(|s| s.source),
            target: column(|s| s.target),
            delay: column(|s| s.delay),
            place: places.clone(),
            values: values(l, native.values.get(k).map_or(&[], |v| v)),
            every: native.every.get(k).cloned().unwrap_or_default(),
        }
    };
    mapping
        .learning
        .iter()
        .zip(&native.learning)
        .enumerate()
        .map(of)
        .collect()
}

/// What becomes of the values that a rule takes.
fn values(l: &Learning, words: &[(u32, u64)]) -> BoundValues {
    let Rule::Errors(e) = &l.rule else {
        return BoundValues::default();
    };
    let mut words: Vec<u64> = words.iter().map(|w| w.1).collect();
    words.sort_unstable();
    BoundValues {
        words,
        scale: e.scale,
        low: -e.most,
        high: e.most,
        held: e.held,
    }
}
