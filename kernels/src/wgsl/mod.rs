//! Programs as WGSL: the kernels' texts and the words of the buffers that they read.
//!
//! A [`Program`] goes in; [`kernels`] gives texts, which depend on its models alone, and [`image::Image`] gives the tables of
//! its groups, synapses and probes. A step of a program under [`Discipline::Stepped`] is, for each phase: `begin` (counts
//! what arrives, sizes the delivery), `deliver` (an indirect dispatch over the events that arrive, adding into
//! accumulators), `gather` (analog arrivals), `update` (one unit an invocation); then what synapses learn ([`learn`]). A program under
//! [`Discipline::Serial`] has the one kernel `serial`, a workgroup a sample, that processes event after event.
//!
//! All texts keep to WebGPU's default limits, use 32-bit integers and no barrier under a condition that memory decides, and
//! bound their loops (see [`shape::MAX_ITERATIONS`]). Deliberately absent: any GPU API (the runtime's).

pub mod image;
pub mod learn;
mod models;
mod ops;
pub mod serial;
pub mod shape;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write;
use synfire_ir::model::{Combine, Ty};
use synfire_ir::program::{Discipline, GroupKind, Observable, Program};

/// A buffer of the engine; its number is its binding in group 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Buffer {
    /// Uniform: one block a dispatch.
    Dispatch,
    /// Descriptors and parameters.
    Tables,
    /// States and rings of analog outputs.
    State,
    /// Accumulators.
    Acc,
    /// Lists and bitmaps of emissions; queues of serial programs.
    Lists,
    /// Counters.
    Ctl,
    /// What is recorded.
    Out,
    /// Events from outside.
    Ext,
    /// Row pointers and runs of a shard.
    Rows,
    /// Targets and weights of a shard.
    Synapses,
    /// Arguments of indirect dispatches.
    Args,
    /// Weights of analog projections.
    Gathered,
    /// Synapses of ordered ports, and the matrix of a serial program.
    Ordered,
    /// What each sample of a serial program is about to do.
    Runs,
    /// States of synapses that learn, and of their rows and targets.
    Learned,
    /// The synapses of each target of a projection that learns.
    Back,
}

impl Buffer {
    /// Its name in texts and its type.
    fn declaration(self) -> (&'static str, &'static str) {
        match self {
            Buffer::Dispatch => ("dispatch", "Dispatch"),
            Buffer::Tables => ("tables", "array<u32>"),
            Buffer::State => ("state", "array<u32>"),
            Buffer::Acc => ("acc", "array<atomic<i32>>"),
            Buffer::Lists => ("lists", "array<u32>"),
            Buffer::Ctl => ("ctl", "array<atomic<u32>>"),
            Buffer::Out => ("out", "array<u32>"),
            Buffer::Ext => ("ext", "array<u32>"),
            Buffer::Rows => ("rows", "array<u32>"),
            Buffer::Synapses => ("synapses", "array<u32>"),
            Buffer::Args => ("args", "array<atomic<u32>>"),
            Buffer::Gathered => ("gathered", "array<u32>"),
            Buffer::Ordered => ("ordered", "array<u32>"),
            Buffer::Runs => ("runs", "array<vec4<u32>>"),
            Buffer::Learned => ("learned", "array<u32>"),
            Buffer::Back => ("back", "array<u32>"),
        }
    }

    /// Do kernels write it?
    pub fn written(self) -> bool {
        matches!(
            self,
            Buffer::State
                | Buffer::Acc
                | Buffer::Lists
                | Buffer::Ctl
                | Buffer::Out
                | Buffer::Args
                | Buffer::Runs
                | Buffer::Learned
        )
    }
}

/// A kernel: entry point `main` of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Name, for messages.
    pub name: &'static str,
    /// WGSL.
    pub text: String,
    /// What it binds, ascending; at most 8 storage buffers.
    pub buffers: Vec<Buffer>,
}

/// The kernels of a program under [`Discipline::Stepped`].
#[derive(Clone, Debug)]
pub struct Stepped {
    /// Before each delivery.
    pub begin: Kernel,
    /// Event delivery.
    pub deliver: Kernel,
    /// The same with one invocation a sample, for those with no more events than it may take.
    pub deliver_alone: Kernel,
    /// Analog delivery.
    pub gather: Kernel,
    /// Update of all models.
    pub update: Kernel,
}

const HEAD: &str = include_str!("text/head.wgsl");
const ARITH: &str = include_str!("text/arith.wgsl");
const FLOAT: &str = include_str!("text/float.wgsl");
const PHILOX: &str = include_str!("text/philox.wgsl");
const UNIT: &str = include_str!("text/unit.wgsl");
const PARAM: &str = include_str!("text/param.wgsl");
const CONTRIBUTION: &str = include_str!("text/contribution.wgsl");
const COUNT: &str = include_str!("text/count.wgsl");
const PORTS: &str = include_str!("text/ports.wgsl");
const WALK: &str = include_str!("text/walk.wgsl");
const WEIGHTS: &str = include_str!("text/weights.wgsl");
const FEEDS: &str = include_str!("text/feeds.wgsl");
const ARRIVE: &str = include_str!("text/arrive.wgsl");
const DELIVER: &str = include_str!("text/deliver.wgsl");
const TARGETS: &str = include_str!("text/targets.wgsl");

/// A text from its parts, after the constants and the declarations of its buffers.
fn kernel(name: &'static str, buffers: &[Buffer], parts: &[&str]) -> Kernel {
    let mut text = shape::constants();
    text += HEAD;
    let mut buffers = buffers.to_vec();
    buffers.sort_unstable();
    for b in &buffers {
        let (name, ty) = b.declaration();
        let space = match (b, b.written()) {
            (Buffer::Dispatch, _) => "uniform",
            (_, true) => "storage, read_write",
            (_, false) => "storage, read",
        };
        let _ = writeln!(
            text,
            "@group(0) @binding({}) var<{space}> {name}: {ty};",
            *b as u32
        );
    }
    parts.iter().for_each(|p| text += p);
    Kernel {
        name,
        text,
        buffers,
    }
}

/// What kernels are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// A device that runs the invocations of a workgroup side by side.
    pub parallel: bool,
    /// One invocation begins the step of a sample (see [`image::Image::begin_alone`]), not a workgroup.
    pub begin_alone: bool,
}

/// Do the invocations of the update share nothing, so that each may take several samples?
pub fn updates_alone(p: &Program, parallel: bool) -> bool {
    let handled = |m: u32| !p.models[m as usize].handlers.is_empty();
    !parallel && !used_models(p).into_iter().any(handled)
}

/// The kernels of a stepped program. Texts depend only on the models that its groups use.
///
/// On a `parallel` device the invocations of a workgroup share what they can; one that runs them one after another would only wait.
pub fn kernels(p: &Program, form: Form) -> Stepped {
    use Buffer::*;
    let (together, main) = match form.begin_alone {
        true => (1, include_str!("text/begin_alone.wgsl")),
        false => (64, include_str!("text/begin_main.wgsl")),
    };
    let together = format!("const TOGETHER: u32 = {together}u;\n");
    let begin = kernel(
        "begin",
        &[Dispatch, Tables, Lists, Ctl, Ext, Args],
        &[ARITH, &together, include_str!("text/begin.wgsl"), main],
    );
    let deliver = |name, arrive: &str, main: &str| {
        let stored = include_str!("text/walk_static.wgsl");
        let drawn = include_str!("text/walk_drawn.wgsl");
        let (draws, walk) = match image::drawn::any(p) {
            true => (
                [ARITH, include_str!("text/drawn.wgsl")],
                [drawn, stored].concat(),
            ),
            false => (["", ""], stored.into()),
        };
        let runs = runs("rows[r + X_SCALE]", &walk);
        let weights = WEIGHTS.replace("BUFFER", "synapses");
        let rules = rules(p);
        let arrivals = [CONTRIBUTION, COUNT, arrive, &runs, main];
        let parts = [&draws[..], &[&*rules, &weights, FEEDS, TARGETS], &arrivals].concat();
        let buffers = [Dispatch, Tables, Acc, Lists, Ctl, Ext, Rows, Synapses];
        kernel(name, &buffers, &parts)
    };
    let (arrive, main) = (
        include_str!("text/arrive_alone.wgsl"),
        include_str!("text/deliver_alone.wgsl"),
    );
    let deliver_alone = deliver("deliver_alone", arrive, main);
    let deliver = deliver("deliver", ARRIVE, DELIVER);
    let gather = kernel(
        "gather",
        &[Dispatch, Tables, State, Acc, Ctl, Gathered],
        &[
            &WEIGHTS.replace("BUFFER", "gathered"),
            include_str!("text/gather.wgsl"),
        ],
    );
    Stepped {
        begin,
        deliver,
        deliver_alone,
        gather,
        update: update(p, form.parallel),
    }
}

/// How the runs of an event are walked, by where their port's scale lies and by what their synapses bring.
pub(crate) fn runs(scale_at: &str, walk: &str) -> String {
    include_str!("text/runs.wgsl")
        .replace("SCALE_AT", scale_at)
        .replace("    WALK\n", walk)
}

/// Which rules of combination the event delivery of a program needs.
fn rules(p: &Program) -> String {
    let ports = || {
        used_models(p)
            .into_iter()
            .flat_map(|m| &p.models[m as usize].ports)
    };
    let floats = ports().any(|q| q.ty == Ty::F32);
    let maxima = ports().any(|q| q.combine == Combine::Max);
    format!("const FLOATS: bool = {floats};\nconst MAXIMA: bool = {maxima};\n")
}

/// Models that groups use, in the order of [`Program::models`]: their place in this list is their number in texts.
pub(crate) fn used_models(p: &Program) -> Vec<u32> {
    let used: BTreeSet<u32> = p
        .groups
        .iter()
        .filter_map(|g| match g.kind {
            GroupKind::Units { model, .. } => Some(model),
            GroupKind::External => None,
        })
        .collect();
    used.into_iter().collect()
}

/// Most words of a descriptor that a workgroup keeps for itself: an eighth of its memory.
const MOST_HEAD: u32 = 512;

/// Reads a word of a group's descriptor where it is.
pub(crate) const FAR: &str =
    "fn descriptor(u: Unit, k: u32) -> u32 {\n    return tables[u.g + k];\n}\n";

/// How the update reads a word of its group's descriptor: from its own copy, unless that would be too long.
fn descriptor(longest: u32) -> String {
    let kept = longest.min(MOST_HEAD);
    let far = match longest > kept {
        true => "    if (k >= HEAD) {\n        return tables[u.g + k];\n    }\n",
        false => "",
    };
    format!(
        "const HEAD: u32 = {kept}u;\nfn descriptor(u: Unit, k: u32) -> u32 {{\n{far}    return head[k];\n}}\n"
    )
}

/// Most words of a descriptor, and most parameters, that an invocation keeps for itself.
const MOST_OWN: u32 = 64;

/// How an update whose invocations share nothing reads its group's descriptor and parameters: from copies of its own, which
/// compilers keep in registers because every index is a constant.
fn own(p: &Program, used: &[u32], longest: u32) -> String {
    let kept = longest.min(MOST_OWN);
    let mut text = format!("const HEAD: u32 = {kept}u;\nvar<private> head: array<u32, HEAD>;\n");
    text += "fn take_head(g: u32) {\n";
    for k in 0..kept {
        let _ = writeln!(text, "    head[{k}] = tables[g + {k}u];");
    }
    let far = match longest > kept {
        true => "    if (k >= HEAD) {\n        return tables[u.g + k];\n    }\n",
        false => "",
    };
    let _ = writeln!(
        text,
        "}}\nfn descriptor(u: Unit, k: u32) -> u32 {{\n{far}    return head[k];\n}}"
    );
    let params = |m: u32| p.models[m as usize].params.len();
    let most = used.iter().map(|&m| params(m)).max().unwrap_or(0);
    if longest > kept || most == 0 {
        return text + "fn take_columns(i: u32) {}\n" + PARAM;
    }
    let _ = writeln!(text, "var<private> columns: array<u32, {most}>;");
    text += "fn take_columns(i: u32) {\n    switch (head[G_MODEL]) {\n";
    for (n, &m) in used.iter().enumerate() {
        let _ = writeln!(text, "        case {n}u: {{");
        for k in 0..params(m) {
            let at = models::param_at(k);
            let _ = writeln!(
                text,
                "            columns[{k}] = tables[head[{at}] + i * head[{}]];",
                at + 1
            );
        }
        text += "        }\n";
    }
    text += "        default: {}\n    }\n}\nfn param(u: Unit, k: u32) -> u32 {\n    return columns[(k - G_PARAMS) >> 1u];\n}\n";
    text
}

/// How an update counts the synapses that its units walk, if they do.
fn counting(walks: bool, shared: bool) -> Vec<&'static str> {
    let each = "// Synapses that this invocation has walked.\nvar<private> walks: u32;\n";
    match (walks, shared) {
        (true, true) => vec![each, COUNT, include_str!("text/count_walks.wgsl")],
        (true, false) => vec![
            each,
            COUNT,
            "fn count_walked() {\n    count_synapses(walks);\n}\n",
        ],
        (false, true) => vec!["fn count_walks(lid: u32) {}\n"],
        (false, false) => vec!["fn count_walked() {}\n"],
    }
}

fn update(p: &Program, parallel: bool) -> Kernel {
    use Buffer::*;
    debug_assert_eq!(p.discipline, Discipline::Stepped);
    let used = used_models(p);
    let mut text = String::new();
    let mut switch =
        String::from("fn model(u: Unit) -> i32 {\n    switch (descriptor(u, G_MODEL)) {\n");
    for (n, &m) in used.iter().enumerate() {
        text += &models::stepped(n, &p.models[m as usize]);
        let _ = writeln!(switch, "        case {n}u: {{ return model_{n}(u); }}");
    }
    switch += "        default: { return 0i; }\n    }\n}\n";
    let weights = WEIGHTS.replace("BUFFER", "ordered");
    let ordered = used
        .iter()
        .any(|&m| !p.models[m as usize].handlers.is_empty());
    // Bitmaps for ordered ports are made by whole workgroups; of what learns, only payloads are read.
    let shared = !updates_alone(p, parallel);
    let longest = used
        .iter()
        .map(|&m| models::descriptor_words(&p.models[m as usize]));
    let descriptor = match shared {
        true => descriptor(longest.max().unwrap_or(shape::G_PARAMS)),
        false => own(p, &used, longest.max().unwrap_or(shape::G_PARAMS)),
    };
    let mut buffers = vec![Dispatch, Tables, State, Acc, Lists, Ctl, Out];
    let ones = image::ones::any(p);
    let rules = rules(p);
    let mut parts = vec![ARITH, FLOAT, PHILOX, UNIT, &*descriptor];
    match ones {
        true => parts.extend([&*rules, CONTRIBUTION, include_str!("text/take_ones.wgsl")]),
        false => parts.push(include_str!("text/take.wgsl")),
    }
    parts.push(PORTS);
    if shared {
        parts.push(PARAM);
    }
    if ordered {
        buffers.extend([Ext, Ordered]);
        parts.extend([&*weights, WALK]);
    }
    parts.extend(counting(ordered || ones, shared));
    // Such probes are few, and a loop that finds none costs some adapters as much as one that finds one.
    let probed = (p.probes.iter()).any(|pb| matches!(pb.what, Observable::State(_)));
    parts.extend([&*text, &*switch]);
    parts.push(match probed {
        true => include_str!("text/probe.wgsl"),
        false => "fn probe(u: Unit) {}\n",
    });
    parts.push(match shared {
        true => include_str!("text/update.wgsl"),
        false => include_str!("text/update_alone.wgsl"),
    });
    kernel("update", &buffers, &parts)
}
