//! The form of `chip.toml`: what a chip can hold, in which number formats, at what cost, and where each figure comes from.
//!
//! Text goes in, a [`ChipSpec`] or the list of everything wrong with the text comes out. The generic partitioner, placer, router, quantiser and
//! the utilisation report work from these values; none of them knows a chip by name. A figure that a document states is a
//! [`Sourced`] value, `{ value = 256, source = "where" }`: the source stands next to it. Unknown keys are errors.
//! Deliberately absent: the dynamics (the chip's `model.syn`) and the native bit layouts (the chip's encoder).

mod check;
mod learning;
mod parts;
mod place;

pub use learning::{Learning, LearningForm};
pub use parts::{
    Connectivity, Costs, Delays, Delivery, Deploy, Format, Level, Limits, ModelNames, NativeForm,
    OptionSpec, Overflow, Parameter, ResetRole, Roles, Scope, Sharing, SignMode, Time, TimeUnit,
    Topology, Weights,
};
pub use place::{Found, Key, line_and_column};

use serde::{Deserialize, Serialize};
use synfire_ir::{Diagnostic, Diagnostics};

/// A figure and where it comes from (a document, a file of the vendor's sources, a measurement).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sourced<T> {
    /// The figure.
    pub value: T,
    /// Its source, in words that let a reader find it again.
    pub source: String,
}

/// One variant of a chip with arithmetic or limits of its own, such as a reference simulator beside the hardware description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dialect {
    /// The word after the colon in `chip:dialect`.
    pub name: String,
    /// One sentence: which reference it is exact to.
    pub summary: String,
    /// Taken when no dialect is named; exactly one of a chip's dialects is.
    #[serde(default)]
    pub default: bool,
    /// Limits that differ from the chip's own; what is absent here holds as the chip says it.
    #[serde(default)]
    pub limits: Limits,
    /// Weights of this dialect where they differ from the chip's.
    pub weights: Option<Weights>,
    /// Delays of this dialect where they differ from the chip's.
    pub delays: Option<Delays>,
}

/// A whole `chip.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipSpec {
    /// Name of the chip; equals its folder's.
    pub name: String,
    /// Version of this description; an artefact records it.
    pub version: u32,
    /// Full name, for headings.
    pub title: String,
    /// One or two sentences: what the chip is.
    pub summary: String,
    /// At least one.
    pub dialects: Vec<Dialect>,
    /// How cores lie and what connects them.
    pub topology: Topology,
    /// What a core, the chip and its ports hold.
    #[serde(default)]
    pub limits: Limits,
    /// How synapses are stored.
    pub connectivity: Connectivity,
    /// Synaptic weights.
    pub weights: Weights,
    /// Synaptic delays.
    pub delays: Delays,
    /// What one step is.
    pub time: Time,
    /// In which order arrivals act.
    pub delivery: Delivery,
    /// Names of the blocks of `model.syn`.
    pub model: ModelNames,
    /// How an integrate-and-fire unit is written in the registers of a chip that has no code.
    pub roles: Option<Roles>,
    /// Number formats of registers and accumulators.
    #[serde(default)]
    pub formats: Vec<Format>,
    /// Registers that a mapper sets, by the names of the chip's configuration.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// What its synapses can learn by themselves.
    #[serde(default)]
    pub learning: Vec<Learning>,
    /// Energy and latency constants.
    #[serde(default)]
    pub costs: Costs,
    /// The files or streams that the board takes and gives.
    #[serde(default)]
    pub native: Vec<NativeForm>,
    /// Options of this target (`--option KEY=VALUE`).
    #[serde(default)]
    pub options: Vec<OptionSpec>,
    /// How to bring an artefact onto a board.
    pub deploy: Deploy,
    /// What the emulation is exact to, and how that was established.
    pub exactness: String,
    /// What the hardware can do and this description does not cover.
    #[serde(default)]
    pub not_covered: Vec<String>,
}

impl ChipSpec {
    /// Reads and checks a `chip.toml`; `place` names it in messages.
    ///
    /// Errors: `SYN0603` for text that does not fit the schema (syntax, unknown or missing keys), `SYN0604` for each contradiction in it.
    pub fn parse(place: &str, text: &str) -> Result<ChipSpec, Diagnostics> {
        let spec: ChipSpec = toml::from_str(text).map_err(|e| malformed(place, text, &e))?;
        let found = spec.check(place, text);
        found.result(spec)
    }

    /// The dialect with that name.
    pub fn dialect(&self, name: &str) -> Option<&Dialect> {
        self.dialects.iter().find(|d| d.name == name)
    }

    /// The dialect that is taken when none is named; [`ChipSpec::parse`] makes sure that there is one.
    pub fn default_dialect(&self) -> Option<&Dialect> {
        self.dialects.iter().find(|d| d.default)
    }

    /// The chip's limits with what `dialect` changes.
    pub fn limits_of(&self, dialect: &Dialect) -> Limits {
        dialect.limits.over(&self.limits)
    }

    /// The weights of `dialect`.
    pub fn weights_of<'a>(&'a self, dialect: &'a Dialect) -> &'a Weights {
        dialect.weights.as_ref().unwrap_or(&self.weights)
    }

    /// Is a model of that full name one of `model.syn`?
    pub fn is_own(&self, model: &str) -> bool {
        self.own_neuron(model).is_some()
    }

    /// The neuron of `model.syn` that a model of that full name is.
    pub fn own_neuron<'a>(&self, model: &'a str) -> Option<&'a str> {
        let (chip, neuron) = model.strip_prefix("targets.")?.split_once('.')?;
        let known = self.model.neuron == neuron || self.model.others.iter().any(|o| o == neuron);
        (chip == self.name.replace('-', "_") && known).then_some(neuron)
    }

    /// The rules that synapses of `dialect` can follow.
    pub fn learning_of<'a>(&'a self, dialect: &'a Dialect) -> impl Iterator<Item = &'a Learning> {
        let here = |l: &&Learning| l.dialects.is_empty() || l.dialects.contains(&dialect.name);
        self.learning.iter().filter(here)
    }

    /// The delays of `dialect`.
    pub fn delays_of<'a>(&'a self, dialect: &'a Dialect) -> &'a Delays {
        dialect.delays.as_ref().unwrap_or(&self.delays)
    }
}

/// The diagnostic for a text that the TOML reader refuses, with line and column.
fn malformed(place: &str, text: &str, error: &toml::de::Error) -> Diagnostics {
    let mut at = place.to_string();
    if let Some(span) = error.span() {
        let (line, column) = place::line_and_column(text, span.start);
        at = format!("{place}:{line}:{column}");
    }
    Diagnostic::error("SYN0603", format!("the chip description cannot be read: {}", error.message()))
        .at(at)
        .note("unknown keys are refused, so that a misspelt limit is never taken for an absent one")
        .hint("compare with the chip.toml of a shipped chip; figures are written { value = .., source = \"..\" }")
        .into()
}
