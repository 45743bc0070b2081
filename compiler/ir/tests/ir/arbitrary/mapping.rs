//! Random mappings; nothing about them need be sound.

use super::Tape;
use synfire_ir::mapping::*;

fn unit(t: &mut Tape) -> UnitRef {
    UnitRef {
        pop: t.index(),
        unit: t.index(),
    }
}

pub fn mapping(t: &mut Tape) -> Mapping {
    Mapping {
        name: t.name(),
        target: t.name(),
        dialect: t.name(),
        mesh: [t.index(), t.index()],
        settings: t.list(3, |t| (t.name(), t.long() as i64)),
        fields: t.list(3, Tape::name),
        populations: t.list(4, |t| MappedPopulation {
            name: t.name(),
            size: t.index(),
            shift: t.index(),
            input: t.flip(),
            recorded: t.flip(),
        }),
        cores: t.list(3, core),
        inputs: t.list(3, |t| Input {
            unit: unit(t),
            core: t.index(),
            axon: t.index(),
            offset: t.index(),
        }),
        outputs: t.list(3, unit),
        loopbacks: t.list(3, |t| Loopback {
            core: t.index(),
            neuron: t.index(),
            delay: t.index() as u16,
            to_core: t.index(),
            axon: t.index(),
        }),
        closed_loop: t.flip(),
        learning: t.list(2, learning),
    }
}

fn learning(t: &mut Tape) -> Learning {
    Learning {
        projection: t.name(),
        scale: f64::from(t.number()) / 8.0,
        exponent: t.index(),
        rule: match t.below(3) {
            0 => Rule::Errors(Errors {
                period: t.index(),
                trace_period: t.index(),
                trace: trace(t),
                mantissa: t.number(),
                exponent: t.number(),
                scale: f64::from(t.number()) / 4.0,
                most: t.number(),
                held: t.flip(),
            }),
            1 => Rule::Gated(Gated {
                membrane: t.long() as i64,
                from: t.long() as i64,
                down: t.long() as i64,
                up: t.long() as i64,
                interval: t.index(),
                count: t.long() as i64,
                drift: t.index(),
            }),
            _ => Rule::Products(Products {
                decimate: t.index(),
                source: t.list(2, trace),
                target: t.list(3, trace),
                terms: t.list(3, term),
            }),
        },
        synapses: t.list(3, |t| Learner {
            source: t.index(),
            delay: t.index(),
            target: t.index(),
            core: t.index(),
            axon: t.index(),
            neuron: t.index(),
        }),
        values: t.list(2, |t| Given {
            source: unit(t),
            core: t.index(),
            neuron: t.index(),
            offset: t.index(),
        }),
    }
}

fn trace(t: &mut Tape) -> Trace {
    Trace {
        tau: t.index(),
        impulse: t.index(),
        part: t.index(),
    }
}

fn term(t: &mut Tape) -> Term {
    Term {
        tag: t.flip(),
        gate: [Gate::Source, Gate::Target, Gate::Interval][t.below(3) as usize],
        mantissa: t.number(),
        exponent: t.number(),
        factors: t.list(3, |t| match t.below(4) {
            3 => Factor::Tag,
            0 => Factor::Source(t.word() as u16),
            1 => Factor::Target(t.word() as u16),
            _ => Factor::Weight,
        }),
    }
}

fn core(t: &mut Tape) -> Core {
    Core {
        chip: t.index(),
        x: t.index(),
        y: t.index(),
        neurons: t.list(4, |t| Neuron {
            unit: unit(t),
            copy: t.index(),
            fields: t.list(3, |t| t.long() as i64),
            route: match t.below(3) {
                0 => Route::None,
                1 => Route::Output { index: t.index() },
                _ => Route::Axon {
                    core: t.index(),
                    axon: t.index(),
                    delay: t.index() as u16,
                },
            },
        }),
        axons: t.list(4, |t| Axon {
            address: t.index(),
            class: t.word() as u8,
            source: unit(t),
            delay: t.index() as u16,
        }),
        synapses: t.list(20, |t| Synapse {
            axon: t.below(3),
            neuron: t.index(),
            weight: t.number(),
        }),
    }
}
