//! The command line's form.
//!
//! Everything here is data: what a command does stands in [`crate::commands`]. Names and meanings are a contract with
//! users' scripts; they are added to, never changed.

mod bench;
mod boards;

pub use bench::{
    BenchArgs, BenchChipArgs, BenchCommand, BenchMappingArgs, BenchSimArgs, FormArg, LayoutArg,
};
pub use boards::{BoardArgs, DeployArgs};

use crate::units::Interval;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;
use synfire_lang::resolve::Results;

/// A compiler and emulator for neuromorphic chips.
///
/// A network is written in the Synfire language (.syn) or comes as NIR (.nir). It runs in its ideal semantics, is mapped onto
/// chips, and then runs bit-exactly as the chip would.
#[derive(Debug, Parser)]
#[command(
    name = "synfire",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// How results are printed: text for people, or one JSON document on standard output for programs.
    #[arg(long, value_enum, default_value_t = Format::Text, global = true, help_heading = "Output")]
    pub format: Format,
    /// More log messages on standard error (-vv: even more); RUST_LOG says it in detail.
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = "Output")]
    pub verbose: u8,
    /// No progress, no notes, no summary: results and errors only.
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Output"
    )]
    pub quiet: bool,
    /// Colours: where there is a terminal (unless NO_COLOR is set), always, or never.
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true, help_heading = "Output")]
    pub color: Color,
}

/// Form of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Parse, type-check and resolve a network, and print a summary.
    Check(CheckArgs),
    /// Format network files.
    Fmt(FmtArgs),
    /// Map a network onto a chip and write an artefact.
    Compile(CompileArgs),
    /// Run a network in its ideal semantics, or an artefact bit-exactly as the chip would.
    Run(RunArgs),
    /// Run all experiments of network files, and see whether what they expect holds.
    Test(TestArgs),
    /// Run a network ideally and on a chip, and say how far apart they are, and why.
    Compare(CompareArgs),
    /// Accuracy over a labelled batch: ideally, and on chips.
    Eval(EvalArgs),
    /// Load a board with an artefact, run it, and bring the spikes back.
    Deploy(DeployArgs),
    /// A software board: speaks a chip's wire protocol, with the emulated chip behind it.
    Board(BoardArgs),
    /// Utilisation, sizes and native files of an artefact.
    Inspect(InspectArgs),
    /// The chips: limits, arithmetic, what deploys how.
    Targets(TargetsArgs),
    /// Measure: how long benchmark networks take, and in how much memory.
    Bench(BenchArgs),
    /// GPU adapters, and which one `--engine auto` takes.
    Devices,
    /// Turn .nir into .syn (weights beside it as .npz) or .syn into .nir.
    Convert(ConvertArgs),
    /// What a diagnostic code means, with an example and its repair.
    Explain(ExplainArgs),
    /// Shell completions on standard output.
    Completions(CompletionsArgs),
    /// Help on a command, or on a name of the standard library (`help std.neurons.Lif`).
    Help(HelpArgs),
}

/// What a network needs beside its file.
#[derive(Clone, Debug, Default, Args)]
pub struct NetworkArgs {
    /// Sets a parameter of the network, e.g. --set order=500 --set "J=0.2 mV".
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    pub set: Vec<(String, String)>,
    /// The experiment that a command follows, and what its run gave.
    #[arg(skip)]
    pub experiment: Option<String>,
    #[arg(skip)]
    pub results: Option<Results>,
    /// Time step of a NIR file, e.g. 1ms (a plain number is seconds); recovered from the file when absent.
    #[arg(long, value_name = "D", value_parser = crate::units::parse_step, help_heading = "What a NIR file does not say")]
    pub dt: Option<f64>,
    /// Reset of spiking neurons in a NIR file.
    #[arg(long, value_enum, default_value_t = ResetArg::Zero, help_heading = "What a NIR file does not say")]
    pub reset: ResetArg,
    /// The current that a CubaLIF membrane of a NIR file integrates: this step's, or that of the step before.
    #[arg(long, value_enum, default_value_t = CubaArg::NewCurrent, help_heading = "What a NIR file does not say")]
    pub cuba_order: CubaArg,
    /// Unit of time constants and delays in a NIR file.
    #[arg(long, value_enum, default_value_t = TauArg::S, help_heading = "What a NIR file does not say")]
    pub tau_unit: TauArg,
    /// Refuse what a NIR reader would otherwise repair with a warning.
    #[arg(long, help_heading = "What a NIR file does not say")]
    pub strict: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ResetArg {
    #[default]
    Zero,
    Subtract,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum CubaArg {
    #[default]
    NewCurrent,
    OldCurrent,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TauArg {
    #[default]
    S,
    Steps,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Network: .syn, .nir, or - for .syn on standard input.
    #[arg(value_name = "NET")]
    pub net: PathBuf,
    /// Also: does it fit this chip, and what binds? `all` tries every chip.
    #[arg(long, value_name = "T")]
    pub target: Option<String>,
    /// Fail if a run would take more memory than this, e.g. 2GiB or 500MB.
    #[arg(long, value_name = "SIZE", value_parser = crate::units::parse_size)]
    pub memory_limit: Option<u64>,
    /// Synapses of rules: stored, or drawn again at each event where a row follows from its source; auto stores what fits.
    #[arg(long, value_enum, default_value_t = SynapsesArg::Auto)]
    pub synapses: SynapsesArg,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Network files; - formats standard input to standard output.
    #[arg(value_name = "NET", required = true)]
    pub files: Vec<PathBuf>,
    /// Change nothing; exit 1 if a file is not in canonical form.
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct CompileArgs {
    /// Network: .syn, .nir, or - for .syn on standard input.
    #[arg(value_name = "NET")]
    pub net: PathBuf,
    /// Chip, `chip:dialect`, or the path of a chip folder of your own; `synfire targets` lists them.
    #[arg(long, value_name = "T")]
    pub target: String,
    /// The artefact to write; by default NET with the ending .synx, in the current folder.
    #[arg(short, long, value_name = "OUT.synx")]
    pub output: Option<PathBuf>,
    /// Key of every random draw; else the network's own seed, else a fixed one.
    #[arg(long, value_parser = parse_seed)]
    pub seed: Option<u64>,
    /// Write a page about the mapping.
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Print what a pass made (to standard output); may be given several times.
    #[arg(long, value_name = "PASS")]
    pub dump: Vec<String>,
    /// Search scales, clips, thresholds and leaks with which the chip is most like the network on these input spikes, in place of plain rounding.
    #[arg(long, value_name = "SPIKES")]
    pub calibrate: Option<PathBuf>,
    /// An option of the target; `synfire targets T` lists them.
    #[arg(long = "option", value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub options: Vec<(String, String)>,
    #[command(flatten)]
    pub mapper: MapperArgs,
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// How hard to look for a good mapping, and what it must respect.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The mapper")]
pub struct MapperArgs {
    /// Effort: 0 fills cores in order, 1 is quick, 2 thorough, 3 as good as it gets.
    #[arg(long, value_name = "0..3", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=3))]
    pub opt: u8,
    /// Stop searching after this and take the best mapping so far; which one then depends on the machine's speed.
    #[arg(long, value_name = "D", value_parser = crate::units::parse_duration)]
    pub time_limit: Option<f64>,
    /// Searches at a time; 0 takes all cores. Results do not depend on it.
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub threads: usize,
    /// What the placement makes small: the hops of single packets, or the links of multicast trees.
    #[arg(long, value_enum, default_value_t = GoalArg::Unicast)]
    pub goal: GoalArg,
    /// Cores that must stay empty and links that pass nothing: a file with a line `x,y` for each core and `x,y,x,y` for each link, `#` begins a comment.
    #[arg(long, value_name = "FILE")]
    pub dead: Option<PathBuf>,
    /// Change as little as possible of this earlier mapping of the network, and say what moved.
    #[arg(long, value_name = "OLD.synx")]
    pub incremental: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum GoalArg {
    #[default]
    Unicast,
    Multicast,
}

impl GoalArg {
    /// The mapper's own.
    pub fn goal(self) -> synfire_compiler::map::layout::Goal {
        match self {
            GoalArg::Unicast => synfire_compiler::map::layout::Goal::Unicast,
            GoalArg::Multicast => synfire_compiler::map::layout::Goal::Multicast,
        }
    }
}

/// How the synapses of rules are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SynapsesArg {
    #[default]
    Auto,
    Stored,
    Procedural,
}

/// What shapes a run.
#[derive(Clone, Debug, Args)]
pub struct RunOptions {
    /// Length of the run in steps.
    #[arg(long, value_name = "N", conflicts_with = "time")]
    pub steps: Option<u32>,
    /// Length of the run in time, e.g. 500ms or 2s.
    #[arg(long, value_name = "D", value_parser = crate::units::parse_duration)]
    pub time: Option<f64>,
    /// Engine: auto takes a GPU if there is a real one, else the CPU.
    #[arg(long, value_enum, default_value_t = EngineArg::Auto)]
    pub engine: EngineArg,
    /// Threads of the CPU engine; 0 takes all cores. Results do not depend on it.
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub threads: usize,
    /// Key of every random draw; else the network's own seed, else a fixed one.
    #[arg(long, value_parser = parse_seed)]
    pub seed: Option<u64>,
    /// Arithmetic of an ideal network: floats, or integers that are equal on every engine.
    #[arg(long, value_enum, default_value_t = ArithmeticArg::Auto)]
    pub arithmetic: ArithmeticArg,
    /// Refuse a run that would take more memory than this, e.g. 2GiB or 500MB.
    #[arg(long, value_name = "SIZE", value_parser = crate::units::parse_size)]
    pub memory_limit: Option<u64>,
    /// Synapses of rules: stored, or drawn again at each event where a row follows from its source; auto stores what fits.
    #[arg(long, value_enum, default_value_t = SynapsesArg::Auto)]
    pub synapses: SynapsesArg,
    /// Spikes (.csv, .npz) for the network's inputs; - is CSV on standard input. May be given several times.
    #[arg(long, value_name = "F")]
    pub input: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Network (.syn, .nir, - for .syn on standard input) or artefact (.synx).
    #[arg(value_name = "NET|OUT.synx")]
    pub net: PathBuf,
    #[command(flatten)]
    pub run: RunOptions,
    /// Where recorded spikes go: .csv, .npz (spikes and signals), or - for CSV on standard output. May be given several times.
    #[arg(long, value_name = "F")]
    pub record: Vec<PathBuf>,
    /// Print a hash of all states and of the spikes so far every N steps; equal hashes prove equal runs.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub hash_every: u32,
    /// Write the run's whole state to this file now and then, on Ctrl-C and at the end; --resume goes on from it.
    #[arg(long, value_name = "FILE", help_heading = "Long runs")]
    pub checkpoint: Option<PathBuf>,
    /// Time between two checkpoints: simulated time (500ms) or a number of steps; without it a minute of the clock.
    #[arg(long, value_name = "D", value_parser = crate::units::parse_interval, requires = "checkpoint", help_heading = "Long runs")]
    pub every: Option<Interval>,
    /// Go on from a checkpoint, with the same results as a run without a break.
    #[arg(long, value_name = "FILE", help_heading = "Long runs")]
    pub resume: Option<PathBuf>,
    /// Write the weights of all synapses that learn, as they are at the end.
    #[arg(long, value_name = "FILE.npz", help_heading = "Learning")]
    pub save_weights: Option<PathBuf>,
    /// Start the synapses that learn from weights that --save-weights wrote.
    #[arg(long, value_name = "FILE.npz", help_heading = "Learning")]
    pub load_weights: Option<PathBuf>,
    /// Write a page about the run: raster, rates, traces.
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Follow this experiment of the file: its arguments, length and input; exit 1 if what it expects does not hold.
    #[arg(long, value_name = "NAME")]
    pub experiment: Option<String>,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// Network files (.syn) whose experiments are run.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub run: RunOptions,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    Auto,
    Gpu,
    Cpu,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ArithmeticArg {
    #[default]
    Auto,
    F32,
    Fixed,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Network: .syn, .nir, or - for .syn on standard input.
    #[arg(value_name = "NET")]
    pub net: PathBuf,
    /// Chip, `chip:dialect`, or the path of a chip folder of your own.
    #[arg(long, value_name = "T")]
    pub target: String,
    /// Spikes of the two runs this many steps apart still count as the same.
    #[arg(long, value_name = "STEPS", default_value_t = 2)]
    pub tolerance: u32,
    /// Compare the populations that nothing records, too, by what the emulator knows of them.
    #[arg(long)]
    pub inside: bool,
    /// An option of the target; `synfire targets T` lists them.
    #[arg(long = "option", value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub options: Vec<(String, String)>,
    #[command(flatten)]
    pub run: RunOptions,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Network (.syn, .nir, - for .syn on standard input) or artefact (.synx).
    #[arg(value_name = "NET|OUT.synx")]
    pub net: PathBuf,
    /// CSV with the header sample,label: for each sample of the input the output neuron that should be the most active.
    #[arg(long, value_name = "F")]
    pub labels: PathBuf,
    /// Also on this chip; `all` tries every chip.
    #[arg(long, value_name = "T")]
    pub target: Option<String>,
    /// The recorded population whose most active neuron decides; else the last one that drives nothing.
    #[arg(long, value_name = "POP")]
    pub output: Option<String>,
    #[command(flatten)]
    pub run: RunOptions,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The artefact.
    #[arg(value_name = "OUT.synx")]
    pub artefact: PathBuf,
    /// Write the chip's native files into this folder.
    #[arg(long, value_name = "DIR")]
    pub extract: Option<PathBuf>,
    /// Write a page about the mapping.
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Draw the mapping: placement with the heaviest flows, link loads, utilisation, and how the search went.
    #[arg(long, value_name = "FILE.svg")]
    pub svg: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct TargetsArgs {
    /// One chip in detail: a name, or the path of a chip folder of your own.
    #[arg(value_name = "T")]
    pub target: Option<String>,
}

#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// What to read (.nir or .syn).
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// What to write (.syn or .nir).
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    #[command(flatten)]
    pub network: NetworkArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, e.g. SYN0903.
    #[arg(value_name = "CODE")]
    pub code: String,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A command (`run`), or a name of the standard library (`std.neurons.Lif`).
    #[arg(value_name = "TOPIC")]
    pub topic: Option<String>,
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().into(), value.trim().into()))
        }
        _ => Err("it is written NAME=VALUE".into()),
    }
}

fn parse_seed(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let parsed = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    parsed.map_err(|_| "a seed is a whole number from 0 to 2^64 - 1".into())
}
