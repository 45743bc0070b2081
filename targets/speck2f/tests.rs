use super::backend::seats;
use super::config::{Config, Core, Destination, FORMAT, REFERENCE};
use super::cores::{CORES, Memory, Shape, holds, place};
use super::lower::{bases, lower};
use super::quantise::{BYTE, WORD, factor, scale, whole};
use super::square::square;
use crate::layers::Layer;
use proptest::prelude::*;
use std::collections::VecDeque;
use synfire_ir::program::{Reference, SerialEvent, check};

fn shape(c: u32, f: u32, k: u32, map: u32, padding: u32) -> Shape {
    Shape {
        input: [c, map, map],
        features: f,
        kernel: [k, k],
        stride: [1, 1],
        padding: [padding, padding],
    }
}

/// Cores that hold a layer without biases.
fn fitting(s: &Shape) -> Vec<usize> {
    (0..9)
        .filter(|c| holds(&CORES[*c], &s.needs(false)))
        .collect()
}

fn entries(s: &Shape) -> (u64, u64) {
    let Memory {
        kernel,
        neuron,
        bias,
    } = s.needs(false);
    assert_eq!(bias, 0);
    (kernel, neuron)
}

/// The vendor's own mapping example.
fn lenet() -> [Shape; 5] {
    [
        shape(1, 20, 5, 28, 0),
        shape(20, 32, 5, 12, 0),
        shape(32, 128, 3, 4, 0),
        shape(128, 500, 1, 1, 0),
        shape(500, 10, 1, 1, 0),
    ]
}

#[test]
fn memory_of_the_worked_examples() {
    let large = shape(16, 32, 3, 64, 1);
    assert_eq!(large.output(), [32, 64, 64]);
    assert_eq!(entries(&large), (8 << 10, 128 << 10));
    assert_eq!(fitting(&large), Vec::<usize>::new());
    let [a, b, c, d, e] = lenet();
    assert_eq!(
        (entries(&a), fitting(&a)),
        ((1024, 20_480), vec![0, 1, 2, 3, 4])
    );
    assert_eq!(
        (entries(&b), fitting(&b)),
        ((20_480, 2048), vec![3, 4, 5, 6])
    );
    assert_eq!((entries(&c), fitting(&c)), ((65_536, 512), vec![5, 6]));
    assert_eq!((entries(&d), fitting(&d)), ((65_536, 500), vec![5, 6]));
    assert_eq!((entries(&e), fitting(&e)), ((8000, 10), (0..9).collect()));
    assert_eq!(e.needs(true).bias, 10);
    // 30 costs 32, each extent on its own; the product of the kernel is rounded once.
    let rounded = shape(1, 1, 3, 32, 0);
    assert_eq!(rounded.output(), [1, 30, 30]);
    assert_eq!(entries(&rounded), (16, 1024));
}

#[test]
fn every_layer_of_the_example_finds_a_core_of_its_own() {
    let fits: Vec<_> = lenet().iter().map(fitting).collect();
    let at = place(&fits).expect("the vendor's mapping test succeeds");
    for (core, fits) in at.iter().zip(&fits) {
        assert!(fits.contains(core), "{at:?}");
    }
    let mut once = at.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), 5, "{at:?}");
    let mut large = [at[2], at[3]];
    large.sort_unstable();
    assert_eq!(
        large,
        [5, 6],
        "exactly the two large layers take the large cores"
    );
}

#[test]
fn three_layers_for_two_cores_fail() {
    let fits = vec![vec![1, 2]; 3];
    assert_eq!(place(&fits), Err((vec![0, 1, 2], vec![1, 2])));
    // Others that have room elsewhere are not blamed.
    let fits = vec![vec![0, 7, 8], vec![1, 2], vec![1, 2], vec![1, 2]];
    assert_eq!(place(&fits), Err((vec![1, 2, 3], vec![1, 2])));
    assert!(place(&vec![(0..9).collect(); 10]).is_err());
    assert_eq!(place(&[]), Ok(vec![]));
}

#[test]
fn the_scale_is_that_of_the_side_that_binds() {
    assert_eq!(factor([0.5, -0.25], BYTE), 254.0);
    assert_eq!(factor([0.5, -1.0], BYTE), 128.0);
    // The negative side binds when |min| > |max| * 128 / 127.
    assert_eq!(factor([127.0, -128.0], BYTE), 1.0);
    assert_eq!(factor([127.0, -129.0], BYTE), 128.0 / 129.0);
    assert_eq!(factor([0.0, 0.0], BYTE), f64::INFINITY);
    assert_eq!(factor([1.0], WORD), 32767.0);
    assert_eq!(scale(&[0.5], &[], &[1.0], &[]), 254.0);
    assert_eq!(scale(&[0.001], &[], &[1.0], &[]), 32767.0);
    // A lower threshold of -32768 that is taken into the group would destroy small weights.
    assert_eq!(scale(&[0.001], &[], &[1.0, -32768.0], &[]), 1.0);
    assert_eq!(scale(&[0.0], &[], &[], &[]), 1.0);
    assert_eq!(
        [0.5, 1.5, 2.5, -0.5].map(|v| whole(v, 1.0, BYTE)),
        [0, 2, 2, 0]
    );
}

#[test]
fn what_no_core_holds_is_told_with_the_limit() {
    let layer = |s: Shape, pooling: u32| Layer {
        name: "conv".into(),
        source: None,
        pooling,
        input: s.input,
        features: s.features,
        kernel: s.kernel,
        stride: s.stride,
        padding: s.padding,
        weights: vec![],
        biases: vec![],
        threshold: 1.0,
        strict: false,
        subtract: false,
        recorded: true,
    };
    let said = |layers: &[Layer]| {
        let d = seats(layers).expect_err("refused").0.remove(0);
        assert!(!d.hints.is_empty() && d.class == synfire_ir::Class::Fit);
        let limit = d
            .fields
            .iter()
            .find(|f| f.0 == "limit")
            .map_or("", |f| &f.1)
            .to_string();
        (d.code, limit)
    };
    let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
    let one = |s: Shape| said(&[layer(s, 1)]);
    assert_eq!(
        one(shape(16, 32, 3, 64, 1)),
        pair("SYN0671", "neuron_memory")
    );
    assert_eq!(
        one(shape(1024, 128, 1, 1, 0)),
        pair("SYN0671", "kernel_memory")
    );
    assert_eq!(one(shape(1, 1, 17, 40, 0)), pair("SYN0614", "kernel"));
    assert_eq!(one(shape(1, 1, 3, 129, 0)), pair("SYN0614", "input_map"));
    assert_eq!(one(shape(1, 1, 3, 100, 0)), pair("SYN0614", "output_map"));
    assert_eq!(one(shape(1025, 1, 1, 1, 0)), pair("SYN0614", "channels"));
    assert_eq!(one(shape(1, 1, 16, 9, 8)), pair("SYN0614", "padding"));
    let stride = Shape {
        stride: [3, 3],
        ..shape(1, 1, 3, 9, 0)
    };
    assert_eq!(one(stride), pair("SYN0614", "stride"));
    assert_eq!(
        said(&[layer(shape(1, 1, 3, 9, 0), 3)]),
        pair("SYN0614", "pooling")
    );
    let wide = vec![layer(shape(32, 128, 3, 4, 0), 1); 3];
    assert_eq!(said(&wide), pair("SYN0671", "cores"));
}

/// Two layers of random size with random weights; the first may pool and shift.
fn configuration() -> impl Strategy<Value = Config> {
    let size = (1u32..3, 1u32..4, 1u32..4, 3u32..7, 0u32..3, 1u32..3);
    let rest = (
        prop::sample::select(vec![1u32, 2]),
        1u32..4,
        any::<bool>(),
        5i16..60,
        -300i16..0,
    );
    (
        size,
        rest,
        proptest::collection::vec(-40i8..60, 400),
        any::<bool>(),
    )
        .prop_map(
            |((c, f, k, map, padding, stride), (pooling, g, zero, high, low), weights, biased)| {
                let mut next = weights.into_iter().cycle();
                let mut kernel = |f: u32, c: u32, k: u32| -> Vec<Vec<Vec<Vec<i8>>>> {
                    let mut plane = || {
                        (0..k)
                            .map(|_| (0..k).map(|_| next.next().unwrap_or(0)).collect())
                            .collect()
                    };
                    (0..f).map(|_| (0..c).map(|_| plane()).collect()).collect()
                };
                let first = Core {
                    core: 7,
                    input_shape: [c, map, map + 1],
                    kernel_size: [k, k],
                    stride: [stride, stride],
                    padding: [padding, padding],
                    weights: kernel(f, c, k),
                    biases: if biased { vec![3; f as usize] } else { vec![] },
                    threshold_high: high,
                    threshold_low: low,
                    return_to_zero: zero,
                    destinations: vec![],
                    monitor_enable: true,
                };
                let [features, y, x] = first.shape().output();
                let second = Core {
                    core: 2,
                    input_shape: [
                        features + 1,
                        x.div_ceil(pooling).max(1),
                        y.div_ceil(pooling).max(1),
                    ],
                    kernel_size: [1, 1],
                    stride: [1, 1],
                    padding: [0, 0],
                    weights: kernel(g, features + 1, 1),
                    biases: vec![],
                    threshold_high: high,
                    threshold_low: low,
                    return_to_zero: !zero,
                    destinations: vec![],
                    monitor_enable: true,
                };
                let first = Core {
                    destinations: vec![Destination {
                        layer: 2,
                        pooling,
                        feature_shift: 1,
                    }],
                    ..first
                };
                Config {
                    format: FORMAT.into(),
                    reference: REFERENCE.into(),
                    input: 7,
                    cnn_layers: vec![first, second],
                }
            },
        )
}

/// speck-ref-1 in plain words over maps: (layer, feature, row, column) of every event that was sent, and how many were processed.
fn plain(config: &Config, input: &[[u32; 3]]) -> (Vec<[u32; 4]>, usize) {
    let shapes: Vec<[u32; 3]> = config
        .cnn_layers
        .iter()
        .map(|l| l.shape().output())
        .collect();
    let mut state: Vec<Vec<i32>> = shapes
        .iter()
        .map(|s| vec![0; s.iter().product::<u32>() as usize])
        .collect();
    let (mut sent, mut processed) = (vec![], 0);
    for pixel in input {
        let mut queue = VecDeque::from([(0usize, *pixel)]);
        while let Some((layer, [c, y, x])) = queue.pop_front() {
            processed += 1;
            let l = &config.cnn_layers[layer];
            let ([f, rows, columns], s) = (shapes[layer], l.shape());
            for o in 0..f {
                for oy in 0..rows {
                    for ox in 0..columns {
                        let tap = |o: u32, at: u32, axis: usize| {
                            i64::from(at + s.padding[axis]) - i64::from(o * s.stride[axis])
                        };
                        let (ky, kx) = (tap(oy, y, 0), tap(ox, x, 1));
                        let inside = (0..i64::from(s.kernel[0])).contains(&ky)
                            && (0..i64::from(s.kernel[1])).contains(&kx);
                        let w = if inside {
                            l.weight(o as usize, c as usize, ky as usize, kx as usize)
                        } else {
                            0
                        };
                        if w == 0 {
                            continue;
                        }
                        let v = &mut state[layer][((o * rows + oy) * columns + ox) as usize];
                        *v = (*v + i32::from(w)).clamp(-32768, 32767);
                        if *v >= l.threshold_high.into() {
                            *v = if l.return_to_zero {
                                0
                            } else {
                                *v - i32::from(l.threshold_high)
                            };
                            sent.push([layer as u32, o, oy, ox]);
                            for d in &l.destinations {
                                let to = config
                                    .cnn_layers
                                    .iter()
                                    .position(|t| t.core == d.layer)
                                    .expect("legal");
                                queue.push_back((
                                    to,
                                    [o + d.feature_shift, oy / d.pooling, ox / d.pooling],
                                ));
                            }
                        }
                        *v = (*v).max(l.threshold_low.into());
                    }
                }
            }
        }
    }
    (sent, processed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_event_is_lost_or_made(config in configuration(), pixels in proptest::collection::vec((0u32..2, 0u32..8, 0u32..7), 0..40)) {
        prop_assume!(config.validate().is_empty());
        // Ticks of the slow clock are not part of the plain simulation.
        let mut config = config;
        config.cnn_layers.iter_mut().for_each(|l| l.biases.clear());
        let [c, x, y] = config.cnn_layers[0].input_shape;
        let input: Vec<[u32; 3]> = pixels.into_iter().map(|(a, b, d)| [a % c, b % y, d % x]).collect();
        let program = lower(&config).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert!(check(&program).is_empty());
        let base = bases(&config);
        let neurons = base[base.len() - 1];
        let mut run = Reference::new(&program, 0);
        let events: Vec<SerialEvent> = input.iter().map(|[c, py, px]| SerialEvent::Row { pre: neurons + (c * y + py) * x + px }).collect();
        run.serial_step(&events);
        prop_assert_eq!(run.lost, 0);
        let out: Vec<u32> = run.out.iter().map(|o| o.1).collect();
        let (sent, _) = plain(&config, &input);
        let expected: Vec<u32> = sent.iter().map(|[l, o, oy, ox]| {
            let [_, rows, columns] = config.cnn_layers[*l as usize].shape().output();
            base[*l as usize] + (o * rows + oy) * columns + ox
        }).collect();
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn a_file_is_read_as_it_was_written(config in configuration(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        prop_assume!(config.validate().is_empty());
        let mut bytes = config.to_bytes().map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(Config::from_bytes(&bytes).ok(), Some(config));
        let i = at.index(bytes.len());
        bytes[i] = byte;
        if let Ok(other) = Config::from_bytes(&bytes) {
            prop_assert!(other.validate().is_empty());
            let _ = lower(&other);
        }
    }
}

/// What an element of the input adds to an output.
fn tap(l: &Layer, [o, oy, ox]: [u32; 3], [c, y, x]: [u32; 3]) -> f64 {
    let at = |axis: usize, to: u32, from: u32| {
        let k = (from + l.padding[axis]).checked_sub(to * l.stride[axis])?;
        (k < l.kernel[axis]).then_some(k)
    };
    let (Some(ky), Some(kx)) = (at(0, oy, y), at(1, ox, x)) else {
        return 0.0;
    };
    let plane = (o * l.input[0] + c) * l.kernel[0] + ky;
    l.weights[(plane * l.kernel[1] + kx) as usize]
}

fn geometry(l: &Layer) -> Shape {
    Shape {
        input: l.input,
        features: l.features,
        kernel: l.kernel,
        stride: l.stride,
        padding: l.padding,
    }
}

proptest! {
    #[test]
    fn a_kernel_made_square_sees_the_same(
        map in (1u32..3, 1u32..7, 1u32..7),
        kernel in (1u32..6, 1u32..6),
        (stride, padding, dense) in (1u32..3, 0u32..2, any::<bool>()),
    ) {
        let (c, rows, columns) = map;
        let kernel = if dense { [rows, columns] } else { [kernel.0.min(rows), kernel.1.min(columns)] };
        let n = 2 * c * kernel[0] * kernel[1];
        let given = Layer {
            name: "l".into(),
            source: None,
            pooling: 1,
            input: [c, rows, columns],
            features: 2,
            kernel,
            stride: [if dense { 1 } else { stride }; 2],
            padding: [if dense { 0 } else { padding }; 2],
            weights: (0..n).map(|k| f64::from(k + 1)).collect(),
            biases: vec![],
            threshold: 1.0,
            strict: false,
            subtract: false,
            recorded: true,
        };
        let made = square(&given);
        let out = geometry(&given).output();
        prop_assert_eq!(geometry(&made).output(), out);
        // A dense layer always has a square form.
        prop_assert!(!dense || made.kernel[0] == made.kernel[1]);
        for o in 0..2 {
            for oy in 0..out[1] {
                for ox in 0..out[2] {
                    for y in 0..rows {
                        for x in 0..columns {
                            let (to, from) = ([o, oy, ox], [c - 1, y, x]);
                            prop_assert_eq!(tap(&given, to, from), tap(&made, to, from));
                        }
                    }
                }
            }
        }
    }
}
