//! Files for what a run recorded: spikes as CSV, spikes and signals as `.npz`.

use crate::console::Console;
use crate::execute::Ran;
use crate::failure::Outcome;
use crate::files;
use std::path::{Path, PathBuf};
use synfire_runtime::spikes;

pub(super) fn is_npz(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("npz"))
}

/// Signals have no place in CSV; that is said before anything runs. With an .npz beside it, the CSV takes the spikes alone.
pub(super) fn refuse_signals_in_csv(files: &[PathBuf], signals: &[&str]) -> Outcome {
    match signals.first() {
        Some(s) if !files.is_empty() && !files.iter().any(|p| is_npz(p)) => {
            Err(spikes::no_signals_in_csv(s).into())
        }
        _ => Ok(()),
    }
}

/// Writes what was recorded as the path's ending says.
pub(super) fn write_record(path: &Path, ran: &Ran, console: &Console) -> Outcome {
    let data = &ran.recording.data;
    if is_npz(path) {
        return Ok(files::write(
            path,
            &spikes::write_npz(data, &ran.populations)?,
        )?);
    }
    let only_spikes = spikes::SpikeData {
        spikes: data.spikes.clone(),
        signals: vec![],
        batch: data.batch,
    };
    let text = spikes::write_csv(&only_spikes, &ran.populations)?;
    if files::is_standard(path) {
        console.bytes(&text);
        return Ok(());
    }
    Ok(files::write(path, &text)?)
}
