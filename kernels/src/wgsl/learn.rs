//! Synapse models as kernels: what they deliver, and stage 5 of a step.
//!
//! In: a [`Synapse`]. Out: [`Learning`], the texts that its projections need. A rule becomes up to three functions of a `Syn`
//! (see `learn.wgsl`), one for each place; each of them reads everything before it writes, and writes words of its own element alone.
//! A dispatch therefore runs one block on many elements at once, and what must come one after another (the synapses of a row before the row,
//! one event of a row before the next) is in dispatches of their own. Integers give the bits of `program::Reference`.
//!
//! Deliberately absent: numbers of the network (they are in the projection's descriptor, `D_*`).

use super::ops::{self, Leaves, from_word, to_word, type_name};
use super::shape::D_STATES;
use super::{
    ARITH, ARRIVE, Buffer, CONTRIBUTION, COUNT, DELIVER, FEEDS, FLOAT, Kernel, PHILOX, TARGETS,
    kernel, models, rules, runs,
};
use std::fmt::Write;
use synfire_ir::model::{Block, Op, Ty, Width};
use synfire_ir::program::Program;
use synfire_ir::synapse::{Action, Place, Seen, Synapse};

/// The kernels of a synapse model.
#[derive(Clone, Debug)]
pub struct Learning {
    /// Event delivery.
    pub deliver: Kernel,
    /// What synapses offer to ordered ports.
    pub offer: Kernel,
    /// Sums of modulators.
    pub modulate: Kernel,
    /// Arriving events.
    pub pre: Kernel,
    /// Events of targets, and modulators.
    pub targets: Kernel,
    /// Rules at intervals.
    pub every: Kernel,
    /// Probes.
    pub probe: Kernel,
}

/// Where the powers of state `k` lie in a descriptor.
pub(crate) fn powers_at(m: &Synapse, k: usize) -> u32 {
    D_STATES + (m.states.len() + k) as u32
}

/// Where parameter `k` lies in a descriptor.
pub(crate) fn param_at(m: &Synapse, k: usize) -> u32 {
    powers_at(m, m.states.len()) + k as u32
}

/// Where the sums of modulator `k` lie in a descriptor.
pub(crate) fn modulator_at(m: &Synapse, k: usize) -> u32 {
    param_at(m, m.params.len()) + 2 * k as u32
}

/// Words of a descriptor.
pub(crate) fn descriptor_words(m: &Synapse) -> u32 {
    modulator_at(m, m.modulators.len())
}

/// Does a block do anything?
pub(crate) fn acts(b: &Block) -> bool {
    !b.stores.is_empty()
}

/// Do the rules at targets read words of rows, or of their sources?
pub(crate) fn looks_back(m: &Synapse) -> bool {
    let seen = |op: &Op| match *op {
        Op::State(k) => match m.states.get(k as usize) {
            Some(cell) => cell.place == Place::Source,
            None => matches!(m.view(k).map(|v| v.seen), Some(Seen::Source(_))),
        },
        _ => false,
    };
    let reads = |b: &Block| b.insts.iter().any(|i| seen(&i.op));
    reads(&m.post.synapse) || m.modulators.iter().any(|x| reads(&x.action.synapse))
}

/// The kernels of synapse model `m` in a program.
pub fn learning(p: &Program, m: &Synapse) -> Learning {
    use Buffer::*;
    let parts = Parts { m };
    let base = [ARITH, FLOAT, PHILOX, LEARN, NOISE];
    let with = |name, buffers: &[Buffer], more: &[&str]| {
        let all: Vec<&str> = base.iter().chain(more).copied().collect();
        kernel(name, buffers, &all)
    };
    let reads = |late| parts.reads(late);
    let walk = include_str!("text/walk_learned.wgsl");
    let runs = runs("tables[dispatch.lesson + D_SCALE]", walk);
    Learning {
        deliver: with(
            "deliver_learned",
            &[
                Dispatch, Tables, Acc, Lists, Ctl, Ext, Rows, Synapses, Learned,
            ],
            &[
                &rules(p),
                FEEDS,
                TARGETS,
                &reads(false),
                &parts.offered(),
                WEIGHT,
                CONTRIBUTION,
                COUNT,
                ARRIVE,
                &runs,
                DELIVER,
            ],
        ),
        offer: with(
            "offer",
            &[Dispatch, Tables, State, Ctl, Rows, Synapses, Learned],
            &[TARGETS, &reads(false), &parts.offered(), OFFER, ROW],
        ),
        modulate: kernel(
            "modulate",
            &[Dispatch, Tables, State, Lists, Ctl, Ext, Learned],
            &[MODULATE],
        ),
        pre: with(
            "learn_pre",
            &[
                Dispatch, Tables, State, Lists, Ctl, Ext, Rows, Synapses, Learned,
            ],
            &[FEEDS, TARGETS, MODS, &reads(true), &parts.pre(), ROW, PRE],
        ),
        targets: with(
            "learn_targets",
            &[Dispatch, Tables, State, Lists, Ctl, Rows, Back, Learned],
            &[MODS, &reads(true), &parts.targets(), AT_TARGETS],
        ),
        every: with(
            "learn_every",
            &[Dispatch, Tables, State, Ctl, Rows, Synapses, Back, Learned],
            &[TARGETS, MODS, &reads(true), &parts.every(), ROW, EVERY],
        ),
        probe: with(
            "learn_probe",
            &[Dispatch, Tables, Ctl, Out, Learned],
            &[PROBE],
        ),
    }
}

const LEARN: &str = include_str!("text/learn.wgsl");
const NOISE: &str = include_str!("text/learn_noise.wgsl");
const MODS: &str = include_str!("text/learn_mods.wgsl");
const ROW: &str = include_str!("text/learn_row.wgsl");
const PRE: &str = include_str!("text/learn_pre.wgsl");
const AT_TARGETS: &str = include_str!("text/learn_targets.wgsl");
const EVERY: &str = include_str!("text/learn_every.wgsl");
const OFFER: &str = include_str!("text/learn_offer.wgsl");
const MODULATE: &str = include_str!("text/modulate.wgsl");
const PROBE: &str = include_str!("text/learn_probe.wgsl");
const WEIGHT: &str = include_str!("text/learn_weight.wgsl");

/// The functions of a model.
struct Parts<'a> {
    m: &'a Synapse,
}

/// What the leaves of a block are: functions and words of a `Syn`.
struct Names<'a> {
    m: &'a Synapse,
    /// The modulator whose value is the argument.
    arg: Option<usize>,
}

impl Leaves for Names<'_> {
    fn param(&self, i: u16) -> String {
        format!("tables[u.d + {}u]", param_at(self.m, i as usize))
    }
    fn state(&self, i: u16) -> String {
        let Some(v) = self.m.view(i) else {
            return format!("read_{i}(u)");
        };
        let k = i as usize - self.m.states.len();
        let word = match v.seen {
            Seen::Source(s) => format!(
                "state[u.home + tables[u.d + D_SSTATE] + {s}u * tables[u.d + D_SSIZE] + source_of(u)]"
            ),
            Seen::Target(s) => format!(
                "state[u.home + tables[u.d + D_TSTATE] + {s}u * tables[u.d + D_TSIZE] + u.t]"
            ),
            Seen::Total(_) => total(k),
        };
        from_word(v.ty, &word)
    }
    fn port(&self, i: u16) -> String {
        modulator(self.m, i as usize)
    }
    fn arg(&self) -> String {
        match self.arg {
            Some(k) => modulator(self.m, k),
            None => "0i".into(),
        }
    }
    fn rand(&self, site: u16) -> String {
        format!("noise(u, {site}u)")
    }
}

fn total(view: usize) -> String {
    format!("learned[u.at + tables[u.d + D_TOTALS] + {view}u * tables[u.d + D_TARGETS] + u.t]")
}

fn modulator(m: &Synapse, k: usize) -> String {
    let kind = match m.modulators[k].ty {
        Ty::F32 => "f",
        _ => "i",
    };
    format!("value_{kind}(u, {}u)", modulator_at(m, k))
}

/// A word cut to a width, as an expression.
fn cut(width: Width, w: &str) -> String {
    let (bits, signed) = match width {
        Width::I8 => (8, true),
        Width::I16 => (16, true),
        Width::I24 => (24, true),
        Width::U8 => (8, false),
        Width::U16 => (16, false),
        Width::F32 | Width::I32 | Width::U32 | Width::Bool => return w.into(),
    };
    let up = 32 - bits;
    match signed {
        true => format!("bitcast<u32>(bitcast<i32>(({w}) << {up}u) >> {up}u)"),
        false => format!("((({w}) << {up}u) >> {up}u)"),
    }
}

fn number(place: Place) -> u32 {
    match place {
        Place::Source => 0,
        Place::Target => 1,
        Place::Synapse => 2,
    }
}

fn element(place: Place) -> &'static str {
    match place {
        Place::Source => "u.row",
        Place::Target => "u.t",
        Place::Synapse => "u.i",
    }
}

impl Parts<'_> {
    fn word(&self, k: usize) -> String {
        let (at, e) = (D_STATES + k as u32, element(self.m.states[k].place));
        format!("learned[u.at + tables[u.d + {at}u] + {e}]")
    }

    fn stamp(&self, place: Place) -> String {
        let n = number(place);
        format!(
            "learned[u.at + tables[u.d + D_STAMPS + {n}u] + {}]",
            element(place)
        )
    }

    /// A function for each state, and `source_of` for views (`late`).
    fn reads(&self, late: bool) -> String {
        let mut text = format!("// {}\n", models::comment(&self.m.name));
        let sees_source = |v: &synfire_ir::synapse::View| matches!(v.seen, Seen::Source(_));
        if late && self.m.views.iter().any(sees_source) {
            text += "fn source_of(u: Syn) -> u32 {\n    return rows[rows[ROW_RECS] + u.row * X_SIZE + X_SCALE];\n}\n";
        }
        for (k, cell) in self.m.states.iter().enumerate() {
            let ty = cell.width.ty();
            let word = self.word(k);
            let value = match cell.decay {
                None => from_word(ty, &word),
                Some(d) => {
                    let steps = format!("u.step - {}", self.stamp(cell.place));
                    let powers = format!("tables[u.d + {}u]", powers_at(self.m, k));
                    let rest = ops::constant(ty, d.rest);
                    match ty {
                        Ty::F32 => {
                            format!("decayed_f(bitcast<f32>({word}), {rest}, {powers}, {steps})")
                        }
                        _ => {
                            let rest = format!("{}u", d.rest);
                            let v = format!("decayed_i({word}, {rest}, {powers}, {steps})");
                            from_word(ty, &cut(cell.width, &v))
                        }
                    }
                }
            };
            let _ = writeln!(
                text,
                "fn read_{k}(u: Syn) -> {} {{\n    return {value};\n}}",
                type_name(ty)
            );
        }
        text
    }

    /// `offered`: the word that a synapse multiplies payloads with.
    fn offered(&self) -> String {
        let mut text = String::from("fn offered(u: Syn) -> u32 {\n");
        let b = &self.m.deliver;
        let names = Names {
            m: self.m,
            arg: None,
        };
        ops::block(&mut text, b, "v", "    ", &names);
        let word = match b.emit {
            Some(v) => to_word(b.insts[v as usize].ty, &format!("v{v}")),
            None => "0u".into(),
        };
        let _ = writeln!(text, "    return {word};\n}}");
        text
    }

    /// The function `name` that runs a block on an element of `place`.
    fn on(&self, text: &mut String, name: &str, place: Place, b: &Block, arg: Option<usize>) {
        let m = self.m;
        let _ = writeln!(text, "fn {name}(u: Syn) {{");
        if acts(b) {
            ops::block(text, b, "v", "    ", &Names { m, arg });
        }
        let decays = |k: usize| m.states[k].decay.is_some();
        if b.stores.iter().any(|&(s, _)| decays(s as usize)) {
            let falling =
                || (0..m.states.len()).filter(|&k| decays(k) && m.states[k].place == place);
            for k in falling() {
                let _ = writeln!(text, "    let now{k} = read_{k}(u);");
            }
            for k in falling() {
                let v = to_word(m.states[k].width.ty(), &format!("now{k}"));
                let _ = writeln!(text, "    {} = {v};", self.word(k));
            }
            let _ = writeln!(text, "    {} = u.step;", self.stamp(place));
        }
        for &(s, v) in &b.stores {
            let width = m.states[s as usize].width;
            let v = cut(width, &to_word(width.ty(), &format!("v{v}")));
            let _ = writeln!(text, "    {} = {v};", self.word(s as usize));
        }
        *text += "}\n";
    }

    fn pre(&self) -> String {
        let mut text = String::new();
        let a = &self.m.pre;
        self.on(&mut text, "on_synapse", Place::Synapse, &a.synapse, None);
        self.on(&mut text, "on_row", Place::Source, &a.source, None);
        text
    }

    /// Blocks of several actions, chosen by `dispatch.part`.
    fn choice(
        &self,
        text: &mut String,
        name: &str,
        place: Place,
        actions: &[(&Action, Option<usize>)],
    ) {
        let block = |a: &Action| match place {
            Place::Synapse => a.synapse.clone(),
            Place::Source => a.source.clone(),
            Place::Target => a.target.clone(),
        };
        let mut switch = format!("fn {name}(u: Syn) {{\n    switch (dispatch.part) {{\n");
        for (k, &(a, arg)) in actions.iter().enumerate() {
            let b = block(a);
            if acts(&b) {
                self.on(text, &format!("{name}_{k}"), place, &b, arg);
                let _ = writeln!(switch, "        case {k}u: {{ {name}_{k}(u); }}");
            }
        }
        *text += &switch;
        *text += "        default: {}\n    }\n}\n";
    }

    fn targets(&self) -> String {
        let m = self.m;
        let mut text = format!("const BACK: u32 = {}u;\n", 1 + u32::from(looks_back(m)));
        let mut actions = vec![(&m.post, None)];
        actions.extend((0..).zip(&m.modulators).map(|(k, x)| (&x.action, Some(k))));
        self.choice(&mut text, "on_synapse", Place::Synapse, &actions);
        self.choice(&mut text, "on_target", Place::Target, &actions);
        let at = modulator_at(m, 0);
        let _ = writeln!(
            text,
            "fn concerned(u: Syn) -> bool {{
    if (dispatch.part != 0u) {{
        return reached(u, {at}u + 2u * (dispatch.part - 1u));
    }}
    let slots = tables[u.d + D_RING];
    let ring = (u.step + slots - tables[u.d + D_POST]) % slots * tables[u.d + D_TSIZE];
    return lists[u.slot * tables[T_LISTS_STRIDE] + tables[u.d + D_AUX] + ring + u.t] != 0u;
}}"
        );
        text
    }

    fn every(&self) -> String {
        let m = self.m;
        let mut text = format!("const BACK: u32 = {}u;\n", 1 + u32::from(looks_back(m)));
        let actions: Vec<_> = m.every.iter().map(|e| (&e.action, None)).collect();
        self.choice(&mut text, "on_synapse", Place::Synapse, &actions);
        self.choice(&mut text, "on_row", Place::Source, &actions);
        self.choice(&mut text, "on_target", Place::Target, &actions);
        text += "fn add_up(whole: Syn) {\n    var u = whole;\n    let first = tables[u.d + D_TARGETS] + 1u;\n";
        for (k, v) in m.views.iter().enumerate() {
            let Seen::Total(s) = v.seen else { continue };
            let (ty, zero) = (type_name(v.ty), ops::constant(v.ty, 0));
            let _ = writeln!(text, "    var sum{k}: {ty} = {zero};");
            let _ = writeln!(
                text,
                "    for (var n = back[u.t]; n < back[u.t + 1u]; n++) {{ // at most TOTALS
        u.i = back[first + n * BACK];
        sum{k} += read_{s}(u);
    }}
    {} = {};",
                total(k),
                to_word(v.ty, &format!("sum{k}"))
            );
        }
        text + "}\n"
    }
}
