//! The typed configuration: every register and memory of a RANC grid by its own name, no more than its references hold.
//!
//! A legal value is one that [`validate`](super::validate) finds no error in. The simulator takes cores and neurons that are left out as silent defaults; the
//! Verilog has a memory for each, so that there a legal configuration holds every core in full ([`Config::complete`] adds the defaults).

use super::BitMatrix;
use std::fmt;

/// Weights a neuron: one for each axon type.
pub const NUM_WEIGHTS: usize = 4;
/// Words of a core's ring of axon spikes.
pub const NUM_TICKS: u8 = 16;
/// The value of `tick` that would wrap onto the word being read: the simulator drops such spikes, the Verilog raises an error.
pub const DROPPED_TICK: u8 = 15;
/// Most neurons or axons of a core that this target handles; both references default to 256.
pub const MAX_SIZE: u16 = 4096;
/// Most cores along a side of the grid that this target handles; TrueNorth's is 64.
pub const MAX_SIDE: u16 = 1024;
/// Most indices of the output bus that this target handles.
pub const MAX_OUTPUTS: u32 = 1 << 20;

/// Which reference a configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The C++ simulator: 32-bit integers.
    Sim,
    /// The Verilog: registers of [`Widths`], wrap-around.
    Rtl,
}

impl Dialect {
    /// The dialect of that name in `chip.toml`.
    pub fn from_name(name: &str) -> Option<Dialect> {
        match name {
            "sim" => Some(Dialect::Sim),
            "rtl" => Some(Dialect::Rtl),
            _ => None,
        }
    }

    /// Its name in `chip.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Sim => "sim",
            Dialect::Rtl => "rtl",
        }
    }
}

/// Size of the grid in cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// West to east.
    pub x: u16,
    /// South to north.
    pub y: u16,
}

impl Grid {
    /// Number of grid positions, the output bus included.
    pub fn positions(self) -> u32 {
        u32::from(self.x) * u32::from(self.y)
    }

    /// Number of a position: `x + width * y`. Unique for positions inside the grid.
    pub fn index(self, x: u16, y: u16) -> u32 {
        u32::from(x) + u32::from(self.x) * u32::from(y)
    }

    /// Is the position inside?
    pub fn holds(self, x: i32, y: i32) -> bool {
        (0..i32::from(self.x)).contains(&x) && (0..i32::from(self.y)).contains(&y)
    }
}

/// The grid position that collects output spikes; it holds no neurons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputBus {
    /// West to east.
    pub x: u16,
    /// South to north.
    pub y: u16,
    /// Number of output indices.
    pub num_outputs: u32,
}

/// When the negative reset happens (`neuron_reset_type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetType {
    /// 0: below the negative threshold.
    #[default]
    Asymmetric,
    /// 1: at the negative threshold and below it. Simulator only.
    Symmetric,
}

/// What a reset does (`reset_mode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetMode {
    /// 0: to `reset_potential` after a spike, to its negative after a negative reset.
    #[default]
    Absolute,
    /// 1: the threshold that was crossed is subtracted.
    Linear,
}

/// Widths of registers in bits, the sign included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// `potential` and `reset_potential`; every sum wraps at this width.
    pub potential: u8,
    /// `weights`.
    pub weight: u8,
    /// `leak`.
    pub leak: u8,
    /// `positive_threshold` and `negative_threshold`.
    pub threshold: u8,
    /// `dx`.
    pub dx: u8,
    /// `dy`.
    pub dy: u8,
}

impl Widths {
    /// The simulator's: `int`.
    pub const SIM: Widths = Widths {
        potential: 32,
        weight: 32,
        leak: 32,
        threshold: 32,
        dx: 32,
        dy: 32,
    };
    /// The Verilog's defaults, at which it was checked.
    pub const RTL: Widths = Widths {
        potential: 9,
        weight: 9,
        leak: 9,
        threshold: 9,
        dx: 9,
        dy: 9,
    };
}

/// The registers of one neuron. Its connections stand in [`Core::connections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neuron {
    /// Membrane potential (`current_potential`); what it starts from.
    pub potential: i32,
    /// Value after a reset in mode [`ResetMode::Absolute`].
    pub reset_potential: i32,
    /// One weight for each axon type.
    pub weights: [i32; NUM_WEIGHTS],
    /// Added every tick.
    pub leak: i32,
    /// The neuron spikes at or above it.
    pub positive_threshold: i32,
    /// Signed, usually negative.
    pub negative_threshold: i32,
    /// What a reset does.
    pub reset_mode: ResetMode,
    /// Cores to the east of the destination (negative: to the west).
    pub dx: i16,
    /// Cores to the north (negative: to the south).
    pub dy: i16,
    /// Axon of the destination core, or index at the output bus.
    pub axon: u32,
    /// The spike arrives `tick + 1` ticks later; the output bus ignores it.
    pub tick: u8,
}

impl Default for Neuron {
    /// What both references hold where nothing is configured: all zero, threshold 1. Without connections it is silent.
    fn default() -> Self {
        Neuron {
            potential: 0,
            reset_potential: 0,
            weights: [0; NUM_WEIGHTS],
            leak: 0,
            positive_threshold: 1,
            negative_threshold: 0,
            reset_mode: ResetMode::Absolute,
            dx: 0,
            dy: 0,
            axon: 0,
            tick: 0,
        }
    }
}

/// One core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// West to east.
    pub x: u16,
    /// South to north.
    pub y: u16,
    /// Type (0..4) of each axon, from axon 0; those left out are of type 0.
    pub axons: Vec<u8>,
    /// Registers of each neuron, from neuron 0; those left out are [`Neuron::default`] without connections.
    pub neurons: Vec<Neuron>,
    /// A row for each of `neurons`, a column for each of the core's `num_axons` axons.
    pub connections: BitMatrix,
}

impl Core {
    /// A core without axon types and neurons.
    pub fn empty(x: u16, y: u16, num_axons: u16) -> Self {
        Core {
            x,
            y,
            axons: vec![],
            neurons: vec![],
            connections: BitMatrix::new(0, num_axons.into()),
        }
    }

    /// Type of an axon.
    pub fn axon_type(&self, axon: usize) -> u8 {
        self.axons.get(axon).copied().unwrap_or(0)
    }

    /// Adds default axons and neurons up to the given sizes.
    pub fn fill(&mut self, num_axons: u16, num_neurons: u16) {
        let (axons, neurons) = (usize::from(num_axons), usize::from(num_neurons));
        self.axons.resize(axons.max(self.axons.len()), 0);
        self.neurons
            .resize(neurons.max(self.neurons.len()), Neuron::default());
        self.connections.grow(neurons);
    }

    /// The grid position that a neuron's spikes go to; may lie outside the grid.
    pub fn destination(&self, neuron: &Neuron) -> (i32, i32) {
        (
            i32::from(self.x) + i32::from(neuron.dx),
            i32::from(self.y) + i32::from(neuron.dy),
        )
    }
}

impl fmt::Display for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "core ({},{})", self.x, self.y)
    }
}

/// A whole grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which reference it is for.
    pub dialect: Dialect,
    /// Size of the grid.
    pub grid: Grid,
    /// Neurons of every core.
    pub num_neurons: u16,
    /// Axons of every core.
    pub num_axons: u16,
    /// When the negative reset happens.
    pub neuron_reset_type: ResetType,
    /// Where output spikes go.
    pub output_bus: OutputBus,
    /// Register widths; [`Widths::SIM`] in the simulator.
    pub widths: Widths,
    /// Cores in ascending order of [`Grid::index`].
    pub cores: Vec<Core>,
}

impl Config {
    /// Does a neuron of `core` send to the output bus?
    pub fn to_output(&self, core: &Core, neuron: &Neuron) -> bool {
        core.destination(neuron) == (i32::from(self.output_bus.x), i32::from(self.output_bus.y))
    }

    /// Position in [`Config::cores`] of the core at a grid position.
    pub fn core_at(&self, x: u16, y: u16) -> Option<usize> {
        let index = self.grid.index(x, y);
        self.cores
            .binary_search_by_key(&index, |c| self.grid.index(c.x, c.y))
            .ok()
    }

    /// Number of neurons that are configured.
    pub fn neurons(&self) -> u64 {
        self.cores.iter().map(|c| c.neurons.len() as u64).sum()
    }

    /// Number of crossbar bits that are set.
    pub fn synapses(&self) -> u64 {
        self.cores.iter().map(|c| c.connections.count()).sum()
    }

    /// Adds silent default cores, axons and neurons until every grid position but the output bus is configured in full, as the Verilog needs it.
    /// Takes memory for the whole grid: check its size first.
    pub fn complete(&mut self) {
        let mut given = std::mem::take(&mut self.cores).into_iter().peekable();
        for y in 0..self.grid.y {
            for x in 0..self.grid.x {
                if (x, y) == (self.output_bus.x, self.output_bus.y) {
                    continue;
                }
                let mut core = match given.next_if(|c| (c.x, c.y) == (x, y)) {
                    Some(core) => core,
                    None => Core::empty(x, y, self.num_axons),
                };
                core.fill(self.num_axons, self.num_neurons);
                self.cores.push(core);
            }
        }
    }
}
