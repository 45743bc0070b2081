//! Names, constants, shapes and files: from a parsed `.syn` file to a [`Network`].
//!
//! Comes in: a text, what it imports through a [`Loader`], and the caller's choices. Goes out: a network that nobody has
//! verified yet, or everything that is wrong with the text, in the order of the text; warnings in either case.
//!
//! The way: all files are read ([`files`]); the body of the network is unfolded to flat lists ([`declare`]); then sources
//! and populations become nodes ([`populations`]), connects become links ([`connect`], [`rules`]), links lose their ports
//! ([`ports`]) and become edges, some of which learn ([`synapses`]). Constants are evaluated lazily ([`eval`]), so declarations may stand in any order.
//!
//! Invariants: each stage goes on after an error; nothing depends on the order of a hash map; work, depth and the number of
//! things are limited, so that no text makes it panic, hang or grow without bound. Absent on purpose: I/O, expansion of
//! connectors, checks that `synfire_ir::network::verify` makes on every network, wherever it came from.

mod args;
mod connect;
mod data;
mod declare;
mod delays;
mod distributions;
mod eval;
mod expect;
mod experiments;
mod files;
mod functions;
mod items;
mod loops;
mod ops;
mod populations;
mod ports;
mod quantity;
mod records;
mod refs;
mod rules;
mod schedule;
mod scope;
mod sparse;
mod spatial;
mod synapses;
mod top;
mod value;
mod weights;

pub use expect::{Expectation, Measured, Measurement, Results, Statistic};

use crate::syntax::tree;
use connect::End;
use declare::{Later, PartItem, PopItem, PortItem};
use files::{Files, ItemId};
use scope::{Family, LetSlot, Scope, ScopeId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use synfire_ir::diag::{Diagnostic, Diagnostics, Severity, SourceMap, Span, nearest};
use synfire_ir::network::{
    Array, ArrayId, Network, NeuronModel, PopId, Population, Projection, SynapseModel,
};

/// Most populations, and most projections, of a network.
pub const MAX_ITEMS: usize = 100_000;
/// Most units of one population; `verify` holds all of them together to it.
const MAX_UNITS: u64 = 1 << 31;
/// Most rounds of all loops together.
pub const MAX_ROUNDS: usize = 1_000_000;
/// Most statements that loops and parts unfold to.
pub const MAX_STATEMENTS: usize = 1_000_000;
/// Most parts within parts.
pub const MAX_PARTS_DEEP: u32 = 64;
/// Most definitions and operations that one value may nest.
pub const MAX_DEPTH: u32 = 400;
/// Most files.
pub const MAX_FILES: usize = 1000;
/// Longest joined name, in bytes.
pub const MAX_TEXT: usize = 4096;
/// Most operations evaluated in all.
const FUEL: u64 = 20_000_000;
/// Most diagnostics that one run reports.
const MAX_REPORTS: usize = 200;

/// How files reach the language, which does no I/O. Errors are plain sentences without the path.
pub trait Loader {
    /// An imported file: the name that stands for it however it was reached, and its text. `path` is relative to `from`.
    fn text(&self, path: &str, from: &str) -> Result<(String, String), String>;
    /// The array of an `.npy` file, or array `key` of an `.npz` file.
    fn array(&self, path: &str, key: Option<&str>, from: &str) -> Result<Array, String>;
    /// The spikes of a file: step, unit, value (1 for a plain spike).
    fn events(&self, path: &str, from: &str) -> Result<Vec<(u32, u32, f32)>, String>;
    /// The text of a chip's `model.syn`, for `use targets.NAME.Neuron`.
    fn target_model(&self, target: &str) -> Option<String>;
}

/// What the caller chooses.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Which network, when the file has several.
    pub network: Option<String>,
    /// Values of the network's parameters: name and text (`--set NAME=VALUE`).
    pub set: Vec<(String, String)>,
    /// Which experiment, with its network; without one, a network's only experiment gives arguments, length and input.
    pub experiment: Option<String>,
    /// What the experiment's run gave; says of its expectations whether they held.
    pub results: Option<Results>,
}

/// Names of the experiments that a text declares, in its order; of a text with errors those that could be read.
pub fn experiments(text: &str) -> Vec<String> {
    let (file, _) = crate::syntax::parse(0, text);
    let name = |i: tree::Item| match i {
        tree::Item::Experiment(e) => Some(e.name.text.to_string()),
        _ => None,
    };
    file.items.into_iter().filter_map(name).collect()
}

/// A network and what its experiment expects.
#[derive(Debug)]
pub struct Resolved {
    /// To be verified by the caller.
    pub network: Network,
    /// In the order of the text.
    pub expectations: Vec<Expectation>,
}

/// Reads a network. Returns all texts that diagnostics point into; the network (to be verified by the caller) or all
/// errors, sorted; and all warnings, sorted. `name` is how `text` is called in messages and passed to the loader as `from`.
pub fn load(
    name: &str,
    text: &str,
    loader: &dyn Loader,
    options: &LoadOptions,
) -> (SourceMap, Result<Network, Diagnostics>, Diagnostics) {
    let (sources, resolved, warnings) = resolve(name, text, loader, options);
    (sources, resolved.map(|r| r.network), warnings)
}

/// As [`load`], with the expectations of the experiment.
pub fn resolve(
    name: &str,
    text: &str,
    loader: &dyn Loader,
    options: &LoadOptions,
) -> (SourceMap, Result<Resolved, Diagnostics>, Diagnostics) {
    let mut found = Diagnostics::new();
    let files = Files::read(name, text, loader, options, &mut found);
    let mut resolver = Resolver::new(&files, loader, found);
    let network = resolver.network(options);
    let mut all = resolver.diagnostics;
    all.sort();
    let (errors, warnings): (Vec<_>, Vec<_>) = all
        .0
        .into_iter()
        .partition(|d| d.severity == Severity::Error);
    let errors = Diagnostics(errors);
    let result = match network {
        Some(network) if errors.is_empty() => Ok(Resolved {
            network,
            expectations: resolver.expectations,
        }),
        _ => Err(errors),
    };
    (files.sources, result, Diagnostics(warnings))
}

/// Gives out names: a name that was given carries a number the next time.
#[derive(Default)]
struct Unique {
    given: BTreeMap<String, u32>,
}

impl Unique {
    fn unique(&mut self, name: &str) -> String {
        let mut now = name.to_string();
        loop {
            match self.given.get_mut(&now) {
                None => {
                    self.given.insert(now.clone(), 1);
                    return now;
                }
                Some(_) => {
                    let k = self.given.entry(name.to_string()).or_insert(1);
                    *k += 1;
                    now = format!("{name}#{k}");
                }
            }
        }
    }
}

/// Most names that are searched for a likely one, and that a hint lists.
const NAMES_SEARCHED: usize = 5000;
const NAMES_LISTED: usize = 20;

/// The likely name that was meant.
fn near<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    nearest(wanted, names.into_iter().take(NAMES_SEARCHED))
}

/// Names in a row, the first few of them.
fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_LISTED).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(NAMES_LISTED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Which array of which file, as named from which file.
type ArrayKey = (Arc<str>, Option<Arc<str>>, usize);

/// The state of one run; `'a` is the lifetime of the trees.
struct Resolver<'a> {
    files: &'a Files,
    loader: &'a dyn Loader,
    diagnostics: Diagnostics,
    /// What was reported already, so that a round of a loop does not repeat the one before.
    reported: BTreeSet<(String, String, Option<Span>)>,
    fuel: u64,
    depth: u32,
    statements: usize,
    rounds: usize,
    /// Pairs of ends that connects have been tried on, and links that were joined at ports.
    tried: usize,
    joined: usize,

    scopes: Vec<Scope>,
    lets: Vec<LetSlot<'a>>,
    families: Vec<Family>,
    pops: Vec<PopItem<'a>>,
    parts: Vec<PartItem>,
    ports: Vec<PortItem<'a>>,
    connects: Vec<Later<'a, tree::Connect>>,
    modulates: Vec<Later<'a, tree::Modulate>>,
    records: Vec<Later<'a, tree::Record>>,
    hints: Vec<Later<'a, tree::Hint>>,
    spike_lists: Vec<(usize, &'a tree::Source, ScopeId)>,
    step: Option<(&'a tree::Setting, ScopeId)>,
    seed: Option<(&'a tree::Setting, ScopeId)>,

    dt: Option<f64>,
    models: Vec<NeuronModel>,
    /// What each model was made of.
    model_items: Vec<ItemId>,
    model_of_item: BTreeMap<ItemId, Option<u32>>,
    model_failed: bool,
    synapses: Vec<SynapseModel>,
    synapses_made: synapses::Made,
    /// Names of connects, by number; empty for those without.
    connect_names: Vec<String>,
    /// Plastic projections by the number of their connect.
    learners: BTreeMap<usize, Vec<synapses::Learner>>,
    graph: petgraph::stable_graph::StableDiGraph<Population, Projection>,
    /// By population item: its node, its model, whether it is driven from outside, whether with values.
    pop_ids: Vec<Option<PopId>>,
    pop_models: Vec<Option<u32>>,
    driven_pops: Vec<bool>,
    graded_pops: Vec<bool>,

    arrays: Vec<Array>,
    array_ids: BTreeMap<String, ArrayId>,
    array_names: Unique,
    loaded: BTreeMap<ArrayKey, Option<Arc<Array>>>,
    /// While expectations are read.
    measuring: Option<expect::Measuring>,
    expectations: Vec<Expectation>,
}

impl<'a> Resolver<'a> {
    fn new(files: &'a Files, loader: &'a dyn Loader, diagnostics: Diagnostics) -> Self {
        let mut r = Resolver {
            files,
            loader,
            diagnostics,
            reported: BTreeSet::new(),
            fuel: FUEL,
            depth: 0,
            statements: 0,
            rounds: 0,
            tried: 0,
            joined: 0,
            scopes: vec![],
            lets: vec![],
            families: vec![],
            pops: vec![],
            parts: vec![],
            ports: vec![],
            connects: vec![],
            modulates: vec![],
            records: vec![],
            hints: vec![],
            spike_lists: vec![],
            step: None,
            seed: None,
            dt: None,
            models: vec![],
            model_items: vec![],
            model_of_item: BTreeMap::new(),
            model_failed: false,
            synapses: vec![],
            synapses_made: BTreeMap::new(),
            connect_names: vec![],
            learners: BTreeMap::new(),
            graph: Default::default(),
            pop_ids: vec![],
            pop_models: vec![],
            driven_pops: vec![],
            graded_pops: vec![],
            arrays: vec![],
            array_ids: BTreeMap::new(),
            array_names: Unique::default(),
            loaded: BTreeMap::new(),
            measuring: None,
            expectations: vec![],
        };
        r.file_scopes();
        r
    }

    /// Keeps a diagnostic, once.
    fn report(&mut self, d: Diagnostic) {
        let key = (
            d.code.clone(),
            d.message.clone(),
            d.labels.first().map(|l| l.span),
        );
        if self.diagnostics.0.len() < MAX_REPORTS && self.reported.insert(key) {
            self.diagnostics.push(d);
        }
    }

    fn warn(&mut self, d: Diagnostic) {
        self.report(d);
    }

    /// Pays for one operation; false when all is spent.
    fn burn(&mut self, at: Span) -> bool {
        if self.fuel > 0 {
            self.fuel -= 1;
            return true;
        }
        self.report(
            Diagnostic::error(
                "SYN0113",
                format!("the network needs more than {FUEL} operations to read"),
            )
            .label(at, "given up here")
            .hint("compute long lists elsewhere and keep them in a data file")
            .field("limit", FUEL),
        );
        false
    }
}
