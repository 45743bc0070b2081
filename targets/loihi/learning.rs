//! Learning synapses as plastic projections.
//!
//! The axons of one core and format that learn are a [`Set`]. Each axon becomes a unit (its traces are the unit's states), its synapses a plastic projection from that unit onto the core's compartments, and the rule a synapse
//! model whose blocks run at the end of an epoch. Rounding is stochastic: its draws are events of a group of their own, which is external where they were recorded and draws by itself otherwise.
//! Deliberately absent: the vendor's microcode.

mod pes;
mod rules;

pub(super) use rules::{DRAWS, Y1};

use super::config::Synapse as Synapse_;
use super::config::*;
use super::lower::{Q, TEXT, Wire, exponent, projection, rows_of, whole};
use crate::model::{group, neuron};
use std::collections::BTreeMap;
use synfire_ir::model::{BinOp, BlockBuilder, Model, Op, Round, Ty, UnOp, Value};
use synfire_ir::program::{
    Carry, GroupKind, Groups, Layout, Modulation, Plastic, Projection, Range, Weights,
};
use synfire_ir::synapse::Synapse;
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Bits of a draw for rounding.
pub(super) const DRAW: i64 = 31;

/// The learning axons of one core and format, and the groups of the program that belong to them.
#[derive(Clone, Debug, Default)]
pub struct Set {
    /// Index into the cores.
    pub core: usize,
    /// Format of the synapses.
    pub format: u8,
    /// Entries of the core's synapse map, ascending.
    pub entries: Vec<usize>,
    /// Group of the axons, in the order of `entries`.
    pub axons: u32,
    /// Draws of the axons' traces.
    pub trace_draws: u32,
    /// Draws of the weights.
    pub draws: u32,
    /// Errors; of rules without an error no group.
    pub errors: u32,
    /// Does every axon have errors of its own, because their rows differ in order?
    pub own_errors: bool,
    /// Plastic projections; of an error-driven rule one an axon, else one.
    pub projections: Vec<u32>,
}

/// Models and projections that learn, under way.
#[derive(Default)]
pub(super) struct Learned {
    pub models: Vec<Synapse>,
    pub plastic: Vec<Plastic>,
    base: u32,
}

impl Learned {
    /// Makes the projection with number `at` one that learns.
    fn add(
        &mut self,
        at: u32,
        p: &Projection,
        synapse: u32,
        init: Vec<synfire_ir::program::Column>,
        modulators: Vec<Modulation>,
    ) {
        self.plastic.push(Plastic {
            projection: at,
            synapse,
            base: self.base,
            post_delay: 0,
            params: vec![],
            init,
            modulators,
        });
        self.base += p.synapses() as u32;
    }
}

/// What learns in a configuration.
///
/// Errors: `SYN0617` for what the emulator cannot let learn.
pub(super) fn sets(config: &Config) -> Result<Vec<Set>, Diagnostics> {
    let mut found: BTreeMap<(usize, u8), Vec<usize>> = BTreeMap::new();
    let mut out = Diagnostics::new();
    for (k, c) in config.cores.iter().enumerate() {
        for (i, e) in c.synapse_map.iter().enumerate() {
            let first = e.synapse_ptr as usize;
            let Some(row) = c.synapses.get(first..first + e.synapse_len as usize) else {
                continue;
            };
            let Some(id) = row.first().filter(|s| s.lrn_en == 1).map(|s| s.syn_fmt_id) else {
                if row.iter().any(|s| s.lrn_en == 1) {
                    out.push(cannot(format!("a row of core {k} learns in part")));
                }
                continue;
            };
            let mut targets: Vec<u16> = row.iter().map(|s| s.c_idx).collect();
            targets.sort_unstable();
            let twice = targets.windows(2).any(|w| w[0] == w[1]);
            if twice
                || e.pop_size != 1
                || e.cx_base < 0
                || row.iter().any(|s| s.lrn_en == 0 || s.syn_fmt_id != id)
            {
                out.push(cannot(format!(
                    "map entry {i} of core {k} learns in part, or is a population axon"
                )));
                continue;
            }
            found.entry((k, id)).or_default().push(i);
        }
    }
    for &(k, id) in found.keys() {
        let c = &config.cores[k];
        let f = &c.synapse_fmt[usize::from(id)];
        match c.stdp_profile_cfg.get(usize::from(f.stdp_profile)) {
            None => out.push(cannot(format!(
                "format {id} of core {k} names no learning rule"
            ))),
            Some(StdpProfile::Pes(p)) => out.extend(pes::check(p, f)),
            Some(StdpProfile::SumOfProducts(r)) => out.extend(rules::check(r, f)),
        }
    }
    let set = |((core, format), entries)| Set {
        core,
        format,
        entries,
        ..Set::default()
    };
    out.result(found.into_iter().map(set).collect())
}

pub(super) fn cannot(what: String) -> Diagnostic {
    Diagnostic::error("SYN0617", what)
        .class(Class::Fit)
        .note("what learns here: discrete axons all of whose synapses have one format and one rule, in the terms of nengo-loihi's PES or of lava's sums of products")
        .hint("put what learns onto axons and formats of its own")
}

impl Set {
    fn rule<'a>(&self, config: &'a Config) -> Option<&'a StdpProfile> {
        let c = config.cores.get(self.core)?;
        let f = c.synapse_fmt.get(usize::from(self.format))?;
        c.stdp_profile_cfg.get(usize::from(f.stdp_profile))
    }

    /// Synapses of an axon, in the order of the image.
    pub(super) fn row<'a>(&self, config: &'a Config, axon: usize) -> &'a [Synapse_] {
        let c = &config.cores[self.core];
        let e = &c.synapse_map[self.entries[axon]];
        let first = e.synapse_ptr as usize;
        &c.synapses[first..first + e.synapse_len as usize]
    }

    /// Compartment of the core that a synapse leads to.
    pub(super) fn target(&self, config: &Config, axon: usize, s: &Synapse_) -> u32 {
        let e = &config.cores[self.core].synapse_map[self.entries[axon]];
        u32::from(e.cx_base.unsigned_abs()) + u32::from(s.c_idx)
    }

    /// Adds the groups of the set's axons, draws and errors.
    pub(super) fn groups(
        &mut self,
        config: &Config,
        given: bool,
        g: &mut Groups,
        models: &mut Vec<Model>,
    ) -> Result<(), Diagnostics> {
        match self.rule(config) {
            Some(StdpProfile::Pes(p)) => self.pes_groups(p, config, given, g, models),
            Some(StdpProfile::SumOfProducts(r)) => self.rule_groups(r, given, g, models),
            None => Ok(()),
        }
    }

    /// Adds the projections of the set.
    pub(super) fn wires(
        &mut self,
        config: &Config,
        onto: (u32, u32),
        projections: &mut Vec<Projection>,
        learned: &mut Learned,
    ) {
        match self.rule(config) {
            Some(StdpProfile::Pes(p)) => self.pes_wires(p, config, onto, projections, learned),
            Some(StdpProfile::SumOfProducts(r)) => {
                self.rule_wires(r, config, onto, projections, learned)
            }
            None => {}
        }
    }
}

/// Phase of axons that learn: after their draws, where these are units of their own.
pub(super) fn axon_phase(given: bool) -> u16 {
    u16::from(!given)
}

/// A group of draws: given from outside, or by units of `model.syn`; `bits` of each unit.
fn draw_group(
    name: &str,
    bits: &[i64],
    given: bool,
    g: &mut Groups,
    models: &mut Vec<Model>,
) -> Result<u32, Diagnostics> {
    if given {
        return Ok(g.add(name, bits.len(), 0, GroupKind::External));
    }
    let model = neuron(TEXT, "LoihiDraw", &[])?;
    let value = |_: &str, u: usize| bits.get(u).copied();
    let kind = group(&model, models.len() as u32, bits.len(), &value);
    models.push(model);
    Ok(g.add(name, bits.len(), 0, kind))
}

/// Events of unit i to port `port` of unit i.
fn one_to_one(name: &str, from: u32, to: u32, n: u32, port: u16) -> Projection {
    let layout = Layout::OneToOne {
        delay: 0,
        weights: Weights::Uniform(1),
    };
    projection(name, (from, n), (to, n), port, layout)
}

/// Values of some units for a modulator; with `each` unit i for target i, else all for all.
fn modulation(port: u16, source: u32, range: Range, each: bool) -> Modulation {
    Modulation {
        port,
        source,
        range,
        carry: Carry::Events,
        each,
        delay: 0,
        weight: 1,
    }
}

/// Step code in integers, by the names of its operations.
#[derive(Default)]
struct Code(BlockBuilder);

#[allow(clippy::should_implement_trait)]
impl Code {
    fn c(&mut self, x: i64) -> Value {
        self.0.i32(x as i32)
    }
    fn state(&mut self, k: usize) -> Value {
        self.0.push(Op::State(k as u16), Ty::I32)
    }
    fn port(&mut self, k: u16) -> Value {
        self.0.push(Op::Port(k), Ty::I32)
    }
    fn bin(&mut self, op: BinOp, a: Value, b: Value) -> Value {
        self.0.bin(op, a, b)
    }
    fn add(&mut self, a: Value, b: Value) -> Value {
        self.bin(BinOp::Add, a, b)
    }
    fn mul(&mut self, a: Value, b: Value) -> Value {
        self.bin(BinOp::Mul, a, b)
    }
    /// Left by a constant, right (towards minus infinity) if it is negative.
    fn shift(&mut self, a: Value, by: i64) -> Value {
        let n = self.c(by.abs().min(31));
        self.bin(if by < 0 { BinOp::Shr } else { BinOp::Shl }, a, n)
    }
    fn is(&mut self, op: BinOp, a: Value, b: i64) -> Value {
        let b = self.c(b);
        self.bin(op, a, b)
    }
    fn pick(&mut self, c: Value, a: Value, b: Value) -> Value {
        self.0.select(c, a, b)
    }
    /// 1 if a < b.
    fn less(&mut self, a: Value, b: Value) -> Value {
        let t = self.bin(BinOp::Lt, a, b);
        self.0.un(UnOp::ToI32, t)
    }
    fn clamp(&mut self, a: Value, low: i64, high: i64) -> Value {
        let low = self.c(low);
        let high = self.c(high);
        let a = self.bin(BinOp::Max, a, low);
        self.bin(BinOp::Min, a, high)
    }
    /// `value * factor / 2^31` of a value that is not negative, rounded up when `draw` (31 bits) is below what the cut leaves.
    fn decayed(&mut self, value: Value, factor: u32, draw: Value) -> Value {
        let a = self.0.un(UnOp::ToU32, value);
        let b = self.0.u32(factor);
        let product = Op::MulShift {
            a,
            b,
            shift: 31,
            round: Round::Floor,
        };
        let whole = self.0.push(product, Ty::U32);
        let whole = self.0.un(UnOp::ToI32, whole);
        let low = self.bin(BinOp::Mul, a, b);
        let mask = self.0.u32(0x7FFF_FFFF);
        let low = self.bin(BinOp::And, low, mask);
        let low = self.0.un(UnOp::ToI32, low);
        let up = self.less(draw, low);
        self.add(whole, up)
    }
    fn store(&mut self, k: usize, v: Value) {
        self.0.store(k as u16, v);
    }
}

/// What is left of a trace after `steps` steps, of 2^31; 0 for a time constant of 0.
fn kept(steps: u8, tau: u16) -> u32 {
    if tau == 0 {
        return 0;
    }
    let left = (-f64::from(steps) / f64::from(tau)).exp();
    (left * f64::from(1u32 << 31)).round() as u32
}

/// A row as wires, ascending in the target.
fn wires(set: &Set, config: &Config, axon: usize) -> Vec<Wire> {
    let core = &config.cores[set.core];
    let of = |s: &Synapse_| {
        let shift = exponent(core, s).max(0);
        (0, set.target(config, axon, s), i32::from(s.wgt) << shift)
    };
    set.row(config, axon).iter().map(of).collect()
}
