//! Two layers of current-based units with every difference of the chip switched on or off.
//!
//! Layers and weights in the chip's units and input spikes go in, the spikes of both layers come out. With no difference on this is the network's own arithmetic, with all of them the chip's.

pub const STEPS: u32 = 256;
pub const CHANNELS: usize = 12;

/// Differences of the chip.
pub const CAUSES: [&str; 6] = [
    "weights of 8 bits",
    "decays by shifts",
    "reset by subtraction",
    "rounded states",
    "states of 16 bits",
    "bias at the membrane",
];
pub const WEIGHTS: usize = 0;
pub const DECAYS: usize = 1;
pub const RESET: usize = 2;
pub const ROUND: usize = 3;
pub const SATURATE: usize = 4;
pub const EARLY: usize = 5;

/// Which of [`CAUSES`] are on.
pub type On = [bool; 6];

/// A layer in the chip's units.
#[derive(Clone)]
pub struct Layer {
    /// What the network keeps of current and membrane in a step.
    pub keep: (f64, f64),
    /// The chip's shifts for them.
    pub dash: (u8, u8),
    /// Threshold and bias, exact and as registers.
    pub threshold: (f64, f64),
    pub bias: Vec<(f64, f64)>,
    /// Spikes a step.
    pub limit: u32,
    pub current: Vec<f64>,
    pub membrane: Vec<f64>,
}

/// From a source to a target: exact and on the chip, both in the chip's units.
pub type Matrix = Vec<Vec<(f64, f64)>>;

#[derive(Clone)]
pub struct Model {
    pub hidden: Layer,
    pub output: Layer,
    pub input: Matrix,
    pub recurrent: Matrix,
    pub readout: Matrix,
}

pub fn within(on: &On, x: f64) -> f64 {
    if on[SATURATE] {
        x.clamp(-32768.0, 32767.0)
    } else {
        x
    }
}

pub fn lost(on: &On, x: f64, keep: f64, dash: u8) -> f64 {
    let exact = match on[DECAYS] {
        true => x * 0.5f64.powi(dash.into()),
        false => x * (1.0 - keep),
    };
    match (on[ROUND], exact.floor()) {
        (false, _) => exact,
        (true, 0.0) => (x > 0.0) as u8 as f64,
        (true, whole) => whole,
    }
}

impl Layer {
    /// One step: arrivals, then decay, integration and spikes; returns how often each unit spikes.
    pub fn step(&mut self, on: &On, arrivals: &[f64]) -> Vec<u32> {
        // The chip's current decays after arrivals are added and so loses part of them; weights make up for that by a factor of the decay that the chip has.
        let factor = match on[DECAYS] {
            true => 1.0,
            false => {
                left(self.dash.0) * (1.0 - self.keep.0) / ((1.0 - left(self.dash.0)) * self.keep.0)
            }
        };
        let mut out = vec![0; self.current.len()];
        for (u, spikes) in out.iter_mut().enumerate() {
            // The network's constant input goes through the current; `bias` is what that comes to in the end.
            let constant = match on[EARLY] {
                true => 0.0,
                false => {
                    (if on[WEIGHTS] {
                        self.bias[u].1
                    } else {
                        self.bias[u].0
                    }) * (1.0 - left_of(on, self))
                        / left_of(on, self)
                }
            };
            let x = arrivals[u] * factor + constant;
            let i = within(
                on,
                self.current[u] + if on[ROUND] { x.round_ties_even() } else { x },
            );
            let i = i - lost(on, i, self.keep.0, self.dash.0);
            let v = self.membrane[u];
            let (threshold, bias) = match on[WEIGHTS] {
                true => (self.threshold.1, self.bias[u].1),
                false => (self.threshold.0, self.bias[u].0),
            };
            let bias = if on[EARLY] { bias } else { 0.0 };
            let bias = if on[ROUND] {
                bias.round_ties_even()
            } else {
                bias
            };
            let change = within(
                on,
                within(on, i - lost(on, v, self.keep.1, self.dash.1)) + bias,
            );
            let mut v = within(on, v + change);
            // The register's threshold is the least membrane that spikes; the network's must be exceeded.
            let over = |v: f64| {
                if on[WEIGHTS] {
                    v >= threshold
                } else {
                    v > threshold
                }
            };
            while *spikes < self.limit && over(v) {
                *spikes += 1;
                if on[RESET] {
                    v -= threshold;
                } else {
                    v = 0.0;
                    break;
                }
            }
            (self.current[u], self.membrane[u]) = (i, v);
        }
        out
    }
}

/// What a layer's current keeps in a step.
fn left_of(on: &On, l: &Layer) -> f64 {
    if on[DECAYS] { left(l.dash.0) } else { l.keep.0 }
}

pub fn left(dash: u8) -> f64 {
    1.0 - 0.5f64.powi(dash.into())
}

/// What sources with these counts bring to `n` targets.
pub fn arrivals(on: &On, m: &Matrix, counts: &[u32], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    for (row, &c) in m.iter().zip(counts).filter(|x| *x.1 > 0) {
        for (x, w) in out.iter_mut().zip(row) {
            *x += f64::from(c) * if on[WEIGHTS] { w.1 } else { w.0 };
        }
    }
    out
}

/// Spikes of both layers: (step, unit), one entry a spike.
#[derive(Default)]
pub struct Seen {
    pub hidden: Vec<(u32, u32)>,
    pub output: Vec<(u32, u32)>,
}

pub fn note(out: &mut Vec<(u32, u32)>, step: u32, counts: &[u32]) {
    for (u, &n) in (0u32..).zip(counts) {
        out.extend(std::iter::repeat_n((step, u), n as usize));
    }
}

pub fn play(model: &Model, on: &On, input: &[[u32; CHANNELS]]) -> Seen {
    let (mut hidden, mut output) = (model.hidden.clone(), model.output.clone());
    let (n, k) = (hidden.current.len(), output.current.len());
    let mut seen = Seen::default();
    let mut before = vec![0; n];
    if on[EARLY] {
        output.step(on, &vec![0.0; k]);
    }
    for (step, row) in (0u32..).zip(input) {
        let mut x = arrivals(on, &model.input, row, n);
        let back = arrivals(on, &model.recurrent, &before, n);
        x.iter_mut().zip(back).for_each(|(x, y)| *x += y);
        before = hidden.step(on, &x);
        note(&mut seen.hidden, step, &before);
        let fired = output.step(on, &arrivals(on, &model.readout, &before, k));
        note(&mut seen.output, step, &fired);
    }
    seen
}
