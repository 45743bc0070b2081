//! Rules of the form [`LearningForm::Errors`]: at intervals a rate times a trace of the source times an error from outside.
//!
//! In: a synapse model with the values of its parameters, and what is led to its modulator. Out: a [`Driven`] in the network's units, or every reason why there is none; with the scale of the weights it
//! becomes registers. Blocks are read as sums of products (`products`), so that no way of writing them is preferred. Deliberately absent: errors that neurons of the chip compute, for the chip takes them from its host.

use super::products::{GIVEN, Raised, Reader};
use super::rounding::Rounded;
use crate::plastic::Settled;
use synfire_ir::mapping::{Errors, Gate, Trace};
use synfire_ir::model::{BinOp, Block, Op, Ty};
use synfire_ir::network::{Modulation, Network, Plasticity, PopKind, Projection};
use synfire_ir::program::Carry;
use synfire_targets::schema::LearningForm;

/// A rule in the network's units: in every `period` steps the weight grows by `rate * error * trace` and is cut to `-high..=high`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Driven {
    period: u32,
    rate: f64,
    trace: Raised,
    /// The trace's name.
    name: String,
    /// Largest magnitude of the error, where the rule cuts it.
    range: Option<f64>,
    /// Largest magnitude of a weight.
    pub high: f64,
    /// Are errors of a `signal`, which are real and hold?
    held: bool,
}

/// The rule of a model.
pub(super) fn driven(
    net: &Network,
    wires: &Projection,
    s: &Settled,
    form: &LearningForm,
) -> Result<Driven, Vec<String>> {
    let LearningForm::Errors { period, .. } = form else {
        return Err(vec![]);
    };
    let mut reader = Reader::new(s, true);
    reader.surroundings();
    reader.no_tags();
    if s.model
        .states
        .first()
        .is_some_and(|w| w.width.ty() != Ty::F32)
    {
        reader.why.push(
            "its weights are whole numbers of the network; the chip's have a unit of their own: lead it onto neurons that are not the chip's own model".into(),
        );
    }
    let held = match source(net, wires, s) {
        Ok(held) => held,
        Err(e) => {
            reader.why.push(e);
            false
        }
    };
    let traces = reader.traces([1, 0]);
    let m = &s.model;
    reader.changes(Gate::Source, "at an arrival", &m.pre.synapse);
    reader.changes(Gate::Target, "at a spike of the target", &m.post.synapse);
    if !reader.terms.is_empty() {
        reader.why.push(
            "its weights change at spikes; the chip's error moves them at intervals alone".into(),
        );
    }
    let before = reader.terms.len();
    let mut range = None;
    for e in m
        .every
        .iter()
        .filter(|e| !e.action.synapse.stores.is_empty())
    {
        let block = &e.action.synapse;
        if e.period != period.value {
            reader.why.push(format!(
                "its weights change in every {} steps; the chip's in every {}",
                e.period, period.value
            ));
        }
        match cut(&reader, block) {
            Ok(r) => range = r,
            Err(e) => reader.why.push(e),
        }
        reader.changes(
            Gate::Interval,
            &format!("in every {} steps", e.period),
            block,
        );
    }
    let found = rate(&reader, before);
    let high = high(&reader);
    let mut why = reader.why;
    let (rate, state) = found.unwrap_or_else(|e| {
        why.push(e);
        (0.0, 0)
    });
    let high = high.unwrap_or_else(|e| {
        why.push(e);
        0.0
    });
    why.dedup();
    match traces.get(&state) {
        Some(&trace) if why.is_empty() => Ok(Driven {
            period: period.value,
            rate,
            trace,
            name: m.states[usize::from(state)].name.clone(),
            range,
            high,
            held,
        }),
        _ => Err(why),
    }
}

/// Where its error comes from; is it a signal?
fn source(net: &Network, wires: &Projection, s: &Settled) -> Result<bool, String> {
    let [input] = &s.model.modulators[..] else {
        return Err(match s.model.modulators.len() {
            0 => "it takes no error: the chip's rule has one `input`".into(),
            n => format!("it takes {n} values from outside; the chip's rule one error"),
        });
    };
    let a = &input.action;
    if [&a.synapse, &a.source, &a.target]
        .iter()
        .any(|b| !b.stores.is_empty())
    {
        return Err(format!(
            "it does something `on {}`; the chip reads the error at intervals alone",
            input.name
        ));
    }
    let given: &[Modulation] = wires
        .plasticity
        .as_ref()
        .map_or(&[], |x: &Plasticity| &x.modulators);
    let [from] = given else {
        return Err(match given.len() {
            0 => format!("nothing is led to its `{}`", input.name),
            n => format!(
                "{n} sources are led to its `{}`; a core takes one error for each neuron",
                input.name
            ),
        });
    };
    let p = &net.graph[from.pop];
    match (&p.kind, from.carry) {
        (PopKind::Events { graded }, Carry::Events) if from.each || from.range.len == 1 => {
            Ok(*graded)
        }
        (PopKind::Events { .. }, Carry::Events) => Err(format!(
            "all of `{}` is led to all of its neurons; a core takes one error for each",
            p.name
        )),
        _ => Err(format!(
            "its error comes from `{}` of the network; the chip takes errors from its host, so they come from a `source`",
            p.name
        )),
    }
}

/// The one product that is added to the weight: its factor and its trace.
fn rate(reader: &Reader, from: usize) -> Result<(f64, u16), String> {
    match reader.terms.get(from..).unwrap_or(&[]) {
        [(_, c, product)] => match product[..] {
            [state, GIVEN] => Ok((*c, state)),
            _ => Err("the chip adds a rate times the error times a trace of the source, no other product".into()),
        },
        [] => Err("its weights do not change at intervals".into()),
        more => Err(format!(
            "it adds {} products to a weight; the chip adds one, of a rate, the error and a trace",
            more.len()
        )),
    }
}

/// The end of the weight's range on both sides of 0.
fn high(reader: &Reader) -> Result<f64, String> {
    let [b] = &reader.blocks[..] else {
        return Err("its weights change in several blocks, or in none; the chip has one change at intervals".into());
    };
    match (b.low, b.high) {
        (Some(low), Some(high)) if low == -high && high > 0.0 => Ok(high),
        (Some(low), Some(high)) => Err(format!(
            "its weights end at {low} and {high}; the chip's at one magnitude on both sides of 0"
        )),
        _ => Err("its weights have no ends, from which their unit on the chip follows: `clip(..., -w_max, w_max)`".into()),
    }
}

/// The range that a block cuts the error to, symmetric around 0.
fn cut(reader: &Reader, block: &Block) -> Result<Option<f64>, String> {
    let sums = reader.sums(block);
    let cut_of = |v: u32| match sums.get(v as usize) {
        Some(Ok(c)) if c.given() => Some((c.low, c.high)),
        _ => None,
    };
    let constant = |v: u32| matches!(sums.get(v as usize), Some(Ok(c)) if c.constant().is_some());
    let mut seen: Vec<(Option<f64>, Option<f64>)> = vec![];
    for inst in &block.insts {
        if let Op::Bin(op, a, b) = inst.op {
            let cuts = matches!(op, BinOp::Min | BinOp::Max) && (constant(a) || constant(b));
            if !cuts {
                seen.extend([a, b].into_iter().filter_map(cut_of));
            }
        }
    }
    seen.dedup();
    match seen[..] {
        [] | [(None, None)] => Ok(None),
        [(Some(low), Some(high))] if low == -high && high > 0.0 => Ok(Some(high)),
        _ => Err("it cuts the error to a range that does not lie evenly around 0, or to several; the chip's does".into()),
    }
}

impl Driven {
    /// The rule in the chip's registers, with what was rounded. `unit`: one of the weight's integers in the network's units.
    ///
    /// The rate is the least with which the trace of a source that spikes whenever the trace counts stays in its register; what a spike adds then makes up for its
    /// rounding, as nengo-loihi does with its one rate.
    ///
    /// Errors: what the registers cannot hold.
    pub fn registers(
        &self,
        form: &LearningForm,
        unit: f64,
    ) -> Result<(Errors, Vec<Rounded>), Vec<String>> {
        let LearningForm::Errors {
            trace_period,
            trace,
            part,
            error,
            error_scale,
            mantissa,
            exponent,
            shift,
            ..
        } = form
        else {
            return Err(vec![]);
        };
        let size = match (self.range, self.held) {
            (Some(range), _) => f64::from(error.value) / range,
            (None, true) => error_scale.value,
            (None, false) => 1.0,
        };
        let top = f64::from(trace.value);
        let left = self.trace.left.powi(trace_period.value as i32);
        // What the rate times the step of the trace has to be.
        let product =
            self.rate.abs() * f64::from(shift.value).exp2() / (unit * size) * self.trace.adds;
        let (low, high) = (exponent.value[0], exponent.value[1]);
        let [m0, m1] = mantissa.value;
        let all = (low..=high).flat_map(|e| (m0.max(1)..=m1).map(move |m| (m, e)));
        let value = |(m, e): (i32, i32)| f64::from(m) * f64::from(e).exp2();
        let fits = all.filter(|&r| product / value(r) <= top * (1.0 - left));
        let Some(rate) = fits.min_by(|a, b| value(*a).total_cmp(&value(*b))) else {
            return Err(vec![format!(
                "an error of 1 at a spike moves a weight by {:.3e}, which is more than its registers hold",
                self.rate.abs() * self.trace.adds
            )]);
        };
        let parts = (product / value(rate) * f64::from(part.value)).round_ties_even();
        if parts < 1.0 {
            return Err(vec![format!(
                "an error of 1 at a spike moves a weight by {:.3e}, which is less than its registers hold: it rounds to nothing",
                self.rate.abs() * self.trace.adds
            )]);
        }
        let tau = -1.0 / self.trace.left.ln();
        let steps = tau.round_ties_even().clamp(1.0, 65_535.0);
        let got = parts / f64::from(part.value) * value(rate)
            / self.trace.adds
            / f64::from(shift.value).exp2()
            * unit
            * size;
        let told = vec![
            Rounded {
                what: format!("steps in which `{}` falls to 1/e", self.name),
                wanted: tau,
                got: steps,
            },
            Rounded {
                what: "the rate".into(),
                wanted: self.rate.abs(),
                got,
            },
        ];
        let (impulse, rest) = (
            (parts / f64::from(part.value)).floor(),
            parts % f64::from(part.value),
        );
        let registers = Errors {
            period: self.period,
            trace_period: trace_period.value,
            trace: Trace {
                tau: steps as u32,
                impulse: impulse as u32,
                part: rest as u32,
            },
            mantissa: rate.0,
            exponent: rate.1,
            scale: size.copysign(self.rate),
            most: error.value,
            held: self.held,
        };
        Ok((registers, told))
    }

    /// Steps from one change to the next.
    pub fn period(&self) -> u32 {
        self.period
    }

    /// The rule as a reader knows it.
    pub fn summary(&self) -> String {
        format!(
            "{:e} * error * `{}` in every {} steps",
            self.rate, self.name, self.period
        )
    }
}
