//! The neutral specification as a file: `network.xylo.json`.
//!
//! One JSON object with `format`, `chip` (the vendor's chip id), `dt_ns` (nanoseconds a step) and `net`, the [`Config`] by the names of its fields. Decoding is total and strict: what is
//! read is exactly what [`encode`] writes of it, so one configuration has one form.

use super::Config;
use serde::{Deserialize, Serialize};
use synfire_ir::{Diagnostic, Diagnostics};

/// The `format` of the file.
pub const FORMAT: &str = "synfire-xylo-1";

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Specification {
    /// [`FORMAT`].
    pub format: String,
    /// The vendor's chip id, e.g. `SYNS61201`.
    pub chip: String,
    /// Nanoseconds a step.
    pub dt_ns: u64,
    /// The network.
    pub net: Config,
}

/// The bytes of a configuration.
///
/// Errors: those of [`Config::validate`].
pub fn encode(chip: &str, dt_ns: u64, net: &Config) -> Result<Vec<u8>, Diagnostics> {
    net.validate().result(())?;
    let all = Specification {
        format: FORMAT.into(),
        chip: chip.into(),
        dt_ns,
        net: net.clone(),
    };
    let mut bytes =
        serde_json::to_vec(&all).map_err(|e| damaged("network.xylo.json", e.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The specification in a file; `place` names it in messages.
///
/// Errors: `SYN0721` for bytes that [`encode`] does not write, and those of [`Config::validate`].
pub fn decode(place: &str, bytes: &[u8]) -> Result<Specification, Diagnostics> {
    let all: Specification =
        serde_json::from_slice(bytes).map_err(|e| damaged(place, e.to_string()))?;
    if all.format != FORMAT {
        return Err(damaged(
            place,
            format!("its format is `{}`, not `{FORMAT}`", all.format),
        ));
    }
    if encode(&all.chip, all.dt_ns, &all.net)? != bytes {
        return Err(damaged(place, "it is not in the canonical form".into()));
    }
    Ok(all)
}

pub(super) fn damaged(place: &str, what: String) -> Diagnostics {
    Diagnostic::error("SYN0721", what)
        .at(place)
        .note("the native file is damaged or was not written for this chip")
        .note("only the canonical form is read, so that one configuration has one form")
        .hint("compile the network again, or copy the file again")
        .into()
}
