//! `explain`: what a diagnostic code means.

use crate::args::ExplainArgs;
use crate::console::Console;
use crate::failure::Outcome;
use serde_json::json;
use synfire_ir::{Class, Diagnostic};

/// The hundreds of codes: which part of the work they belong to.
const AREAS: [(&str, &str); 10] = [
    (
        "SYN00",
        "Lexing and parsing: the text does not follow the grammar of the language. The label stands where reading stopped making sense; the hint says what was expected there.",
    ),
    (
        "SYN01",
        "Names and types: something is used that is not declared, is declared twice, or has another type than its place asks for.",
    ),
    (
        "SYN02",
        "Units: two values of different physical dimension meet. A literal carries its unit (10 mV); + - and comparisons need equal dimensions.",
    ),
    (
        "SYN03",
        "Shapes and data files: an array is missing, cannot be read, or has another shape than the populations and rules that use it.",
    ),
    (
        "SYN04",
        "Network structure: the parts are sound, but not together, such as a cycle of projections without delay.",
    ),
    (
        "SYN05",
        "NIR: the file is damaged, uses what the format does not define, or leaves open what options such as --dt answer.",
    ),
    (
        "SYN06",
        "Targets: the chip does not exist, or the network does not fit it. The message names the limit, the amount and the population.",
    ),
    (
        "SYN07",
        "Artefacts: the file is damaged, of another format, or does not belong to its chip.",
    ),
    (
        "SYN08",
        "Engines and devices: no adapter, a driver that refuses, or a program that an engine cannot hold.",
    ),
    (
        "SYN09",
        "Spike files, run options and the file system: rows that name no input, lengths, files that cannot be read or written.",
    ),
];

/// Pages of single codes: meaning, what fails, what mends it.
const PAGES: [(&str, &str, &str, &str); 14] = [
    (
        "SYN0901",
        "The spike file is neither CSV with the right header nor an .npz archive.",
        "time,neuron\n5,0",
        "step,population,neuron\n5,stim,0",
    ),
    (
        "SYN0902",
        "A row of a spike file cannot be read: a field is missing, or is no whole number from 0 on.",
        "step,population,neuron\n-5,stim,0",
        "step,population,neuron\n5,stim,0",
    ),
    (
        "SYN0903",
        "A row names a population that the network does not have.",
        "step,population,neuron\n5,stimm,0",
        "step,population,neuron\n5,stim,0",
    ),
    (
        "SYN0904",
        "A row names a neuron beyond the population; neurons count from 0.",
        "source stim: events[4]\n\nstep,population,neuron\n5,stim,4",
        "step,population,neuron\n5,stim,3",
    ),
    (
        "SYN0905",
        "A row drives a population that takes no spikes from outside: only `events` and `signal` sources do.",
        "pop exc: Lif[4]\n\nstep,population,neuron\n5,exc,0",
        "source stim: events[4]\nconnect stim -> exc.i : one_to_one { weight = 1 }\n\nstep,population,neuron\n5,stim,0",
    ),
    (
        "SYN0906",
        "The arrays of an .npz file do not fit together.",
        "numpy.savez(f, step=[1, 2], population=[0], neuron=[0, 0], names=['stim'])",
        "numpy.savez(f, step=[1, 2], population=[0, 0], neuron=[0, 0], names=['stim'])",
    ),
    (
        "SYN0907",
        "Several --input files cannot be merged: batches of different sizes, or a signal in two of them.",
        "--input four_samples.csv --input five_samples.csv",
        "--input four_samples.csv",
    ),
    (
        "SYN0908",
        "A recorded signal cannot go into CSV, which holds spikes only.",
        "record exc.v\n\nsynfire run net.syn --record out.csv",
        "synfire run net.syn --record out.npz",
    ),
    (
        "SYN0909",
        "The input has a form that the network, as it runs, cannot take: a signal into a chip, or a value where only spikes go.",
        "synfire run net.synx --input analog.npz",
        "synfire run net.syn --input analog.npz",
    ),
    (
        "SYN0910",
        "The length of the run is no number of steps that can be run.",
        "synfire run net.syn --time 0.01ms   # with step 1 ms",
        "synfire run net.syn --time 10ms",
    ),
    (
        "SYN0911",
        "Input spikes come after the last step of the run, where they have no effect.",
        "synfire run net.syn --input in.csv --steps 10   # last input in step 99",
        "synfire run net.syn --input in.csv --steps 100",
    ),
    (
        "SYN0912",
        "A file cannot be read: it does not exist, or its permissions forbid it.",
        "synfire check nett.syn",
        "synfire check net.syn",
    ),
    (
        "SYN0913",
        "An output cannot be written. The file that was there before, if any, is unchanged.",
        "synfire run net.syn --record no/such/folder/out.csv",
        "mkdir -p results; synfire run net.syn --record results/out.csv",
    ),
    (
        "SYN0914",
        "Options contradict each other, or do not belong to what is run.",
        "cat in.csv | synfire run - --input -",
        "synfire run net.syn --input -",
    ),
];

/// See the module.
pub fn explain(args: &ExplainArgs, console: &Console) -> Outcome {
    let code = args.code.trim().to_uppercase();
    let page = PAGES.iter().find(|p| p.0 == code);
    let whole =
        code.len() == 7 && code.starts_with("SYN") && code[3..].chars().all(|c| c.is_ascii_digit());
    let area = AREAS.iter().find(|a| whole && code.starts_with(a.0));
    let Some((_, area)) = area else {
        return Err(Diagnostic::error("SYN0914", format!("`{}` is no diagnostic code", args.code))
            .class(Class::Usage)
            .hint("codes are written SYN and four digits, e.g. SYN0903; every message begins with its own")
            .into());
    };
    if console.is_json() {
        console.json(&json!({ "code": code, "area": area, "meaning": page.map(|p| p.1), "wrong": page.map(|p| p.2), "right": page.map(|p| p.3) }));
        return Ok(());
    }
    let mut out = format!("{}\n", console.bold(&code));
    match page {
        Some((_, meaning, wrong, right)) => {
            out += &format!(
                "{meaning}\n\nThis fails:\n{}\n\nThis works:\n{}\n",
                indented(wrong),
                indented(right)
            );
        }
        None => out += &format!("{area}\n"),
    }
    console.print(&out);
    Ok(())
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|l| {
            if l.is_empty() {
                String::new()
            } else {
                format!("    {l}")
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}
