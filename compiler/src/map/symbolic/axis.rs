//! Who meets whom along one axis of two populations: all, a sliding window, or groups. A rule of three axes is the product of its axes, so that
//! every question about two boxes of neurons is three questions about two ranges, each answered in O(1) or O(window).

use std::ops::Range;

/// A relation between source positions `0..from` and target positions `0..to`. Targets of a source are a range, and so are sources of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Every source with every target.
    All {
        /// Sources.
        from: u32,
        /// Targets.
        to: u32,
    },
    /// Target `t` takes sources `t * stride - padding .. + kernel`, as far as there are such.
    Window {
        /// Sources.
        from: u32,
        /// Targets.
        to: u32,
        /// Width of the window.
        kernel: u32,
        /// Its step, at least 1.
        stride: u32,
        /// Positions before the first source.
        padding: u32,
    },
    /// As many equal groups on both sides; each with its own.
    Groups {
        /// Sources of a group, at least 1.
        from: u32,
        /// Targets of a group, at least 1.
        to: u32,
        /// Groups.
        groups: u32,
    },
}

fn clip(low: i64, high: i64, end: u32) -> Range<u32> {
    let (a, b) = (low.clamp(0, end as i64), high.clamp(0, end as i64));
    a as u32..b.max(a) as u32
}

fn common(a: &Range<u32>, b: &Range<u32>) -> Range<u32> {
    let start = a.start.max(b.start);
    start..a.end.min(b.end).max(start)
}

impl Axis {
    /// Each position with itself.
    pub fn own(n: u32) -> Axis {
        Axis::Window {
            from: n,
            to: n,
            kernel: 1,
            stride: 1,
            padding: 0,
        }
    }

    /// Number of sources.
    pub fn from(&self) -> u32 {
        match *self {
            Axis::All { from, .. } | Axis::Window { from, .. } => from,
            Axis::Groups { from, groups, .. } => from * groups,
        }
    }

    /// Number of targets.
    pub fn to(&self) -> u32 {
        match *self {
            Axis::All { to, .. } | Axis::Window { to, .. } => to,
            Axis::Groups { to, groups, .. } => to * groups,
        }
    }

    /// Sources of target `t`.
    pub fn sources(&self, t: u32) -> Range<u32> {
        match *self {
            Axis::All { from, .. } => 0..from,
            Axis::Window {
                from,
                kernel,
                stride,
                padding,
                ..
            } => {
                let low = t as i64 * stride as i64 - padding as i64;
                clip(low, low + kernel as i64, from)
            }
            Axis::Groups { from, to, .. } => t / to * from..(t / to + 1) * from,
        }
    }

    /// Targets of source `s`.
    pub fn targets(&self, s: u32) -> Range<u32> {
        self.touched(s..s + 1)
    }

    /// The range from the first to the last target of `sources` (every target between has a source among them where the range of sources has no gap
    /// to it).
    pub fn touched(&self, sources: Range<u32>) -> Range<u32> {
        if sources.is_empty() {
            return 0..0;
        }
        match *self {
            Axis::All { to, .. } => 0..to,
            Axis::Window {
                to,
                kernel,
                stride,
                padding,
                ..
            } => {
                let step = stride as i64;
                let first = sources.start as i64 + padding as i64 - kernel as i64;
                let last = sources.end as i64 - 1 + padding as i64;
                clip(first.div_euclid(step) + 1, last.div_euclid(step) + 1, to)
            }
            Axis::Groups { from, to, .. } => {
                sources.start / from * to..((sources.end - 1) / from + 1) * to
            }
        }
    }

    /// Pairs between two ranges.
    pub fn synapses(&self, sources: &Range<u32>, targets: &Range<u32>) -> u64 {
        match *self {
            Axis::All { .. } => sources.len() as u64 * targets.len() as u64,
            Axis::Window {
                kernel,
                stride,
                padding,
                ..
            } if (kernel as usize) < targets.len() => {
                // Position by position of the window: the targets whose tap there falls on the sources.
                let step = stride as i64;
                let up = |a: i64| -(-a).div_euclid(step);
                (0..kernel as i64)
                    .map(|d| {
                        let by = padding as i64 - d;
                        let (low, high) =
                            (up(sources.start as i64 + by), up(sources.end as i64 + by));
                        common(&clip(low, high, u32::MAX), targets).len() as u64
                    })
                    .sum()
            }
            Axis::Window { .. } => targets
                .clone()
                .map(|t| common(&self.sources(t), sources).len() as u64)
                .sum(),
            Axis::Groups { from, to, groups } => (sources.start / from..groups)
                .take_while(|g| g * from < sources.end)
                .map(|g| {
                    let s = common(&(g * from..(g + 1) * from), sources).len() as u64;
                    s * common(&(g * to..(g + 1) * to), targets).len() as u64
                })
                .sum(),
        }
    }

    /// Sources of a range that have a target in another.
    pub fn reaching(&self, sources: &Range<u32>, targets: &Range<u32>) -> u32 {
        if sources.is_empty() || targets.is_empty() {
            return 0;
        }
        match *self {
            Axis::All { .. } => sources.len() as u32,
            // Windows that do not overlap share no source.
            Axis::Window { kernel, stride, .. } if kernel < stride => {
                self.synapses(sources, targets) as u32
            }
            Axis::Window {
                from,
                kernel,
                stride,
                padding,
                ..
            } => {
                let at = |t: u32| t as i64 * stride as i64 - padding as i64;
                let all = clip(at(targets.start), at(targets.end - 1) + kernel as i64, from);
                common(&all, sources).len() as u32
            }
            Axis::Groups { from, to, .. } => {
                let all = targets.start / to * from..((targets.end - 1) / to + 1) * from;
                common(&all, sources).len() as u32
            }
        }
    }
}
