//! `help`: on commands, and on names of the standard library.

use crate::args::{Cli, HelpArgs};
use crate::console::Console;
use crate::failure::Outcome;
use clap::CommandFactory;
use synfire_ir::{Class, Diagnostic, diag::nearest};
use synfire_lang::library;

/// See the module.
pub fn help(args: &HelpArgs, console: &Console) -> Outcome {
    let mut command = Cli::command();
    let Some(topic) = &args.topic else {
        console.print(&styled(command.render_long_help(), console));
        return Ok(());
    };
    if let Some(sub) = command.find_subcommand_mut(topic) {
        console.print(&styled(
            sub.clone()
                .bin_name(format!("synfire {topic}"))
                .render_long_help(),
            console,
        ));
        return Ok(());
    }
    if let Some(module) = library::module(topic) {
        let names: String = module
            .names()
            .map(|n| line(&format!("{topic}.{n}"), console))
            .collect();
        console.print(&names);
        return Ok(());
    }
    if topic == "std" {
        let names: String = library::paths().map(|p| line(&p, console)).collect();
        console.print(&names);
        return Ok(());
    }
    match library::lookup(topic).and_then(|_| library::doc(topic)) {
        Some(doc) => {
            console.print(&format!("{}\n\n{doc}\n", console.bold(topic)));
            if let Some(text) = declaration(topic) {
                console.print(&format!("\n{text}\n"));
            }
            Ok(())
        }
        None => Err(unknown(topic).into()),
    }
}

fn styled(text: clap::builder::StyledStr, console: &Console) -> String {
    if console.color {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}

/// A name with the first sentence of its documentation.
fn line(path: &str, console: &Console) -> String {
    let doc = library::doc(path).unwrap_or_default();
    let first = doc.lines().next().unwrap_or("");
    let room = console.width.saturating_sub(34);
    format!("{:<32}  {}\n", path, crate::table::cut(first, room.max(20)))
}

/// The text of a declaration, from its head to the brace that ends it.
fn declaration(path: &str) -> Option<String> {
    let (module, name) = library::lookup(path)?;
    let heads = ["neuron", "synapse", "module"].map(|k| format!("{k} {name}"));
    let begins = |l: &str| {
        heads.iter().any(|h| {
            l.strip_prefix(h.as_str())
                .is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    };
    let lines: Vec<&str> = module.text.lines().skip_while(|l| !begins(l)).collect();
    let end = lines
        .iter()
        .position(|l| *l == "}")
        .map_or(lines.len(), |i| i + 1);
    Some(lines[..end].join("\n"))
}

fn unknown(topic: &str) -> Diagnostic {
    let paths: Vec<String> = library::paths().collect();
    let command = Cli::command();
    let names = command
        .get_subcommands()
        .map(|c| c.get_name())
        .chain(paths.iter().map(String::as_str));
    let error =
        Diagnostic::error("SYN0914", format!("there is no help on `{topic}`")).class(Class::Usage);
    match nearest(topic, names) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => {
            error.hint("`synfire help` lists the commands, `synfire help std` the standard library")
        }
    }
}
