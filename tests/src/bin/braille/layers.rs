//! Two layers of current-based units with every difference of a chip switched on or off.
//!
//! Layers and weights in the chip's units and input spikes go in, the spikes of both layers come out. With no difference on this is the network's own arithmetic, with all of them the chip's: decays by shifts after arrivals, saturating at 16 bits, with several spikes a step, or decays by
//! 12-bit fractions before arrivals, cut towards 0.

pub const STEPS: u32 = 256;
pub const CHANNELS: usize = 12;

/// Differences of a chip.
pub const CAUSES: [&str; 6] = [
    "weights of 8 bits (with thresholds and biases as registers)",
    "decays as the chip has them",
    "reset by subtraction",
    "rounded states",
    "states of limited width",
    "bias at the membrane, and before the first step",
];
pub const WEIGHTS: usize = 0;
pub const DECAYS: usize = 1;
pub const RESET: usize = 2;
pub const ROUND: usize = 3;
pub const SATURATE: usize = 4;
pub const EARLY: usize = 5;

/// Which of [`CAUSES`] are on.
pub type On = [bool; 6];

/// How a chip loses current and membrane in a step.
#[derive(Clone, Copy)]
pub enum Decays {
    /// Shifts of current and membrane: `1 - 2^-d` is left. The current decays after arrivals are added.
    Shifts(u8, u8),
    /// Parts of 4096 that are left of current and membrane. The current decays before arrivals are added.
    Parts(u16, u16),
}

/// A layer in the chip's units.
#[derive(Clone)]
pub struct Layer {
    /// What the network keeps of current and membrane in a step.
    pub keep: (f64, f64),
    /// What the chip has for them.
    pub decays: Decays,
    /// Threshold and bias, exact and as registers.
    pub threshold: (f64, f64),
    pub bias: Vec<(f64, f64)>,
    /// Spikes a step.
    pub limit: u32,
    /// Steps that the chip's layer runs before its first one.
    pub late: u32,
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

impl Layer {
    /// Ends of a state.
    fn within(&self, on: &On, x: f64) -> f64 {
        let top = match self.decays {
            Decays::Shifts(..) => 32768.0,
            Decays::Parts(..) => 8_388_608.0,
        };
        if on[SATURATE] {
            x.clamp(-top, top - 1.0)
        } else {
            x
        }
    }

    /// What current (0) or membrane (1) keeps in a step.
    fn left(&self, on: &On, state: usize) -> f64 {
        let chip = match self.decays {
            Decays::Shifts(i, v) => left([i, v][state]),
            Decays::Parts(i, v) => f64::from([i, v][state]) / 4096.0,
        };
        let network = [self.keep.0, self.keep.1][state];
        if on[DECAYS] { chip } else { network }
    }

    /// A state after its decay.
    fn kept(&self, on: &On, x: f64, state: usize) -> f64 {
        let keep = self.left(on, state);
        let lost = x * (1.0 - keep);
        match (on[ROUND], self.decays) {
            (false, _) => x - lost,
            (true, Decays::Parts(..)) => (x * keep).trunc(),
            (true, Decays::Shifts(..)) if lost.floor() == 0.0 => x - f64::from(u8::from(x > 0.0)),
            (true, Decays::Shifts(..)) => x - lost.floor(),
        }
    }

    /// One step: arrivals, then decay, integration and spikes; returns how often each unit spikes.
    pub fn step(&mut self, on: &On, arrivals: &[f64]) -> Vec<u32> {
        let mut out = vec![0; self.current.len()];
        for (u, spikes) in out.iter_mut().enumerate() {
            let (threshold, bias) = match on[WEIGHTS] {
                true => (self.threshold.1, self.bias[u].1),
                false => (self.threshold.0, self.bias[u].0),
            };
            // The network's constant input goes through the current; `bias` is what that comes to in the end.
            let (through, at) = match on[EARLY] {
                true => (0.0, bias),
                false => (bias, 0.0),
            };
            let i = self.arrived(on, u, arrivals[u], through);
            let at = if on[ROUND] { at.round_ties_even() } else { at };
            let v = self.integrated(on, self.membrane[u], i, at);
            // The network's threshold must be exceeded; a register holds the least membrane that spikes, or the one that must be exceeded.
            let over = |v: f64| match (on[WEIGHTS], self.decays) {
                (true, Decays::Shifts(..)) => v >= threshold,
                _ => v > threshold,
            };
            let mut v = v;
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

    /// The current of unit `u` after a step with these arrivals and a constant input that comes to `constant` in the end.
    fn arrived(&self, on: &On, u: usize, arrivals: f64, constant: f64) -> f64 {
        let (before, keep) = (self.current[u], self.left(on, 0));
        let whole = |x: f64| if on[ROUND] { x.round_ties_even() } else { x };
        match self.decays {
            Decays::Parts(..) => {
                let x = arrivals + constant * (1.0 - keep);
                self.within(on, self.kept(on, before, 0) + whole(x))
            }
            Decays::Shifts(i, _) => {
                // Weights make up by a factor of the decay that the chip has for what arrivals lose at once.
                let (chip, network) = (left(i), self.keep.0);
                let factor = match on[DECAYS] {
                    true => 1.0,
                    false => chip * (1.0 - network) / ((1.0 - chip) * network),
                };
                let x = arrivals * factor + constant * (1.0 - keep) / keep;
                let i = self.within(on, before + whole(x));
                self.kept(on, i, 0)
            }
        }
    }

    /// A membrane after a step.
    fn integrated(&self, on: &On, v: f64, current: f64, bias: f64) -> f64 {
        let kept = self.kept(on, v, 1);
        match self.decays {
            Decays::Parts(..) => self.within(on, kept + current + bias),
            Decays::Shifts(..) => {
                let change = self.within(on, current - (v - kept));
                self.within(on, v + self.within(on, change + bias))
            }
        }
    }
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
        (0..hidden.late).for_each(|_| drop(hidden.step(on, &vec![0.0; n])));
        (0..output.late).for_each(|_| drop(output.step(on, &vec![0.0; k])));
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
