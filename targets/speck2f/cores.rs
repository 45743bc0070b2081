//! What a core holds, and what a layer needs of it.
//!
//! A [`Shape`] is a layer's geometry: kernel, stride, padding, input and output. Its [`Shape::needs`] are entries of the three memories of a core, by the formulas of sinabs (`dynapcnn/chips`), which round each
//! extent up to a power of two; a core of [`CORES`] holds a layer when all three are enough. Cores are interchangeable otherwise.

/// Entries of a core's memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Kernel entries.
    pub kernel: u64,
    /// Neuron entries.
    pub neuron: u64,
    /// Bias entries.
    pub bias: u64,
}

const fn memory(kernel: u64, neuron: u64) -> Memory {
    Memory {
        kernel: kernel << 10,
        neuron: neuron << 10,
        bias: 1 << 10,
    }
}

/// The nine cores, by index (sinabs 3.1.3, Speck 2f).
pub const CORES: [Memory; 9] = [
    memory(16, 64),
    memory(16, 64),
    memory(16, 64),
    memory(32, 32),
    memory(32, 32),
    memory(64, 16),
    memory(64, 16),
    memory(16, 16),
    memory(16, 16),
];

/// Largest extent of an input map.
pub const INPUT: u32 = 128;
/// Largest extent of an output map, before pooling.
pub const OUTPUT: u32 = 64;
/// Most channels.
pub const CHANNELS: u32 = 1024;
/// Largest kernel. The documents say "at most 16" and "less than 16"; the checker of sinabs refuses above 16.
pub const KERNEL: u32 = 16;
/// Largest padding.
pub const PADDING: u32 = 7;
/// Strides.
pub const STRIDES: [u32; 4] = [1, 2, 4, 8];
/// Sum pooling of a destination.
pub const POOLS: [u32; 3] = [1, 2, 4];
/// Destinations of a core.
pub const DESTINATIONS: usize = 2;
/// Bits of a neuron's address: x, y and channel together.
pub const ADDRESS: u32 = 18;

/// The geometry of a layer: pairs are (rows, columns).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Channels, rows, columns that come in.
    pub input: [u32; 3],
    /// Output features.
    pub features: u32,
    /// Kernel.
    pub kernel: [u32; 2],
    /// Stride.
    pub stride: [u32; 2],
    /// Padding on each side.
    pub padding: [u32; 2],
}

/// Bits that number `n` things.
fn bits(n: u32) -> u32 {
    n.max(1).next_power_of_two().trailing_zeros()
}

impl Shape {
    /// Features, rows and columns that go out: `floor((in - k + 2 p) / s) + 1` an axis, 0 where the kernel is larger than the padded input.
    pub fn output(&self) -> [u32; 3] {
        let axis = |a: usize| {
            let span = u64::from(self.input[a + 1]) + 2 * u64::from(self.padding[a]);
            let room = span.checked_sub(self.kernel[a].into());
            room.map_or(0, |r| (r / u64::from(self.stride[a].max(1)) + 1) as u32)
        };
        [self.features, axis(0), axis(1)]
    }

    /// Entries that the layer takes: kernel `c 2^(cl(kx ky) + cl(f))`, neuron `f 2^(cl(fx) + cl(fy))`, bias `f` if it has biases, with `cl(n)` = ceil(log2 n).
    pub fn needs(&self, biases: bool) -> Memory {
        let [f, rows, columns] = self.output();
        let [k, l] = self.kernel;
        Memory {
            kernel: u64::from(self.input[0]) << (bits(k.saturating_mul(l)) + bits(f)),
            neuron: u64::from(f) << (bits(rows) + bits(columns)),
            bias: if biases { f.into() } else { 0 },
        }
    }

    /// Bits of a neuron's address.
    pub fn address(&self) -> u32 {
        self.output().into_iter().map(bits).sum()
    }

    /// Everything of the geometry that no core can have: (limit, needed, available).
    pub fn beyond(&self) -> Vec<(&'static str, String, String)> {
        let mut out = vec![];
        let mut most = |limit, needed: u32, available: u32| {
            if needed > available {
                out.push((limit, needed.to_string(), available.to_string()));
            }
        };
        let [features, rows, columns] = self.output();
        most("input_map", self.input[1].max(self.input[2]), INPUT);
        most("output_map", rows.max(columns), OUTPUT);
        most("channels", self.input[0].max(features), CHANNELS);
        most("kernel", self.kernel[0].max(self.kernel[1]), KERNEL);
        most("padding", self.padding[0].max(self.padding[1]), PADDING);
        most("neuron_address_bits", self.address(), ADDRESS);
        if self.kernel[0] != self.kernel[1] {
            out.push((
                "kernel",
                format!("{} x {}", self.kernel[0], self.kernel[1]),
                "square kernels".into(),
            ));
        }
        if self.stride.iter().any(|s| !STRIDES.contains(s)) {
            out.push((
                "stride",
                format!("{:?}", self.stride),
                "1, 2, 4 or 8".into(),
            ));
        }
        if self.output().contains(&0) || self.input.contains(&0) || self.kernel.contains(&0) {
            out.push((
                "output_map",
                "a map without elements".into(),
                "at least one".into(),
            ));
        }
        out
    }
}

/// Does a core hold this?
pub fn holds(core: &Memory, needs: &Memory) -> bool {
    needs.kernel <= core.kernel && needs.neuron <= core.neuron && needs.bias <= core.bias
}

/// A core for every layer, each core once; `fits[layer]` are the cores that hold it. Layers take the smallest core that leaves one for all others (smallest in neuron, then kernel entries, then index).
/// `Err`: layers that contend for fewer cores than they are, and those cores.
pub fn place(fits: &[Vec<usize>]) -> Result<Vec<usize>, (Vec<usize>, Vec<usize>)> {
    let mut held: [Option<usize>; CORES.len()] = [None; CORES.len()];
    for layer in 0..fits.len() {
        let mut seen = [false; CORES.len()];
        if !seat(layer, fits, &mut held, &mut seen) {
            // All cores that could be reached by moving others are full: those that hold them contend.
            let cores: Vec<usize> = (0..CORES.len()).filter(|c| seen[*c]).collect();
            let mut layers: Vec<usize> = cores.iter().filter_map(|c| held[*c]).collect();
            layers.push(layer);
            layers.sort_unstable();
            return Err((layers, cores));
        }
    }
    let at = |layer| held.iter().position(|h| *h == Some(layer));
    Ok((0..fits.len()).filter_map(at).collect())
}

/// Finds a core for a layer, moving others along an augmenting path.
fn seat(
    layer: usize,
    fits: &[Vec<usize>],
    held: &mut [Option<usize>; CORES.len()],
    seen: &mut [bool; CORES.len()],
) -> bool {
    let mut cores: Vec<usize> = fits[layer]
        .iter()
        .copied()
        .filter(|c| *c < CORES.len())
        .collect();
    cores.sort_by_key(|&c| (CORES[c].neuron * CORES[c].kernel, CORES[c].kernel, c));
    // A free core first; then one whose layer can move.
    for pass in [true, false] {
        for &c in &cores {
            if pass && held[c].is_none() && !seen[c] {
                held[c] = Some(layer);
                return true;
            }
            if !pass && !std::mem::replace(&mut seen[c], true) {
                let Some(other) = held[c] else { continue };
                if seat(other, fits, held, seen) {
                    held[c] = Some(layer);
                    return true;
                }
            }
        }
    }
    false
}
