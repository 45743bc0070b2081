//! Delays: from times to whole steps.
//!
//! Comes in: a `delay` field. Goes out: an [`Init`] in steps. Constants and arrays are rounded here, ties to even, and what
//! was rounded is reported with how much; distributions stay distributions over steps, and each draw is rounded.

use super::Resolver;
use super::data::{Numbers, Want};
use super::eval::wrong_dimension;
use super::quantity::show;
use super::rules::{Ends, matrices};
use super::value::scaled;
use crate::syntax::tree::Field;
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::network::{Array, ArrayData, Connector, Init, Stage};
use synfire_ir::program::MAX_DELAY;
use synfire_ir::units::Dimension;

impl<'a> Resolver<'a> {
    /// The delay of a connection in steps.
    pub(super) fn delay(
        &mut self,
        f: &'a Field,
        ends: &Ends<'a, '_>,
        stages: &[Stage],
    ) -> Option<Init> {
        let value = self.eval(&f.value, ends.scope)?;
        let at = f.value.span;
        let (dimension, dt) = self.clock();
        if let Some(number) = value.number() {
            self.is_a_delay(number, at)?;
        }
        let (shapes, no_array) = array_shapes(ends, stages, &self.arrays);
        let stored = self.arrays.len();
        let want = Want {
            what: format!("the delay of `{}`", ends.name),
            dimension,
            whole: false,
            range: None,
            shapes,
            axes: "as the weights",
            no_array,
            name: format!("{}.delay", ends.name),
        };
        match self.init_of(&value, f.draw, at, &want)? {
            Init::Const(x) => self.constant(x, dt, &want.what, at),
            Init::Draw(d) => match scaled(d, 1.0 / dt) {
                Some(d) => Some(Init::Draw(d)),
                None => {
                    self.report(
                        Diagnostic::error("SYN0104", "delays cannot be drawn from this distribution")
                            .label(at, "this distribution")
                            .hint("use uniform, normal, normal_clipped, lognormal, exponential or gamma, with times"),
                    );
                    None
                }
            },
            Init::Array(id) => {
                let array = self.arrays.get(id as usize)?.clone();
                if self.arrays.len() > stored {
                    // Only the steps made of it stay in the network.
                    self.arrays.pop();
                    self.array_ids.remove(&array.name);
                }
                self.array(&array, dt, &want.what, at)
            }
        }
    }

    /// What a delay is measured in, and how much of it a step is: without a step's duration, delays are counted in steps.
    fn clock(&self) -> (Dimension, f64) {
        match self.dt {
            Some(dt) => (Dimension::TIME, dt),
            None => (Dimension::NONE, 1.0),
        }
    }

    /// Reports a number that is not measured as delays are.
    fn is_a_delay(&mut self, (x, d): (f64, Dimension), at: Span) -> Option<()> {
        let (dimension, dt) = self.clock();
        if d == dimension {
            return Some(());
        }
        self.report(match dimension.is_none() {
            true => wrong_dimension("a delay in a network without `step`", dimension, d, at),
            false => wrong_dimension("a delay", dimension, d, at).hint(format!(
                "for {x} steps write `{}`",
                show(x * dt, Dimension::TIME)
            )),
        });
        None
    }

    /// The part of a delay that lies after the synapse, in steps: one for all synapses of a connection that learns.
    pub(super) fn dendritic(
        &mut self,
        f: &'a Field,
        learns: bool,
        ends: &Ends<'a, '_>,
    ) -> Option<u16> {
        let at = f.value.span;
        let value = self.eval(&f.value, ends.scope)?;
        let Some(number) = value.number().filter(|_| !f.draw) else {
            self.report(
                Diagnostic::error("SYN0104", "a dendritic delay is one time for all synapses")
                    .label(at, value.describe())
                    .hint("write a time of at most the shortest delay, such as `dendritic = 1 ms`"),
            );
            return None;
        };
        self.is_a_delay(number, at)?;
        if !learns {
            self.report(
                Diagnostic::error("SYN0433", "`dendritic` without a `synapse` changes nothing")
                    .label(at, "of a connect that does not learn")
                    .note("only what a synapse learns depends on where its delay lies")
                    .hint("leave it out"),
            );
            return None;
        }
        let what = format!("the dendritic delay of `{}`", ends.name);
        match self.constant(number.0, self.clock().1, &what, at)? {
            Init::Const(steps) => Some(steps as u16),
            _ => None,
        }
    }

    fn constant(&mut self, x: f64, dt: f64, what: &str, at: Span) -> Option<Init> {
        let steps = self.steps(x, dt, what, at)?;
        let rounded = steps.round_ties_even();
        if steps != rounded {
            let d = self.rounded(what, at, 1, (steps - rounded).abs() * dt);
            self.warn(d.note(format!(
                "{} are {} steps, taken as {rounded}",
                self.delay_text(x),
                super::quantity::short(steps)
            )));
        }
        Some(Init::Const(rounded))
    }

    fn array(&mut self, a: &Array, dt: f64, what: &str, at: Span) -> Option<Init> {
        let mut out = Vec::with_capacity(a.count());
        let (mut count, mut most) = (0usize, 0.0f64);
        for i in 0..a.count() {
            let steps = self.steps(a.get(i), dt, what, at)?;
            let rounded = steps.round_ties_even();
            if steps != rounded {
                count += 1;
                most = most.max((steps - rounded).abs() * dt);
            }
            out.push(rounded as i32);
        }
        if count > 0 {
            let d = self.rounded(what, at, count, most);
            self.warn(d);
        }
        let numbers = Numbers {
            shape: a.shape.clone(),
            data: ArrayData::I32(out.into()),
            name: format!("{} in steps", a.name),
        };
        self.store(numbers).map(Init::Array)
    }

    /// A delay in steps, not yet rounded; what lies within a millionth of a half step counts as that.
    fn steps(&mut self, x: f64, dt: f64, what: &str, at: Span) -> Option<f64> {
        let steps = x / dt;
        let half = (steps * 2.0).round() / 2.0;
        let steps = if (steps - half).abs() <= 1e-9 * steps.abs().max(1.0) {
            half
        } else {
            steps
        };
        if (0.0..=MAX_DELAY as f64 + 0.5).contains(&steps) {
            return Some(steps);
        }
        let step = if self.dt.is_some() {
            format!(" of {}", show(dt, Dimension::TIME))
        } else {
            String::new()
        };
        self.report(
            Diagnostic::error(
                "SYN0204",
                format!(
                    "{what} is {}, {} steps{step}",
                    self.delay_text(x),
                    super::quantity::short(steps)
                ),
            )
            .label(at, format!("delays are 0 to {MAX_DELAY} steps"))
            .hint(if steps < 0.0 {
                "a delay is not negative"
            } else {
                "give a shorter delay, or the network a longer `step`"
            })
            .field("limit", MAX_DELAY),
        );
        None
    }

    fn delay_text(&self, x: f64) -> String {
        match self.dt {
            Some(_) => show(x, Dimension::TIME),
            None => format!("{x} steps"),
        }
    }

    fn rounded(&self, what: &str, at: Span, count: usize, most: f64) -> Diagnostic {
        let by = match self.dt {
            Some(_) => show(most, Dimension::TIME),
            None => format!("{} steps", super::quantity::short(most)),
        };
        let many = match count {
            1 => format!("{what} is"),
            n => format!("{n} values of {what} are"),
        };
        Diagnostic::warning(
            "SYN0203",
            format!("{many} rounded to whole steps, by up to {by}"),
        )
        .label(at, "not a whole number of steps")
        .hint("choose a `step` that divides it")
        .field("rounded", count)
        .field("by", most)
    }
}

/// Shapes that an array of delays may have: those of the weights of a single rule.
fn array_shapes(ends: &Ends, stages: &[Stage], arrays: &[Array]) -> (Vec<Vec<u32>>, &'static str) {
    let (s, t) = (ends.source.range.len, ends.target.range.len);
    let [one] = stages else {
        return (vec![], "a chain of rules has one delay");
    };
    match &one.connector {
        Connector::AllToAll { .. } | Connector::Dense | Connector::FixedProbability { .. } => {
            (matrices(s, t), "")
        }
        Connector::OneToOne | Connector::Scale => (vec![vec![t], ends.target.shape.clone()], ""),
        Connector::Conv2d(c) => (vec![c.weight_shape().to_vec()], ""),
        Connector::List { pre, .. } => {
            let pairs = arrays.get(*pre as usize).map_or(0, |a| a.count() as u32);
            (vec![vec![pairs]], "")
        }
        _ => (
            vec![],
            "its pairs are drawn, so an array has no order to follow",
        ),
    }
}
