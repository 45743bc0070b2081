//! Linear nodes as connectors, and what constants become on their way through them.
//!
//! In: an Affine, Linear, Scale, convolution, pooling or Flatten node with its shapes. Out: the connector with its
//! weights ([`rule`]), and the node applied to a constant input ([`constant`]), because a bias may lie several linear
//! nodes before the neuron that it reaches. Biases themselves are not part of a rule.

use super::ShapedNode;
use super::geometry::{per_axis, zeros};
use super::graph::{Array, Conv, NirKind, Padding, Pool};
use std::borrow::Cow;
use synfire_ir::network::{Connector, Conv2d, Pool2d};

/// A connector and its weights.
pub struct Rule<'a> {
    /// Who connects to whom.
    pub connector: Connector,
    /// Weights in the connector's order, with the name of the field that they come from; absent means 1.
    pub weight: Option<(&'static str, Cow<'a, Array>)>,
}

fn int(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Product of the axes; shapes were checked to stay below 2^31 elements.
pub fn size(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// The connector of a linear node; `None` for Flatten, which moves nothing. Inside a chain of rules a matrix is written
/// as a convolution over one pixel, which says its own width.
pub fn rule(shaped: &ShapedNode, inside_chain: bool) -> Option<Rule<'_>> {
    match &shaped.node.kind {
        NirKind::Affine { weight, .. } | NirKind::Linear { weight } => {
            let connector = match weight.shape.as_slice() {
                [_, _] if !inside_chain => Connector::Dense,
                [stack @ .., rows, columns] => {
                    Connector::Conv2d(stacked(size(stack), *rows, *columns))
                }
                _ => return None,
            };
            Some(Rule {
                connector,
                weight: Some(("weight", Cow::Borrowed(weight))),
            })
        }
        NirKind::Scale { scale } => Some(Rule {
            connector: Connector::Scale,
            weight: Some(("scale", Cow::Borrowed(scale))),
        }),
        NirKind::Conv1d(conv) => Some(convolution(conv, 1, &shaped.input)),
        NirKind::Conv2d(conv) => Some(convolution(conv, 2, &shaped.input)),
        NirKind::SumPool2d(pool) => Some(pooling(pool, &shaped.input, false)),
        NirKind::AvgPool2d(pool) => Some(pooling(pool, &shaped.input, true)),
        _ => None,
    }
}

/// A stack of matrices is a convolution over one pixel with as many groups.
fn stacked(stack: usize, rows: usize, columns: usize) -> Conv2d {
    Conv2d {
        input: [int(stack * columns), 1, 1],
        channels: int(stack * rows),
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0, 0],
        dilation: [1, 1],
        groups: int(stack),
    }
}

/// (channels, rows, columns) of a shape with one or two spatial axes; one axis is a single row.
fn image(shape: &[usize]) -> [u32; 3] {
    match *shape {
        [channels, length] => [int(channels), 1, int(length)],
        [channels, rows, columns] => [int(channels), int(rows), int(columns)],
        _ => [int(size(shape)), 1, 1],
    }
}

/// One number an axis as (rows, columns); with one axis the rows get `lone`.
fn spatial(axes: usize, lone: u32, of: impl Fn(usize) -> usize) -> [u32; 2] {
    if axes == 1 {
        [lone, int(of(0))]
    } else {
        [int(of(0)), int(of(1))]
    }
}

fn convolution<'a>(conv: &'a Conv, axes: usize, input: &[usize]) -> Rule<'a> {
    let kernel = |a: usize| conv.weight.shape.get(a + 2).copied().unwrap_or(1);
    let dilation = |a: usize| per_axis(&conv.dilation, a).unwrap_or(1);
    let around = |a: usize| zeros(&conv.padding, a, kernel(a), dilation(a)).unwrap_or((0, 0));
    let lopsided = (0..axes).any(|a| around(a).0 != around(a).1);
    if lopsided {
        let even = evened(conv, axes);
        let Rule { connector, .. } = convolution(&even, axes, input);
        return Rule {
            connector,
            weight: Some(("weight", Cow::Owned(even.weight))),
        };
    }
    let connector = Connector::Conv2d(Conv2d {
        input: image(input),
        channels: int(conv.weight.shape.first().copied().unwrap_or(1)),
        kernel: spatial(axes, 1, kernel),
        stride: spatial(axes, 1, |a| per_axis(&conv.stride, a).unwrap_or(1)),
        padding: spatial(axes, 0, |a| around(a).0),
        dilation: spatial(axes, 1, dilation),
        groups: int(conv.groups),
    });
    Rule {
        connector,
        weight: Some(("weight", Cow::Borrowed(&conv.weight))),
    }
}

/// "same" with a kernel of even reach pads one zero more behind. The same sums come from a kernel without dilation,
/// one zero tap in front, and equal padding.
fn evened(conv: &Conv, axes: usize) -> Conv {
    let [out, per_group, kernel @ ..] = conv.weight.shape.as_slice() else {
        return conv.clone();
    };
    let dilation: Vec<usize> = (0..axes)
        .map(|a| per_axis(&conv.dilation, a).unwrap_or(1))
        .collect();
    let padding: Vec<(usize, usize)> = (0..axes)
        .map(|a| {
            let taps = kernel.get(a).copied().unwrap_or(1);
            zeros(
                &conv.padding,
                a,
                taps,
                dilation.get(a).copied().unwrap_or(1),
            )
            .unwrap_or((0, 0))
        })
        .collect();
    let front = |a: usize| padding.get(a).map_or(0, |p| p.1 - p.0);
    let step = |a: usize| dilation.get(a).copied().unwrap_or(1);
    let wide: Vec<usize> = (0..axes)
        .map(|a| front(a) + step(a) * (kernel.get(a).copied().unwrap_or(1) - 1) + 1)
        .collect();
    let (area, wide_area) = (size(kernel), size(&wide));
    let mut data = vec![0.0; out * per_group * wide_area];
    for (index, &weight) in conv.weight.data.iter().enumerate() {
        let (plane, mut tap) = (index / area, index % area);
        let (mut at, mut stride) = (0, 1);
        for a in (0..axes).rev() {
            let length = kernel.get(a).copied().unwrap_or(1);
            at += stride * (front(a) + step(a) * (tap % length));
            tap /= length;
            stride *= wide.get(a).copied().unwrap_or(1);
        }
        if let Some(slot) = data.get_mut(plane * wide_area + at) {
            *slot = weight;
        }
    }
    let shape: Vec<usize> = [*out, *per_group].into_iter().chain(wide).collect();
    Conv {
        weight: Array {
            shape,
            data,
            dtype: conv.weight.dtype,
        },
        padding: Padding::Zeros(padding.iter().map(|p| p.1).collect()),
        dilation: vec![1],
        ..conv.clone()
    }
}

fn pooling(pool: &Pool, input: &[usize], average: bool) -> Rule<'static> {
    let connector = Connector::Pool2d(Pool2d {
        input: image(input),
        kernel: spatial(2, 1, |a| per_axis(&pool.kernel_size, a).unwrap_or(1)),
        stride: spatial(2, 1, |a| per_axis(&pool.stride, a).unwrap_or(1)),
        padding: spatial(2, 0, |a| per_axis(&pool.padding, a).unwrap_or(0)),
        average,
    });
    Rule {
        connector,
        weight: None,
    }
}

/// The constant part of a linear node's output when `input` is constant (empty: zero), its bias included. Empty when it
/// is zero.
pub fn constant(shaped: &ShapedNode, input: &[f64]) -> Vec<f64> {
    let count = size(&shaped.output);
    let mut output = match (&shaped.node.kind, input) {
        (_, []) => vec![],
        (NirKind::Flatten { .. }, _) => input.to_vec(),
        (NirKind::Scale { scale }, _) => input
            .iter()
            .enumerate()
            .map(|(i, x)| x * scale.at(i).unwrap_or(0.0))
            .collect(),
        _ => through(shaped, input, count),
    };
    if let Some((bias, per_value)) = bias(shaped) {
        output.resize(count, 0.0);
        for (i, value) in output.iter_mut().enumerate() {
            *value += bias
                .at(i / per_value % bias.data.len().max(1))
                .unwrap_or(0.0);
        }
    }
    if output.iter().all(|x| *x == 0.0) {
        vec![]
    } else {
        output
    }
}

/// The bias of a node unless it is zero, and how many outputs in a row share one value.
fn bias(shaped: &ShapedNode) -> Option<(&Array, usize)> {
    let (bias, per_value) = match &shaped.node.kind {
        NirKind::Affine { bias, .. } => (bias, 1),
        NirKind::Conv1d(c) | NirKind::Conv2d(c) => {
            (&c.bias, shaped.output.get(1..).map_or(1, size))
        }
        _ => return None,
    };
    bias.data
        .iter()
        .any(|b| *b != 0.0)
        .then_some((bias, per_value.max(1)))
}

/// Does the node have a bias that is not zero?
pub fn is_biased(shaped: &ShapedNode) -> bool {
    bias(shaped).is_some()
}

/// Multiplications that [`constant`] needs when what arrives has a constant part.
pub fn work(shaped: &ShapedNode) -> u64 {
    let taps = match &shaped.node.kind {
        NirKind::Affine { weight, .. } | NirKind::Linear { weight } => {
            weight.shape.last().copied().unwrap_or(1)
        }
        NirKind::Conv1d(c) | NirKind::Conv2d(c) => c.weight.shape.get(1..).map_or(1, size),
        NirKind::SumPool2d(p) | NirKind::AvgPool2d(p) => {
            let side = |a| per_axis(&p.kernel_size, a).unwrap_or(1);
            side(0).saturating_mul(side(1))
        }
        _ => 1,
    };
    (taps as u64).saturating_mul(size(&shaped.output) as u64)
}

/// A constant through a matrix, a convolution or a pool: tap by tap.
fn through(shaped: &ShapedNode, input: &[f64], count: usize) -> Vec<f64> {
    let mut output = vec![0.0; count];
    let mut add = |target: usize, source: usize, weight: f64| {
        if let (Some(slot), Some(x)) = (output.get_mut(target), input.get(source)) {
            *slot += weight * x;
        }
    };
    match &shaped.node.kind {
        NirKind::Affine { weight, .. } | NirKind::Linear { weight } => {
            let [.., rows, columns] = weight.shape.as_slice() else {
                return output;
            };
            for (index, w) in weight.data.iter().enumerate() {
                let row = index / columns;
                add(row, row / rows * columns + index % columns, *w);
            }
        }
        NirKind::Conv1d(_) | NirKind::Conv2d(_) => {
            let Some(Rule {
                connector: Connector::Conv2d(c),
                weight: Some((_, weight)),
            }) = rule(shaped, true)
            else {
                return output;
            };
            let [_, rows, columns] = c.output().map(|n| n as usize);
            let window = Window::new(c.input, c.kernel, c.stride, c.padding, c.dilation);
            let [channels, groups] = [c.channels as usize, c.groups.max(1) as usize];
            let per_group = c.input[0] as usize / groups;
            for target in 0..channels * rows * columns {
                let (channel, y, x) = (
                    target / (rows * columns),
                    target / columns % rows,
                    target % columns,
                );
                let first = channel / (channels / groups).max(1) * per_group;
                for plane in 0..per_group {
                    window.taps(y, x, |tap, at| {
                        let w = weight
                            .data
                            .get((channel * per_group + plane) * window.area + tap);
                        add(
                            target,
                            (first + plane) * window.plane + at,
                            w.copied().unwrap_or(0.0),
                        );
                    });
                }
            }
        }
        NirKind::SumPool2d(_) | NirKind::AvgPool2d(_) => {
            let Some(Rule {
                connector: Connector::Pool2d(p),
                ..
            }) = rule(shaped, true)
            else {
                return output;
            };
            let [channels, rows, columns] = p.output().map(|n| n as usize);
            let window = Window::new(p.input, p.kernel, p.stride, p.padding, [1, 1]);
            for target in 0..channels * rows * columns {
                let (channel, y, x) = (
                    target / (rows * columns),
                    target / columns % rows,
                    target % columns,
                );
                window.taps(y, x, |_, at| {
                    add(target, channel * window.plane + at, p.tap())
                });
            }
        }
        _ => {}
    }
    output
}

/// A window that slides over one channel.
struct Window {
    height: usize,
    width: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
    area: usize,
    plane: usize,
}

impl Window {
    fn new(
        input: [u32; 3],
        kernel: [u32; 2],
        stride: [u32; 2],
        padding: [u32; 2],
        dilation: [u32; 2],
    ) -> Self {
        let wide = |pair: [u32; 2]| pair.map(|n| n as usize);
        let [_, height, width] = input.map(|n| n as usize);
        let kernel = wide(kernel);
        Window {
            height,
            width,
            kernel,
            stride: wide(stride),
            padding: wide(padding),
            dilation: wide(dilation),
            area: kernel[0] * kernel[1],
            plane: height * width,
        }
    }

    /// `f(tap, index in the channel)` for each tap of output (y, x) that does not fall on padding.
    fn taps(&self, y: usize, x: usize, mut f: impl FnMut(usize, usize)) {
        for ky in 0..self.kernel[0] {
            let row = (y * self.stride[0] + ky * self.dilation[0]).checked_sub(self.padding[0]);
            for kx in 0..self.kernel[1] {
                let column =
                    (x * self.stride[1] + kx * self.dilation[1]).checked_sub(self.padding[1]);
                if let (Some(row), Some(column)) = (row, column)
                    && row < self.height
                    && column < self.width
                {
                    f(ky * self.kernel[1] + kx, row * self.width + column);
                }
            }
        }
    }
}
