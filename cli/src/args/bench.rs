//! Arguments of `bench`.

use super::{ArithmeticArg, EngineArg, GoalArg, SynapsesArg, parse_pair, parse_seed};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// What is measured.
    #[command(subcommand)]
    pub what: BenchCommand,
}

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Simulation: CPU seconds to build and to run, memory, rates.
    Sim(BenchSimArgs),
    /// Mapping: remote spikes, hops, congestion, and what it costs to find them.
    Mapping(BenchMappingArgs),
    /// A chip's emulator on the benchmark networks of that chip: steps and synaptic events a CPU second.
    Chip(BenchChipArgs),
}

#[derive(Debug, Args)]
pub struct BenchChipArgs {
    /// Chip or `chip:dialect`.
    #[arg(value_name = "NAME")]
    pub chip: String,
    /// Only this one of the chip's networks.
    #[arg(long, value_name = "NET")]
    pub net: Option<String>,
    /// Steps that are timed; else as many as each network's own measurement takes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// Independent inputs that run at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch: u32,
    /// Engine: auto takes a GPU if there is a real one, else the CPU.
    #[arg(long, value_enum, default_value_t = EngineArg::Cpu)]
    pub engine: EngineArg,
    /// Threads of the CPU engine; 0 takes all cores.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub threads: usize,
    /// Record spikes and states of all neurons in every step, as simulators do that cannot switch it off.
    #[arg(long)]
    pub all: bool,
}

/// How a network that consists of rules is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormArg {
    Auto,
    Rules,
    Neurons,
}

/// How parts are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LayoutArg {
    Search,
    Hilbert,
    Force,
}

#[derive(Clone, Debug, Args)]
pub struct BenchMappingArgs {
    /// dnn:L,M, cnn:L,M, grid4k, grid64k, comm8k, comm32k, pd10, cnn, alexnet-227, layers:L,M, DNN_4B, grid:N,F,SIGMA, ...; with @SEED at the end another draw, with -shuf after it shuffled ids.
    #[arg(value_name = "NET")]
    pub net: String,
    /// Machine: jin-S, loihi-64, loihi-16x8, truenorth-64, npc-N, or a chip; else jin-S for dnn: and cnn:, npc-256 for the others.
    #[arg(long, value_name = "T")]
    pub target: Option<String>,
    /// Key of the search's random draws.
    #[arg(long, default_value_t = 1, value_parser = parse_seed)]
    pub seed: u64,
    /// Effort: 0 takes the plain order, 3 searches for minutes.
    #[arg(long, value_name = "LEVEL", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=3))]
    pub opt: u8,
    /// Searches at a time; results do not depend on it.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub threads: usize,
    /// Form of layered networks: rules (parts are boxes, memory a part), or neuron by neuron (searched freely from the boxes); auto expands small ones.
    #[arg(long, value_enum, default_value_t = FormArg::Auto)]
    pub form: FormArg,
    /// What the placement makes small: the hops of single packets, or the links of multicast trees.
    #[arg(long, value_enum, default_value_t = GoalArg::Unicast)]
    pub goal: GoalArg,
    /// Placement: the search, or a baseline (parts in order along Hilbert's curve, or from there by the published force-directed exchange of neighbours).
    #[arg(long, value_enum, default_value_t = LayoutArg::Search)]
    pub layout: LayoutArg,
    /// Write the network as a hypergraph for other partitioners (hMETIS form), and stop there.
    #[arg(long, value_name = "FILE.hgr")]
    pub export: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct BenchSimArgs {
    /// cuba, coba, brunel, or microcircuit:N,K (scales of sizes and in-degrees); the others take a scale of their size: cuba:10.
    #[arg(value_name = "NET")]
    pub net: String,
    /// Time that is measured.
    #[arg(long, value_name = "D", default_value = "1s", value_parser = crate::units::parse_duration)]
    pub time: f64,
    /// Time that runs before, so that the start is not measured; 0 for none.
    #[arg(long, value_name = "D", default_value = "100ms", value_parser = crate::units::parse_wait)]
    pub warm: f64,
    /// Engine: auto takes a GPU if there is a real one, else the CPU.
    #[arg(long, value_enum, default_value_t = EngineArg::Auto)]
    pub engine: EngineArg,
    /// Threads of the CPU engine; 0 takes all cores.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub threads: usize,
    /// Arithmetic: floats, or integers that are equal on every engine.
    #[arg(long, value_enum, default_value_t = ArithmeticArg::Auto)]
    pub arithmetic: ArithmeticArg,
    /// Synapses of rules: stored, or drawn again at each event where a row follows from its source; auto stores what fits.
    #[arg(long, value_enum, default_value_t = SynapsesArg::Auto)]
    pub synapses: SynapsesArg,
    /// Key of every random draw; else that of the network.
    #[arg(long, value_parser = parse_seed)]
    pub seed: Option<u64>,
    /// Sets a parameter of the network, e.g. --set "delay=0.2 ms".
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    pub set: Vec<(String, String)>,
    /// Where the measured spikes go: .csv or .npz. May be given several times.
    #[arg(long, value_name = "F")]
    pub record: Vec<PathBuf>,
}
