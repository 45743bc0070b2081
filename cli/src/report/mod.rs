//! Pages about runs and mappings: one HTML file each, complete in itself.
//!
//! No page loads anything from elsewhere: style, script and data are inside. Large recordings are binned, so that a page
//! stays small whatever the run. Same result, same bytes (times of the run aside).

mod data;
mod drawing;
mod html;
mod links;
mod mapping;
mod placement;
mod run;

pub use mapping::{compile_page, stored, svg};
pub use run::run_page;
