//! The generic image: a chip's memories as JSON.
//!
//! ```text
//! {"format":"synfire-image-1","chip":NAME,"version":N,"fields":[NAME,...],"cores":[
//!   {"x":0,"y":0,"axons":[{"address":0,"class":0,"input":true},...],
//!    "neurons":[{"fields":[...],"to":[[core,axon,delay],...],"output":0},...],
//!    "synapses":[[axon,neuron,weight],...]},...]}
//! ```
//!
//! Axons and neurons count from 0 in the order of their list; `to` says which axons fire `delay` steps after the neuron; `output` is the number under which its spikes leave the chip. One image has one
//! form: what is read is exactly what is written of it.

use super::{SECTION, is_neuron, slots};
use crate::report::Report;
use crate::schema::ChipSpec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use synfire_ir::mapping::{Mapping, Route};
use synfire_ir::{Diagnostic, Diagnostics};

/// The `format` of the file.
pub const FORMAT: &str = "synfire-image-1";

/// A line into a core: address, class of its weights, and whether it is driven from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axon {
    /// Address on the core.
    pub address: u32,
    /// Class.
    pub class: u8,
    /// Driven from outside?
    pub input: bool,
}

/// A neuron's registers, and where its spikes go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neuron {
    /// Values in the order of [`Image::fields`].
    pub fields: Vec<i64>,
    /// (core, axon, delay in steps).
    pub to: Vec<(u32, u32, u16)>,
    /// Number of the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<u32>,
}

/// A core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Core {
    /// Column.
    pub x: u32,
    /// Row.
    pub y: u32,
    /// Lines in.
    pub axons: Vec<Axon>,
    /// Neurons.
    pub neurons: Vec<Neuron>,
    /// (axon, neuron, weight), sorted.
    pub synapses: Vec<(u32, u32, i32)>,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// [`FORMAT`].
    pub format: String,
    /// Name of the chip.
    pub chip: String,
    /// Version of its description.
    pub version: u32,
    /// Names of the registers.
    pub fields: Vec<String>,
    /// Cores.
    pub cores: Vec<Core>,
}

impl Image {
    /// The image of a mapping.
    ///
    /// Errors: `SYN0611` for a mapping that names what it does not have.
    pub fn new(spec: &ChipSpec, m: &Mapping) -> Result<Image, Diagnostics> {
        let first = slots(m);
        let mut all = m.cores.iter().flat_map(|c| &c.neurons);
        let routed = all.any(|n| matches!(n.route, Route::Axon { .. }));
        let mut cores: Vec<Core> = vec![];
        for (c, core) in (0u32..).zip(&m.cores) {
            let input = |pop: u32| m.populations.get(pop as usize).is_some_and(|p| p.input);
            let axons = core.axons.iter().map(|a| Axon {
                address: a.address,
                class: a.class,
                input: input(a.source.pop),
            });
            let neurons = (0u32..).zip(&core.neurons).map(|(k, n)| Neuron {
                fields: n.fields.clone(),
                to: match n.route {
                    Route::Axon { core, axon, delay } => vec![(core, axon, delay)],
                    _ => vec![],
                },
                output: match first.get(&n.unit) == Some(&(c, k)) {
                    true => m.outputs.binary_search(&n.unit).ok().map(|i| i as u32),
                    false => None,
                },
            });
            cores.push(Core {
                x: core.x,
                y: core.y,
                axons: axons.collect(),
                neurons: neurons.collect(),
                synapses: core
                    .synapses
                    .iter()
                    .map(|s| (s.axon, s.neuron, s.weight))
                    .collect(),
            });
        }
        if !routed {
            multicast(m, &first, &mut cores)?;
        }
        Ok(Image {
            format: FORMAT.into(),
            chip: spec.name.clone(),
            version: spec.version,
            fields: m.fields.clone(),
            cores,
        })
    }

    /// The file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Diagnostics> {
        let mut bytes = serde_json::to_vec(self).map_err(|e| damaged(e.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The image in a file.
    ///
    /// Errors: `SYN0721` for bytes that [`Image::to_bytes`] does not write, and for another chip.
    pub fn from_bytes(spec: &ChipSpec, bytes: &[u8]) -> Result<Image, Diagnostics> {
        let image: Image = serde_json::from_slice(bytes).map_err(|e| damaged(e.to_string()))?;
        if image.format != FORMAT {
            return Err(damaged(format!(
                "its format is `{}`, not `{FORMAT}`",
                image.format
            )));
        }
        if (&image.chip, image.version) != (&spec.name, spec.version) {
            let (chip, version) = (&image.chip, image.version);
            return Err(damaged(format!(
                "it is for version {version} of `{chip}`, the description is version {} of `{}`",
                spec.version, spec.name
            )));
        }
        if image.to_bytes()? != bytes {
            return Err(damaged("it is not in the canonical form".into()));
        }
        Ok(image)
    }

    /// Everything that the chip does not have.
    ///
    /// Errors: `SYN0610` for a value beyond its range, `SYN0611` for what names something that is not there, `SYN0614` for a number beyond its limit.
    pub fn check(&self, spec: &ChipSpec) -> Diagnostics {
        let mut report = Report::new();
        let limits = &spec.limits;
        let most =
            |l: &Option<crate::schema::Sourced<u64>>| l.as_ref().map_or(u64::MAX, |l| l.value);
        let mut limit = |what: &'static str, found: usize, most: u64, at: &str| {
            if found as u64 > most {
                report.add(what, || beyond(what, found, most, at));
            }
        };
        limit("cores", self.cores.len(), most(&limits.cores), &self.chip);
        for (c, core) in self.cores.iter().enumerate() {
            let at = format!("core {c}");
            limit(
                "neurons_per_core",
                core.neurons.len(),
                most(&limits.neurons_per_core),
                &at,
            );
            limit(
                "axons_per_core",
                core.axons.len(),
                most(&limits.axons_per_core),
                &at,
            );
            limit(
                "synapses_per_core",
                core.synapses.len(),
                most(&limits.synapses_per_core),
                &at,
            );
            let mut fan_in = vec![0usize; core.neurons.len()];
            for s in &core.synapses {
                if let Some(n) = fan_in.get_mut(s.1 as usize) {
                    *n += 1;
                }
            }
            let fullest = fan_in.into_iter().max().unwrap_or(0);
            limit("fan_in", fullest, most(&limits.fan_in), &at);
            let furthest = core.neurons.iter().map(|n| n.to.len()).max().unwrap_or(0);
            limit(
                "destinations_per_neuron",
                furthest,
                most(&limits.destinations_per_neuron),
                &at,
            );
        }
        self.values(spec, &mut report);
        self.names(&mut report);
        report.finish()
    }

    fn values(&self, spec: &ChipSpec, report: &mut Report) {
        let (low, high) = (spec.weights.min.value, spec.weights.max.value);
        let (soonest, latest) = (spec.delays.min.value, spec.delays.max.value);
        for (c, core) in self.cores.iter().enumerate() {
            for &(a, n, w) in core
                .synapses
                .iter()
                .filter(|s| !(low..=high).contains(&s.2.into()))
            {
                report.add("weight", || {
                    range(
                        &format!("core {c}, axon {a}, neuron {n}: the weight"),
                        w.into(),
                        low,
                        high,
                    )
                });
            }
            for (k, n) in core.neurons.iter().enumerate() {
                for &(.., d) in
                    n.to.iter()
                        .filter(|t| !(soonest..=latest).contains(&t.2.into()))
                {
                    report.add("delay", || {
                        range(
                            &format!("core {c}, neuron {k}: a delay"),
                            d.into(),
                            soonest.into(),
                            latest.into(),
                        )
                    });
                }
                for (name, &value) in self.fields.iter().zip(&n.fields) {
                    let p = spec
                        .parameters
                        .iter()
                        .find(|p| is_neuron(p.scope) && p.name == *name);
                    if let Some(p) = p.filter(|p| !(p.min..=p.max).contains(&value)) {
                        report.add("register", || {
                            range(
                                &format!("core {c}, neuron {k}: `{name}`"),
                                value,
                                p.min,
                                p.max,
                            )
                        });
                    }
                }
            }
        }
    }

    fn names(&self, report: &mut Report) {
        let mut missing = |what: String| report.add("names", || unknown(what));
        let (mut outputs, mut driven) = (BTreeSet::new(), BTreeSet::new());
        for (c, core) in self.cores.iter().enumerate() {
            let (axons, neurons) = (core.axons.len(), core.neurons.len());
            let mut last = None;
            for s in &core.synapses {
                if s.0 as usize >= axons || s.1 as usize >= neurons {
                    missing(format!(
                        "core {c}: a synapse from axon {} to neuron {}",
                        s.0, s.1
                    ));
                }
                if last.replace((s.0, s.1)) >= Some((s.0, s.1)) {
                    missing(format!(
                        "core {c}: the synapse from axon {} to neuron {} stands twice or out of order",
                        s.0, s.1
                    ));
                }
            }
            for (k, n) in core.neurons.iter().enumerate() {
                if n.fields.len() != self.fields.len() {
                    missing(format!(
                        "core {c}, neuron {k}: {} registers for {} names",
                        n.fields.len(),
                        self.fields.len()
                    ));
                }
                for t in &n.to {
                    let axon = self
                        .cores
                        .get(t.0 as usize)
                        .and_then(|c| c.axons.get(t.1 as usize));
                    if axon.is_none_or(|a| a.input) {
                        missing(format!(
                            "core {c}, neuron {k}: a way to axon {} of core {}",
                            t.1, t.0
                        ));
                    }
                    if !driven.insert((t.0, t.1, c, k)) {
                        missing(format!(
                            "core {c}, neuron {k}: two ways to axon {} of core {}",
                            t.1, t.0
                        ));
                    }
                }
                if n.output.is_some_and(|o| !outputs.insert(o)) {
                    missing(format!("core {c}, neuron {k}: an output that is taken"));
                }
            }
        }
    }
}

/// On a chip without routes of single neurons an axon names its source.
fn multicast(
    m: &Mapping,
    first: &std::collections::BTreeMap<synfire_ir::mapping::UnitRef, (u32, u32)>,
    cores: &mut [Core],
) -> Result<(), Diagnostics> {
    for (c, core) in (0u32..).zip(&m.cores) {
        for (k, a) in (0u32..).zip(&core.axons) {
            if m.populations
                .get(a.source.pop as usize)
                .is_some_and(|p| p.input)
            {
                continue;
            }
            let slot = first.get(&a.source);
            let from =
                slot.and_then(|s| cores.get_mut(s.0 as usize)?.neurons.get_mut(s.1 as usize));
            match from {
                Some(n) => n.to.push((c, k, a.delay)),
                None => return Err(unknown(format!("core {c}: axon {k}")).into()),
            }
        }
    }
    Ok(())
}

fn damaged(what: String) -> Diagnostics {
    Diagnostic::error("SYN0721", what)
        .at(SECTION)
        .note("the native file is damaged or was not written for this chip")
        .note("only the canonical form is read, so that one configuration has one form")
        .hint("compile the network again, or copy the file again")
        .into()
}

fn beyond(limit: &str, needed: usize, available: u64, at: &str) -> Diagnostic {
    let text = format!("{at}: {needed} for the limit `{limit}` of {available}");
    Diagnostic::error("SYN0614", text)
        .note("the limit stands in the chip's chip.toml")
        .hint("make the network smaller or sparser, or choose a larger target")
        .field("limit", limit)
        .field("needed", needed)
        .field("available", available)
}

fn range(what: &str, value: i64, low: i64, high: i64) -> Diagnostic {
    Diagnostic::error(
        "SYN0610",
        format!("{what} is {value}, it holds {low}..={high}"),
    )
    .note("the range stands in the chip's chip.toml")
    .hint("scale weights, thresholds and biases together until they fit")
    .field("needed", value)
    .field("available", format!("{low}..={high}"))
}

fn unknown(what: String) -> Diagnostic {
    Diagnostic::error("SYN0611", format!("{what} names what is not there"))
        .note("rows, neurons and ways of an image are numbered by its own lists")
        .hint("compile the network again")
}
