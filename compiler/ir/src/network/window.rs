//! Convolution and pooling: sliding windows over `[channels, rows, columns]`.
//!
//! The work for one target is that of its taps inside the input, whatever the window's size.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A 2-D cross-correlation (PyTorch's convention) over `[channels, rows, columns]`; weights `[out, in / groups, rows,
/// columns]`. A 1-D convolution has one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Input channels, rows, columns.
    pub input: [u32; 3],
    /// Output channels.
    pub channels: u32,
    /// Kernel rows, columns.
    pub kernel: [u32; 2],
    /// Steps of the window.
    pub stride: [u32; 2],
    /// Zeros added on each side.
    pub padding: [u32; 2],
    /// Spacing of the taps.
    pub dilation: [u32; 2],
    /// Groups of channels that do not mix.
    pub groups: u32,
}

/// Sum or mean over a window of each channel of `[channels, rows, columns]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool2d {
    /// Input channels, rows, columns.
    pub input: [u32; 3],
    /// Window rows, columns.
    pub kernel: [u32; 2],
    /// Steps of the window.
    pub stride: [u32; 2],
    /// Zeros added on each side; a mean counts them.
    pub padding: [u32; 2],
    /// Mean instead of sum.
    pub average: bool,
}

/// A window along one axis.
struct Axis {
    input: u64,
    kernel: u64,
    stride: u64,
    padding: u64,
    dilation: u64,
}

impl Axis {
    /// Positions of the window: `floor((in + 2 p - d (k - 1) - 1) / s) + 1`.
    fn output(&self) -> u32 {
        let span = self.input + 2 * self.padding;
        let reach = (self.dilation * self.kernel.saturating_sub(1)).saturating_add(1);
        if self.stride == 0 || span < reach {
            0
        } else {
            ((span - reach) / self.stride + 1).min(u32::MAX as u64) as u32
        }
    }

    /// Taps of position `o` that fall on the input, not on padding.
    fn taps(&self, o: u32) -> Range<u64> {
        let at = o as u64 * self.stride;
        let step = self.dilation.max(1);
        let first = self.padding.saturating_sub(at).div_ceil(step);
        let end = (self.input + self.padding)
            .saturating_sub(at)
            .div_ceil(step);
        first..end.min(self.kernel)
    }

    /// Input element under tap `k` of position `o`, which must be one of [`Self::taps`].
    fn element(&self, o: u32, k: u64) -> u64 {
        o as u64 * self.stride + k * self.dilation - self.padding
    }

    /// Taps on the input, summed over the positions.
    fn all_taps(&self) -> f64 {
        let of = |o| {
            let t = self.taps(o);
            t.end.saturating_sub(t.start) as f64
        };
        (0..self.output()).map(of).sum()
    }
}

impl Conv2d {
    /// Is it a matrix `[channels, input channels]`: one tap, on images of one pixel, all channels with all?
    pub fn is_matrix(&self) -> bool {
        self.kernel == [1, 1] && self.input[1..] == [1, 1] && self.groups == 1
    }

    fn axis(&self, a: usize) -> Axis {
        Axis {
            input: self.input[a + 1] as u64,
            kernel: self.kernel[a] as u64,
            stride: self.stride[a] as u64,
            padding: self.padding[a] as u64,
            dilation: self.dilation[a] as u64,
        }
    }

    /// Output channels, rows, columns: `floor((in + 2 p - d (k - 1) - 1) / s) + 1` an axis.
    pub fn output(&self) -> [u32; 3] {
        [self.channels, self.axis(0).output(), self.axis(1).output()]
    }

    /// Shape of the weights.
    pub fn weight_shape(&self) -> [u32; 4] {
        [
            self.channels,
            self.input[0] / self.groups.max(1),
            self.kernel[0],
            self.kernel[1],
        ]
    }

    /// Number of taps that do not fall on padding.
    pub(super) fn synapses(&self) -> f64 {
        let mixed = self.channels as f64 * (self.input[0] / self.groups.max(1)) as f64;
        self.axis(0).all_taps() * self.axis(1).all_taps() * mixed
    }

    /// Sources of target `t` with the index of their weight: `f(source, weight)`.
    pub(super) fn of_target(&self, t: u32, mut f: impl FnMut(u32, usize)) {
        let (rows, cols) = (self.axis(0), self.axis(1));
        let (channel, y, x) = place(t, rows.output(), cols.output());
        let per_group = self.input[0] as u64 / self.groups.max(1) as u64;
        let group = channel / (self.channels as u64 / self.groups.max(1) as u64).max(1);
        for ci in 0..per_group {
            let source = (group * per_group + ci) * rows.input;
            let weight = (channel * per_group + ci) * rows.kernel;
            for ky in rows.taps(y) {
                for kx in cols.taps(x) {
                    let s = (source + rows.element(y, ky)) * cols.input + cols.element(x, kx);
                    f(s as u32, ((weight + ky) * cols.kernel + kx) as usize);
                }
            }
        }
    }
}

/// Channel, row and column of element `t`.
fn place(t: u32, rows: u32, cols: u32) -> (u64, u32, u32) {
    let (rows, cols) = (rows.max(1), cols.max(1));
    let channel = t as u64 / (rows as u64 * cols as u64);
    (channel, t / cols % rows, t % cols)
}

impl Pool2d {
    fn axis(&self, a: usize) -> Axis {
        Axis {
            input: self.input[a + 1] as u64,
            kernel: self.kernel[a] as u64,
            stride: self.stride[a] as u64,
            padding: self.padding[a] as u64,
            dilation: 1,
        }
    }

    /// Output channels, rows, columns.
    pub fn output(&self) -> [u32; 3] {
        [self.input[0], self.axis(0).output(), self.axis(1).output()]
    }

    /// Weight of every tap.
    pub fn tap(&self) -> f64 {
        if self.average {
            1.0 / (self.kernel[0] as f64 * self.kernel[1] as f64)
        } else {
            1.0
        }
    }

    /// Number of taps that do not fall on padding.
    pub(super) fn synapses(&self) -> f64 {
        self.axis(0).all_taps() * self.axis(1).all_taps() * self.input[0] as f64
    }

    pub(super) fn of_target(&self, t: u32, mut f: impl FnMut(u32, usize)) {
        let (rows, cols) = (self.axis(0), self.axis(1));
        let (channel, y, x) = place(t, rows.output(), cols.output());
        for ky in rows.taps(y) {
            for kx in cols.taps(x) {
                let row = channel * rows.input + rows.element(y, ky);
                f((row * cols.input + cols.element(x, kx)) as u32, 0);
            }
        }
    }
}
