//! Running programs: engines, sessions, stimuli, recording, spike files; and boards.

pub mod board;
pub mod engine;
pub mod session;
pub mod spikes;
