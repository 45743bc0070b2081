//! What networks of rules promise: counted without being expanded, they cost what they cost neuron by neuron, under every metric.

use proptest::prelude::*;
use synfire_compiler::map::bench::jin::{Jin, Links, Uniform};
use synfire_compiler::map::bench::layered;
use synfire_compiler::map::bench::machine::{JIN, machine};
use synfire_compiler::map::cut::partition_from;
use synfire_compiler::map::flow::{FlowList, Flows};
use synfire_compiler::map::score::both;
use synfire_compiler::map::score::partition::{Caps, Share, Usage, broken, cut, flows};
use synfire_compiler::map::score::tree::multicast;
use synfire_compiler::map::score::unicast::{Places, unicast};
use synfire_compiler::map::search::Search;
use synfire_compiler::map::symbolic::Network;
use synfire_compiler::map::symbolic::axis::Axis;
use synfire_compiler::map::symbolic::build::Window;
use synfire_compiler::map::symbolic::plan::Plan;
use synfire_compiler::map::symbolic::score::score;
use synfire_compiler::map::symbolic::tiles::tiles;

/// An axis of any kind.
fn axis() -> impl Strategy<Value = Axis> {
    let window = (1..12u32, 1..12u32, 1..6u32, 1..5u32, 0..4u32);
    prop_oneof![
        (1..8u32, 1..8u32).prop_map(|(from, to)| Axis::All { from, to }),
        (1..4u32, 1..4u32, 1..4u32).prop_map(|(from, to, groups)| Axis::Groups {
            from,
            to,
            groups
        }),
        window.prop_map(|(from, to, kernel, stride, padding)| Axis::Window {
            from,
            to,
            kernel,
            stride,
            padding
        }),
    ]
}

proptest! {
    /// Ranges are answered as a walk over all pairs would answer them.
    #[test]
    fn an_axis_counts_what_it_connects(rule in axis(), a in 0..12u32, b in 0..12u32, c in 0..12u32, d in 0..12u32) {
        let met = |s: u32, t: u32| rule.sources(t).contains(&s);
        let cut = |a: u32, b: u32, end: u32| a.min(b).min(end)..a.max(b).min(end);
        let (from, to) = (cut(a, b, rule.from()), cut(c, d, rule.to()));
        let pairs: u64 = to.clone().map(|t| from.clone().filter(|&s| met(s, t)).count() as u64).sum();
        prop_assert_eq!(rule.synapses(&from, &to), pairs);
        let reaching = from.clone().filter(|&s| to.clone().any(|t| met(s, t))).count();
        prop_assert_eq!(rule.reaching(&from, &to) as usize, reaching);
        for s in 0..rule.from() {
            let targets: Vec<u32> = (0..rule.to()).filter(|&t| met(s, t)).collect();
            prop_assert_eq!(rule.targets(s).collect::<Vec<_>>(), targets);
        }
    }
}

/// A step of a network: what is added, and with what numbers.
type Step = (u8, u32, u32, u32, u32);

/// A network of a few layers with pictures of at most 9 x 9, shortcuts and loops among them.
fn built(channels: u32, side: u32, steps: &[Step]) -> Network {
    let mut n = Network::default();
    let mut at = n.population([channels, side, side + 1]);
    for &(kind, k, stride, padding, size) in steps {
        let shape = n.populations[at as usize].shape;
        let w = Window::new(k.min(shape[1]).min(shape[2]), stride, padding);
        let next = match kind {
            0 | 1 => n.conv(at, w, size),
            2 => n.depthwise(at, w),
            3 => n.global(at),
            4 => n.full(at, size * 3),
            _ => {
                let rule = n.convolution(at, Window::new(3, 1, 1), shape[0]);
                n.project(at, at, rule);
                n.conv(at, Window::new(1, 1, 0), size)
            }
        };
        if size == 1 && at > 0 {
            // A shortcut past the layer, from the one before.
            let all = |a: usize| Axis::All {
                from: n.populations[at as usize - 1].shape[a],
                to: n.populations[next as usize].shape[a],
            };
            let rule = [all(0), all(1), all(2)];
            n.project(at - 1, next, rule);
        }
        at = next;
    }
    for (i, p) in n.populations.iter_mut().enumerate() {
        p.rate = [1.0, 0.25, 3.0][i % 3];
    }
    n
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn shares(usage: &[Usage], of: fn(&Usage) -> u64) -> (u64, u64) {
    let mut s = Share::default();
    usage.iter().for_each(|u| s.add(of(u)));
    (s.most, s.sum)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn boxes_cost_what_their_neurons_cost(
        channels in 1..4u32,
        side in 1..9u32,
        steps in prop::collection::vec((0..6u8, 1..4u32, 1..4u32, 0..2u32, 1..5u32), 1..6),
        npc in 1..60u64,
        apc in prop::option::of(20..200u64),
        spc in prop::option::of(40..2000u64),
    ) {
        let net = built(channels, side, &steps);
        let caps = Caps { npc: Some(npc), apc, spc, ..Caps::default() };
        let Ok(pieces) = tiles(&net, &caps) else {
            // Some neuron alone must break a limit then.
            let whole = net.expand().expect("it is small");
            let most = (0..whole.neurons() as u32).map(|v| whole.into.of(v).len() as u64).max();
            prop_assert!(most > apc || most > spc);
            return Ok(());
        };
        let plan = Plan::new(net, pieces).expect("few parts");
        let whole = plan.net.expand().expect("it is small");
        prop_assert_eq!(whole.synapses(), plan.net.synapses());
        prop_assert_eq!(whole.neurons() as u64, plan.net.neurons());
        let part = plan.parts_of_neurons().expect("it is small");
        let (c, usage) = cut(&whole, &part, plan.parts());
        prop_assert_eq!(broken(&usage, &caps), None);
        let s = score(&plan);
        prop_assert_eq!((s.cut.remote_1, s.cut.axon_entries, s.cut.cores_used), (c.remote_1, c.axon_entries, c.cores_used));
        for (a, b) in [
            (s.cut.remote, c.remote), (s.cut.cutnet, c.cutnet), (s.cut.soed, c.soed), (s.cut.cut_synapses, c.cut_synapses),
            (s.cut.reuse_mean, c.reuse_mean), (s.cut.reuse_geo, c.reuse_geo),
        ] {
            prop_assert!(close(a, b), "{a} {b}");
        }
        for (mine, theirs) in [
            (s.neurons, shares(&usage, |u| u.neurons)), (s.axons, shares(&usage, |u| u.axons)),
            (s.synapses, shares(&usage, |u| u.synapses)), (s.outbound, shares(&usage, |u| u.outbound)),
        ] {
            prop_assert_eq!((mine.most, mine.sum), theirs);
        }
        let list = flows(&whole, &part, plan.parts());
        let n = plan.parts();
        let places = Places { x: n.div_ceil(3), y: 3, at: (0..n).map(|i| ((i * 7 % n) / 3, (i * 7 % n) % 3)).collect() };
        if !n.is_multiple_of(7) {
            let (a, b) = (unicast(&plan, &places, &JIN, true), unicast(&list, &places, &JIN, true));
            for (a, b) in [
                (a.hops, b.hops), (a.packets, b.packets), (a.lat_avg_jin, b.lat_avg_jin), (a.hops_max as f64, b.hops_max as f64),
                (a.cong_link_max, b.cong_link_max), (a.energy_paper, b.energy_paper), (a.cong_core.map_or(0.0, |c| c.1), b.cong_core.map_or(0.0, |c| c.1)),
            ] {
                prop_assert!(close(a, b), "{a} {b}");
            }
            let (a, b) = (multicast(&plan, &places, &JIN), multicast(&list, &places, &JIN));
            for (a, b) in [(a.mc_hops, b.mc_hops), (a.mc_energy, b.mc_energy), (a.mc_link_max, b.mc_link_max)] {
                prop_assert!(close(a, b), "{a} {b}");
            }
        }
    }
}

/// Neurons and synapses of the layered networks as defined; those of ResNet-50 counted apart from the builder, layer by layer.
#[test]
fn resnet_has_the_size_of_its_definition() {
    let window = |n: u64, k: u64, s: u64, p: u64| -> u64 {
        let m = (n + 2 * p - k) / s + 1;
        (0..m)
            .map(|t| {
                (0..k)
                    .filter(|d| (t * s + d >= p) && t * s + d < n + p)
                    .count() as u64
            })
            .sum()
    };
    let square = |n, k, s, p| window(n, k, s, p) * window(n, k, s, p);
    let (mut neurons, mut synapses) = (3 * 224 * 224u64, 0u64);
    neurons += 64 * 112 * 112 + 64 * 56 * 56;
    synapses += 64 * 3 * square(224, 7, 2, 3) + 64 * square(112, 3, 2, 1);
    let (mut input, mut n) = (64u64, 56u64);
    for (blocks, width, first) in [(3, 64u64, 1u64), (4, 128, 2), (6, 256, 2), (3, 512, 2)] {
        for b in 0..blocks {
            let (stride, m) = if b == 0 { (first, n / first) } else { (1, n) };
            let out = 4 * width;
            neurons += width * n * n + width * m * m + out * m * m;
            synapses += width * input * n * n
                + width * width * square(n, 3, stride, 1)
                + out * width * m * m;
            synapses += if b == 0 {
                out * input * m * m
            } else {
                out * m * m
            };
            (input, n) = (out, m);
        }
    }
    neurons += 2048 + 1000;
    synapses += 2048 * 49 + 2048 * 1000;
    let net = layered::named("resnet50-224").expect("a named network");
    assert_eq!((net.neurons(), net.synapses()), (neurons, synapses));
}

#[test]
fn tiles_of_the_small_picture_network_are_the_best_known() {
    let net = layered::named("cnn").expect("a named network");
    let caps = machine("npc-256").expect("a machine").caps;
    let pieces = tiles(&net, &caps).expect("it fits");
    let plan = Plan::new(net, pieces).expect("few parts");
    assert_eq!((score(&plan).cut.remote_1, plan.parts()), (112_780, 262));
}

/// The free search begins at the boxes where it is given them.
#[test]
fn the_search_goes_on_from_the_boxes() {
    let net = built(2, 9, &[(0, 3, 1, 1, 6), (0, 3, 1, 1, 6), (2, 2, 2, 0, 2)]);
    let caps = Caps {
        npc: Some(32),
        ..Caps::default()
    };
    let plan = Plan::new(net.clone(), tiles(&net, &caps).expect("it fits")).expect("few parts");
    let whole = net.expand().expect("it is small");
    let start = plan.parts_of_neurons().map(|p| (p, plan.parts()));
    let found = partition_from(&whole, &caps, &Search::new(1, 1), start).expect("it fits");
    let (c, usage) = cut(&whole, &found.part, found.parts);
    assert_eq!(broken(&usage, &caps), None);
    assert!(c.remote <= score(&plan).cut.remote, "{}", c.remote);
}

/// Blocks are counted by how they spread, and come to the same as all their packets one by one.
#[test]
fn blocks_cost_what_their_packets_cost() {
    for (layers, width) in [(4, 9), (3, 16), (6, 5)] {
        let net = layered::jin(layers, width, Links::Dense);
        let caps = machine("npc-4096").expect("a machine").caps;
        let plan = Plan::new(net.clone(), tiles(&net, &caps).expect("it fits")).expect("few");
        let n = Flows::parts(&plan);
        assert_eq!(n, layers * width);
        let mut list = FlowList::new(n);
        plan.each(&mut |s, to, w| list.push(s, to, w));
        for step in [1, 7, 31] {
            let at = (0..n)
                .map(|i| (i * step % n % 11, i * step % n / 11))
                .collect();
            let places = Places {
                x: 11,
                y: n.div_ceil(11),
                at,
            };
            let a = unicast(&plan, &places, &JIN, true);
            let b = unicast(&list, &places, &JIN, true);
            assert_eq!(
                (a.hops_max, a.hops, a.packets),
                (b.hops_max, b.hops, b.packets)
            );
            let t = (
                multicast(&plan, &places, &JIN),
                multicast(&list, &places, &JIN),
            );
            for (a, b) in [
                (a.lat_avg_jin, b.lat_avg_jin),
                (a.cong_link_avg, b.cong_link_avg),
                (a.cong_link_max, b.cong_link_max),
                (a.energy_paper, b.energy_paper),
                (t.0.mc_hops, t.1.mc_hops),
                (t.0.mc_energy, t.1.mc_energy),
                (t.0.mc_link_max, t.1.mc_link_max),
            ] {
                assert!(close(a, b), "{layers} {width} {step}: {a} {b}");
            }
        }
    }
}

/// Rows of drawn weights, too, for places in which columns of destinations have gaps and for such in which they have none.
#[test]
fn rows_cost_what_their_packets_cost() {
    for (layers, width, step) in [(4, 9, 1), (5, 16, 1), (4, 25, 7), (3, 40, 31)] {
        let jin = Jin::new(layers, width, Links::Dense);
        let n = layers * width;
        let mut list = FlowList::new(n);
        jin.each(&mut |s, to, w| list.push(s, to, w));
        let at = (0..n)
            .map(|i| (i * step % n / 11, i * step % n % 11))
            .collect();
        let places = Places {
            x: n.div_ceil(11),
            y: 11,
            at,
        };
        let (a, t) = both(&jin, &places, &JIN, true);
        let (b, u) = both(&list, &places, &JIN, true);
        assert_eq!(a.hops_max, b.hops_max);
        for (a, b) in [
            (a.packets, b.packets),
            (a.hops, b.hops),
            (a.lat_avg_jin, b.lat_avg_jin),
            (a.cong_link_avg, b.cong_link_avg),
            (a.cong_link_max, b.cong_link_max),
            (
                a.cong_core.map_or(0.0, |c| c.1),
                b.cong_core.map_or(1.0, |c| c.1),
            ),
            (t.mc_hops, u.mc_hops),
            (t.mc_energy, u.mc_energy),
            (t.mc_link_max, u.mc_link_max),
        ] {
            assert!(close(a, b), "{layers} {width} {step}: {a} {b}");
        }
    }
}

/// Numbers drawn four at a time are those drawn one by one, from any place in the stream.
#[test]
fn lanes_draw_what_single_draws_give() {
    let (mut single, mut lanes) = (Uniform::new(), Uniform::new());
    for n in [1, 4, 0, 7, 64, 3, 1001, 8] {
        let mut out = vec![0.0; n];
        lanes.fill(&mut out);
        assert!(out.iter().all(|&u| u == single.unit()), "{n}");
    }
}

/// 4.3e9 neurons and 1.8e16 synapses, counted in whole numbers.
#[test]
fn four_billion_neurons_stay_rules() {
    let net = layered::jin(1024, 1024, Links::Dense);
    assert_eq!(net.neurons(), 1 << 32);
    assert_eq!(net.synapses(), 1022 * (1u64 << 44));
    let caps = machine("npc-4096").expect("a machine").caps;
    let plan = Plan::new(net.clone(), tiles(&net, &caps).expect("it fits")).expect("few parts");
    let s = score(&plan);
    assert_eq!(plan.parts(), 1 << 20);
    assert_eq!(s.cut.remote_1, 1022 * 1024 * 1024 * 4096);
    let caps = machine("jin-1024").expect("a machine").caps;
    assert_eq!(tiles(&net, &caps).expect_err("too many axons").limit, "apc");
}
