//! Machines of the mapping literature: core limits, mesh and costs of a hop.
//!
//! `jin-S`: Jin et al. (ASPLOS 2023), as EMJzero/AxonFlow and Jinouwen/mapping_cpp have it. `loihi-64`, `loihi-16x8`, `truenorth-64`: AxonFlow's
//! limits, energies (pJ) and latencies (ns), the latter two from the Loihi paper's table 2 for all three; synapses of the last one are its 256 x 256
//! crossbar. `npc-N`: N neurons a part and no other limit, on the smallest square mesh, with Jin's costs.
//! With `-torus` at the end the edges wrap around; with `-hexagonal` they do and there are links along the diagonal.

use crate::map::fabric::Fabric;
use crate::map::score::partition::Caps;
use crate::map::score::unicast::Costs;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Name.
    pub name: String,
    /// Columns and rows; `None`: the smallest square.
    pub mesh: Option<(u32, u32)>,
    /// What connects the cores.
    pub fabric: Fabric,
    /// Limits of a core.
    pub caps: Caps,
    /// Costs of a hop.
    pub costs: Costs,
}

/// Jin's costs, in units of a router.
pub const JIN: Costs = Costs {
    energy_router: 1.0,
    energy_link: 0.1,
    latency_router: 1.0,
    latency_link: 0.01,
};
const MEASURED: Costs = Costs {
    energy_router: 1.7,
    energy_link: 3.5,
    latency_router: 2.1,
    latency_link: 5.3,
};

/// The machine of that name.
pub fn machine(name: &str) -> Option<Machine> {
    for (end, hexagonal) in [("-torus", false), ("-hexagonal", true)] {
        if let Some(base) = name.strip_suffix(end) {
            let mut m = machine(base).filter(|m| m.fabric.plain())?;
            m.fabric.torus = true;
            m.fabric.hexagonal = hexagonal;
            m.name = name.into();
            return Some(m);
        }
    }
    let caps = |npc, apc, spc, cores| Caps {
        npc: Some(npc),
        apc: Some(apc),
        spc: Some(spc),
        cores: Some(cores),
        ..Caps::default()
    };
    let (mesh, caps, costs) = match name {
        "loihi-64" => (Some((64, 64)), caps(1024, 4096, 131_072, 4096), MEASURED),
        "loihi-16x8" => (Some((16, 8)), caps(1024, 4096, 131_072, 128), MEASURED),
        "truenorth-64" => (Some((64, 64)), caps(256, 256, 65_536, 4096), MEASURED),
        _ => {
            let (kind, number) = name.split_once('-')?;
            let n: u32 = number.parse().ok().filter(|n| (1..=1 << 20).contains(n))?;
            match kind {
                "jin" if n <= 16_384 => (
                    Some((n, n)),
                    caps(4096, 65_536, 1_048_576, n as u64 * n as u64),
                    JIN,
                ),
                "npc" => (
                    None,
                    Caps {
                        npc: Some(n as u64),
                        ..Caps::default()
                    },
                    JIN,
                ),
                _ => return None,
            }
        }
    };
    Some(Machine {
        name: name.into(),
        mesh,
        fabric: Fabric::default(),
        caps,
        costs,
    })
}

/// Columns and rows for so many parts.
pub fn square(parts: u32) -> (u32, u32) {
    let side = (parts as f64).sqrt().ceil().max(1.0) as u32;
    (side, parts.div_ceil(side).max(1))
}
