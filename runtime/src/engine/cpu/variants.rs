//! Random programs of the tests, changed: with equal targets, with rules in place of rows, with synapses that learn.

use crate::engine::arbitrary::Case;
use std::sync::Arc;
use synfire_ir::model::{BinOp, BlockBuilder, Op, Param, Ty, Width};
use synfire_ir::network::{Connector, Distribution, Init};
use synfire_ir::program::{
    Carry, Column, Generated, GroupKind, Layout, Observable, Plastic, Probe, Range, Run, Store,
    Weights,
};
use synfire_ir::synapse::{Action, Cell, Decay, Place, Synapse};

/// The same case with a second synapse beside every third one of sparse rows.
pub(super) fn doubled(c: &Case) -> Case {
    let mut p = (*c.program).clone();
    for pr in &mut p.projections {
        let Layout::Rows(r) = &mut pr.layout else {
            continue;
        };
        let (mut runs, mut from) = (vec![], vec![]);
        for run in r.runs.iter() {
            let start = from.len() as u32;
            for k in run.start..run.start + run.len {
                from.push(k as usize);
                from.extend((k % 3 == 0).then_some(k as usize));
            }
            let len = from.len() as u32 - start;
            runs.push(Run {
                delay: run.delay,
                start,
                len,
            });
        }
        r.runs = runs.into();
        r.targets = from.iter().map(|&k| r.targets[k]).collect();
        r.weights = match &r.weights {
            Weights::Uniform(w) => Weights::Uniform(*w),
            Weights::I8(v) => Weights::I8(from.iter().map(|&k| v[k]).collect()),
            Weights::I16(v) => Weights::I16(from.iter().map(|&k| v[k]).collect()),
            Weights::I32(v) => Weights::I32(from.iter().map(|&k| v[k]).collect()),
            Weights::F32(v) => Weights::F32(from.iter().map(|&k| v[k]).collect()),
        };
    }
    Case {
        program: Arc::new(p),
        ..c.clone()
    }
}

/// A rule of every kind.
fn rule(k: u64, sources: u32, targets: u32) -> Connector {
    let self_connections = k.is_multiple_of(2);
    match k % 7 {
        0 => Connector::FixedProbability {
            p: 0.4,
            self_connections,
        },
        1 => Connector::FixedIndegree {
            n: 1 + sources / 2,
            self_connections,
            multapses: true,
        },
        2 => Connector::FixedTotal {
            n: 3 * sources,
            self_connections,
        },
        3 => Connector::AllToAll { self_connections },
        _ => Connector::FixedOutdegree {
            n: 1 + targets / 2,
            self_connections,
            multapses: k % 7 < 6,
        },
    }
}

/// The same case with rules in place of the sparse rows that events go over, another set of them for every `salt`.
pub(in crate::engine) fn ruled(c: &Case, salt: u64) -> Case {
    let mix = |k: u64| (k + 1).wrapping_mul(0x9E37_79B9).wrapping_add(salt) >> 3;
    let mut p = (*c.program).clone();
    for (k, pr) in (0..).zip(&mut p.projections) {
        let Some((least, _)) = (pr.carry == Carry::Events).then(|| pr.delays()).flatten() else {
            continue;
        };
        let external = matches!(p.groups[pr.source as usize].kind, GroupKind::External);
        let float = matches!(&p.groups[pr.target as usize].kind, GroupKind::Units { model, .. }
            if p.models[*model as usize].ports[pr.port as usize].ty == Ty::F32);
        if !matches!(pr.layout, Layout::Rows(_)) || external && least == 0 {
            continue;
        }
        let (n, least) = (pr.source_range.len, f64::from(least.max(1)));
        let connector = rule(mix(k), n, pr.target_range.len);
        let all = matches!(connector, Connector::AllToAll { .. });
        let drawn = Init::Draw(Distribution::Uniform(2.0, 90.0));
        pr.layout = Layout::Generated(Arc::new(Generated {
            procedural: matches!(connector, Connector::FixedOutdegree { .. })
                && mix(k) / 7 % 4 != 0,
            connector,
            weight: match mix(k) / 28 % 3 {
                0 => Init::Const(3.3),
                _ if all => Init::Const(2.7),
                _ => drawn,
            },
            delay: match mix(k) / 84 % 2 {
                0 => Init::Const(least),
                _ if all => Init::Const(least),
                _ => Init::Draw(Distribution::Uniform(least, least + 4.0)),
            },
            store: match float {
                false => Store::Integer { fraction: 0 },
                true if k % 4 == 1 => Store::F32,
                true => Store::Scaled,
            },
            seed: 5,
            key: k,
            sources: n,
            targets: pr.target_range.len,
            own: (pr.source == pr.target)
                .then(|| pr.target_range.start as i64 - pr.source_range.start as i64),
        }));
    }
    Case {
        program: Arc::new(p),
        ..c.clone()
    }
}

/// Pair rules in the words of the port: an arrival takes `y` from the weight, an event of the target adds `x`, within bounds;
/// both traces decay.
fn pair(ty: Ty) -> Synapse {
    let width = match ty {
        Ty::F32 => Width::F32,
        _ => Width::I32,
    };
    let word = |x: i32| match ty {
        Ty::F32 => (x as f32).to_bits(),
        _ => x as u32,
    };
    let cell = |name: &str, place, factor: Option<u64>| Cell {
        name: name.into(),
        width,
        place,
        decay: factor.map(|factor| Decay {
            factor,
            rest: word(0),
        }),
    };
    let change = |trace: u16, op: BinOp, bound: (BinOp, u16)| {
        let mut b = BlockBuilder::new();
        let (w, t) = (b.push(Op::State(0), ty), b.push(Op::State(trace), ty));
        let limit = b.push(Op::Param(bound.1), ty);
        let v = b.bin(op, w, t);
        let v = b.bin(bound.0, v, limit);
        b.store(0, v);
        b.finish()
    };
    let more = |trace: u16| {
        let mut b = BlockBuilder::new();
        let (t, step) = (b.push(Op::State(trace), ty), b.push(Op::Const(word(7)), ty));
        let v = b.bin(BinOp::Add, t, step);
        b.store(trace, v);
        b.finish()
    };
    let mut deliver = BlockBuilder::new();
    let w = deliver.push(Op::State(0), ty);
    deliver.emit(w);
    let param = |name: &str| Param {
        name: name.into(),
        ty,
    };
    Synapse {
        name: "pair".into(),
        params: vec![param("low"), param("high")],
        states: vec![
            cell("w", Place::Synapse, None),
            cell("x", Place::Source, Some(0xc000_0000_0000_0000)),
            cell("y", Place::Target, Some(0x9000_0000_1234_5678)),
            cell("n", Place::Target, None),
        ],
        deliver: deliver.finish(),
        pre: Action {
            synapse: change(2, BinOp::Sub, (BinOp::Max, 0)),
            source: more(1),
            ..Action::default()
        },
        post: Action {
            synapse: change(1, BinOp::Add, (BinOp::Min, 1)),
            target: more(2),
            ..Action::default()
        },
        ..Synapse::default()
    }
}

/// The same case where sparse sums learn, as far as they may.
pub(super) fn learning(c: &Case) -> Case {
    let mut p = (*c.program).clone();
    let (mut base, mut models) = (0, vec![]);
    for k in 0..p.projections.len() {
        let pr = p.projections[k].clone();
        let m = p.model_of(pr.target).expect("it has a model");
        let ty = m.ports[pr.port as usize].ty;
        if !matches!(pr.layout, Layout::Rows(_)) || pr.carry != Carry::Events {
            continue;
        }
        let word = |x: i32| match ty {
            Ty::F32 => (x as f32).to_bits(),
            _ => x as u32,
        };
        let x = Plastic {
            projection: k as u32,
            synapse: models.len() as u32,
            base,
            post_delay: 2,
            params: vec![word(-40), word(90)],
            init: vec![
                Column::Uniform(word(3)),
                Column::Uniform(word(2)),
                Column::Uniform(word(1)),
            ],
            modulators: vec![],
        };
        let mut one = p.clone();
        one.synapse_models.push(pair(ty));
        one.plastic.push(x.clone());
        one.synapse_models = models.iter().cloned().chain([pair(ty)]).collect();
        if synfire_ir::program::check(&one).is_empty() {
            base += pr.synapses() as u32;
            models.push(pair(ty));
            p = one;
        }
    }
    for (k, x) in p.plastic.clone().into_iter().enumerate() {
        let place = [Place::Synapse, Place::Source, Place::Target][k % 3];
        let n = p.projections[x.projection as usize].elements(place);
        p.probes.push(Probe {
            name: format!("learned{k}"),
            group: p.projections[x.projection as usize].target,
            range: Range {
                start: 0,
                len: n as u32,
            },
            what: Observable::Synapse {
                projection: x.projection,
                state: (k % 3) as u16,
            },
            every: 2,
        });
    }
    if !synfire_ir::program::check(&p).is_empty() {
        p.probes.retain(|x| !x.name.starts_with("learned"));
    }
    Case {
        program: Arc::new(p),
        ..c.clone()
    }
}
