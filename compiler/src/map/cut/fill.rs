//! Filling parts one neuron after another: the in-order baseline, and the same for any other order.

use crate::map::net::Net;
use crate::map::score::partition::Caps;

/// Why a neuron fits no part, not even an empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooWide {
    /// The neuron.
    pub neuron: u32,
    /// `apc`, `spc`, `npc` or `cores`.
    pub limit: &'static str,
    /// Needed.
    pub needed: u64,
    /// The limit.
    pub available: u64,
}

/// Fills parts with neurons in the given order, a new part when a limit would break. `opc` is not looked at: it depends on what comes later.
pub fn fill(
    net: &Net,
    order: impl Iterator<Item = u32>,
    caps: &Caps,
) -> Result<(Vec<u32>, u32), TooWide> {
    let n = net.neurons();
    let (npc, apc, spc) = (
        caps.npc.unwrap_or(u64::MAX),
        caps.apc.unwrap_or(u64::MAX),
        caps.spc.unwrap_or(u64::MAX),
    );
    let mut part = vec![0u32; n];
    let mut stamp = vec![u32::MAX; net.nets()];
    let (mut now, mut neurons, mut axons, mut synapses) = (0u32, 0u64, 0u64, 0u64);
    for v in order {
        let list = net.into.of(v);
        let (degree, size) = (list.len() as u64, net.size(v) as u64);
        for (limit, needed, available) in [
            ("npc", size, npc),
            ("apc", degree, apc),
            ("spc", degree, spc),
        ] {
            if needed > available {
                return Err(TooWide {
                    neuron: v,
                    limit,
                    needed,
                    available,
                });
            }
        }
        let new = list.iter().filter(|&&u| stamp[u as usize] != now).count() as u64;
        if neurons + size > npc || axons + new > apc || synapses + degree > spc {
            now += 1;
            (neurons, axons, synapses) = (0, 0, 0);
        }
        for &u in list {
            if stamp[u as usize] != now {
                stamp[u as usize] = now;
                axons += 1;
            }
        }
        neurons += size;
        synapses += degree;
        part[v as usize] = now;
    }
    let parts = if n == 0 { 0 } else { now + 1 };
    match caps.cores {
        Some(c) if parts as u64 > c => Err(TooWide {
            neuron: n as u32 - 1,
            limit: "cores",
            needed: parts as u64,
            available: c,
        }),
        _ => Ok((part, parts)),
    }
}
