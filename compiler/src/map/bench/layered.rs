//! Layered networks as spiking networks: one neuron for each element of the input and of every layer's output, pooling included, no bias; ids go layer
//! by layer, and within a layer by channel, row, column. Taps that fall on padding are no synapses. They are rules; nothing is expanded here.
//!
//! LeNet-5, AlexNet (ungrouped, 227), VGG-11 and -16, MobileNet-v1 (1.0), and ResNet-50 (He et al. 2016, strides in the 3 x 3 convolutions): a block's last layer
//! takes the shortcut's synapses too. `cnn` is the small network of the partition benchmarks. [`jin`]: the families of [`super::jin`] with every
//! neuron in its place.

use super::jin::Links;
use crate::map::symbolic::Network;
use crate::map::symbolic::axis::Axis;
use crate::map::symbolic::build::Window;

fn start(channels: u32, side: u32) -> (Network, u32) {
    let mut n = Network::default();
    let input = n.population([channels, side, side]);
    (n, input)
}

fn full(mut n: Network, mut at: u32, sizes: &[u32]) -> Network {
    for &s in sizes {
        at = n.full(at, s);
    }
    n
}

const HALVES: Window = Window {
    kernel: 2,
    stride: 2,
    padding: 0,
};

fn lenet(side: u32, channels: u32, padding: u32, last: u32) -> Network {
    let (mut n, input) = start(channels, side);
    let a = n.conv(input, Window::new(5, 1, padding), 6);
    let a = n.depthwise(a, HALVES);
    let a = n.conv(a, Window::new(5, 1, 0), 16);
    let a = n.depthwise(a, HALVES);
    full(n, a, &[120, 84, last])
}

fn alexnet() -> Network {
    let (mut n, input) = start(3, 227);
    let pool = Window::new(3, 2, 0);
    let a = n.conv(input, Window::new(11, 4, 0), 96);
    let a = n.depthwise(a, pool);
    let a = n.conv(a, Window::new(5, 1, 2), 256);
    let mut a = n.depthwise(a, pool);
    for channels in [384, 384, 256] {
        a = n.conv(a, Window::new(3, 1, 1), channels);
    }
    let a = n.depthwise(a, pool);
    full(n, a, &[4096, 4096, 1000])
}

/// 3 x 3 convolutions of so many channels; 0 is a pool.
fn vgg(side: u32, plan: &[u32], last: &[u32]) -> Network {
    let (mut n, mut a) = start(3, side);
    for &c in plan {
        a = match c {
            0 => n.depthwise(a, HALVES),
            c => n.conv(a, Window::new(3, 1, 1), c),
        };
    }
    full(n, a, last)
}

fn mobilenet() -> Network {
    let (mut n, input) = start(3, 224);
    let mut a = n.conv(input, Window::new(3, 2, 1), 32);
    let plan = [(1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)];
    let rest = [(1, 512); 5].into_iter().chain([(2, 1024), (1, 1024)]);
    for (stride, channels) in plan.into_iter().chain(rest) {
        a = n.depthwise(a, Window::new(3, stride, 1));
        a = n.conv(a, Window::new(1, 1, 0), channels);
    }
    let a = n.global(a);
    full(n, a, &[1000])
}

fn resnet50() -> Network {
    let (mut n, input) = start(3, 224);
    let a = n.conv(input, Window::new(7, 2, 3), 64);
    let mut a = n.depthwise(a, Window::new(3, 2, 1));
    let point = Window::new(1, 1, 0);
    for (stage, (blocks, width)) in [(3, 64), (4, 128), (6, 256), (3, 512)]
        .into_iter()
        .enumerate()
    {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let b = n.conv(a, point, width);
            let b = n.conv(b, Window::new(3, stride, 1), width);
            let b = n.conv(b, point, 4 * width);
            let shortcut = if block == 0 {
                n.convolution(a, Window::new(1, stride, 0), 4 * width)
            } else {
                n.populations[a as usize].shape.map(Axis::own)
            };
            n.project(a, b, shortcut);
            a = b;
        }
    }
    let a = n.global(a);
    full(n, a, &[1000])
}

fn small() -> Network {
    let (mut n, mut a) = start(3, 32);
    for (stride, channels) in [(1, 32), (2, 32), (1, 64), (2, 64), (2, 128)] {
        a = n.conv(a, Window::new(3, stride, 1), channels);
    }
    full(n, a, &[256, 10])
}

/// The network of that name.
pub fn named(name: &str) -> Option<Network> {
    let vgg16 = [
        64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0,
    ];
    let vgg11 = [64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0];
    Some(match name {
        "lenet5-28" => lenet(28, 1, 2, 10),
        "lenet5-32" => lenet(32, 3, 0, 10),
        "lenet5-224" => lenet(224, 3, 0, 1000),
        "alexnet-227" => alexnet(),
        "vgg11-32" => vgg(32, &vgg11, &[512, 10]),
        "vgg16-224" => vgg(224, &vgg16, &[4096, 4096, 1000]),
        "mobilenetv1-224" => mobilenet(),
        "resnet50-224" => resnet50(),
        "cnn" => small(),
        _ => return None,
    })
}

/// Neurons of one of Jin et al.'s parts.
pub const NEURONS: u32 = 4096;

/// `layers` populations of `width` groups of [`NEURONS`], the last one unconnected as in the published generator; groups that are linked meet all-to-all, and every
/// neuron spikes once a step.
pub fn jin(layers: u32, width: u32, links: Links) -> Network {
    let mut n = Network::default();
    for l in 0..layers {
        let post = n.population([width, NEURONS, 1]);
        if l > 0 && l + 1 < layers {
            let groups = match links {
                Links::Dense => Axis::All {
                    from: width,
                    to: width,
                },
                Links::Window(k) => Axis::Window {
                    from: width,
                    to: width,
                    kernel: k,
                    stride: 1,
                    padding: k.saturating_sub(1),
                },
            };
            let all = |n| Axis::All { from: n, to: n };
            n.project(post - 1, post, [groups, all(NEURONS), all(1)]);
        }
    }
    n
}
