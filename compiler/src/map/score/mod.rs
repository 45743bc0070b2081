//! Exact metrics of partitions and placements.

pub mod boxes;
pub mod partition;
pub mod tree;
pub mod unicast;
