//! What the mapper promises: metrics equal the published ones, limits hold, results are the same every time and never worse than the plain order.

use synfire_compiler::map::bench::irregular::{communities, grid};
use synfire_compiler::map::bench::jin::{Jin, Links};
use synfire_compiler::map::bench::layered;
use synfire_compiler::map::bench::machine::{JIN, machine};
use synfire_compiler::map::bench::{Network, network};
use synfire_compiler::map::cut::anneal::State;
use synfire_compiler::map::cut::fill::fill;
use synfire_compiler::map::cut::hyper::Hyper;
use synfire_compiler::map::cut::trim::Trim;
use synfire_compiler::map::cut::{fewest, partition, proposals};
use synfire_compiler::map::flow::Flows;
use synfire_compiler::map::layout::anneal::{Board, Mesh};
use synfire_compiler::map::layout::chain::Shape;
use synfire_compiler::map::layout::curve::{Cell, gilbert, hilbert, strips};
use synfire_compiler::map::layout::graph::Graph;
use synfire_compiler::map::layout::{Goal, Grid, force, place, place_for};
use synfire_compiler::map::net::{Builder, Lists, Net, OUTSIDE};
use synfire_compiler::map::rng::Rng;
use synfire_compiler::map::score::partition::{Caps, Usage, broken, cut, flows};
use synfire_compiler::map::score::tree::multicast;
use synfire_compiler::map::score::unicast::{Places, hops, unicast};
use synfire_compiler::map::search::Search;

/// (layers = width = mesh side, dense?, order of cells, hops, lat_avg_jin, lat_max_jin, cong_link_avg, cong_link_max), as printed by mapping_cpp.
type Row = (u32, bool, fn(u32) -> Vec<Cell>, [f64; 5]);

fn in_columns(s: u32) -> Vec<Cell> {
    (0..s * s).map(|i| (i / s, i % s)).collect()
}

#[test]
fn metrics_equal_the_published_programs() {
    #[rustfmt::skip]
    let rows: [Row; 10] = [
        (32, false, hilbert, [15527.412, 8.61542, 14.15, 7.82632, 21.6033]),
        (32, false, in_columns, [4471.9565, 2.49361, 4.05, 2.25401, 4.51143]),
        (64, false, hilbert, [79491.284, 10.3613, 22.23, 9.85755, 34.0623]),
        (64, false, in_columns, [19286.960, 2.5148, 4.05, 2.39174, 4.78296]),
        (128, false, hilbert, [536686.18, 17.0299, 30.31, 16.5073, 50.0157]),
        (128, false, in_columns, [79471.775, 2.52502, 4.05, 2.44438, 5.19887]),
        (32, true, hilbert, [113237.09, 7.46296, 18.19, 57.0751, 157.725]),
        (64, true, hilbert, [1347860.1, 10.7413, 22.23, 167.145, 344.605]),
        (64, true, |s| strips(s, s, 16), [1230087.8, 9.80354, 34.35, 152.541, 632.626]),
        (128, true, |s| strips(s, s, 18), [14113160.0, 13.809, 82.83, 434.091, 1510.93]),
    ];
    for (s, dense, order, wanted) in rows {
        let jin = Jin::new(
            s,
            s,
            if dense {
                Links::Dense
            } else {
                Links::Window(4)
            },
        );
        let m = unicast(
            &jin,
            &Places {
                x: s,
                y: s,
                at: order(s),
            },
            &JIN,
            false,
        );
        let got = [
            m.hops,
            m.lat_avg_jin,
            m.lat_max_jin,
            m.cong_link_avg,
            m.cong_link_max,
        ];
        for (g, w) in got.iter().zip(wanted) {
            // The programs print six to eight digits.
            assert!(
                (g / w - 1.0).abs() < 5e-6,
                "{s} {dense}: {got:?} {wanted:?}"
            );
        }
    }
}

#[test]
fn sizes_of_networks_are_the_specified_ones() {
    let sizes = [
        ("lenet5-28", 8_878, 412_960),
        ("lenet5-32", 11_166, 658_024),
        ("lenet5-224", 739_452, 54_703_936),
        ("alexnet-227", 936_323, 1_045_132_160),
        ("vgg11-32", 186_378, 114_712_320),
        ("vgg16-224", 15_237_608, 14_975_945_472),
        ("mobilenetv1-224", 5_195_240, 567_925_920),
    ];
    for (name, neurons, synapses) in sizes {
        let l = layered::named(name).expect("a named network");
        assert_eq!((l.neurons(), l.synapses()), (neurons, synapses), "{name}");
    }
    let net = layered::named("lenet5-28")
        .and_then(|l| l.expand())
        .expect("a small network");
    assert_eq!((net.neurons(), net.synapses()), (8_878, 412_960));
    assert_eq!(Jin::new(16_384, 64, Links::Dense).edges(), 67_100_672);
    assert_eq!(Jin::new(1024, 1024, Links::Window(4)).edges(), 4_179_980);
}

#[test]
fn placement_reaches_its_goals_from_any_numbering() {
    for (name, side, goal) in [
        ("cnn:32,32-shuf", 32, 4354.0),
        ("cnn:64,64-shuf", 64, 18_820.0),
        ("dnn:64,64", 64, 1.15e6),
        ("dnn:64,64-shuf", 64, 1.15e6),
    ] {
        let Some(Network::Parts(jin, shape)) = network(name) else {
            panic!("{name}")
        };
        let p = place(
            &jin,
            shape.as_ref(),
            &Grid::new(side, side),
            &Search::new(1, 1),
        )
        .expect("it fits");
        let mut cells = p.places.at.clone();
        cells.sort_unstable();
        cells.dedup();
        assert_eq!(
            cells.len(),
            jin.parts() as usize,
            "{name}: a cell is taken twice"
        );
        let m = unicast(&jin, &p.places, &JIN, false);
        assert!(m.hops <= goal, "{name}: {} hops", m.hops);
        if name == "dnn:64,64" {
            assert!(m.cong_link_max <= 358.0, "{}", m.cong_link_max);
        }
        assert_eq!(
            p,
            place(
                &jin,
                shape.as_ref(),
                &Grid::new(side, side),
                &Search::new(1, 1)
            )
            .expect("it fits")
        );
    }
}

fn random(rng: &mut Rng, n: u32, fan: u64) -> Net {
    let mut b = Builder::new();
    for _ in 0..n {
        b.neuron(
            (0..rng.below(fan + 1))
                .map(|_| rng.below(n as u64) as u32)
                .collect(),
        );
    }
    b.build()
}

#[test]
fn no_part_breaks_a_limit_and_none_is_worse_than_in_order() {
    let mut rng = Rng::new(7);
    let (mut fitted, mut refused) = (0, 0);
    for _ in 0..60 {
        let n = 1 + rng.below(300) as u32;
        let net = random(&mut rng, n, 12);
        let mut some = |most: u64| (rng.below(3) > 0).then(|| 1 + rng.below(most));
        let caps = Caps {
            npc: some(40),
            apc: some(60),
            spc: some(200),
            ..Caps::default()
        };
        match partition(&net, &caps, &Search::new(1, 3)) {
            Ok(c) => {
                let (m, usage) = cut(&net, &c.part, c.parts);
                assert_eq!(broken(&usage, &caps), None, "{caps:?} {c:?}");
                let (part, parts) = fill(&net, 0..n, &caps).expect("in order fits too");
                assert!(m.remote <= cut(&net, &part, parts).0.remote);
                assert_eq!(
                    c,
                    partition(&net, &caps, &Search::new(1, 3)).expect("again")
                );
                fitted += 1;
            }
            Err(e) => {
                let degree = net.into.of(e.neuron).len() as u64;
                assert!(e.needed == degree && e.needed > e.available, "{e:?}");
                refused += 1;
            }
        }
    }
    assert!(fitted > 10 && refused > 3, "{fitted} {refused}");
}

#[test]
fn bounds_between_metrics_hold() {
    let net = communities(2048, 8, 16, 3).shuffled(5);
    let caps = Caps {
        npc: Some(64),
        ..Caps::default()
    };
    let c = partition(&net, &caps, &Search::new(1, 1)).expect("it fits");
    let (m, _) = cut(&net, &c.part, c.parts);
    let list = flows(&net, &c.part, c.parts);
    for effort in 0..2 {
        let p = place(&list, None, &Grid::new(6, 6), &Search::new(effort, 1))
            .expect("it fits")
            .places;
        let u = unicast(&list, &p, &JIN, true);
        let t = multicast(&list, &p, &JIN);
        assert_eq!(u.packets, m.remote);
        assert!(m.remote <= t.mc_hops && t.mc_hops <= u.hops);
        assert!((u.cong_link_avg * 60.0 / u.hops - 1.0).abs() < 1e-9);
        assert!(t.mc_link_max * 120.0 >= t.mc_hops);
        assert!(
            u.hops
                <= hops(
                    &list,
                    &Places {
                        x: 6,
                        y: 6,
                        at: gilbert(6, 6).into_iter().take(c.parts as usize).collect()
                    }
                )
        );
    }
}

#[test]
fn gains_equal_a_full_recomputation() {
    let mut rng = Rng::new(11);
    for net in [
        grid(12, 6, 2.0, 1),
        communities(200, 4, 8, 2),
        random(&mut rng, 150, 9),
        random(&mut rng, 64, 30),
        grid(8, 3, 1.0, 4),
    ] {
        let n = net.neurons() as u32;
        let k = 7u32;
        let part: Vec<u32> = (0..n).map(|_| rng.below(k as u64) as u32).collect();
        let h = Hyper::new(&net);
        let mut s = State::new(&h, k as usize, part);
        for _ in 0..1000 {
            let (v, b) = (rng.below(n as u64) as u32, rng.below(k as u64) as u32);
            if s.part[v as usize] == b {
                continue;
            }
            let before = cut(&net, &s.part, k).0.remote;
            let gain = s.moved(v, b);
            s.apply(v, b);
            assert_eq!(before + gain as f64, cut(&net, &s.part, k).0.remote);
        }
        assert_eq!(s.cost(), cut(&net, &s.part, k).0.remote);
        let list = flows(&net, &s.part, k);
        let graph = Graph::new(&list);
        let mut board = Board::new(
            &graph,
            Mesh(3, 3),
            &Places {
                x: 3,
                y: 3,
                at: gilbert(3, 3).into_iter().take(k as usize).collect(),
            },
            &[],
        );
        for _ in 0..1000 {
            let (a, b) = (rng.below(9) as usize, rng.below(9) as usize);
            if a != b {
                let before = hops(&list, &board.places());
                let gain = board.gain(a, b);
                board.swap(a, b);
                assert_eq!(before + gain as f64, hops(&list, &board.places()));
            }
        }
    }
}

#[test]
fn gains_under_all_limits_equal_a_full_recomputation() {
    let mut rng = Rng::new(13);
    for net in [
        grid(12, 6, 2.0, 1),
        communities(200, 4, 8, 2),
        random(&mut rng, 150, 9),
        random(&mut rng, 64, 30),
        wired(&mut rng),
    ] {
        let (n, k) = (net.neurons() as u32, 7u32);
        let caps = Caps {
            npc: Some(30),
            apc: Some(60),
            spc: Some(200),
            opc: Some(50),
            cores: None,
            copies: !net.home.is_empty(),
        };
        let excess = |part: &[u32]| {
            let over = |have: u64, most: u64| {
                if have > most {
                    (((have - most) << 16) / most).max(1) as i64
                } else {
                    0
                }
            };
            let (_, usage) = cut(&net, part, k);
            let of = |u: &Usage| {
                let neurons = u.neurons + if caps.copies { u.copies } else { 0 };
                over(neurons, 30) + over(u.axons, 60) + over(u.synapses, 200) + over(u.outbound, 50)
            };
            usage.iter().map(of).sum::<i64>()
        };
        let part: Vec<u32> = (0..n).map(|_| rng.below(k as u64) as u32).collect();
        let mut t = Trim::new(&net, &caps, k as usize, part);
        for _ in 0..1000 {
            let (v, b) = (rng.below(n as u64) as u32, rng.below(k as u64) as u32);
            if t.part[v as usize] == b {
                continue;
            }
            let before = t.cost();
            let gain = t.moved(v, b);
            t.apply(v, b);
            assert_eq!(before + gain as f64, t.cost());
            assert_eq!(t.over(), excess(&t.part));
        }
        if net.home.is_empty() {
            assert_eq!(t.cost(), cut(&net, &t.part, k).0.remote);
        }
    }
}

/// Neurons with up to three nets each, nets from outside, copies.
fn wired(rng: &mut Rng) -> Net {
    let (n, nets) = (60u32, 150u32);
    let mut into = Lists {
        start: vec![0],
        to: vec![],
    };
    for _ in 0..n {
        let mut list: Vec<u32> = (0..rng.below(12))
            .map(|_| rng.below(nets as u64) as u32)
            .collect();
        list.sort_unstable();
        list.dedup();
        into.to.extend(list);
        into.start.push(into.to.len() as u64);
    }
    Net {
        out: into.turned(nets as usize),
        into,
        home: (0..nets)
            .map(|e| if e % 5 == 4 { OUTSIDE } else { e % n })
            .collect(),
        base: (0..n).map(|v| v % 2).collect(),
        ..Net::default()
    }
}

/// Where axons do not bind, parts are as few as neurons and synapses allow.
#[test]
fn cores_are_few_where_axons_do_not_bind() {
    let caps = machine("loihi-64").expect("a machine").caps;
    let mut rng = Rng::new(3);
    let mut b = Builder::new();
    for v in 0..4096u64 {
        let group = v / 512 * 512;
        b.neuron((0..256).map(|_| (group + rng.below(512)) as u32).collect());
    }
    for net in [b.build(), grid(64, 16, 3.0, 1)] {
        let net = net.shuffled(2);
        let c = partition(&net, &caps, &Search::new(1, 1)).expect("it fits");
        let (_, usage) = cut(&net, &c.part, c.parts);
        assert_eq!(broken(&usage, &caps), None);
        let least = fewest(&net, &caps);
        assert!(
            c.parts as f64 <= 1.02 * least as f64,
            "{} of {least}",
            c.parts
        );
    }
}

/// A convolution of 3 x 3 over 8 channels of 16 x 16 into 16, channel by channel: where axons bind, parts are tiles through all channels.
#[test]
fn axon_limits_of_convolutions_are_met_by_tiles() {
    let caps = machine("truenorth-64").expect("a machine").caps;
    let (side, n) = (16i32, 8 * 256u32);
    let mut b = Builder::new();
    for i in 0..n as i32 {
        let (x, y) = (i % side, i / side % side);
        let near = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (x + dx, y + dy)));
        let inside = near.filter(|p| (0..side).contains(&p.0) && (0..side).contains(&p.1));
        let at = inside.flat_map(|p| (0..16).map(move |c| (c * 256 + p.1 * side + p.0) as u32 + n));
        b.neuron(at.collect());
    }
    (0..16 * 256).for_each(|_| b.neuron(vec![]));
    let net = b.build();
    let plain = fill(&net, 0..3 * n, &caps).expect("it fits in order").1;
    let c = partition(&net, &caps, &Search::new(1, 1)).expect("it fits");
    assert_eq!(broken(&cut(&net, &c.part, c.parts).1, &caps), None);
    assert!(
        c.parts as f64 <= 0.8 * plain as f64,
        "{} of {plain}",
        c.parts
    );
}

/// Three sheets of neurons, the first onto neighbourhoods of the others and these back, with a copy of a neuron for each part that it reaches: the
/// copies are counted while searching, so that what is proposed fits.
#[test]
fn copies_are_counted() {
    let (side, n) = (24i32, 576u32);
    let mut b = Builder::new();
    for i in 0..n as i32 {
        let near = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (i % side + dx, i / side + dy)));
        let inside = near.filter(|p| (0..side).contains(&p.0) && (0..side).contains(&p.1));
        b.neuron(
            inside
                .flat_map(|p| [n, 2 * n].map(|sheet| sheet + (p.1 * side + p.0) as u32))
                .collect(),
        );
    }
    (0..2 * n).for_each(|i| b.neuron(vec![i % n]));
    let mut net = b.build();
    net.home = (0..3 * n).collect();
    net.base = (0..3 * n).map(|v| (v < n) as u32).collect();
    let caps = Caps {
        npc: Some(256),
        apc: Some(256),
        copies: true,
        ..Caps::default()
    };
    let found = proposals(&mut net, &caps, &Search::new(1, 1), None);
    assert!(!found.is_empty());
    for c in found {
        let (_, usage) = cut(&net, &c.part, c.parts);
        assert_eq!(broken(&usage, &caps), None, "{}", c.method);
    }
}

/// Trees never get longer, and packets never shorter than those of the placement for packets.
#[test]
fn each_goal_wins_at_its_own() {
    let net = communities(1024, 16, 12, 3).shuffled(5);
    let caps = Caps {
        npc: Some(16),
        ..Caps::default()
    };
    let c = partition(&net, &caps, &Search::new(1, 1)).expect("it fits");
    let list = flows(&net, &c.part, c.parts);
    let to = |goal| {
        place_for(goal, &list, None, &Grid::new(8, 8), &Search::new(1, 1))
            .expect("it fits")
            .places
    };
    let (packets, trees) = (to(Goal::Unicast), to(Goal::Multicast));
    let links = |p: &Places| multicast(&list, p, &JIN).mc_hops;
    assert!(links(&trees) < links(&packets));
    assert!(hops(&list, &packets) <= hops(&list, &trees));
}

/// The force-directed baseline ends where no neighbours gain by an exchange, and its potential is below that of Hilbert's curve.
#[test]
fn forces_come_to_rest() {
    for (jin, blocked) in [
        (Jin::new(16, 16, Links::Dense), vec![]),
        (Jin::new(16, 15, Links::Window(4)), vec![(3, 4), (9, 0)]),
    ] {
        let grid = Grid {
            blocked,
            ..Grid::new(16, 16)
        };
        let p = force::place(&jin, &grid, &Search::new(1, 1).budget).expect("it fits");
        let mut at = p.places.at.clone();
        assert!(at.iter().all(|c| !grid.blocked.contains(c)));
        let potential = |at: &[Cell]| {
            let mut sum = 0.0;
            jin.each(&mut |s, to, w| {
                let a = at[s as usize];
                for &t in to {
                    let b = at[t as usize];
                    let (x, y) = (a.0.abs_diff(b.0) as f64, a.1.abs_diff(b.1) as f64);
                    sum += w * (x * x + y * y);
                }
            });
            sum
        };
        let rest = potential(&at);
        assert!(rest < potential(&grid.curve(at.len())));
        for i in 0..at.len() {
            let (x, y) = at[i];
            if let Some(k) = at.iter().position(|c| *c == (x + 1, y)) {
                at.swap(i, k);
                assert!(potential(&at) >= rest * (1.0 - 1e-5), "{x} {y}");
                at.swap(i, k);
            }
        }
    }
}

#[test]
fn planted_groups_are_found_in_shuffled_networks() {
    let net = communities(2048, 8, 32, 1);
    let planted: Vec<u32> = (0..2048).map(|i| i / 256).collect();
    let best = cut(&net, &planted, 8).0.remote;
    let caps = Caps {
        npc: Some(256),
        ..Caps::default()
    };
    let shuffled = net.shuffled(9);
    let c = partition(&shuffled, &caps, &Search::new(2, 1)).expect("it fits");
    assert_eq!(c.parts, 8);
    let found = cut(&shuffled, &c.part, 8).0.remote;
    assert!(found <= 1.01 * best, "{found} {best}");
}

#[test]
fn a_chain_that_fits_no_grid_is_placed_all_the_same() {
    let jin = Jin::new(40, 3, Links::Window(2));
    let shape = Shape {
        sizes: vec![3; 39],
        dense: false,
    };
    let p = place(&jin, Some(&shape), &Grid::new(11, 11), &Search::new(2, 1)).expect("it fits");
    let plain = Places {
        x: 11,
        y: 11,
        at: gilbert(11, 11).into_iter().take(120).collect(),
    };
    assert!(hops(&jin, &p.places) <= hops(&jin, &plain));
    assert!(place(&jin, Some(&shape), &Grid::new(10, 10), &Search::new(1, 1)).is_none());
}
