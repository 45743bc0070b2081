//! The register image: `registers.loihi.json`.
//!
//! One JSON object with `format` and `board`, the [`Config`] by the names of its fields. It is no binary of the vendor's: bit positions, addresses and the loader are not public; a script on a machine with
//! the vendor's NxSDK sets the objects of the same names. Decoding is total and strict: what is read is exactly what [`encode`] writes of it, so one configuration has one form.

use super::Config;
use serde::{Deserialize, Serialize};
use synfire_ir::{Diagnostic, Diagnostics};

/// The `format` of the file.
pub const FORMAT: &str = "synfire-loihi-registers-1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    format: String,
    board: Config,
}

#[derive(Serialize)]
struct Written<'a> {
    format: &'a str,
    board: &'a Config,
}

/// The bytes of a configuration.
///
/// Errors: those of [`Config::validate`].
pub fn encode(config: &Config) -> Result<Vec<u8>, Diagnostics> {
    config.validate().result(())?;
    let all = Written {
        format: FORMAT,
        board: config,
    };
    let mut bytes = serde_json::to_vec(&all).map_err(|e| damaged(super::SECTION, e.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The configuration in an image; `place` names it in messages.
///
/// Errors: `SYN0721` for bytes that [`encode`] does not write, and those of [`Config::validate`].
pub fn decode(place: &str, bytes: &[u8]) -> Result<Config, Diagnostics> {
    let all: Image = serde_json::from_slice(bytes).map_err(|e| damaged(place, e.to_string()))?;
    if all.format != FORMAT {
        return Err(damaged(
            place,
            format!("its format is `{}`, not `{FORMAT}`", all.format),
        ));
    }
    if encode(&all.board)? != bytes {
        return Err(damaged(place, "it is not in the canonical form".into()));
    }
    Ok(all.board)
}

pub(super) fn damaged(place: &str, what: String) -> Diagnostics {
    Diagnostic::error("SYN0721", what)
        .at(place)
        .note("the native file is damaged or was not written for this chip")
        .note("only the canonical form is read, so that one configuration has one form")
        .hint("compile the network again, or copy the file again")
        .into()
}
