//! How long slices of drawn projections take: `cargo run --release -p synfire-ir --example slices`.

use std::time::Instant;
use synfire_ir::network::{Connector, Distribution, Init};
use synfire_ir::program::{Generated, Range, Store};

fn main() {
    let normal = |m: f64, s: f64| Distribution::NormalClipped(m, s, 0.5, 1e9);
    let total = |n| Connector::FixedTotal {
        n,
        self_connections: true,
    };
    let indegree = Connector::FixedIndegree {
        n: 800,
        self_connections: true,
        multapses: true,
    };
    let chance = Connector::FixedProbability {
        p: 0.1,
        self_connections: true,
    };
    let one = || (Init::Const(1.0), Init::Const(15.0));
    let drawn = || {
        (
            Init::Draw(normal(87.8, 8.78)),
            Init::Draw(normal(16.0, 7.5)),
        )
    };
    for (name, connector, (weight, delay), store) in [
        ("in-degree, constant", indegree.clone(), one(), Store::F32),
        ("probability, constant", chance.clone(), one(), Store::F32),
        ("total, constant", total(15_000_000), one(), Store::F32),
        ("total, drawn, f32", total(15_000_000), drawn(), Store::F32),
        (
            "total, drawn, 16 bits",
            total(15_000_000),
            drawn(),
            Store::Scaled,
        ),
    ] {
        let g = Generated {
            connector,
            weight,
            delay,
            store,
            seed: 1,
            key: 2,
            sources: 20_000,
            targets: 8_000,
            own: None,
            procedural: false,
        };
        let begin = Instant::now();
        let slice = g.slice(Range {
            start: 0,
            len: g.targets,
        });
        let (s, n) = (begin.elapsed().as_secs_f64(), slice.targets.len());
        println!(
            "{name:24} {n:>10} synapses {:6.1} ns each, {} runs",
            s * 1e9 / n as f64,
            slice.delay.len()
        );
    }
}
