//! The simulator's warnings, from recorded spikes.
//!
//! RANC's simulator prints a line for every write to an axon bit that is already set for that tick (by neurons and input packets alike), for every second and further
//! spike to one output index within a tick, and for every spike or packet dropped because its `tick` is 15. How many lines
//! there are follows from who spiked when; so no engine counts collisions.

use super::{Config, DROPPED_TICK, NUM_TICKS, Packet};

/// Number of warnings of a run of `spikes.len()` ticks. `packets[k]` is the input of tick k (lists beyond the run are not used), `spikes[t]` the neurons that spiked in
/// tick t as (position in `config.cores`, neuron). Spikes of neurons that the configuration does not list count nothing.
pub fn merge_warnings(config: &Config, packets: &[Vec<Packet>], spikes: &[Vec<(u32, u32)>]) -> u64 {
    let ring = usize::from(NUM_TICKS);
    // Writes by tick of arrival, as (grid position, axon). A write lies at most 15 ticks ahead, so a ring of 16 lists suffices.
    let mut due: Vec<Vec<(u32, u32)>> = vec![vec![]; ring];
    let mut warnings = 0;
    let mut outputs = vec![];
    for (tick, spiking) in spikes.iter().enumerate() {
        for p in packets.get(tick).into_iter().flatten() {
            if p.tick == DROPPED_TICK {
                warnings += 1;
            } else {
                due[(tick + usize::from(p.tick)) % ring]
                    .push((config.grid.index(p.x, p.y), p.axon.into()));
            }
        }
        warnings += repeats(&mut due[tick % ring]);
        outputs.clear();
        for &(core, neuron) in spiking {
            let Some(core) = config.cores.get(core as usize) else {
                continue;
            };
            let Some(n) = core.neurons.get(neuron as usize) else {
                continue;
            };
            let (x, y) = core.destination(n);
            if config.to_output(core, n) {
                outputs.push((0, n.axon));
            } else if n.tick == DROPPED_TICK {
                warnings += 1;
            } else if config.grid.holds(x, y) {
                let arrival = tick + 1 + usize::from(n.tick);
                due[arrival % ring].push((config.grid.index(x as u16, y as u16), n.axon));
            }
        }
        warnings += repeats(&mut outputs);
    }
    // Writes that fall due after the last tick were made during the run all the same.
    warnings + due.iter_mut().map(repeats).sum::<u64>()
}

/// Entries that stand in the list already when they come; empties the list.
fn repeats(list: &mut Vec<(u32, u32)>) -> u64 {
    list.sort_unstable();
    let n = list.len();
    list.dedup();
    let repeated = n - list.len();
    list.clear();
    repeated as u64
}
