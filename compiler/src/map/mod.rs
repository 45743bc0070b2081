//! The mapper: [`partition`] fills cores, [`place`] puts them on the mesh, [`route`] makes the `Mapping`, [`metrics`] says how good it is.
//!
//! The search for good mappings works on plain graphs: neurons and whom they reach ([`net`]) are cut into parts ([`cut`]), the traffic between parts
//! ([`flow`]) is laid out on the mesh ([`layout`]), and [`score`] measures both exactly. [`bench`](mod@bench) has the networks and machines of the literature.

pub mod bench;
pub mod cut;
pub mod flow;
pub mod layout;
pub mod metrics;
pub mod net;
pub mod partition;
pub mod place;
pub mod rng;
pub mod route;
pub mod score;
