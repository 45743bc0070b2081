//! Layered networks as spiking networks: one neuron for each element of the input and of every layer's output, pooling included, no bias; ids go layer
//! by layer, and within a layer by channel, row, column. Taps that fall on padding are no synapses.

use crate::map::net::{Lists, Net};

/// What a layer does with the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `kernel`, `stride`, `padding`, output channels.
    Conv(u32, u32, u32, u32),
    /// The same, each channel on its own.
    Depthwise(u32, u32, u32),
    /// `kernel`, `stride`, each channel on its own.
    Pool(u32, u32),
    /// Every neuron of a channel.
    Global,
    /// All-to-all onto so many.
    Full(u32),
}

/// Channels, rows, columns.
pub type Shape = [u32; 3];

/// A network.
#[derive(Clone, Debug, PartialEq)]
pub struct Layered {
    /// Of the input.
    pub input: Shape,
    /// In order.
    pub layers: Vec<Kind>,
}

/// Output extent of a window.
fn extent(n: u32, k: u32, s: u32, p: u32) -> u32 {
    (n + 2 * p).saturating_sub(k) / s + 1
}

impl Kind {
    /// Shape of the output.
    pub fn output(&self, i: Shape) -> Shape {
        match *self {
            Kind::Conv(k, s, p, c) => [c, extent(i[1], k, s, p), extent(i[2], k, s, p)],
            Kind::Depthwise(k, s, p) => [i[0], extent(i[1], k, s, p), extent(i[2], k, s, p)],
            Kind::Pool(k, s) => [i[0], extent(i[1], k, s, 0), extent(i[2], k, s, 0)],
            Kind::Global => [i[0], 1, 1],
            Kind::Full(n) => [n, 1, 1],
        }
    }

    /// Number of synapses from an input of shape `i` onto an output of shape `o`.
    pub fn synapses(&self, i: Shape, o: Shape) -> u64 {
        // Taps inside the input along one axis, summed over output positions.
        let taps = |n: u32, m: u32, k: u32, s: u32, p: u32| -> u64 {
            (0..m)
                .map(|y| (0..k).filter(|d| (y * s + d).wrapping_sub(p) < n).count() as u64)
                .sum()
        };
        let window = |k, s, p| taps(i[1], o[1], k, s, p) * taps(i[2], o[2], k, s, p);
        match *self {
            Kind::Conv(k, s, p, c) => c as u64 * i[0] as u64 * window(k, s, p),
            Kind::Depthwise(k, s, p) => i[0] as u64 * window(k, s, p),
            Kind::Pool(k, s) => i[0] as u64 * window(k, s, 0),
            Kind::Global => i.iter().map(|&x| x as u64).product(),
            Kind::Full(n) => n as u64 * i.iter().map(|&x| x as u64).product::<u64>(),
        }
    }

    /// Calls `f` for the indices of all inputs of output neuron `o`.
    pub fn inputs(&self, i: Shape, o: Shape, at: u32, f: &mut impl FnMut(u32)) {
        let plane = o[1] * o[2];
        let (c, y, x) = (at / plane, at % plane / o[2], at % o[2]);
        let mut window = |channels: std::ops::Range<u32>, k: u32, s: u32, p: u32| {
            for ch in channels {
                for dy in 0..k {
                    let yy = (y * s + dy).wrapping_sub(p);
                    for dx in 0..k {
                        let xx = (x * s + dx).wrapping_sub(p);
                        if yy < i[1] && xx < i[2] {
                            f((ch * i[1] + yy) * i[2] + xx);
                        }
                    }
                }
            }
        };
        match *self {
            Kind::Conv(k, s, p, _) => window(0..i[0], k, s, p),
            Kind::Depthwise(k, s, p) => window(c..c + 1, k, s, p),
            Kind::Pool(k, s) => window(c..c + 1, k, s, 0),
            Kind::Global => (0..i[1] * i[2]).for_each(|q| f(c * i[1] * i[2] + q)),
            Kind::Full(_) => (0..i[0] * i[1] * i[2]).for_each(f),
        }
    }
}

impl Layered {
    /// Shapes of input and layers.
    pub fn shapes(&self) -> Vec<Shape> {
        let mut v = vec![self.input];
        for l in &self.layers {
            v.push(l.output(v[v.len() - 1]));
        }
        v
    }

    /// Number of neurons.
    pub fn neurons(&self) -> u64 {
        self.shapes()
            .iter()
            .map(|s| s.iter().map(|&x| x as u64).product::<u64>())
            .sum()
    }

    /// Number of synapses.
    pub fn synapses(&self) -> u64 {
        let shapes = self.shapes();
        let mut sum = 0;
        for (l, kind) in self.layers.iter().enumerate() {
            sum += kind.synapses(shapes[l], shapes[l + 1]);
        }
        sum
    }

    /// The network, neuron by neuron. Memory: 8 bytes a synapse.
    pub fn expand(&self) -> Net {
        let shapes = self.shapes();
        let size = |s: Shape| s[0] * s[1] * s[2];
        let mut into = Lists {
            start: vec![0; size(shapes[0]) as usize + 1],
            to: vec![],
        };
        let mut base = 0;
        for (l, kind) in self.layers.iter().enumerate() {
            for at in 0..size(shapes[l + 1]) {
                kind.inputs(shapes[l], shapes[l + 1], at, &mut |q| {
                    into.to.push(base + q)
                });
                into.start.push(into.to.len() as u64);
            }
            base += size(shapes[l]);
        }
        Net {
            out: into.turned(into.len()),
            into,
            ..Net::default()
        }
    }

    /// A named network of `mapping.md` 3.2 and 3.3.
    pub fn named(name: &str) -> Option<Layered> {
        use Kind::{Conv, Depthwise, Full, Global, Pool};
        let lenet = |side: u32, channels: u32, pad: u32, last: u32| Layered {
            input: [channels, side, side],
            layers: vec![
                Conv(5, 1, pad, 6),
                Pool(2, 2),
                Conv(5, 1, 0, 16),
                Pool(2, 2),
                Full(120),
                Full(84),
                Full(last),
            ],
        };
        let vgg = |side: u32, plan: &[u32], full: &[u32]| Layered {
            input: [3, side, side],
            layers: plan
                .iter()
                .map(|&c| if c == 0 { Pool(2, 2) } else { Conv(3, 1, 1, c) })
                .chain(full.iter().map(|&n| Full(n)))
                .collect(),
        };
        Some(match name {
            "lenet5-28" => lenet(28, 1, 2, 10),
            "lenet5-32" => lenet(32, 3, 0, 10),
            "lenet5-224" => lenet(224, 3, 0, 1000),
            "alexnet-227" => Layered {
                input: [3, 227, 227],
                layers: vec![
                    Conv(11, 4, 0, 96),
                    Pool(3, 2),
                    Conv(5, 1, 2, 256),
                    Pool(3, 2),
                    Conv(3, 1, 1, 384),
                    Conv(3, 1, 1, 384),
                    Conv(3, 1, 1, 256),
                    Pool(3, 2),
                    Full(4096),
                    Full(4096),
                    Full(1000),
                ],
            },
            "vgg11-32" => vgg(
                32,
                &[64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0],
                &[512, 10],
            ),
            "vgg16-224" => vgg(
                224,
                &[
                    64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0,
                ],
                &[4096, 4096, 1000],
            ),
            "mobilenetv1-224" => {
                let mut layers = vec![Conv(3, 2, 1, 32)];
                let plan = [
                    (1, 64),
                    (2, 128),
                    (1, 128),
                    (2, 256),
                    (1, 256),
                    (2, 512),
                    (1, 512),
                    (1, 512),
                    (1, 512),
                    (1, 512),
                    (1, 512),
                    (2, 1024),
                    (1, 1024),
                ];
                for (s, c) in plan {
                    layers.extend([Depthwise(3, s, 1), Conv(1, 1, 0, c)]);
                }
                layers.extend([Global, Full(1000)]);
                Layered {
                    input: [3, 224, 224],
                    layers,
                }
            }
            "cnn" => Layered {
                input: [3, 32, 32],
                layers: vec![
                    Conv(3, 1, 1, 32),
                    Conv(3, 2, 1, 32),
                    Conv(3, 1, 1, 64),
                    Conv(3, 2, 1, 64),
                    Conv(3, 2, 1, 128),
                    Full(256),
                    Full(10),
                ],
            },
            _ => return None,
        })
    }
}
