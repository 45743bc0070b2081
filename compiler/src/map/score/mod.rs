//! Exact metrics of partitions and placements.

pub mod block;
pub mod boxes;
pub mod partition;
pub mod rows;
pub mod tree;
pub mod unicast;
pub mod ways;

use super::flow::Flows;
use block::Cells;
use tree::{Lanes, Multicast};
use unicast::{Costs, Packets, Places, Unicast};

/// Metrics under unicast and under multicast, in one pass over the traffic. `cores`: the load of cores, too.
pub fn both(flows: &impl Flows, p: &Places, c: &Costs, cores: bool) -> (Unicast, Multicast) {
    let mut packets = Packets::new(p, flows.parts(), cores);
    let mut lanes = Lanes::new(p);
    flows.blocks(&mut |b| {
        let cells = Cells::of(b, p);
        packets.block(&cells);
        lanes.block(&cells);
    });
    let mut rows = rows::Rows::new(p.x, p.y);
    flows.rows(&mut |row| {
        let sums = rows.add(row, p, &mut packets.links, &mut lanes);
        packets.row(row, &sums);
        lanes.row(&sums);
    });
    flows.rest(&mut |s, to, w| {
        packets.flow(s, to, w);
        lanes.flow(s, to, w);
    });
    let unicast = packets.finish(c);
    let trees = lanes.finish(c, unicast.packets);
    (unicast, trees)
}
