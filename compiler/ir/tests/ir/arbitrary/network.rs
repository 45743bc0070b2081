//! Random networks that pass `verify`, with every connector, distribution and kind of value.

use super::Tape;
use super::code::{self, Shape};
use super::synapse;
use synfire_ir::Span;
use synfire_ir::network::*;
use synfire_ir::program::{Carry, Range};
use synfire_ir::units::Dimension;

const ONE: [HostFn1; 13] = [
    HostFn1::Neg,
    HostFn1::Not,
    HostFn1::Exp,
    HostFn1::Expm1,
    HostFn1::Log,
    HostFn1::Sqrt,
    HostFn1::Sin,
    HostFn1::Cos,
    HostFn1::Tanh,
    HostFn1::Abs,
    HostFn1::Sign,
    HostFn1::Floor,
    HostFn1::Round,
];
const TWO: [HostFn2; 15] = [
    HostFn2::Add,
    HostFn2::Sub,
    HostFn2::Mul,
    HostFn2::Div,
    HostFn2::Pow,
    HostFn2::Min,
    HostFn2::Max,
    HostFn2::Lt,
    HostFn2::Le,
    HostFn2::Gt,
    HostFn2::Ge,
    HostFn2::Eq,
    HostFn2::Ne,
    HostFn2::And,
    HostFn2::Or,
];

/// Some populations, models and projections.
pub fn network(t: &mut Tape) -> Network {
    let mut net = Network {
        name: t.name(),
        dt: t.flip().then(|| t.real()),
        seed: t.flip().then(|| t.long()),
        run: t.flip().then(|| t.word()),
        ..Network::default()
    };
    let mut net_models = (0..1 + t.below(2)).map(|k| neuron(t, k)).collect();
    net.models.append(&mut net_models);
    for k in 0..t.below(4) {
        projection(t, &mut net, k);
    }
    for k in 0..t.below(3) {
        record(t, &mut net, k);
    }
    for _ in 0..t.below(3) {
        net.hints.push((t.name(), t.name(), t.name()));
    }
    net
}

fn neuron(t: &mut Tape, k: u32) -> NeuronModel {
    let shape = Shape {
        floats: t.flip(),
        serial: false,
    };
    let model = code::model(t, &format!("Model{k}"), shape);
    let mut fields = vec![];
    for k in 0..t.below(4) {
        let before = fields.len() as u32;
        fields.push(Field {
            name: ["tau", "dt", "two words", "exp"][k as usize].into(),
            dimension: dimension(t),
            whole: t.flip(),
            default: Some(expr(t, before, 3)),
            choices: t.list(2, Tape::name),
        });
    }
    let n = fields.len() as u32;
    NeuronModel {
        columns: model.params.iter().map(|_| expr(t, n, 4)).collect(),
        init: model.states.iter().map(|_| expr(t, n, 2)).collect(),
        state_dimensions: model.states.iter().map(|_| dimension(t)).collect(),
        port_dimensions: model.ports.iter().map(|_| dimension(t)).collect(),
        fields,
        integer: t.flip(),
        spikes: true,
        doc: t.name(),
        model,
    }
}

fn dimension(t: &mut Tape) -> Dimension {
    match t.below(4) {
        0 => Dimension::NONE,
        1 => Dimension::TIME,
        2 => Dimension::CONDUCTANCE,
        _ => Dimension([t.word() as i8, 1, 0, -3]),
    }
}

pub fn expr(t: &mut Tape, fields: u32, depth: u32) -> HostExpr {
    let kinds = if depth == 0 { 3 } else { 7 };
    let sub = |t: &mut Tape| Box::new(expr(t, fields, depth.saturating_sub(1)));
    match t.below(kinds) {
        0 => HostExpr::Const(t.real()),
        1 => HostExpr::Dt,
        2 if fields > 0 => HostExpr::Field(t.below(fields) as u16),
        2 => HostExpr::Dt,
        3 => HostExpr::Call1(t.pick(&ONE), sub(t)),
        4 => HostExpr::Call2(t.pick(&TWO), sub(t), sub(t)),
        5 => HostExpr::If(sub(t), sub(t), sub(t)),
        _ => HostExpr::PoissonCdf(t.below(40), sub(t)),
    }
}

pub fn distribution(t: &mut Tape) -> Distribution {
    use Distribution::*;
    let (a, b) = (t.below(20) as f64 / 4.0, 0.5 + t.below(8) as f64);
    match t.below(11) {
        0 => Uniform(a, a + b),
        1 => UniformInt(-(t.below(9) as i64), t.below(9) as i64),
        2 => Normal(a, b),
        3 => NormalClipped(a, b, a - b, a + b),
        4 => NormalClippedToBoundary(a, b, a - b, a + b),
        5 => Lognormal(a / 4.0, 0.3),
        6 => Exponential(b),
        7 => Gamma(b, 0.7),
        8 => Binomial(t.below(20), 0.3),
        9 => Poisson(b),
        _ => Vonmises(a, b),
    }
}

fn array(t: &mut Tape, net: &mut Network, n: u32) -> Init {
    let name = format!("file{}.npy", net.arrays.len());
    let data = match t.below(3) {
        0 => ArrayData::F64((0..n).map(|_| t.real()).collect()),
        1 => ArrayData::F32((0..n).map(|_| f32::from_bits(t.single())).collect()),
        _ => ArrayData::I32((0..n).map(|_| t.number()).collect()),
    };
    net.arrays.push(Array {
        name,
        shape: vec![n],
        data,
    });
    Init::Array(net.arrays.len() as u32 - 1)
}

/// A weight: a number, a draw, or (where `n` are wanted) an array.
fn weight(t: &mut Tape, net: &mut Network, n: Option<u32>) -> Init {
    match (t.below(3), n) {
        (0, _) => Init::Const(0.25 + t.below(9) as f64),
        (1, Some(n)) => array(t, net, n),
        _ => Init::Draw(distribution(t)),
    }
}

/// Delays of at least one step.
fn delay(t: &mut Tape, net: &mut Network, n: Option<u32>) -> Init {
    match (t.below(3), n) {
        (0, _) => Init::Const(1.0 + t.below(4) as f64),
        (1, Some(n)) => {
            let data = ArrayData::I32((0..n).map(|_| 1 + t.below(5) as i32).collect());
            let name = format!("delays{}", net.arrays.len());
            let shape = vec![n];
            net.arrays.push(Array { name, shape, data });
            Init::Array(net.arrays.len() as u32 - 1)
        }
        _ => Init::Draw(Distribution::UniformInt(1, 4)),
    }
}

/// A rule with the sizes that it connects and the number of its weights, when it has a fixed one.
fn rule(t: &mut Tape, net: &mut Network) -> (Connector, u32, u32, Option<u32>) {
    let (s, n) = (1 + t.below(8), 1 + t.below(8));
    let (self_connections, multapses) = (t.flip(), t.flip());
    match t.below(11) {
        0 => (Connector::AllToAll { self_connections }, s, n, Some(s * n)),
        1 => (Connector::OneToOne, s, s, Some(s)),
        2 => {
            let p = t.below(11) as f64 / 10.0;
            let c = Connector::FixedProbability {
                p,
                self_connections,
            };
            (c, s, n, Some(s * n))
        }
        3 => {
            let c = Connector::FixedIndegree {
                n: t.below(10),
                self_connections,
                multapses,
            };
            (c, s, n, None)
        }
        4 => {
            let c = Connector::FixedOutdegree {
                n: t.below(10),
                self_connections,
                multapses,
            };
            (c, s, n, None)
        }
        5 => {
            let n_synapses = t.below(30);
            let c = Connector::FixedTotal {
                n: n_synapses,
                self_connections,
            };
            (c, s, n, None)
        }
        6 => (Connector::Dense, s, n, Some(s * n)),
        7 => list(t, net, s, n),
        8 => conv(t),
        9 => pool(t),
        _ => (Connector::Scale, s, s, Some(s)),
    }
}

fn list(t: &mut Tape, net: &mut Network, s: u32, n: u32) -> (Connector, u32, u32, Option<u32>) {
    let count = t.below(12);
    let mut indices = |t: &mut Tape, of: u32| {
        let data = ArrayData::I32((0..count).map(|_| t.below(of) as i32).collect());
        let name = format!("indices{}", net.arrays.len());
        let shape = vec![count];
        net.arrays.push(Array { name, shape, data });
        net.arrays.len() as u32 - 1
    };
    let (pre, post) = (indices(t, s), indices(t, n));
    (Connector::List { pre, post }, s, n, Some(count))
}

fn conv(t: &mut Tape) -> (Connector, u32, u32, Option<u32>) {
    let groups = 1 + t.below(2);
    let c = Conv2d {
        input: [groups * (1 + t.below(2)), 1 + t.below(4), 1 + t.below(4)],
        channels: groups * (1 + t.below(2)),
        kernel: [1 + t.below(3), 1 + t.below(3)],
        stride: [1 + t.below(2), 1 + t.below(2)],
        padding: [1 + t.below(2), 1 + t.below(2)],
        dilation: [1, 1],
        groups,
    };
    let weights = c.weight_shape().iter().product();
    let (from, to) = (c.input.iter().product(), c.output().iter().product());
    (Connector::Conv2d(c), from, to, Some(weights))
}

fn pool(t: &mut Tape) -> (Connector, u32, u32, Option<u32>) {
    let c = Pool2d {
        input: [1 + t.below(3), 1 + t.below(5), 1 + t.below(5)],
        kernel: [1 + t.below(3), 1 + t.below(3)],
        stride: [1 + t.below(3), 1 + t.below(3)],
        padding: [1, 1],
        average: t.flip(),
    };
    let (from, to) = (c.input.iter().product(), c.output().iter().product());
    (Connector::Pool2d(c), from, to, Some(1))
}

fn population(t: &mut Tape, net: &mut Network, name: String, least: u32, plain: bool) -> PopId {
    let (kind, is_source) = match plain && t.flip() {
        true => (PopKind::Events { graded: t.flip() }, true),
        false => {
            let model = t.below(net.models.len() as u32);
            let fields = net.models[model as usize].fields.clone();
            let size = least + 2;
            let mut values: Vec<(String, Init)> = vec![];
            for f in &fields {
                if t.flip() {
                    values.push((f.name.clone(), weight(t, net, Some(size))));
                }
            }
            (PopKind::Neurons { model, values }, t.once_in(5))
        }
    };
    let span = t.flip().then(|| Span {
        file: t.below(2),
        start: t.word(),
        end: t.word(),
    });
    net.graph.add_node(Population {
        name,
        shape: vec![least + 2],
        kind,
        is_source,
        span,
    })
}

/// A projection with populations of its own that are a little larger than its ranges.
pub fn projection(t: &mut Tape, net: &mut Network, k: u32) -> ProjId {
    let (connector, s, n, weights) = rule(t, net);
    let mut stages = vec![];
    let chained = weights.is_some()
        && !connector.random()
        && !matches!(connector, Connector::List { .. })
        && t.once_in(3);
    let value = match chained {
        true => Init::Const(0.5),
        false => weight(t, net, weights),
    };
    stages.push(Stage {
        connector,
        weight: value,
    });
    if chained {
        stages.push(Stage {
            connector: Connector::Scale,
            weight: array(t, net, n),
        });
    }
    let b = population(t, net, format!("target{k}"), s.max(n), false);
    let a = match t.once_in(3) {
        true => b,
        false => population(t, net, format!("source{k}"), s, true),
    };
    let ports = net.model_of(b).map_or(0, |m| m.model.ports.len()) as u32;
    let outputs = net.model_of(a).map_or(0, |m| m.model.outputs.len()) as u32;
    let carry = match outputs > 0 && t.flip() {
        true => Carry::Output(t.below(outputs) as u16),
        false => Carry::Events,
    };
    let mut range = |len| Range {
        start: t.below(3),
        len,
    };
    let (source_range, target_range) = (range(s), range(n));
    let bias = match t.below(3) {
        0 => None,
        1 => Some(Init::Draw(distribution(t))),
        _ => Some(array(t, net, n)),
    };
    let port = t.below(ports) as u16;
    let learns = carry == Carry::Events && !chained && t.once_in(3);
    let plasticity = learns.then(|| plasticity(t, net, (a, b), port, target_range));
    let x = Projection {
        name: format!("projection {k}"),
        source_range,
        target_range,
        port,
        carry,
        delay: delay(t, net, if chained { None } else { weights }),
        stages,
        bias,
        trainable: t.flip(),
        plasticity,
        span: t.flip().then_some(Span {
            file: 0,
            start: 1,
            end: 2,
        }),
    };
    net.graph.add_edge(a, b, x)
}

fn plasticity(
    t: &mut Tape,
    net: &mut Network,
    (a, b): (PopId, PopId),
    port: u16,
    targets: Range,
) -> Plasticity {
    let target = net.model_of(b).expect("neurons").model.clone();
    let name = format!("syn{}", net.synapses.len());
    let synapse = synapse::model(t, name, &target, port, true);
    let decaying = synapse.states.iter().filter(|s| s.decay.is_some()).count();
    net.synapses.push(SynapseModel {
        columns: synapse.params.iter().map(|_| expr(t, 1, 2)).collect(),
        init: synapse.states.iter().map(|_| expr(t, 1, 2)).collect(),
        decays: (0..decaying)
            .map(|_| (expr(t, 1, 2), expr(t, 1, 1)))
            .collect(),
        periods: synapse.every.iter().map(|_| expr(t, 1, 1)).collect(),
        state_dimensions: synapse.states.iter().map(|_| dimension(t)).collect(),
        modulator_dimensions: synapse.modulators.iter().map(|_| dimension(t)).collect(),
        fields: vec![Field {
            name: "tau".into(),
            dimension: dimension(t),
            whole: t.flip(),
            default: Some(expr(t, 0, 1)),
            choices: vec![],
        }],
        integer: t.flip(),
        doc: t.name(),
        synapse,
    });
    let model = net.synapses.len() as u32 - 1;
    let modulators = net.synapses[model as usize].synapse.modulators.len() as u16;
    let whole = |pop: PopId| Range {
        start: 0,
        len: net.graph[pop].size() as u32,
    };
    let sends = |pop: PopId| net.model_of(pop).is_none_or(|m| m.spikes);
    Plasticity {
        model,
        values: t.list(1, |t| ("tau".into(), t.real())),
        weights: t.flip(),
        dendritic: 0,
        modulators: (0..modulators)
            .filter(|_| t.flip() && sends(a))
            .map(|port| Modulation {
                port,
                pop: a,
                range: whole(a),
                carry: Carry::Events,
                each: whole(a).len == targets.len,
            })
            .collect(),
    }
}

fn record(t: &mut Tape, net: &mut Network, k: u32) {
    let name = format!("recorded{k}");
    let least = 1 + t.below(3);
    let pop = population(t, net, name, least, true);
    let graded = net.graph[pop].kind == PopKind::Events { graded: true };
    let what = match net.model_of(pop) {
        Some(m) if t.flip() => Quantity::State(m.model.states[0].name.clone()),
        _ => Quantity::Spikes,
    };
    net.probes.push(Probe {
        pop,
        range: Range { start: 1, len: 2 },
        what,
        every: 1 + t.below(3),
    });
    if net.model_of(pop).is_none() {
        let events = t.list(5, |t| {
            let payload = if graded {
                t.single()
            } else {
                t.number() as u32
            };
            (t.below(9), t.below(3), payload)
        });
        net.feeds.push(Feed { pop, events });
    }
}
