//! Events of one source: what `feed x from load("sample.csv")` reads.
//!
//! The same two forms as spike files, without a need for names: `population` may be left out, and when it is there all rows must
//! name the same one. Batches are refused: a feed is part of the network, equal for all samples.

use super::{csv, npz};

/// An event: step, unit, value.
pub type Event = (u32, u32, f32);

/// Reads the events in the order of the file. The error says what is wrong, with its line or array.
pub fn read_events(bytes: &[u8]) -> Result<Vec<Event>, String> {
    if super::is_archive(bytes) {
        npz::events(bytes)
    } else {
        csv::events(bytes)
    }
}

/// The refusals that both forms share.
pub(super) const BATCH: &str =
    "it is a batch; a feed is the same for every sample (use --input for batches)";
pub(super) const SEVERAL: &str = "its rows name several populations; a feed drives one";
