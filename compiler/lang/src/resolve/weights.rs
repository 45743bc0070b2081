//! Weights of rules: which rule takes which weight, and what it must be.
//!
//! Comes in: the rules of one `connect` and its `weight` field. Goes out: a [`Weight`] for each rule, evaluated but not yet
//! fitted to a shape. The last rule with weights carries the unit of the target's port; the others are plain factors.

use super::Resolver;
use super::data::Want;
use super::rules::{Ends, Rule};
use super::value::Value;
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::network::Init;
use synfire_ir::units::Dimension;

/// The weight of one rule, before its shape is known.
#[derive(Clone)]
pub(super) enum Weight {
    Value {
        value: Value,
        draw: bool,
        at: Span,
    },
    /// None was given: 1.
    One,
}

impl<'a> Resolver<'a> {
    /// The weight of each rule: its own argument, or the field for the last rule that has none.
    pub(super) fn weights(
        &mut self,
        rules: &[Rule<'a>],
        ends: &Ends<'a, '_>,
    ) -> Option<Vec<Weight>> {
        let mut out = vec![];
        let mut ok = true;
        for r in rules {
            out.push(match r.arg("weight") {
                None => Weight::One,
                Some(e) => match self.eval(e, ends.scope) {
                    Some(value) => {
                        let draw = matches!(value, Value::Draw(..));
                        Weight::Value {
                            value,
                            draw,
                            at: e.span,
                        }
                    }
                    None => {
                        ok = false;
                        Weight::One
                    }
                },
            });
        }
        let free = |r: &Rule| r.weighted() && r.arg("weight").is_none();
        let slot = rules
            .iter()
            .rposition(|r| free(r) && r.name != "one_to_one")
            .or_else(|| rules.iter().rposition(free))
            .or_else(|| carrier(rules));
        if let Some(f) = ends.weight {
            let given = slot
                .and_then(|s| rules.get(s))
                .and_then(|r| r.arg("weight"));
            match (slot, given) {
                (Some(s), None) => match self.eval(&f.value, ends.scope) {
                    Some(value) => {
                        out[s] = Weight::Value {
                            value,
                            draw: f.draw,
                            at: f.value.span,
                        }
                    }
                    None => ok = false,
                },
                (Some(_), Some(first)) => {
                    self.report(super::files::duplicate("weight", f.name.span, first.span));
                    ok = false;
                }
                (None, _) => {
                    self.report(
                        Diagnostic::error("SYN0110", "`flatten` takes no weight")
                            .label(f.span, "a weight")
                            .label(ends.span, "for this rule")
                            .hint("write `one_to_one`, or end the chain with `scale`"),
                    );
                    ok = false;
                }
            }
        }
        if ok {
            ok = self.weights_given(rules, &out, ends);
        }
        ok.then_some(out)
    }

    /// Rules that mean nothing without weights have them, and so has what feeds a port with a unit.
    fn weights_given(
        &mut self,
        rules: &[Rule<'a>],
        weights: &[Weight],
        ends: &Ends<'a, '_>,
    ) -> bool {
        let mut ok = true;
        for (i, r) in rules.iter().enumerate() {
            if !matches!(weights[i], Weight::One) || ends.learns {
                continue;
            }
            let needs = matches!(r.name, "dense" | "sparse" | "conv2d" | "conv1d" | "scale");
            let unit = carrier(rules) == Some(i) && !ends.dimension.is_none();
            if needs || unit {
                let d = Diagnostic::error(
                    "SYN0204",
                    format!(
                        "`{}` from `{}` to `{}` needs a weight",
                        r.name, ends.source_name, ends.target_name
                    ),
                )
                .label(r.span, "without weight");
                let d = if unit {
                    d.note(format!(
                        "`{}` takes {}",
                        ends.target_name,
                        super::ops::article(ends.dimension)
                    ))
                } else {
                    d
                };
                self.report(d.hint(if rules.len() > 1 {
                    format!("give `{{ weight = ... }}`, or `{}(..., weight = ...)` for one rule of several", r.name)
                } else {
                    "give `{ weight = ... }`".to_string()
                }));
                ok = false;
            }
        }
        ok
    }

    /// The weight as an [`Init`]; none given is 1, which a port with a unit does not take.
    pub(super) fn weight(&mut self, w: &Weight, want: &Want) -> Option<Init> {
        match w {
            Weight::Value { value, draw, at } => self.init_of(value, *draw, *at, want),
            Weight::One => Some(Init::Const(1.0)),
        }
    }

    pub(super) fn want(&self, rule: &Rule, dimension: Dimension, ends: &Ends) -> Want {
        Want {
            what: format!("the weight of `{}` in `{}`", rule.name, ends.name),
            dimension,
            whole: ends.whole,
            range: None,
            shapes: vec![],
            axes: "",
            no_array: "",
            name: format!("{}.weight", ends.name),
        }
    }
}

/// The rule whose weights have the port's unit: the last one with weights, else the last pooling; `flatten` has none.
pub(super) fn carrier(rules: &[Rule]) -> Option<usize> {
    let strong = rules
        .iter()
        .rposition(|r| r.weighted() && r.name != "one_to_one");
    strong
        .or_else(|| rules.iter().rposition(Rule::weighted))
        .or_else(|| rules.iter().rposition(|r| r.name.contains("pool")))
}
