//! Boards that only a vendor's Python package reaches: a program of the chip's own runs in the user's interpreter.
//!
//! In: the images, the native events of the whole run. Out: the native spikes, or what the program says went wrong. The program is given on the command line, the run as JSON on its standard
//! input; its answer is the line of its standard output that begins with `synfire `, whatever the package prints beside it.

use serde::Deserialize;
use serde_json::json;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use synfire_ir::artifact::Artifact;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::backend::Bridge;

/// Longest run of the program.
const LONGEST: Duration = Duration::from_secs(3600);
/// Longest answer in bytes.
const ANSWER: u64 = 1 << 30;
/// Time between two looks at the program.
const MOMENT: Duration = Duration::from_millis(10);

/// What the program answers.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    spikes: Vec<(u32, u64, u32)>,
    error: Option<String>,
    hint: Option<String>,
}

/// A run for the program.
pub struct Job<'a> {
    /// The interpreter.
    pub python: &'a str,
    /// The chip's program.
    pub bridge: Bridge,
    /// (step, word) in order.
    pub events: &'a [(u32, u64)],
    /// Steps of the chip.
    pub steps: u32,
    /// Longest silence of the board.
    pub patience: Duration,
}

/// Runs the program: (step, native word, count) of everything that left the chip.
///
/// Errors: `SYN0864`, of class device.
pub fn run(
    artifact: &Artifact,
    job: &Job<'_>,
    stopped: &dyn Fn() -> bool,
) -> Result<Vec<(u32, u64, u32)>, Diagnostics> {
    let h = &artifact.header;
    let section = artifact.native().find(|s| s.name == job.bridge.section);
    let text = section.map(|s| String::from_utf8_lossy(&s.bytes).into_owned());
    let input = json!({
        "chip": h.target, "dialect": h.dialect, "specification": text, "events": job.events,
        "steps": job.steps, "dt": h.dt, "timeout": job.patience.as_secs_f64(),
    });
    let mut child = Command::new(job.python)
        .args(["-c", job.bridge.program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|e| failed(&format!("`{}` cannot be started: {e}", job.python), None))?;
    let pipe = (child.stdin.take(), child.stdout.take());
    let (Some(mut to), Some(from)) = pipe else {
        return Err(failed("its standard streams could not be opened", None));
    };
    let bytes = input.to_string().into_bytes();
    let writer = std::thread::spawn(move || to.write_all(&bytes));
    let reader = std::thread::spawn(move || {
        let mut text = vec![];
        from.take(ANSWER).read_to_end(&mut text).map(|_| text)
    });
    let status = finish(&mut child, stopped)?;
    let _ = writer.join();
    let text = reader.join().ok().and_then(Result::ok).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find_map(|l| l.strip_prefix("synfire "));
    let Some(line) = line else {
        return Err(failed(
            &format!("the program ended without an answer ({status})"),
            None,
        ));
    };
    let answer: Answer = serde_json::from_str(line)
        .map_err(|e| failed(&format!("its answer cannot be read: {e}"), None))?;
    match answer.error {
        Some(error) => Err(failed(&error, answer.hint)),
        None => Ok(answer.spikes),
    }
}

/// Waits for the program's end; one that takes too long, or whose user has had enough, is ended.
fn finish(
    child: &mut Child,
    stopped: &dyn Fn() -> bool,
) -> Result<std::process::ExitStatus, Diagnostics> {
    let until = Instant::now() + LONGEST;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < until && !stopped() => std::thread::sleep(MOMENT),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed("the program did not end", None));
            }
        }
    }
}

fn failed(what: &str, hint: Option<String>) -> Diagnostics {
    let hint = hint.unwrap_or_else(|| {
        "name an interpreter in which the vendor's package is installed: bridge:PYTHON".into()
    });
    Diagnostic::error(
        "SYN0864",
        format!("the bridge to the vendor's package failed: {what}"),
    )
    .class(Class::Device)
    .note("nothing of this run was written")
    .hint(hint)
    .into()
}
