//! `board`: a software board, until it is stopped.

use crate::args::BoardArgs;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::targets;
use serde_json::json;
use synfire_ir::{Class, Diagnostic};
use synfire_runtime::board::software::{self, Keeper};
use synfire_targets::board::Board;

/// Stops at Ctrl-C, and tells what happens on standard error.
struct AtConsole<'a>(&'a Console);

impl Keeper for AtConsole<'_> {
    fn stop(&self) -> bool {
        interrupt::heard()
    }

    fn tell(&self, what: &str) {
        self.0.note(what);
    }
}

/// See the module.
pub fn board(args: &BoardArgs, console: &Console) -> Outcome {
    let target = targets::find(&args.target)?;
    let board = target.chip.backend().and_then(|b| b.board());
    let board = board.ok_or_else(|| {
        let name = &target.chip.spec.name;
        Diagnostic::error("SYN0861", format!("there is no software board of `{name}`"))
            .class(Class::Usage)
            .note("its host does not talk to it over a line that is publicly described")
            .hint(format!("`synfire targets {name}` says how it deploys"))
    })?;
    let at = AtConsole(console);
    match &args.listen {
        Some(place) => {
            let listener = software::listen(place)?;
            let place = listener
                .local_addr()
                .map_or(place.clone(), |a| a.to_string());
            announce(&target.name(), &format!("tcp://{place}"), console);
            software::serve(&listener, board, &at)?;
        }
        None => terminal(args, &target.name(), board, &at)?,
    }
    Err(Failure::Interrupted)
}

/// Says where the board is; a script reads it.
fn announce(chip: &str, url: &str, console: &Console) {
    if console.is_json() {
        console.json(&json!({ "target": chip, "board": url }));
    } else {
        console.print(&format!("{chip} listens: --board \"{url}\"\n"));
    }
}

#[cfg(unix)]
fn terminal(args: &BoardArgs, chip: &str, board: &dyn Board, at: &AtConsole) -> Outcome {
    let line = software::terminal(args.baud)?;
    let name = match &args.link {
        None => line.path.clone(),
        Some(link) => {
            // A link that a board before left behind is replaced, anything else is not.
            if std::fs::symlink_metadata(link).is_ok_and(|m| m.is_symlink()) {
                let _ = std::fs::remove_file(link);
            }
            std::os::unix::fs::symlink(&line.path, link).map_err(|e| not_linked(link, &e))?;
            link.display().to_string()
        }
    };
    announce(chip, &format!("serial://{name}?baud={}", args.baud), at.0);
    let done = line.serve(board, at);
    if let Some(link) = &args.link {
        let _ = std::fs::remove_file(link);
    }
    Ok(done?)
}

#[cfg(unix)]
fn not_linked(link: &std::path::Path, why: &std::io::Error) -> Diagnostic {
    Diagnostic::error(
        "SYN0913",
        format!("`{}` cannot be written: {why}", link.display()),
    )
    .class(Class::Device)
    .hint("choose a name that is not taken, in a folder where you may write")
}

#[cfg(not(unix))]
fn terminal(_: &BoardArgs, _: &str, _: &dyn Board, _: &AtConsole) -> Outcome {
    Err(
        Diagnostic::error("SYN0859", "this system has no pseudo-terminals")
            .class(Class::Device)
            .hint("take a socket: --listen HOST:PORT")
            .into(),
    )
}
