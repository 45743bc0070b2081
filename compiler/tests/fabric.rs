//! What fabrics promise: ways follow links that are there and cost what the distance says, shortest where all links are alive and alike; loads of links sum to hops; a tree
//! enters a node once; placements are legal on any of them; and a plain mesh seen as a fabric has the metrics of a mesh.

use proptest::prelude::*;
use std::collections::BTreeSet;
use synfire_compiler::map::bench::machine::JIN;
use synfire_compiler::map::fabric::{Border, Fabric, Grower, Ways};
use synfire_compiler::map::flow::FlowList;
use synfire_compiler::map::layout::curve::Cell;
use synfire_compiler::map::layout::{Goal, Grid, place_for, terrain};
use synfire_compiler::map::score::unicast::Places;
use synfire_compiler::map::score::{both, ways};
use synfire_compiler::map::search::Search;

/// Columns and rows of a node, of a chip in nodes, and of the whole in chips; cost of a chip's border; torus, hexagonal; links that die.
type Made = (
    (u32, u32),
    (u32, u32),
    (u32, u32),
    f64,
    (bool, bool),
    Vec<(u32, u8)>,
);

fn made() -> impl Strategy<Value = Made> {
    let hop = prop_oneof![Just(1.0), Just(0.5), Just(3.0), Just(8.0)];
    (
        (1u32..3, 1u32..3),
        (1u32..4, 1u32..4),
        (1u32..4, 1u32..4),
        hop,
        any::<(bool, bool)>(),
        proptest::collection::vec((any::<u32>(), 0u8..3), 0..4),
    )
}

fn grid((node, chip, all, hop, (torus, hexagonal), dead): &Made) -> Grid {
    let border = Border {
        x: node.0 * chip.0,
        y: node.1 * chip.1,
        hop: *hop,
    };
    let (x, y) = (border.x * all.0, border.y * all.1);
    let link = |&(at, d): &(u32, u8)| {
        let a = (at % x, at / x % y);
        let by = [(node.0, 0), (0, node.1), (node.0, node.1)][d as usize];
        (a, ((a.0 + by.0) % x, (a.1 + by.1) % y))
    };
    Grid {
        fabric: Fabric {
            torus: *torus,
            hexagonal: *hexagonal,
            node: Some(*node),
            borders: vec![border],
            dead_links: dead.iter().map(link).collect(),
        },
        ..Grid::new(x, y)
    }
}

fn cells(g: &Grid) -> Vec<Cell> {
    (0..g.x)
        .flat_map(|x| (0..g.y).map(move |y| (x, y)))
        .collect()
}

/// Fewest links from a cell to every other, by search.
fn fewest(g: &Grid, ways: &Ways, from: Cell) -> Vec<(Cell, usize)> {
    let all = cells(g);
    let mut found = vec![(from, 0)];
    let mut known = BTreeSet::from([ways.router(from)]);
    let mut k = 0;
    while k < found.len() {
        let (at, d) = found[k];
        for &c in &all {
            if ways.linked(at, c) && known.insert(ways.router(c)) {
                found.push((c, d + 1));
            }
        }
        k += 1;
    }
    found
}

/// Packets between `parts` parts, drawn from numbers.
fn traffic(parts: u32, numbers: &[(u32, u32, u8)]) -> FlowList {
    let mut list = FlowList::new(parts);
    let mut of: Vec<(u32, BTreeSet<u32>, f64)> = numbers
        .iter()
        .map(|&(s, t, w)| {
            let s = s % parts;
            let to = (0..1 + t % 5).map(|k| (t / 7 + k * 3) % parts);
            (s, to.filter(|&t| t != s).collect(), 1.0 + w as f64)
        })
        .collect();
    of.sort_by_key(|f| f.0);
    for (s, to, w) in of {
        list.push(s, &to.into_iter().collect::<Vec<_>>(), w);
    }
    list
}

fn numbers() -> impl Strategy<Value = Vec<(u32, u32, u8)>> {
    proptest::collection::vec((any::<u32>(), any::<u32>(), any::<u8>()), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ways_follow_links_and_cost_their_distance(m in made(), picks in proptest::collection::vec(any::<u32>(), 12)) {
        let g = grid(&m);
        let ways = Ways::new(g.x, g.y, &g.fabric);
        let all = cells(&g);
        let dead: Vec<(u32, u32)> = g.fabric.dead_links.iter().map(|l| (ways.router(l.0), ways.router(l.1))).collect();
        let joined = ways.joined();
        let alike = m.3 == 1.0 && dead.is_empty();
        for pair in picks.windows(2) {
            let (a, b) = (all[pair[0] as usize % all.len()], all[pair[1] as usize % all.len()]);
            let (mut at, mut cost, mut links) = (ways.router(a), 0.0, 0);
            let mut sound = true;
            let there = ways.way(a, b, &mut |link, n| {
                let ends = [at, n];
                sound &= ways.linked(ways.first(at), ways.first(n)) && ends.contains(&ways.router(ways.end(link).0));
                sound &= !dead.contains(&(at, n)) && !dead.contains(&(n, at));
                cost += ways.hop(link);
                links += 1;
                at = n;
            });
            prop_assert!(sound, "{a:?} to {b:?}");
            let far = ways.distance(a, b);
            if there {
                prop_assert_eq!(at, ways.router(b));
                prop_assert!((far - cost).abs() < 1e-9, "{} and {}", far, cost);
            } else {
                prop_assert!(far.is_infinite() && !(joined[ways.router(a) as usize] && joined[ways.router(b) as usize]));
            }
            if alike {
                let least = fewest(&g, &ways, a).into_iter().find(|f| ways.router(f.0) == ways.router(b)).map(|f| f.1);
                prop_assert_eq!(least, Some(links), "{:?} to {:?}", a, b);
            }
        }
    }

    #[test]
    fn loads_sum_to_hops_and_trees_enter_nodes_once(m in made(), flows in numbers(), turn in any::<u32>()) {
        let mut g = grid(&m);
        g.fabric.dead_links.truncate(1);
        let ways = Ways::new(g.x, g.y, &g.fabric);
        let joined = ways.joined();
        let mut at: Vec<Cell> = cells(&g).into_iter().filter(|&c| joined[ways.router(c) as usize]).collect();
        let by = turn as usize % at.len();
        at.rotate_left(by);
        let list = traffic(at.len() as u32, &flows);
        let places = Places { x: g.x, y: g.y, at };
        let (u, t) = ways::both(&list, &places, &ways, &JIN);
        let load: f64 = ways::loads(&list, &places, &ways).iter().map(|l| l.2).sum();
        prop_assert!((load - t.mc_hops).abs() < 1e-6 * (1.0 + load));
        prop_assert!(t.mc_hops <= u.hops + 1e-9 && t.mc_energy <= u.energy_paper * (1.0 + 1e-9));
        prop_assert!((u.cong_link_avg * ways.links().max(1) as f64 - u.hops).abs() < 1e-6 * (1.0 + u.hops));
        if m.0 == (1, 1) {
            let remote: f64 = (0..list.source.len()).map(|i| list.weight[i] * list.destinations(i).len() as f64).sum();
            prop_assert!(remote <= t.mc_hops + 1e-9);
        }
        let mut grower = Grower::new(&ways);
        for (i, &s) in list.source.iter().enumerate() {
            let mut links = vec![];
            let to = list.destinations(i).iter().map(|&t| places.at[t as usize]);
            grower.tree(&ways, places.at[s as usize], to, &mut |l| links.push(l));
            let nodes: BTreeSet<u32> = list.destinations(i).iter().map(|&t| ways.router(places.at[t as usize])).collect();
            let distinct: BTreeSet<u32> = links.iter().copied().collect();
            prop_assert_eq!(distinct.len(), links.len());
            prop_assert!(links.len() + 1 >= nodes.len());
        }
    }

    #[test]
    fn placements_are_legal(m in made(), flows in numbers(), few in 1u32..40, blocked in proptest::collection::vec(any::<u32>(), 0..3)) {
        let mut g = grid(&m);
        g.fabric.dead_links.clear();
        let all = cells(&g);
        g.blocked = blocked.iter().map(|b| all[*b as usize % all.len()]).collect();
        g.blocked.sort_unstable();
        g.blocked.dedup();
        let parts = few.min(g.room() as u32).max(1);
        let list = traffic(parts, &flows);
        let ways = Ways::new(g.x, g.y, &g.fabric);
        for goal in [Goal::Unicast, Goal::Multicast] {
            let placed = place_for(goal, &list, None, &g, &Search::new(1, 1));
            if g.room() < parts as u64 {
                prop_assert!(placed.is_none());
                continue;
            }
            let at = placed.expect("there is room").places.at;
            let distinct: BTreeSet<Cell> = at.iter().copied().collect();
            prop_assert_eq!(distinct.len(), parts as usize);
            prop_assert!(distinct.iter().all(|c| c.0 < g.x && c.1 < g.y && !g.blocked.contains(c)));
            if goal == Goal::Unicast {
                let cost = |at: &[Cell]| terrain::cost(&list, &ways, at);
                prop_assert!(cost(&at) <= cost(&g.curve(parts as usize)) + 1e-6);
            }
        }
    }

    #[test]
    fn a_mesh_seen_as_a_fabric_costs_the_same(x in 1u32..9, y in 1u32..9, flows in numbers()) {
        let g = Grid::new(x, y);
        let list = traffic(x * y, &flows);
        let places = Places { x, y, at: cells(&g) };
        let (u, t) = ways::both(&list, &places, &Ways::new(x, y, &g.fabric), &JIN);
        let (v, s) = both(&list, &places, &JIN, false);
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
        prop_assert_eq!(u.hops_max, v.hops_max);
        for (a, b) in [
            (u.hops, v.hops), (u.energy_paper, v.energy_paper), (u.energy_jincode, v.energy_jincode), (u.lat_avg_w, v.lat_avg_w),
            (u.lat_avg_jin, v.lat_avg_jin), (u.lat_max_jin, v.lat_max_jin), (u.lat_max, v.lat_max),
            (t.mc_hops, s.mc_hops), (t.mc_energy, s.mc_energy), (t.mc_link_max, s.mc_link_max), (t.mc_link_avg, s.mc_link_avg),
        ] {
            prop_assert!(near(a, b), "{} and {}", a, b);
        }
    }
}

/// Neighbours around the edge of a torus, and along the diagonal of a hexagonal fabric, are one link apart; a chip's border costs what it says; a dead link is gone around.
#[test]
fn small_fabrics_by_hand() {
    let torus = Fabric {
        torus: true,
        ..Fabric::default()
    };
    let w = Ways::new(8, 8, &torus);
    assert_eq!(w.distance((0, 0), (7, 7)), 2.0);
    assert_eq!(w.distance((0, 0), (4, 3)), 7.0);
    let hexagonal = Fabric {
        hexagonal: true,
        ..torus.clone()
    };
    let w = Ways::new(8, 8, &hexagonal);
    assert_eq!(w.distance((0, 0), (7, 7)), 1.0);
    assert_eq!(w.distance((0, 0), (3, 2)), 3.0);
    assert_eq!(w.distance((0, 0), (7, 1)), 2.0);
    let board = Fabric {
        node: Some((2, 2)),
        borders: vec![
            Border {
                x: 2,
                y: 2,
                hop: 1.0,
            },
            Border {
                x: 4,
                y: 4,
                hop: 5.0,
            },
        ],
        ..Fabric::default()
    };
    let w = Ways::new(8, 4, &board);
    assert_eq!(w.distance((0, 0), (1, 1)), 0.0);
    assert_eq!(w.distance((0, 0), (2, 0)), 1.0);
    assert_eq!(w.distance((0, 0), (7, 3)), 1.0 + 5.0 + 1.0 + 1.0);
    let broken = Fabric {
        dead_links: vec![((1, 0), (2, 0))],
        ..Fabric::default()
    };
    let w = Ways::new(4, 2, &broken);
    assert_eq!(w.distance((0, 0), (3, 0)), 5.0);
    assert_eq!(w.distance((3, 0), (0, 0)), 5.0);
    let line = Ways::new(4, 1, &broken);
    assert!(line.distance((0, 0), (3, 0)).is_infinite());
    assert_eq!(line.joined(), [true, true, false, false]);
}

/// What searches on large fabrics take for distances: past a single dead link the straight way is two links longer, and around a corner it costs nothing. On a torus the other way
/// round may be shorter than that.
#[test]
fn dead_links_are_in_the_estimate() {
    for torus in [false, true] {
        let fabric = Fabric {
            torus,
            dead_links: vec![((20, 7), (21, 7)), ((3, 30), (3, 31))],
            ..Fabric::default()
        };
        let w = Ways::new(40, 40, &fabric);
        for from in [(0, 7), (20, 7), (39, 7), (3, 30), (3, 2), (5, 5)] {
            for to in (0..40).flat_map(|x| (0..40).map(move |y| (x, y))) {
                let (guess, cost) = (w.estimate(from, to), w.distance(from, to));
                let most = if torus { cost + 2.0 } else { cost };
                assert!(
                    cost <= guess && guess <= most,
                    "{from:?} {to:?} {guess} {cost}"
                );
            }
        }
        assert_eq!(w.estimate((20, 7), (21, 7)), 3.0);
    }
}
