//! A user's network as rules for the mapper: populations with their shapes, connectors as relations along axes. Sources count as populations, as in the benchmark
//! networks; every neuron spikes once a step. Taps and weights of zero are synapses, as [`Connector::count`] counts them.

use super::axis::Axis;
use super::draw::{Draw, Law};
use super::{Network, Population, Projection, Shape, volume};
use crate::map::net::{Lists, Net};
use synfire_ir::network::{self as ir, Connector, PopId};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// The rules of a network.
///
/// Errors: `SYN0658` for each projection that is no product of relations along axes and not drawn (lists, several stages, parts of populations), and for populations of
/// more than three axes.
pub fn rules(net: &ir::Network) -> Result<Network, Diagnostics> {
    let (out, errors) = read(net);
    errors.result(out)
}

/// The rules of the projections that have such, and why the others have none.
pub fn read(net: &ir::Network) -> (Network, Diagnostics) {
    let mut out = Network::default();
    let mut errors = Diagnostics::new();
    let mut index = std::collections::BTreeMap::new();
    for (id, p) in net.populations() {
        let shape = match p.shape[..] {
            [n] => [n, 1, 1],
            [y, x] => [1, y, x],
            [c, y, x] => [c, y, x],
            _ => {
                errors.push(no_rule(&p.name, "it has more than three axes", p.span));
                [0; 3]
            }
        };
        index.insert(id, out.populations.len() as u32);
        out.populations.push(Population {
            name: p.name.clone(),
            shape,
            rate: 1.0,
        });
    }
    for (_, a, b, p) in net.projections() {
        let (pre, post) = (index[&a], index[&b]);
        let shapes = [pre, post].map(|i| out.populations[i as usize].shape);
        let found = whole(net, (a, b), p).and_then(|c| {
            let drawn = draw(c, a == b, shapes);
            Ok((rule(c, a == b, shapes)?, drawn))
        });
        let same = |j: &&Projection| (j.pre, j.post) == (pre, post);
        match (found, out.projections.iter().find(same)) {
            (Err(why), _) => errors.push(no_rule(&p.name, why, p.span)),
            // The same pairs over another port or delay: the same axons.
            (Ok((rule, None)), Some(j)) if j.rule == rule && j.drawn.is_none() => (),
            (Ok(_), Some(_)) => errors.push(no_rule(
                &p.name,
                "another projection between the two populations has other pairs",
                p.span,
            )),
            // No pairs.
            (Ok((_, Some(d))), None) if d.reaching(1) <= 0.0 => (),
            (Ok((rule, drawn)), None) => out.projections.push(Projection {
                pre,
                post,
                rule,
                drawn,
            }),
        }
    }
    (out, errors)
}

fn no_rule(name: &str, why: &str, span: Option<synfire_ir::Span>) -> Diagnostic {
    let what = format!("`{name}` cannot be mapped as a rule: {why}");
    let d = Diagnostic::error("SYN0658", what)
        .class(Class::Fit)
        .hint("all_to_all, one_to_one, dense, conv2d, pool and drawn pairs between whole populations stay rules; --form neurons and `synfire compile` map any network, synapse by synapse");
    match span {
        Some(s) => d.label(s, "no rule"),
        None => d,
    }
}

/// The only connector of a projection between whole populations.
fn whole<'a>(
    net: &ir::Network,
    (a, b): (PopId, PopId),
    p: &'a ir::Projection,
) -> Result<&'a Connector, &'static str> {
    let all = |r: &synfire_ir::program::Range, id: PopId| {
        r.start == 0 && r.len as u64 == net.graph[id].size()
    };
    if !all(&p.source_range, a) || !all(&p.target_range, b) {
        return Err("it takes part of a population");
    }
    match &p.stages[..] {
        [one] => Ok(&one.connector),
        _ => Err("it has several stages"),
    }
}

fn rule(c: &Connector, same: bool, [pre, post]: [Shape; 2]) -> Result<[Axis; 3], &'static str> {
    let all = |a: usize| Axis::All {
        from: pre[a],
        to: post[a],
    };
    let window = |a: usize, (kernel, stride, padding): (u32, u32, u32)| Axis::Window {
        from: pre[a],
        to: post[a],
        kernel,
        stride: stride.max(1),
        padding,
    };
    match c {
        Connector::AllToAll {
            self_connections: false,
        } if same => Err("it leaves out the pairs of neurons with themselves"),
        Connector::AllToAll { .. } | Connector::Dense => Ok([all(0), all(1), all(2)]),
        Connector::OneToOne | Connector::Scale if pre == post => Ok(pre.map(Axis::own)),
        Connector::OneToOne | Connector::Scale => Err("its ends have different shapes"),
        Connector::Conv2d(c) if c.input == pre && c.output() == post && c.dilation == [1, 1] => {
            let groups = c.groups.max(1);
            let channels = if groups == 1 {
                all(0)
            } else {
                Axis::Groups {
                    from: pre[0] / groups,
                    to: post[0] / groups,
                    groups,
                }
            };
            let of = |a: usize| (c.kernel[a], c.stride[a], c.padding[a]);
            Ok([channels, window(1, of(0)), window(2, of(1))])
        }
        Connector::Pool2d(c) if c.input == pre && c.output() == post => {
            let of = |a: usize| (c.kernel[a], c.stride[a], c.padding[a]);
            Ok([Axis::own(pre[0]), window(1, of(0)), window(2, of(1))])
        }
        Connector::Conv2d(_) | Connector::Pool2d(_) => {
            Err("its windows are spread, or its ends have other shapes than its windows")
        }
        Connector::List { .. } => Err("it is a list of pairs"),
        Connector::FixedProbability { .. }
        | Connector::FixedIndegree { .. }
        | Connector::FixedOutdegree { .. }
        | Connector::FixedTotal { .. } => Ok([all(0), all(1), all(2)]),
    }
}

/// How the pairs are drawn, where they are.
fn draw(c: &Connector, same: bool, [pre, post]: [Shape; 2]) -> Option<Draw> {
    let (law, own) = match *c {
        Connector::FixedProbability {
            p,
            self_connections,
        } => (Law::Probability(p), self_connections),
        Connector::FixedIndegree {
            n,
            self_connections,
            multapses,
        } => (Law::Indegree(n, multapses), self_connections),
        Connector::FixedOutdegree {
            n,
            self_connections,
            multapses,
        } => (Law::Outdegree(n, multapses), self_connections),
        Connector::FixedTotal {
            n,
            self_connections,
        } => (Law::Total(n as u64), self_connections),
        _ => return None,
    };
    Some(Draw {
        law,
        sources: volume(pre),
        targets: volume(post),
        apart: same && !own,
    })
}

/// The network neuron by neuron, its pairs drawn by `seed`; pairs that occur several times stand once. `None`: more neurons than ids, or more synapses than `most`.
pub fn written(net: &ir::Network, seed: u64, most: f64) -> Option<Net> {
    let mut base = std::collections::BTreeMap::new();
    let mut neurons = 0u64;
    for (id, p) in net.populations() {
        base.insert(id, neurons);
        neurons += p.size();
    }
    let count: f64 = net.projections().map(|p| net.synapses_of(p.0)).sum();
    if neurons >= u32::MAX as u64 || count > most {
        return None;
    }
    let mut sources: Vec<Vec<u32>> = vec![vec![]; neurons as usize];
    for (id, a, b, p) in net.projections() {
        let from = base[&a] as u32 + p.source_range.start;
        let to = base[&b] as usize + p.target_range.start as usize;
        let whole = synfire_ir::program::Range {
            start: 0,
            len: p.target_range.len,
        };
        net.visit(id, seed, whole, |s| {
            sources[to + s.target as usize].push(from + s.source)
        });
    }
    let mut into = Lists {
        start: vec![0],
        to: vec![],
    };
    for mut list in sources {
        list.sort_unstable();
        list.dedup();
        into.to.append(&mut list);
        into.start.push(into.to.len() as u64);
    }
    Some(Net {
        out: into.turned(neurons as usize),
        into,
        ..Net::default()
    })
}
