//! Networks and machines on which mappings are compared, by name.

pub mod irregular;
pub mod jin;
pub mod layered;
pub mod machine;

use super::layout::chain::Shape;
use super::net::Net;
use super::rng::Rng;
use super::symbolic::Network as Rules;
use irregular::{Reservoir, communities, grid, microcircuit, reservoir};
use jin::{Jin, Links};

/// A benchmark network.
#[derive(Clone, Debug, PartialEq)]
pub enum Network {
    /// Parts are given; they are placed only. The shape as generated, unless ids are shuffled.
    Parts(Jin, Option<Shape>),
    /// Neurons, to be cut into parts first.
    Neurons(Net),
    /// Neurons and synapses as rules, which may stay rules or be expanded.
    Rules(Rules),
}

/// The names that [`network`] knows.
pub const NAMES: &str = "dnn:L,M, cnn:L,M[,K], grid:N,F,SIGMA, comm:N,C,F, pd:SCALE, reservoir:N,FAN,SIGMA,LONG[,CV], grid4k, grid64k, comm8k, comm32k, pd10, reservoir5k, layers:L,M, bands:L,M[,K], DNN_4B, cnn, lenet5-28, lenet5-32, lenet5-224, alexnet-227, vgg11-32, \
    vgg16-224, mobilenetv1-224, resnet50-224; each also with @SEED for another draw, and then -shuf for shuffled ids";

/// Seed of the generators and of the shuffle of named instances.
const SEED: u64 = 1;
/// The reservoir that AxonFlow suggests (with seed 192).
const RESERVOIR: Reservoir = Reservoir {
    neurons: 5000,
    fan: 200.0,
    sigma: 0.35,
    long: 0.05,
    cv: 4.0,
};
/// Most neurons or parts, and most synapses, of a network that is written out.
const NEURONS: u64 = 1 << 31;
const SYNAPSES: f64 = 2e9;

/// The network of that name; `None` when there is none, or when its numbers make no sense.
pub fn network(name: &str) -> Option<Network> {
    let (base, shuffled) = match name.strip_suffix("-shuf") {
        Some(b) => (b, true),
        None => (name, false),
    };
    let (base, seed) = match base.split_once('@') {
        Some((b, s)) => (b, s.parse().ok()?),
        None => (base, SEED),
    };
    if let Some((kind @ ("dnn" | "cnn"), numbers)) = base.split_once(':') {
        return parts(kind, numbers, shuffled);
    }
    if let Some(rules) = rules(base) {
        return if shuffled {
            Some(Network::Neurons(expanded(&rules)?.shuffled(seed)))
        } else {
            Some(Network::Rules(rules))
        };
    }
    let net = neurons(base, seed)?;
    Some(Network::Neurons(if shuffled {
        net.shuffled(seed)
    } else {
        net
    }))
}

/// The network neuron by neuron; `None` where it is too large for that.
pub fn expanded(rules: &Rules) -> Option<Net> {
    let fits = rules.neurons() <= NEURONS && rules.synapses() as f64 <= SYNAPSES;
    fits.then(|| rules.expand()).flatten()
}

/// Layers of most networks that are built from numbers.
const LAYERS: u32 = 1 << 16;

fn rules(name: &str) -> Option<Rules> {
    if name == "DNN_4B" {
        return rules("layers:1024,1024");
    }
    let Some((kind, list)) = name.split_once(':') else {
        return layered::named(name);
    };
    let n: Vec<u32> = list
        .split(',')
        .map(|x| x.parse().ok())
        .collect::<Option<_>>()?;
    let links = match (kind, &n[..]) {
        ("layers", [_, _]) => Links::Dense,
        ("bands", [_, _]) => Links::Window(4),
        ("bands", &[_, _, k]) if k > 0 && k <= n[1] => Links::Window(k),
        _ => return None,
    };
    let fits = n[0] <= LAYERS && n[0] as u64 * n[1] as u64 <= NEURONS / 64;
    (fits && !n.contains(&0)).then(|| layered::jin(n[0], n[1], links))
}

fn parts(kind: &str, numbers: &str, shuffled: bool) -> Option<Network> {
    let n: Vec<u32> = numbers
        .split(',')
        .map(|x| x.parse().ok())
        .collect::<Option<_>>()?;
    let links = match (kind, n.get(2)) {
        ("dnn", None) => Links::Dense,
        ("cnn", k) => Links::Window(*k.unwrap_or(&4)),
        _ => return None,
    };
    if !(2..=3).contains(&n.len()) || n.contains(&0) || n[0] as u64 * n[1] as u64 > NEURONS / 64 {
        return None;
    }
    let mut jin = Jin::new(n[0], n[1], links);
    if shuffled {
        jin.renamed = (0..n[0] * n[1]).collect();
        Rng::new(SEED).shuffle(&mut jin.renamed);
        return Some(Network::Parts(jin, None));
    }
    let shape = Shape {
        sizes: vec![n[1]; n[0] as usize - 1],
        dense: links == Links::Dense,
    };
    Some(Network::Parts(jin, Some(shape)))
}

fn neurons(name: &str, seed: u64) -> Option<Net> {
    let n: Vec<f64> = match name.split_once(':') {
        Some((_, list)) => list
            .split(',')
            .map(|x| x.parse().ok().filter(|v: &f64| v.is_finite() && *v > 0.0))
            .collect::<Option<_>>()?,
        None => vec![],
    };
    let fits = |neurons: f64, fan: f64| {
        neurons >= 1.0 && neurons <= NEURONS as f64 && neurons * fan <= SYNAPSES
    };
    Some(match (name.split(':').next()?, &n[..]) {
        ("grid4k", []) => grid(64, 16, 3.0, seed),
        ("grid64k", []) => grid(256, 32, 6.0, seed),
        ("comm8k", []) => communities(8192, 32, 32, seed),
        ("comm32k", []) => communities(32_768, 128, 64, seed),
        ("pd10", []) => microcircuit(0.1, seed),
        ("grid", &[side, fan, sigma]) if fits(side * side, fan) => {
            grid(side as u32, fan as u32, sigma, seed)
        }
        ("comm", &[n, groups, fan]) if fits(n, fan) && groups >= 1.0 && groups <= n => {
            communities(n as u32, groups as u32, fan as u32, seed)
        }
        ("pd", &[s]) if (0.01..=2.0).contains(&s) => microcircuit(s, seed),
        ("reservoir5k", []) => reservoir(&RESERVOIR, seed),
        ("reservoir", &[n, fan, sigma, long, ref rest @ ..])
            if fits(n, fan / (sigma * sigma).min(1.0))
                && fan * 4.0 <= n
                && long <= 1.0
                && rest.len() < 2 =>
        {
            let cv = rest.first().copied().unwrap_or(0.0);
            let neurons = n as u32;
            reservoir(
                &Reservoir {
                    neurons,
                    fan,
                    sigma,
                    long,
                    cv,
                },
                seed,
            )
        }
        _ => return None,
    })
}
