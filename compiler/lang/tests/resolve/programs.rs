//! The four programs of the language's description, with data files made here, and the shipped examples.

use crate::{Memory, floats, load_with, network, network_of, npz, projection, synapses};
use synfire_ir::network::{Connector, Distribution, Init, PopKind, Quantity};
use synfire_ir::program::Range;

const BALANCED: &str = include_str!("../data/brunel.syn");
const LSNN: &str = include_str!("../data/lsnn.syn");
const DIGITS: &str = include_str!("../data/digits.syn");
const BANDIT: &str = include_str!("../data/bandit.syn");

#[test]
fn balanced() {
    let l = load_with(BALANCED, &Memory::default(), &[]);
    let net = l.network.unwrap();
    let sizes: Vec<(&str, u64)> = net
        .populations()
        .map(|p| (p.1.name.as_str(), p.1.size()))
        .collect();
    assert_eq!(sizes, [("exc", 10_000), ("inh", 2_500), ("drive", 12_500)]);
    assert_eq!(
        (net.dt, net.seed, net.run),
        (Some(1e-4), Some(42), Some(10_000))
    );
    let names: Vec<&str> = net.projections().map(|p| p.3.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "drive[0..10000]->exc.kick",
            "drive[10000..12500]->inh.kick",
            "exc->exc.kick",
            "exc->inh.kick",
            "inh->exc.kick",
            "inh->inh.kick",
        ]
    );
    for p in net.projections() {
        assert_eq!(p.3.delay, Init::Const(15.0));
    }
    let p = &net.graph[projection(&net, "inh->exc.kick")];
    let n = Connector::FixedIndegree {
        n: 250,
        self_connections: true,
        multapses: true,
    };
    assert_eq!(
        (&p.stages[0].connector, &p.stages[0].weight),
        (&n, &Init::Const(-5e-4))
    );
    // eta * 20 mV / (J c_e tau) * c_e = 2 * 20 / (0.1 * 20 ms) = 20 kHz.
    let drive = &net.graph[net.find("drive").unwrap()];
    let PopKind::Neurons { values, .. } = &drive.kind else {
        panic!()
    };
    let [(name, Init::Const(rate))] = &values[..] else {
        panic!("{values:?}")
    };
    assert_eq!(name, "rate");
    assert!((rate - 20_000.0).abs() < 1e-6, "{rate}");
    let exc = &net.graph[net.find("exc").unwrap()];
    let PopKind::Neurons { values, .. } = &exc.kind else {
        panic!()
    };
    assert_eq!(
        values[..],
        [("v".into(), Init::Draw(Distribution::Uniform(0.0, 0.02)))]
    );
    let probes: Vec<_> = net
        .probes
        .iter()
        .map(|p| (p.range.len, p.what.clone(), p.every))
        .collect();
    assert_eq!(
        probes,
        [
            (10_000, Quantity::Spikes, 1),
            (10, Quantity::State("v".into()), 10)
        ]
    );
    assert_eq!(l.warnings.to_string(), "");
}

#[test]
fn lsnn() {
    let dense = |t: usize, s: usize, k: f32| floats(&[t, s], (0..t * s).map(move |i| i as f32 + k));
    let mut members = vec![];
    for (p, k) in [("reg", 0.25), ("ada", 0.5)] {
        members.push((format!("{p}_w_in"), dense(100, 40, k)));
        members.push((format!("{p}_w_rec"), dense(100, 100, k)));
        members.push((format!("{p}_w_out"), dense(10, 100, k)));
    }
    let members: Vec<(&str, Vec<u8>)> = members
        .iter()
        .map(|(n, b)| (n.as_str(), b.clone()))
        .collect();
    let files = Memory::default()
        .with("lsnn.npz", npz(&members))
        .with_events("sample.csv", &[(3, 39, 1.0), (0, 1, 1.0)]);
    let net = network_of(LSNN, &files);
    assert_eq!(
        net.populations().map(|p| p.1.size()).collect::<Vec<_>>(),
        [40, 100, 100, 10]
    );
    let names: Vec<&str> = net.projections().map(|p| p.3.name.as_str()).collect();
    let want = [
        "x->reg.i",
        "reg->reg.i",
        "ada->reg.i",
        "reg->out.i",
        "x->ada.i",
        "reg->ada.i",
        "ada->ada.i",
        "ada->out.i",
    ];
    assert_eq!(names, want);
    let p = &net.graph[projection(&net, "reg->ada.i")];
    assert_eq!(
        (&p.delay, p.trainable, &p.stages[0].connector),
        (&Init::Const(1.0), true, &Connector::Dense)
    );
    let Init::Array(a) = p.stages[0].weight else {
        panic!()
    };
    assert_eq!(net.arrays[a as usize].name, "lsnn.npz:ada_w_rec");
    assert_eq!(net.arrays.len(), 6);
    // Weights are [targets, sources].
    let s = synapses(&net, "x->ada.i");
    assert_eq!(s.len(), 4000);
    let w = s
        .iter()
        .find(|s| (s.source, s.target) == (3, 7))
        .unwrap()
        .weight;
    assert_eq!(w, (7 * 40 + 3) as f64 + 0.5);
    assert_eq!(net.run, Some(500));
    assert_eq!(net.feeds.len(), 1);
    assert_eq!(net.feeds[0].events, [(0, 1, 1), (3, 39, 1)]);
    assert_eq!(
        net.hints,
        [
            ("ada".into(), "precision".into(), "int8".into()),
            ("ada".into(), "cores".into(), "2".into())
        ] as [(String, String, String); 2]
    );
    assert_eq!(net.probes.len(), 3);
}

#[test]
fn digits() {
    let kernel =
        |o: usize, i: usize, k: usize| floats(&[o, i, k, k], (0..o * i * k * k).map(|n| n as f32));
    let files = Memory::default().with(
        "digits.npz",
        npz(&[
            ("conv1", kernel(16, 2, 5)),
            ("conv2", kernel(16, 16, 3)),
            ("conv3", kernel(8, 16, 3)),
            ("fc1", floats(&[256, 128], (0..256 * 128).map(|n| n as f32))),
            ("fc2", floats(&[10, 256], (0..2560).map(|n| n as f32))),
        ]),
    );
    let net = network_of(DIGITS, &files);
    let stages = |n: &str| net.graph[projection(&net, n)].stages.clone();
    let Connector::Conv2d(c) = &stages("dvs->c1.i")[0].connector else {
        panic!()
    };
    assert_eq!(
        (c.input, c.output(), c.kernel, c.stride, c.padding),
        ([2, 34, 34], [16, 16, 16], [5, 5], [2, 2], [1, 1])
    );
    let chain = stages("c2->c3.i");
    assert!(
        matches!(&chain[0].connector, Connector::Pool2d(p) if !p.average && p.output() == [16, 8, 8])
    );
    assert_eq!(chain[0].weight, Init::Const(1.0));
    assert!(matches!(&chain[1].connector, Connector::Conv2d(c) if c.channels == 8));
    let chain = stages("c3->f1.i");
    assert_eq!(chain.len(), 2);
    assert!(matches!(&chain[1].connector, Connector::Dense));
    // Unit (1, 0, 0) of c3 reaches f1 through cell (1, 0, 0) of [8, 4, 4], column 16 of fc1.
    let s = synapses(&net, "c3->f1.i");
    let w = s
        .iter()
        .find(|s| (s.source, s.target) == (64, 5))
        .unwrap()
        .weight;
    assert_eq!(w, (5 * 128 + 16) as f64);
}

/// The rule stays inside the part; the reward reaches it through the part's port.
#[test]
fn bandit_learns() {
    let files = Memory::default().with_events("stim.csv", &[(0, 0, 1.0)]);
    let net = network_of(BANDIT, &files);
    let p = &net.graph[projection(&net, "actor.plastic")];
    let x = p.plasticity.as_ref().unwrap();
    let m = &net.synapses[x.model as usize];
    assert_eq!(m.synapse.name, "RewardStdp");
    assert_eq!(x.values, [("rate".to_string(), 0.02)]);
    assert!(x.weights);
    let y = &x.modulators[0];
    assert_eq!(net.graph[y.pop].name, "reward");
    assert!(!y.each && x.modulators.len() == 1);
    let probe = net.probes.iter().find_map(|p| match &p.what {
        Quantity::Synapse(projection, state) => {
            Some((projection.as_str(), state.as_str(), p.every))
        }
        _ => None,
    });
    assert_eq!(probe, Some(("actor.plastic", "w", 1000)));
}

#[test]
fn bandit() {
    let files = Memory::default().with_events("stim.csv", &[(0, 0, 1.0)]);
    let fixed = BANDIT
        .replace("synapse = RewardStdp(rate = 0.02), w ~", "weight ~")
        .lines()
        .filter(|l| {
            !l.contains("modulate") && !l.contains("actor.plastic.w") && !l.contains("at 10 s")
        })
        .map(|l| format!("{l}\n"))
        .collect::<String>();
    let net = network_of(&fixed, &files);
    let names: Vec<&str> = net.populations().map(|p| p.1.name.as_str()).collect();
    assert_eq!(names, ["stim", "reward", "actor.choice"]);
    // The port is gone: what goes into the part goes to the population inside.
    let p = &net.graph[projection(&net, "actor.plastic")];
    let clipped = Init::Draw(Distribution::NormalClipped(0.5, 0.1, 0.0, 1.0));
    assert_eq!(
        (p.source_range, &p.stages[0].weight),
        (Range { start: 0, len: 20 }, &clipped)
    );
    assert_eq!(
        p.stages[0].connector,
        Connector::AllToAll {
            self_connections: true
        }
    );
    let p = &net.graph[projection(&net, "actor.choice->actor.choice.i")];
    assert_eq!(
        p.stages[0].connector,
        Connector::AllToAll {
            self_connections: false
        }
    );
    assert_eq!(net.graph[net.probes[0].pop].name, "actor.choice");
    assert_eq!((net.run, net.seed), (Some(60_000), Some(7)));
}

#[test]
fn library_models_load_without_use() {
    let net = network(
        "network N { step 1 ms; pop a: std.neurons.Lif[3]; source p: poisson[3] { rate = 5 Hz }; connect p -> a : one_to_one }",
    );
    assert_eq!(net.models.len(), 2);
    assert_eq!(
        net.model_of(net.find("a").unwrap()).unwrap().model.name,
        "std.neurons.Lif"
    );
}

/// The adder's units, stepped by the definition: a unit fires when the weights that arrive in a step reach its threshold.
#[test]
fn adder_adds_all_pairs() {
    let net = network(include_str!("../../../../examples/adder.syn"));
    let units: Vec<(String, usize)> = net
        .populations()
        .map(|p| (p.1.name.clone(), p.1.size() as usize))
        .collect();
    let mut edges = vec![];
    for (id, a, b, p) in net.projections() {
        let all = Range {
            start: 0,
            len: p.target_range.len,
        };
        for s in net.expand(id, 0, all) {
            let from = (a.index(), (p.source_range.start + s.source) as usize);
            let to = (b.index(), (p.target_range.start + s.target) as usize);
            assert!(s.delay >= 1 && (-8.0..=7.0).contains(&s.weight) && s.weight.fract() == 0.0);
            edges.push((from, to, s.weight, s.delay as usize));
        }
    }
    // Every target sees at most two different weights.
    let at = |n: &str| units.iter().position(|u| u.0 == n).unwrap();
    let (a, b, sum) = (at("a"), at("b"), at("sum"));
    let threshold = |pop: usize| if pop == sum { 1.0 } else { 2.0 };
    // A new pair in every step.
    const STEPS: usize = 256 + 5;
    let mut arriving = vec![std::collections::BTreeMap::<(usize, usize), f64>::new(); STEPS + 6];
    for step in 0..STEPS {
        let mut fired: Vec<(usize, usize)> = vec![];
        if step < 256 {
            for i in 0..4 {
                (step >> i & 1 == 1).then(|| fired.push((a, i)));
                (step >> (4 + i) & 1 == 1).then(|| fired.push((b, i)));
            }
        }
        let now = std::mem::take(&mut arriving[step]);
        fired.extend(
            now.into_iter()
                .filter(|(u, w)| *w >= threshold(u.0))
                .map(|x| x.0),
        );
        for (from, to, w, d) in &edges {
            if fired.contains(from) {
                *arriving[step + d].entry(*to).or_insert(0.0) += w;
            }
        }
        let result: usize = fired.iter().filter(|u| u.0 == sum).map(|u| 1 << u.1).sum();
        if step >= 5 {
            let pair = step - 5;
            assert_eq!(
                result,
                (pair & 15) + (pair >> 4),
                "{} + {}",
                pair & 15,
                pair >> 4
            );
        } else {
            assert_eq!(result, 0);
        }
    }
}

#[test]
fn coincidence_loads() {
    let net = network(include_str!("../../../../examples/coincidence.syn"));
    let s = synapses(&net, "ear[1..2]->detector.kick");
    let delays: Vec<u16> = s.iter().map(|s| s.delay).collect();
    assert_eq!(delays, (0..100).map(|k| 2 * k).collect::<Vec<u16>>());
    assert_eq!(net.run, Some(10_000));
}

#[test]
fn balanced_ei_is_the_benchmark() {
    let net = network(include_str!("../../../../examples/balanced_ei.syn"));
    let sizes: Vec<(&str, u64)> = net
        .populations()
        .map(|p| (p.1.name.as_str(), p.1.size()))
        .collect();
    assert_eq!(sizes, [("exc", 3200), ("inh", 800)]);
    // 80 synapses a neuron, 64 of them excitatory; the deviation of the sum is about 560.
    let total: usize = net
        .projections()
        .map(|p| synapses(&net, &p.3.name).len())
        .sum();
    assert!((total as f64 - 320_000.0).abs() < 2_500.0, "{total}");
    let s = synapses(&net, "inh->exc.inh");
    assert!(s.iter().all(|s| s.weight == -9e-3 && s.delay == 1));
}
