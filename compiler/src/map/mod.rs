//! The mapper: [`chip`] takes a network in a chip's integers to a `Mapping` (cores filled, placed, routed) and measures it; the searches behind it
//! work on plain graphs.
//!
//! Neurons and the nets that reach them ([`net`]) are cut into parts ([`cut`]), the traffic between parts ([`flow`]) is laid out on the
//! mesh or other [`fabric`] ([`layout`]), and [`score`] measures both exactly. Networks that stay rules are cut into boxes and scored without being expanded ([`symbolic`]). [`bench`](mod@bench) has the networks and machines of the literature, on which the same
//! searches are compared with others.

pub mod bench;
pub mod chip;
pub mod cut;
pub mod fabric;
pub mod flow;
pub mod layout;
pub mod net;
pub mod rng;
pub mod score;
pub mod search;
pub mod symbolic;
