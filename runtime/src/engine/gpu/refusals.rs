//! What a run of steps can be refused for, or end with.

use super::blocks::MOST_REPEATS;
use synfire_ir::{Class, Diagnostic};

pub(super) fn too_busy(events: u64, most: u64, step: u32) -> Diagnostic {
    Diagnostic::error(
        "SYN0818",
        format!("{events} external events in step {step}; this network can take {most} on a GPU"),
    )
    .note("ordered ports and modulators take them one by one, and some drivers leave long loops without an error")
    .hint("run with `--engine cpu`")
}

pub(super) fn too_often(events: u32) -> Diagnostic {
    let what = format!("{events} events of one external unit in one step");
    Diagnostic::error(
        "SYN0818",
        format!("{what}; rows that learn can take {MOST_REPEATS} on a GPU"),
    )
    .class(Class::Device)
    .note("a row learns from one event after another, each in a dispatch of its own")
    .hint("run with `--engine cpu`, or give a shorter time step")
}

pub(super) fn beyond_scale((from, to): (u32, u32)) -> Diagnostic {
    let what = "a synapse that learns delivered more than its sums can hold";
    Diagnostic::error("SYN0825", format!("{what}, in one of the steps {from} to {}", to - 1))
        .class(Class::Device)
        .note("a GPU adds floats up in fixed point, scaled for the largest weight that a rule's clips allow, or without clips for 64 times the largest weight at the start")
        .hint("end the rule with a clip, e.g. `w = clip(w + dw, w_min, w_max)`")
        .hint("or run with `--engine cpu`, which adds up in floating point")
}

pub(super) fn stuck(step: u32) -> Diagnostic {
    Diagnostic::error("SYN0813", format!("the device did not run step {step}"))
        .note("a submission came back without having done a step")
        .hint("this is a defect of the driver or of Synfire: please report it; `--engine cpu` runs the same program")
}
