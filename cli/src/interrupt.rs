//! Ctrl-C: long work is asked to stop and says that it heard; what does not is ended, with no temporary file left behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Exit status of an interrupted command.
pub const STATUS: u8 = 130;

/// Time for the work to end by itself.
const PATIENCE: Duration = Duration::from_millis(1500);

static ASKED: AtomicBool = AtomicBool::new(false);
static HEARD: AtomicBool = AtomicBool::new(false);
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Listens for Ctrl-C (and the request to terminate) from now on. Where no handler can be set, the system's own stays.
pub fn listen() {
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            end();
        }
        std::thread::spawn(|| {
            std::thread::sleep(PATIENCE);
            if !HEARD.load(Ordering::SeqCst) {
                end();
            }
        });
    });
}

/// Ends the process, with no temporary file left behind.
fn end() {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for file in unfinished.iter() {
        let _ = std::fs::remove_file(file);
    }
    std::process::exit(i32::from(STATUS));
}

/// As [`asked`], by work that then stops by itself and may take its time to write what there is; a second Ctrl-C ends it.
pub fn heard() -> bool {
    let asked = asked();
    if asked {
        HEARD.store(true, Ordering::SeqCst);
    }
    asked
}

/// Has the user asked to stop?
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Marks a temporary file, to be removed if the process is ended.
pub fn begin(file: &Path) {
    UNFINISHED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(file.into());
}

/// The file is no longer temporary.
pub fn done(file: &Path) {
    UNFINISHED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(file);
}
