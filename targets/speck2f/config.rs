//! The chip's configuration by layer and core, and its file `network.speck.json`.
//!
//! Names are those of samna's configuration object; a map's sizes are given as samna does, x before y, and weights as `[feature][channel][x][y]`. The file is ours (samna's own text form is not public): one JSON object, one form
//! for one configuration. A [`Config`] can hold what the chip cannot; [`Config::validate`] finds it.

use super::cores::{CORES, DESTINATIONS, POOLS, Shape, holds};
use crate::report::Report;
use serde::{Deserialize, Serialize};
use synfire_ir::{Diagnostic, Diagnostics};

/// The `format` of the file.
pub const FORMAT: &str = "synfire-speck2f-1";
/// Version of the arithmetic that the emulator computes in.
pub const REFERENCE: &str = "speck-ref-1";

/// Where a core's events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Index of the core.
    pub layer: usize,
    /// Sum pooling: 1, 2 or 4.
    pub pooling: u32,
    /// Added to the feature.
    pub feature_shift: u32,
}

/// A used core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Core {
    /// Index of the core, 0 to 8.
    pub core: usize,
    /// Channels, x, y of the input map.
    pub input_shape: [u32; 3],
    /// Kernel, x and y.
    pub kernel_size: [u32; 2],
    /// x, y.
    pub stride: [u32; 2],
    /// x, y.
    pub padding: [u32; 2],
    /// `[feature][channel][x][y]`.
    pub weights: Vec<Vec<Vec<Vec<i8>>>>,
    /// One a feature, added at every tick of the slow clock; empty for none.
    pub biases: Vec<i8>,
    /// A neuron at or above it fires.
    pub threshold_high: i16,
    /// Floor of the state.
    pub threshold_low: i16,
    /// Reset to 0 instead of taking the threshold away.
    pub return_to_zero: bool,
    /// At most two.
    pub destinations: Vec<Destination>,
    /// Are its events brought to the host?
    pub monitor_enable: bool,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// [`FORMAT`].
    pub format: String,
    /// [`REFERENCE`].
    pub reference: String,
    /// The core that takes the host's events.
    pub input: usize,
    /// Used cores in the order in which events pass them.
    pub cnn_layers: Vec<Core>,
}

impl Core {
    /// The geometry, rows before columns.
    pub fn shape(&self) -> Shape {
        let swap = |[x, y]: [u32; 2]| [y, x];
        let [channels, x, y] = self.input_shape;
        Shape {
            input: [channels, y, x],
            features: self.weights.len() as u32,
            kernel: swap(self.kernel_size),
            stride: swap(self.stride),
            padding: swap(self.padding),
        }
    }

    /// Weight onto feature `o` from channel `c` at kernel row `y` and column `x`.
    pub fn weight(&self, o: usize, c: usize, y: usize, x: usize) -> i8 {
        let of = |f: &Vec<Vec<Vec<i8>>>| f.get(c)?.get(x)?.get(y).copied();
        self.weights.get(o).and_then(of).unwrap_or(0)
    }

    fn regular(&self) -> bool {
        let [kx, ky] = self.kernel_size.map(|k| k as usize);
        let column = |x: &Vec<i8>| x.len() == ky;
        let plane = |c: &Vec<Vec<i8>>| c.len() == kx && c.iter().all(column);
        let feature =
            |f: &Vec<Vec<Vec<i8>>>| f.len() == self.input_shape[0] as usize && f.iter().all(plane);
        !self.weights.is_empty() && self.weights.iter().all(feature)
    }
}

impl Config {
    /// Everything that the chip does not have.
    ///
    /// Errors: `SYN0611` for what names something that is not there, `SYN0614` for a size beyond its limit, `SYN0616` for lists of the wrong length.
    pub fn validate(&self) -> Diagnostics {
        let mut report = Report::new();
        let layers = &self.cnn_layers;
        let place = |core: usize| layers.iter().position(|l| l.core == core);
        if layers.is_empty() || place(self.input).is_none() {
            report.add("input", || {
                unknown(format!(
                    "the input goes to core {}, which holds no layer",
                    self.input
                ))
            });
        }
        for (i, l) in layers.iter().enumerate() {
            let at = format!("core {}", l.core);
            let Some(memory) = CORES.get(l.core) else {
                report.add("core", || unknown(format!("{at} of 9")));
                continue;
            };
            if layers.iter().skip(i + 1).any(|o| o.core == l.core) {
                report.add("core", || unknown(format!("{at} holds two layers")));
            }
            let features = l.weights.len();
            if !l.regular() || !(l.biases.is_empty() || l.biases.len() == features) {
                report.add("lists", || lengths(&at));
                continue;
            }
            let shape = l.shape();
            for (limit, needed, available) in shape.beyond() {
                report.add("geometry", || beyond(&at, limit, &needed, &available));
            }
            let needs = shape.needs(!l.biases.is_empty());
            if !holds(memory, &needs) {
                report.add("memory", || {
                    beyond(&at, "memory", &format!("{needs:?}"), &format!("{memory:?}"))
                });
            }
            if l.destinations.len() > DESTINATIONS {
                report.add("destinations", || {
                    beyond(&at, "destinations", &l.destinations.len().to_string(), "2")
                });
            }
            for (k, d) in l.destinations.iter().enumerate() {
                let later = place(d.layer).filter(|p| *p > i);
                let twice = l
                    .destinations
                    .iter()
                    .skip(k + 1)
                    .any(|o| o.layer == d.layer);
                match later.and_then(|p| layers.get(p)) {
                    Some(to) if !twice && POOLS.contains(&d.pooling) => {
                        let [f, y, x] = shape.output();
                        let pooled = [
                            f + d.feature_shift,
                            x.div_ceil(d.pooling),
                            y.div_ceil(d.pooling),
                        ];
                        if pooled.iter().zip(to.input_shape).any(|(a, b)| *a > b) {
                            report.add("destination", || {
                                unknown(format!(
                                    "{at} sends {pooled:?} to core {}, which takes {:?}",
                                    d.layer, to.input_shape
                                ))
                            });
                        }
                    }
                    _ => report.add("destination", || {
                        unknown(format!("{at}: the destination {d:?}"))
                    }),
                }
            }
        }
        report.finish()
    }

    /// The file.
    ///
    /// Errors: those of [`Config::validate`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Diagnostics> {
        self.validate().result(())?;
        let mut bytes = serde_json::to_vec(self).map_err(|e| damaged(e.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The configuration in a file.
    ///
    /// Errors: `SYN0721` for bytes that [`Config::to_bytes`] does not write, and those of [`Config::validate`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Config, Diagnostics> {
        let config: Config = serde_json::from_slice(bytes).map_err(|e| damaged(e.to_string()))?;
        if (config.format.as_str(), config.reference.as_str()) != (FORMAT, REFERENCE) {
            let found = format!(
                "it is `{}` in `{}`, not `{FORMAT}` in `{REFERENCE}`",
                config.format, config.reference
            );
            return Err(damaged(found));
        }
        match config.to_bytes()? == bytes {
            true => Ok(config),
            false => Err(damaged("it is not in the canonical form".into())),
        }
    }
}

fn damaged(what: String) -> Diagnostics {
    Diagnostic::error("SYN0721", what)
        .at(super::SECTION)
        .note("the native file is damaged or was not written for this chip")
        .note("only the canonical form is read, so that one configuration has one form")
        .hint("compile the network again, or copy the file again")
        .into()
}

fn unknown(what: String) -> Diagnostic {
    Diagnostic::error("SYN0611", format!("{what} is not there"))
        .note("cores are 0 to 8, each with one layer; events pass from a layer to later ones")
        .hint("compile the network again")
}

fn lengths(at: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0616",
        format!("{at}: weights or biases do not have the layer's shape"),
    )
    .note("weights are [feature][channel][x][y], biases one a feature")
    .hint("compile the network again")
}

/// A size beyond its limit.
pub fn beyond(at: &str, limit: &str, needed: &str, available: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0614",
        format!("{at}: {needed} for the limit `{limit}` of {available}"),
    )
    .note("`synfire targets` lists the limits of the chip with their sources")
    .hint("make the layer smaller: fewer channels, a smaller map or kernel, or a larger stride")
    .field("limit", limit)
    .field("needed", needed)
    .field("available", available)
}
