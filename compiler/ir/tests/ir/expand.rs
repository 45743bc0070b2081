//! From rules to synapses: slices agree with the whole, rows hold what was expanded, and draws depend on names alone.

use crate::arbitrary::{Tape, network, tape};
use proptest::prelude::*;
use std::collections::BTreeMap;
use synfire_ir::network::*;
use synfire_ir::program::{Range, Rows};
use synfire_ir::rng::Draws;

/// A network of one projection, of a rule that follows from the tape.
fn one(words: Vec<u32>) -> (Network, ProjId) {
    let mut t = Tape::new(words);
    let mut net = parse("base", BASE).unwrap_or_else(|d| panic!("{d}"));
    let id = network::projection(&mut t, &mut net, 0);
    (net, id)
}

const BASE: &str = r#"
network base dt 0.001
neuron {
  spikes
  model M { state v: f32 port i: f32 sum port j: f32 sum output r = v step { } }
  init v = 0.0
}
"#;

fn bits(s: Synapse) -> (u32, u32, u64, u16) {
    (s.target, s.source, s.weight.to_bits(), s.delay)
}

fn all(net: &Network, id: ProjId, seed: u64) -> Vec<(u32, u32, u64, u16)> {
    let len = net.graph[id].target_range.len;
    let whole = net.expand(id, seed, Range { start: 0, len });
    whole.into_iter().map(bits).collect()
}

fn unrolled(rows: &Rows) -> Vec<(u32, u32, u32, u16)> {
    let mut out = vec![];
    for s in 0..rows.row.len() - 1 {
        for run in &rows.runs[rows.row[s] as usize..rows.row[s + 1] as usize] {
            for k in run.start as usize..(run.start + run.len) as usize {
                out.push((rows.targets[k], s as u32, rows.weights.bits(k), run.delay));
            }
        }
    }
    out.sort_unstable();
    out
}

proptest! {
    #![proptest_config(crate::cases(1500))]

    #[test]
    fn slices_agree_with_the_whole(words in tape(300), seed: u64, cut in any::<[u8; 3]>()) {
        let (net, id) = one(words);
        let len = net.graph[id].target_range.len;
        let mut cuts: Vec<u32> = cut.iter().map(|c| *c as u32 % (len + 1)).chain([0, len]).collect();
        cuts.sort_unstable();
        let parts: Vec<_> = cuts
            .windows(2)
            .flat_map(|w| net.expand(id, seed, Range { start: w[0], len: w[1] - w[0] }))
            .map(bits)
            .collect();
        prop_assert_eq!(&parts, &all(&net, id, seed));
        let order: Vec<_> = parts.iter().map(|s| (s.0, s.1)).collect();
        prop_assert!(order.is_sorted(), "ascending in target, then source");
        let sources = net.graph[id].source_range.len;
        prop_assert!(parts.iter().all(|s| s.0 < len && s.1 < sources));
    }

    #[test]
    fn a_slice_beyond_the_end_is_empty(words in tape(300), start in 100u32..) {
        let (net, id) = one(words);
        let range = Range { start, len: u32::MAX };
        prop_assert_eq!(net.expand(id, 1, range), vec![]);
    }

    #[test]
    fn rows_hold_the_same_synapses(words in tape(300), seed: u64) {
        let (net, id) = one(words);
        let mut want: Vec<_> = all(&net, id, seed)
            .into_iter()
            .map(|(t, s, w, d)| (t, s, (f64::from_bits(w) as f32).to_bits(), d))
            .collect();
        want.sort_unstable();
        prop_assert_eq!(unrolled(&materialise(&net, id, seed, false, false, |w| w)), want);
    }

    #[test]
    fn rows_merge_where_weights_differ(words in tape(300), seed: u64) {
        let (net, id) = one(words);
        let rows = materialise(&net, id, seed, false, true, |w| w);
        let weight = |s: &(u32, u32, u64, u16)| f64::from_bits(s.2);
        if all(&net, id, seed).windows(2).all(|s| weight(&s[0]) == weight(&s[1])) {
            prop_assert_eq!(rows, materialise(&net, id, seed, false, false, |w| w));
            return Ok(());
        }
        for w in rows.row.windows(2) {
            let runs = &rows.runs[w[0] as usize..w[1] as usize];
            prop_assert!(runs.windows(2).all(|r| r[0].delay < r[1].delay));
            for r in runs {
                let t = &rows.targets[r.start as usize..(r.start + r.len) as usize];
                prop_assert!(t.windows(2).all(|t| t[0] < t[1]));
            }
        }
        // Sums of f64 in the order of expansion, then rounded once.
        let mut sums: BTreeMap<(u32, u32, u16), f64> = BTreeMap::new();
        for (t, s, w, d) in all(&net, id, seed) {
            let w = f64::from_bits(w);
            sums.entry((t, s, d)).and_modify(|sum| *sum += w).or_insert(w);
        }
        let got: BTreeMap<_, _> = unrolled(&rows)
            .into_iter()
            .map(|(t, s, w, d)| ((t, s, d), f32::from_bits(w)))
            .collect();
        prop_assert_eq!(got.len(), rows.targets.len());
        prop_assert!(got.keys().eq(sums.keys()));
        for (sum, w) in sums.values().zip(got.values()) {
            prop_assert!(sum.is_nan() && w.is_nan() || *sum as f32 == *w);
        }
    }

    #[test]
    fn other_populations_change_no_draw(words in tape(300), seed: u64) {
        let (mut net, id) = one(words);
        let before = all(&net, id, seed);
        let values = |net: &Network| {
            let v = Init::Draw(Distribution::Normal(0.0, 1.0));
            net.elements(&v, 5, seed, "target0.v").iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        let drawn = values(&net);
        let mut t = Tape::new(vec![3; 100]);
        network::projection(&mut t, &mut net, 7);
        prop_assert_eq!(&all(&net, id, seed), &before);
        prop_assert_eq!(values(&net), drawn);
        // The name is what keys the draws: the same projection in a network of other populations draws the same.
        let mut other = Network { models: net.models.clone(), arrays: net.arrays.clone(), ..Network::default() };
        let (a, b) = net.graph.edge_endpoints(id).expect("made above");
        other.graph.add_node(net.graph[b].clone());
        let to = other.graph.add_node(net.graph[b].clone());
        let from = if a == b { to } else { other.graph.add_node(net.graph[a].clone()) };
        let again = other.graph.add_edge(from, to, net.graph[id].clone());
        prop_assert_eq!(&all(&other, again, seed), &before);
    }

    #[test]
    fn counts_are_exact_without_chance(words in tape(300)) {
        let (mut net, id) = one(words);
        let random = net.graph[id].stages.iter().any(|s| s.connector.random());
        let chained = net.graph[id].stages.len() > 1;
        net.graph[id].stages[0].weight = Init::Const(1.0);
        let has_self = matches!(
            net.graph[id].stages[0].connector,
            Connector::AllToAll { self_connections: false }
        );
        if !random && !chained && !has_self {
            prop_assert_eq!(net.synapses_of(id), all(&net, id, 1).len() as f64);
        }
    }
}

/// The textbook definition of a grouped cross-correlation, tap by tap.
fn naive(c: &Conv2d) -> Vec<(u32, u32, usize)> {
    let [channels, rows, cols] = c.output();
    let (per, out) = (c.input[0] / c.groups, c.channels / c.groups);
    let mut all = vec![];
    for (o, y, x) in iproduct(channels, rows, cols) {
        for (i, ky, kx) in iproduct(per, c.kernel[0], c.kernel[1]) {
            let sy = (y * c.stride[0] + ky * c.dilation[0]) as i64 - c.padding[0] as i64;
            let sx = (x * c.stride[1] + kx * c.dilation[1]) as i64 - c.padding[1] as i64;
            let inside =
                (0..c.input[1] as i64).contains(&sy) && (0..c.input[2] as i64).contains(&sx);
            if inside {
                let channel = (o / out) * per + i;
                let source = (channel * c.input[1] + sy as u32) * c.input[2] + sx as u32;
                let weight = ((o * per + i) * c.kernel[0] + ky) * c.kernel[1] + kx;
                all.push(((o * rows + y) * cols + x, source, weight as usize));
            }
        }
    }
    all.sort_unstable();
    all
}

fn iproduct(a: u32, b: u32, c: u32) -> impl Iterator<Item = (u32, u32, u32)> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| (i, j, k))))
}

proptest! {
    #![proptest_config(crate::cases(400))]

    #[test]
    fn convolutions_are_the_textbook_s(
        groups in 1u32..3, dims in any::<[u8; 12]>(),
    ) {
        let at = |k: usize, least: u32, most: u32| least + dims[k] as u32 % (most - least + 1);
        let c = Conv2d {
            input: [groups * at(0, 1, 2), at(1, 1, 6), at(2, 1, 6)],
            channels: groups * at(3, 1, 2),
            kernel: [at(4, 1, 3), at(5, 1, 3)],
            stride: [at(6, 1, 3), at(7, 1, 3)],
            padding: [at(8, 0, 4), at(9, 0, 4)],
            dilation: [at(10, 1, 3), at(11, 1, 3)],
            groups,
        };
        let (mut net, _) = one(vec![]);
        let weights = c.weight_shape().iter().product::<u32>();
        // Weight k is k + 1, so that the weight tells which one it was.
        net.arrays.push(Array {
            name: "w".into(),
            shape: c.weight_shape().to_vec(),
            data: ArrayData::F64((0..weights).map(|k| k as f64 + 1.0).collect()),
        });
        let (from, to) = (c.input.iter().product(), c.output().iter().product());
        let want = naive(&c);
        let id = net.graph.edge_indices().next().expect("one projection");
        let w = Init::Array(net.arrays.len() as u32 - 1);
        let x = &mut net.graph[id];
        x.stages = vec![Stage { connector: Connector::Conv2d(c), weight: w }];
        (x.source_range, x.target_range) = (Range { start: 0, len: from }, Range { start: 0, len: to });
        x.delay = Init::Const(1.0);
        let mut got: Vec<_> = net
            .expand(id, 1, Range { start: 0, len: to })
            .iter()
            .map(|s| (s.target, s.source, s.weight as usize - 1))
            .collect();
        got.sort_unstable();
        prop_assert_eq!(got, want);
    }
}

#[test]
fn degrees_are_kept() {
    let (mut net, id) = one(vec![]);
    let range = Range { start: 0, len: 50 };
    (net.graph[id].source_range, net.graph[id].target_range) = (range, range);
    net.graph[id].delay = Init::Const(1.0);
    let mut degrees = |connector: Connector| {
        net.graph[id].stages = vec![Stage {
            connector,
            weight: Init::Const(1.0),
        }];
        let (mut ins, mut outs) = (vec![0; 50], vec![0; 50]);
        let mut pairs = std::collections::BTreeSet::new();
        let synapses = net.expand(id, 5, range);
        for s in &synapses {
            ins[s.target as usize] += 1;
            outs[s.source as usize] += 1;
            pairs.insert((s.source, s.target));
        }
        (ins, outs, synapses.len(), pairs.len())
    };
    for multapses in [false, true] {
        let (n, self_connections) = (7, true);
        let (ins, _, all, pairs) = degrees(Connector::FixedIndegree {
            n,
            self_connections,
            multapses,
        });
        assert_eq!((ins, all), (vec![7; 50], 350));
        assert_eq!(pairs == 350, !multapses);
        let (_, outs, all, pairs) = degrees(Connector::FixedOutdegree {
            n,
            self_connections,
            multapses,
        });
        assert_eq!((outs, all), (vec![7; 50], 350));
        assert_eq!(pairs == 350, !multapses);
    }
    let (.., all, _) = degrees(Connector::FixedTotal {
        n: 333,
        self_connections: true,
    });
    assert_eq!(all, 333);
    let (.., all, _) = degrees(Connector::FixedProbability {
        p: 0.3,
        self_connections: true,
    });
    assert!((650..850).contains(&all), "{all} of about 750");
}

#[test]
fn units_are_not_connected_to_themselves_unless_asked() {
    let text = format!(
        "{BASE}population a[9]: neurons M {{ }}
         projection p: a[2..8] -> a[4..9].i events {{ rule one_to_one weight 1.0 delay 1.0 }}"
    );
    let mut net = parse("n", &text).unwrap_or_else(|d| panic!("{d}"));
    let id = net.graph.edge_indices().next().expect("one projection");
    let (n, multapses) = (4, true);
    for own in [false, true] {
        let self_connections = own;
        for connector in [
            Connector::AllToAll { self_connections },
            Connector::FixedProbability {
                p: 0.9,
                self_connections,
            },
            Connector::FixedIndegree {
                n,
                self_connections,
                multapses,
            },
            Connector::FixedOutdegree {
                n,
                self_connections,
                multapses,
            },
            Connector::FixedTotal {
                n: 60,
                self_connections,
            },
        ] {
            let what = format!("{connector:?}");
            net.graph[id].stages[0].connector = connector;
            let synapses = net.expand(id, 1, Range { start: 0, len: 5 });
            assert!(synapses.len() > 10, "{what}");
            let selves = synapses
                .iter()
                .filter(|s| s.source + 2 == s.target + 4)
                .count();
            assert_eq!(selves > 0, own, "{what}");
        }
    }
}

#[test]
fn draws_differ_between_streams_keys_and_items() {
    let first = |seed, stream, key, item| Draws::new(seed, stream, key, item).next_u32();
    let all = [
        first(1, 1, 1, 1),
        first(2, 1, 1, 1),
        first(1, 2, 1, 1),
        first(1, 1, 2, 1),
        first(1, 1, 1, 2),
    ];
    let distinct: std::collections::BTreeSet<u32> = all.into_iter().collect();
    assert_eq!(distinct.len(), all.len());
}
