//! PES as nengo-loihi's emulator computes it.
//!
//! Every `trainEpoch` steps an axon's trace decays and takes `mag` if any spike came. Every `learnEpoch` steps each weight changes by the error of its place in the row times the trace, in the
//! learning unit's fixed point, and is rounded to a mantissa by a draw. The weight's word is the weight as it is delivered, `mantissa * 2^(wgtExp)`.

use super::*;
use synfire_ir::model::Width;
use synfire_ir::synapse::{Action, Cell, Every, Modulator, Place, Seen, View};

/// Modulators of the rule.
const ERROR: u16 = 0;
const DRAWN: u16 = 1;

/// What the emulator cannot compute of a rule.
pub(super) fn check(p: &Pes, f: &SynapseFmt) -> Diagnostics {
    let mut out = Diagnostics::new();
    let rate = 7 + i32::from(p.lr_exp) - 2;
    if p.tau == 0
        || p.train_epoch == 0
        || p.learn_epoch == 0
        || p.spike_level_frac > 127
        || !(-31..=8).contains(&rate)
        || i32::from(p.lr_int).abs() > 127
    {
        out.push(cannot(format!("the rule {p:?} has a field out of range")));
    }
    let low = i32::from(f.wgt_exp) + f.dropped() as i32;
    if low < 0 || f.wgt_exp > 7 {
        out.push(cannot(format!(
            "learned weights with the exponent {} fall below the unit of weights",
            f.wgt_exp
        )));
    }
    out
}

impl Set {
    pub(super) fn pes_groups(
        &mut self,
        p: &Pes,
        config: &Config,
        given: bool,
        g: &mut Groups,
        models: &mut Vec<Model>,
    ) -> Result<(), Diagnostics> {
        let (axons, n) = (self.entries.len(), config.cores[self.core].cx_cfg.len());
        let model = neuron(TEXT, "LoihiTrace", &[])?;
        let value = |name: &str, _: usize| {
            Some(match name {
                "keep" => kept(p.train_epoch, p.tau).into(),
                "mag" => p.spike_level_int.into(),
                "frac" => i64::from(p.spike_level_frac) << 24,
                "period" => p.train_epoch.into(),
                _ => return None,
            })
        };
        let kind = group(&model, models.len() as u32, axons, &value);
        models.push(model);
        let name = |what: &str| format!("{what} {} {}", self.core, self.format);
        self.axons = g.add(name("axons"), axons, axon_phase(given), kind);
        self.trace_draws = draw_group(&name("trace draws"), &vec![DRAW; axons], given, g, models)?;
        self.draws = draw_group(&name("draws"), &vec![DRAW; axons * n], given, g, models)?;
        self.own_errors = self.apart(config);
        let errors = if self.own_errors { axons * n } else { n };
        let name = Set::errors_name(self.core, self.format);
        self.errors = g.add(name, errors, 0, GroupKind::External);
        Ok(())
    }

    /// Do rows differ in their order? Then every axon has errors of its own.
    fn apart(&self, config: &Config) -> bool {
        let order = |a: usize| {
            self.row(config, a)
                .iter()
                .map(|s| self.target(config, a, s))
                .collect::<Vec<_>>()
        };
        (1..self.entries.len()).any(|a| order(a) != order(0))
    }

    /// Name of the external group of errors.
    pub(in super::super) fn errors_name(core: usize, format: u8) -> String {
        format!("errors {core} {format}")
    }

    /// Units of the errors of a compartment.
    pub(in super::super) fn error_units(
        &self,
        config: &Config,
        compartment: u32,
    ) -> impl Iterator<Item = u32> {
        let n = config.cores.get(self.core).map_or(0, |c| c.cx_cfg.len()) as u32;
        let axons = match self.apart(config) {
            true => self.entries.len() as u32,
            false => 1,
        };
        (0..axons).map(move |a| a * n + compartment)
    }

    pub(super) fn pes_wires(
        &mut self,
        p: &Pes,
        config: &Config,
        (compartments, first): (u32, u32),
        projections: &mut Vec<Projection>,
        learned: &mut Learned,
    ) {
        let core = &config.cores[self.core];
        let n = core.cx_cfg.len() as u32;
        let axons = self.entries.len() as u32;
        let f = core.synapse_fmt[usize::from(self.format)];
        projections.push(one_to_one(
            "trace draws",
            self.trace_draws,
            self.axons,
            axons,
            1,
        ));
        learned.models.push(model(p, &f));
        let synapse = learned.models.len() as u32 - 1;
        for a in 0..axons {
            let layout = rows_of(vec![wires(self, config, a as usize)]);
            let mut p = projection("learning", (self.axons, 1), (compartments, n), Q, layout);
            p.source_range.start = a;
            p.target_range.start = first;
            let at = projections.len() as u32;
            let mine = Range {
                start: a * n,
                len: n,
            };
            let errors = if self.own_errors { mine } else { whole(n) };
            let modulators = vec![
                modulation(ERROR, self.errors, errors, true),
                modulation(DRAWN, self.draws, mine, true),
            ];
            learned.add(at, &p, synapse, vec![], modulators);
            projections.push(p);
            self.projections.push(at);
        }
    }
}

fn model(p: &Pes, f: &SynapseFmt) -> Synapse {
    let (exp, low) = (i64::from(f.wgt_exp), i64::from(f.dropped()));
    let mut b = Code::default();
    // The views count after the one state.
    let (w, x) = (b.state(0), b.state(1));
    let (error, draw) = (b.port(ERROR), b.port(DRAWN));
    let dw = b.mul(x, error);
    let rate = b.c(p.lr_int.into());
    let dw = b.mul(dw, rate);
    let dw = b.shift(dw, 7 + i64::from(p.lr_exp) - 2);
    // The weight in the learning unit: 7 bits behind the point of the mantissa.
    let base = b.shift(w, 7 - exp);
    let sum = b.add(base, dw);
    let size = b.0.un(UnOp::Abs, sum);
    let bits = 7 + low;
    let whole = b.shift(size, -bits);
    let mask = b.c((1 << bits) - 1);
    let part = b.bin(BinOp::And, size, mask);
    let part = b.shift(part, 31 - bits);
    let up = b.less(draw, part);
    let y = b.add(whole, up);
    let y = b.clamp(y, 0, (1 << (8 - low)) - 1);
    let y = b.shift(y, exp + low);
    let zero = b.c(0);
    let minus = b.bin(BinOp::Sub, zero, y);
    let negative = b.is(BinOp::Lt, sum, 0);
    let y = b.pick(negative, minus, y);
    b.store(0, y);
    let modulator = |name: &str| Modulator {
        name: name.into(),
        ty: Ty::I32,
        action: Action::default(),
    };
    Synapse {
        name: "LoihiPes".into(),
        params: vec![],
        states: vec![Cell {
            name: "w".into(),
            width: Width::I32,
            place: Place::Synapse,
            decay: None,
        }],
        views: vec![View {
            name: "x".into(),
            ty: Ty::I32,
            seen: Seen::Source(0),
        }],
        modulators: vec![modulator("error"), modulator("draw")],
        deliver: delivered(0),
        every: vec![Every {
            period: p.learn_epoch.into(),
            action: Action {
                synapse: b.0.finish(),
                ..Action::default()
            },
        }],
        ..Synapse::default()
    }
}

/// The weight, shifted.
pub(super) fn delivered(shift: i64) -> synfire_ir::model::Block {
    let mut b = Code::default();
    let w = b.state(0);
    let w = b.shift(w, shift);
    b.0.emit(w);
    b.0.finish()
}
