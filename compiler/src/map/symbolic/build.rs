//! Writing networks down layer by layer, as pictures pass through convolutions and pools.

use super::axis::Axis;
use super::{Network, Population, Projection, Shape};

/// A sliding window over rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns.
    pub kernel: u32,
    /// Step.
    pub stride: u32,
    /// Positions before the first.
    pub padding: u32,
}

impl Window {
    /// See the fields.
    pub fn new(kernel: u32, stride: u32, padding: u32) -> Window {
        Window {
            kernel,
            stride: stride.max(1),
            padding,
        }
    }

    /// Positions over `n`.
    pub fn positions(&self, n: u32) -> u32 {
        (n + 2 * self.padding).saturating_sub(self.kernel) / self.stride + 1
    }

    fn axis(&self, from: u32) -> Axis {
        Axis::Window {
            from,
            to: self.positions(from),
            kernel: self.kernel,
            stride: self.stride,
            padding: self.padding,
        }
    }
}

impl Network {
    /// A population that nothing projects to yet; its index.
    pub fn population(&mut self, shape: Shape) -> u32 {
        let index = self.populations.len() as u32;
        self.populations.push(Population {
            name: format!("layer {index}"),
            shape,
            rate: 1.0,
        });
        index
    }

    /// A projection between populations that have none yet and whose shapes are those of the rule.
    pub fn project(&mut self, pre: u32, post: u32, rule: [Axis; 3]) {
        debug_assert!(
            !self
                .projections
                .iter()
                .any(|p| (p.pre, p.post) == (pre, post))
        );
        self.projections.push(Projection {
            pre,
            post,
            rule,
            drawn: None,
        });
    }

    fn shape(&self, i: u32) -> Shape {
        self.populations[i as usize].shape
    }

    fn layer(&mut self, pre: u32, rule: [Axis; 3]) -> u32 {
        let post = self.population(rule.map(|a| a.to()));
        self.project(pre, post, rule);
        post
    }

    /// What a convolution of `pre` onto `channels` is.
    pub fn convolution(&self, pre: u32, w: Window, channels: u32) -> [Axis; 3] {
        let [c, y, x] = self.shape(pre);
        let all = Axis::All {
            from: c,
            to: channels,
        };
        [all, w.axis(y), w.axis(x)]
    }

    /// A layer that convolves.
    pub fn conv(&mut self, pre: u32, w: Window, channels: u32) -> u32 {
        self.layer(pre, self.convolution(pre, w, channels))
    }

    /// A layer of windows over each channel on its own: pools, depthwise convolutions.
    pub fn depthwise(&mut self, pre: u32, w: Window) -> u32 {
        let [c, y, x] = self.shape(pre);
        self.layer(pre, [Axis::own(c), w.axis(y), w.axis(x)])
    }

    /// One neuron for each channel.
    pub fn global(&mut self, pre: u32) -> u32 {
        let [c, y, x] = self.shape(pre);
        let all = |from| Axis::All { from, to: 1 };
        self.layer(pre, [Axis::own(c), all(y), all(x)])
    }

    /// A layer of `n` that meets all.
    pub fn full(&mut self, pre: u32, n: u32) -> u32 {
        let [c, y, x] = self.shape(pre);
        let all = |from, to| Axis::All { from, to };
        self.layer(pre, [all(c, n), all(y, 1), all(x, 1)])
    }
}
