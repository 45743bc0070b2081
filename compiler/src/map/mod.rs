//! The mapper: [`partition`] fills cores, [`place`] puts them on the mesh, [`route`] makes the `Mapping`, [`metrics`] says how good it is.

pub mod metrics;
pub mod partition;
pub mod place;
pub mod route;
