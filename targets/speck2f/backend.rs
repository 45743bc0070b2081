//! Speck 2f in the terms that all chips share: layers to a native image, the image to a program, native events.
//!
//! Native event words: an input is the number of its row in the emulator's matrix, an output the number of its neuron among those of all used cores in their order.

use super::SECTION;
use super::config::{Config, Core, Destination, FORMAT, REFERENCE, beyond};
use super::cores::{CORES, DESTINATIONS, POOLS, Shape, holds, place};
use super::lower::{NEURONS, bases, lower};
use super::quantise::{BYTE, WORD, scale, tidy, whole};
use super::square::square;
use crate::backend::{
    Backend, Bridge, Emulation, Encoded, GoldenCase, NativeInput, Refusal, UnitDynamics,
};
use crate::layers::{Laid, Layer, Layers, Seat};
use crate::section::{Image, native, unfit};
use synfire_ir::artifact::Section;
use synfire_ir::mapping::Mapping;
use synfire_ir::program::SerialEvent;
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// The chip's code.
pub static BACKEND: &dyn Backend = &Speck;

struct Speck;

/// The native file.
const IMAGE: Image = Image {
    name: SECTION,
    is: "an image of this chip is one file",
};

impl Backend for Speck {
    fn fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn neuron(
        &self,
        _dialect: &str,
        _unit: &UnitDynamics,
        _arrivals: (i64, i64),
        _shift: u32,
    ) -> Result<Vec<i64>, Refusal> {
        Err(whole_layers())
    }

    fn encode(&self, _mapping: &Mapping) -> Result<Encoded, Diagnostics> {
        let r = whole_layers();
        Err(
            Diagnostic::error("SYN0670", format!("it needs {}", r.needed))
                .class(Class::Fit)
                .hint(r.hint)
                .into(),
        )
    }

    fn lay(&self, layers: &Layers) -> Option<Result<Laid, Diagnostics>> {
        Some(lay(layers))
    }

    fn decode(&self, _dialect: &str, sections: &[&Section]) -> Result<Emulation, Diagnostics> {
        let bytes = IMAGE.only(sections)?;
        Ok(Emulation {
            weights: vec![],
            program: lower(&Config::from_bytes(bytes)?)?,
            outputs: vec![],
        })
    }

    fn input(&self, emulation: &Emulation, word: u64) -> Option<NativeInput> {
        let neurons = emulation.program.groups.get(NEURONS as usize)?.size;
        let rows = emulation.program.groups.first()?.size;
        let pre = u32::try_from(word).ok()?;
        let known = (neurons..rows).contains(&pre);
        known.then_some(NativeInput::Serial(SerialEvent::Row { pre }))
    }

    fn bridge(&self) -> Option<Bridge> {
        Some(Bridge {
            program: concat!(
                include_str!("../samna/bridge.py"),
                include_str!("bridge.py")
            ),
            section: SECTION,
        })
    }

    fn golden(
        &self,
        _vector: &serde_json::Value,
        _files: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Result<GoldenCase, String>> {
        None
    }
}

fn whole_layers() -> Refusal {
    Refusal::new(
        "layers",
        "layers of convolutions with integrate-and-fire neurons behind them",
        "cores that hold a whole layer each",
        "write the network as a chain of conv2d, pooling and dense layers",
    )
}

fn shape(l: &Layer) -> Shape {
    Shape {
        input: l.input,
        features: l.features,
        kernel: l.kernel,
        stride: l.stride,
        padding: l.padding,
    }
}

/// Cores for the layers.
///
/// Errors: `SYN0614` for geometry that no core has, `SYN0671` for layers that fit no core, or not all at once.
pub fn seats(layers: &[Layer]) -> Result<Vec<usize>, Diagnostics> {
    let mut found = Diagnostics::new();
    for l in layers {
        for (limit, needed, available) in shape(l).beyond() {
            found.push(fit(
                beyond(&format!("`{}`", l.name), limit, &needed, &available),
                l,
            ));
        }
        if !POOLS.contains(&l.pooling) {
            let d = beyond(
                &format!("`{}`", l.name),
                "pooling",
                &l.pooling.to_string(),
                "1, 2 or 4",
            );
            found.push(fit(d, l));
        }
    }
    for (i, l) in layers.iter().enumerate() {
        let n = layers.iter().filter(|o| o.source == Some(i)).count();
        if n > DESTINATIONS {
            let d = beyond(
                &format!("`{}`", l.name),
                "destinations",
                &n.to_string(),
                "2",
            );
            found.push(fit(d, l));
        }
    }
    found.result(())?;
    let fits: Vec<Vec<usize>> = layers
        .iter()
        .map(|l| {
            let needs = shape(l).needs(!l.biases.is_empty());
            (0..CORES.len())
                .filter(|c| holds(&CORES[*c], &needs))
                .collect()
        })
        .collect();
    for (l, _) in layers.iter().zip(&fits).filter(|f| f.1.is_empty()) {
        found.push(nowhere(l));
    }
    found.result(())?;
    place(&fits).map_err(|(contend, cores)| crowded(layers, &contend, &cores))
}

fn fit(d: Diagnostic, l: &Layer) -> Diagnostic {
    d.class(Class::Fit).field("population", &l.name)
}

fn nowhere(l: &Layer) -> Diagnostic {
    let n = shape(l).needs(!l.biases.is_empty());
    let largest = |f: &dyn Fn(usize) -> u64| (0..CORES.len()).map(f).max().unwrap_or(0);
    let (kernel, neuron) = (largest(&|c| CORES[c].kernel), largest(&|c| CORES[c].neuron));
    let (limit, needed, available) = match (n.kernel > kernel, n.neuron > neuron) {
        (true, _) => ("kernel_memory", n.kernel, kernel),
        (_, true) => ("neuron_memory", n.neuron, neuron),
        _ => ("core_memory", n.kernel + n.neuron, kernel + neuron),
    };
    let text = format!(
        "`{}` takes {} kernel, {} neuron and {} bias entries, and no core has all of them",
        l.name, n.kernel, n.neuron, n.bias
    );
    let d = Diagnostic::error("SYN0671", text)
        .at(l.name.clone())
        .note("extents are rounded up to powers of two; the largest cores have 65,536 kernel entries with 16,384 neuron entries, or 16,384 with 65,536")
        .hint("fewer channels, a smaller map or kernel, or a larger stride; just below a power of two costs what the power costs")
        .field("limit", limit)
        .field("needed", needed)
        .field("available", available);
    fit(d, l)
}

fn crowded(layers: &[Layer], contend: &[usize], cores: &[usize]) -> Diagnostics {
    let names: Vec<String> = contend
        .iter()
        .filter_map(|i| layers.get(*i))
        .map(|l| format!("`{}`", l.name))
        .collect();
    let text = format!(
        "{} layers fit only the {} cores {cores:?}: {}",
        names.len(),
        cores.len(),
        names.join(", ")
    );
    Diagnostic::error("SYN0671", text)
        .class(Class::Fit)
        .note("a core holds one layer")
        .hint("make one of them small enough for another core, or take a layer away")
        .field("limit", "cores")
        .field("needed", names.len())
        .field("available", cores.len())
        .into()
}

/// A layer in the chip's integers, and its scale.
fn core(l: &Layer, index: usize) -> (Core, f64) {
    let s = scale(&l.weights, &l.biases, &[l.threshold], &[]);
    let [channels, rows, columns] = l.input;
    let [kr, kc] = l.kernel;
    let weight = |o: u32, c: u32, y: u32, x: u32| {
        let at = ((o * channels + c) * kr + y) * kc + x;
        let w = l.weights.get(at as usize).copied().unwrap_or(0.0);
        whole(w, s, BYTE) as i8
    };
    let plane = |o, c| {
        (0..kc)
            .map(|x| (0..kr).map(|y| weight(o, c, y, x)).collect())
            .collect()
    };
    let threshold = tidy(l.threshold * s);
    // What is taken away must be the threshold itself; a reset to 0 leaves the choice of the least state that fires.
    let high = match (l.subtract, l.strict) {
        (true, _) => threshold.round_ties_even(),
        (false, true) => threshold.floor() + 1.0,
        (false, false) => threshold.ceil(),
    };
    let made = Core {
        core: index,
        input_shape: [channels, columns, rows],
        kernel_size: [kc, kr],
        stride: [l.stride[1], l.stride[0]],
        padding: [l.padding[1], l.padding[0]],
        weights: (0..l.features)
            .map(|o| (0..channels).map(|c| plane(o, c)).collect())
            .collect(),
        biases: l.biases.iter().map(|b| whole(*b, s, BYTE) as i8).collect(),
        threshold_high: high.clamp(1.0, WORD.1) as i16,
        threshold_low: i16::MIN,
        return_to_zero: !l.subtract,
        destinations: vec![],
        monitor_enable: l.recorded,
    };
    (made, s)
}

fn lay(given: &Layers) -> Result<Laid, Diagnostics> {
    let net = Layers {
        input: given.input,
        layers: given
            .layers
            .iter()
            .map(|l| square(l).into_owned())
            .collect(),
    };
    let at = seats(&net.layers)?;
    let mut laid = Laid::default();
    let mut cores = vec![];
    for (l, &index) in net.layers.iter().zip(&at) {
        let (made, s) = core(l, index);
        let stored = (0..l.features as usize).flat_map(|o| {
            let made = &made;
            let [_, kr, kc] = [0, l.kernel[0] as usize, l.kernel[1] as usize];
            (0..l.input[0] as usize * kr * kc)
                .map(move |i| made.weight(o, i / (kr * kc), i / kc % kr, i % kc))
        });
        for (w, q) in l.weights.iter().zip(stored) {
            let error = (w - f64::from(q) / s).abs();
            laid.rounded.0 += u64::from(error > 1e-12 * w.abs());
            laid.rounded.1 += u64::from(q == 0 && *w != 0.0);
            laid.rounded.2 = laid.rounded.2.max(error);
        }
        let (needs, memory) = (shape(l).needs(!l.biases.is_empty()), CORES[index]);
        laid.seats.push(Seat {
            core: index,
            used: vec![
                ("kernel_memory", needs.kernel, memory.kernel),
                ("neuron_memory", needs.neuron, memory.neuron),
                ("bias_memory", needs.bias, memory.bias),
            ],
        });
        laid.scales.push(s);
        cores.push(made);
    }
    for (l, &index) in net.layers.iter().zip(&at) {
        if let Some(from) = l.source.and_then(|s| cores.get_mut(s)) {
            from.destinations.push(Destination {
                layer: index,
                pooling: l.pooling,
                feature_shift: 0,
            });
        }
    }
    let config = Config {
        format: FORMAT.into(),
        reference: REFERENCE.into(),
        input: at.first().copied().unwrap_or(0),
        cnn_layers: cores,
    };
    let bytes = config.to_bytes().map_err(unfit)?;
    laid.sections.push(native((SECTION.into(), bytes)));
    let base = bases(&config);
    let neurons = u64::from(base.last().copied().unwrap_or(0));
    let pixels: u32 = net.input.iter().product();
    laid.inputs = (neurons..neurons + u64::from(pixels)).collect();
    let range = |w: &[u32]| (u64::from(w[0])..u64::from(w[1])).collect();
    laid.outputs = base.windows(2).map(range).collect();
    Ok(laid)
}
