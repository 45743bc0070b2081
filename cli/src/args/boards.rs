//! Arguments of `deploy` and `board`.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct DeployArgs {
    /// The artefact.
    #[arg(value_name = "OUT.synx")]
    pub artefact: PathBuf,
    /// serial:///dev/NAME?baud=N, spi:///dev/spidevB.C, tcp://HOST:PORT, file:///DIR or bridge:PYTHON; `synfire targets T` says what a chip has.
    #[arg(long, value_name = "URL")]
    pub board: String,
    /// Length of the run in steps.
    #[arg(long, value_name = "N", conflicts_with = "time")]
    pub steps: Option<u32>,
    /// Length of the run in time, e.g. 500ms or 2s.
    #[arg(long, value_name = "D", value_parser = crate::units::parse_duration)]
    pub time: Option<f64>,
    /// Spikes (.csv, .npz) for the network's inputs; - is CSV on standard input. May be given several times.
    #[arg(long, value_name = "F")]
    pub input: Vec<PathBuf>,
    /// Where recorded spikes go: .csv, .npz, or - for CSV on standard output. May be given several times.
    #[arg(long, value_name = "F")]
    pub record: Vec<PathBuf>,
    /// Emulate the same run, and fail if the board's spikes differ.
    #[arg(long)]
    pub verify: bool,
}

#[derive(Debug, Args)]
pub struct BoardArgs {
    /// Chip, or `chip:dialect`.
    #[arg(value_name = "T")]
    pub target: String,
    /// Listen for a host on a socket; port 0 takes a free one.
    #[arg(
        long,
        value_name = "HOST:PORT",
        conflicts_with = "pty",
        required_unless_present = "pty"
    )]
    pub listen: Option<String>,
    /// Be a serial line: a pseudo-terminal, whose name is printed.
    #[arg(long)]
    pub pty: bool,
    /// Another name for the serial line: a link in the file system, removed at the end.
    #[arg(long, value_name = "NAME", requires = "pty")]
    pub link: Option<PathBuf>,
    /// Speed of the serial line.
    #[arg(long, value_name = "N", default_value_t = synfire_runtime::board::BAUD, value_parser = clap::value_parser!(u32).range(1..))]
    pub baud: u32,
}
