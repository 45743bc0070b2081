//! Rules of connection: from `conv2d(3, padding = 1) | flatten | dense` to stages.
//!
//! Comes in: the calls of a `connect`, the shapes at both ends, the weight. Goes out: the stages of a projection, whose
//! shapes agree from the source to the target. The last rule with weights of its own carries the unit of the target's port;
//! the rules before it are plain factors.

use super::data::Want;
use super::scope::ScopeId;
use super::spatial::{conv, pool};
use super::value::{Value, View, count};
use super::weights::{Weight, carrier};
use super::{Resolver, near};
use crate::syntax::tree::{Call, Expr, Field};
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::network::{Connector, Init, Stage};
use synfire_ir::units::Dimension;

/// Names of rules with their arguments, how many of these must be given, and which of them is a weight.
pub(super) const RULES: [(&str, &[&str], usize); 17] = [
    ("all_to_all", &["self", "weight"], 0),
    ("one_to_one", &["weight"], 0),
    ("fixed_probability", &["p", "self", "weight"], 1),
    ("fixed_indegree", &["n", "self", "multapses", "weight"], 1),
    ("fixed_outdegree", &["n", "self", "multapses", "weight"], 1),
    ("fixed_total", &["n", "self", "weight"], 1),
    ("dense", &["weight"], 0),
    ("sparse", &["weight"], 0),
    ("list", &["pre", "post", "weight"], 2),
    (
        "conv2d",
        &[
            "kernel", "stride", "padding", "dilation", "groups", "channels", "weight",
        ],
        1,
    ),
    (
        "conv1d",
        &[
            "kernel", "stride", "padding", "dilation", "groups", "channels", "weight",
        ],
        1,
    ),
    ("sum_pool2d", &["kernel", "stride", "padding"], 1),
    ("avg_pool2d", &["kernel", "stride", "padding"], 1),
    ("sum_pool1d", &["kernel", "stride", "padding"], 1),
    ("avg_pool1d", &["kernel", "stride", "padding"], 1),
    ("flatten", &[], 0),
    ("scale", &["weight"], 0),
];

/// What surrounds the rules of one projection.
pub(super) struct Ends<'a, 's> {
    pub scope: ScopeId,
    /// Full name of the projection.
    pub name: &'s str,
    pub source: &'s View,
    pub target: &'s View,
    /// How the ends are called in messages.
    pub source_name: &'s str,
    pub target_name: &'s str,
    /// The target without slice and port.
    pub target_pop: &'s str,
    /// `weight = ...` or `weight ~ ...`.
    pub weight: Option<&'a Field>,
    /// Has it a synapse model, which may say where weights start?
    pub learns: bool,
    /// What weights must be: the port's dimension over the source's.
    pub dimension: Dimension,
    /// Does the port take whole numbers only?
    pub whole: bool,
    pub span: Span,
}

/// A rule with its arguments sorted.
pub(super) struct Rule<'a> {
    pub name: &'static str,
    pub formals: &'static [&'static str],
    pub args: Vec<Option<&'a Expr>>,
    pub span: Span,
}

impl<'a> Rule<'a> {
    /// The argument of that name.
    pub fn arg(&self, name: &str) -> Option<&'a Expr> {
        let i = self.formals.iter().position(|f| *f == name)?;
        self.args.get(i).copied().flatten()
    }

    /// Has it weights of its own?
    pub fn weighted(&self) -> bool {
        self.formals.contains(&"weight")
    }
}

impl<'a> Resolver<'a> {
    /// The stages of a projection.
    pub(super) fn stages(&mut self, calls: &'a [Call], ends: &Ends<'a, '_>) -> Option<Vec<Stage>> {
        let rules: Vec<Option<Rule<'a>>> = calls.iter().map(|c| self.rule(c, ends.scope)).collect();
        let rules: Vec<Rule<'a>> = rules.into_iter().collect::<Option<_>>()?;
        let weights = self.weights(&rules, ends)?;
        let mut shape = ends.source.shape.clone();
        let mut stages = vec![];
        let carrier = carrier(&rules);
        for (i, rule) in rules.iter().enumerate() {
            let later = &rules[i + 1..];
            let dimension = if Some(i) == carrier {
                ends.dimension
            } else {
                Dimension::NONE
            };
            let (stage, after) = self.stage(rule, &weights[i], dimension, &shape, later, ends)?;
            stages.extend(stage);
            shape = after;
        }
        self.arrives(&shape, &rules, ends)?;
        if stages.is_empty() {
            stages.push(Stage {
                connector: Connector::OneToOne,
                weight: Init::Const(1.0),
            });
        }
        Some(stages)
    }

    fn rule(&mut self, c: &'a Call, _scope: ScopeId) -> Option<Rule<'a>> {
        let dotted = c.path.dotted();
        let name = dotted.strip_prefix("std.connect.").unwrap_or(&dotted);
        let Some(&(name, formals, required)) = RULES.iter().find(|r| r.0 == name) else {
            let d = Diagnostic::error(
                "SYN0115",
                format!("there is no rule of connection `{name}`"),
            )
            .label(c.path.span, "unknown");
            let d = match near(name, RULES.iter().map(|r| r.0)) {
                Some(n) => d.hint(format!("did you mean `{n}`?")),
                None => d.hint(format!("the rules are: {}", RULES.map(|r| r.0).join(", "))),
            };
            self.report(d);
            return None;
        };
        let args = self.bind(&format!("`{name}`"), &c.args, formals, required, c.span)?;
        Some(Rule {
            name,
            formals,
            args,
            span: c.span,
        })
    }

    /// One stage and the shape it gives.
    fn stage(
        &mut self,
        rule: &Rule<'a>,
        weight: &Weight,
        dimension: Dimension,
        shape: &[u32],
        later: &[Rule<'a>],
        ends: &Ends<'a, '_>,
    ) -> Option<(Option<Stage>, Vec<u32>)> {
        let (sources, targets) = (count(shape) as u32, ends.target.range.len);
        let onto_target = ends.target.shape.clone();
        let mut want = self.want(rule, dimension, ends);
        let (connector, after) = match rule.name {
            "flatten" => return Some((None, vec![sources])),
            "one_to_one" if later.is_empty() || !matches!(weight, Weight::One) => {
                want.shapes = vec![vec![sources], shape.to_vec()];
                (Connector::OneToOne, shape.to_vec())
            }
            "one_to_one" => return Some((None, shape.to_vec())),
            "scale" => {
                want.shapes = vec![vec![sources], shape.to_vec()];
                (Connector::Scale, shape.to_vec())
            }
            "conv2d" | "conv1d" => return self.convolution(rule, weight, want, shape, later, ends),
            "sum_pool2d" | "avg_pool2d" | "sum_pool1d" | "avg_pool1d" => {
                let p = pool(self, rule, shape, ends)?;
                let after = if rule.name.ends_with("1d") {
                    vec![p.output()[0], p.output()[2]]
                } else {
                    p.output().to_vec()
                };
                want.no_array =
                    "pooling has one factor for all of its inputs; `scale` has one for each";
                (Connector::Pool2d(p), after)
            }
            "sparse" => {
                self.only(rule, later, ends)?;
                return Some((
                    Some(self.sparse(weight, want, sources, targets, rule.span)?),
                    onto_target,
                ));
            }
            "list" => {
                let (connector, n) = self.pairs(rule, sources, targets, ends)?;
                want.shapes = vec![vec![n]];
                want.axes = "[pairs]";
                (connector, onto_target)
            }
            _ => {
                self.inner_width(rule, later)?;
                want.shapes = matrices(sources, targets);
                want.shapes.push([&onto_target[..], shape].concat());
                want.axes = "[targets, sources]";
                (
                    self.drawn(rule, &mut want, (sources, targets), ends)?,
                    onto_target,
                )
            }
        };
        let weight = self.weight(weight, &want)?;
        // One weight for all makes a dense rule all to all.
        let connector = match (connector, &weight) {
            (Connector::Dense, Init::Const(_) | Init::Draw(_)) => Connector::AllToAll {
                self_connections: true,
            },
            (c, _) => c,
        };
        Some((Some(Stage { connector, weight }), after))
    }

    fn convolution(
        &mut self,
        rule: &Rule<'a>,
        weight: &Weight,
        mut want: Want,
        shape: &[u32],
        later: &[Rule<'a>],
        ends: &Ends<'a, '_>,
    ) -> Option<(Option<Stage>, Vec<u32>)> {
        let flat = rule.name == "conv1d";
        // Behind another rule the number of channels shows in the weights, else in the target.
        let from_weights = match weight {
            Weight::Value {
                value: Value::Data(d),
                ..
            } => {
                let array = self.load_array(d)?;
                (array.shape.len() > 2).then(|| array.shape[0])
            }
            _ => None,
        };
        let c = conv(self, rule, shape, later, from_weights, ends)?;
        let [o, i, kr, kc] = c.weight_shape();
        want.shapes = if flat {
            vec![vec![o, i, kc], vec![o, i, 1, kc]]
        } else {
            vec![vec![o, i, kr, kc]]
        };
        want.axes = if flat {
            "[out channels, in channels / groups, taps]"
        } else {
            "[out channels, in channels / groups, rows, columns]"
        };
        let after = if flat {
            vec![c.output()[0], c.output()[2]]
        } else {
            c.output().to_vec()
        };
        let weight = self.weight(weight, &want)?;
        Some((
            Some(Stage {
                connector: Connector::Conv2d(c),
                weight,
            }),
            after,
        ))
    }

    /// Dense, all to all, and the rules that draw their pairs.
    fn drawn(
        &mut self,
        rule: &Rule<'a>,
        want: &mut Want,
        (sources, targets): (u32, u32),
        ends: &Ends<'a, '_>,
    ) -> Option<Connector> {
        let flag = |r: &mut Self, name: &str| match rule.arg(name) {
            Some(e) => r.truth(e, ends.scope, &format!("`{name}` of `{}`", rule.name)),
            None => Some(true),
        };
        let self_connections = flag(self, "self")?;
        let multapses = flag(self, "multapses")?;
        if rule.name.starts_with("fixed_") && rule.name != "fixed_probability" {
            want.shapes = vec![];
            want.no_array = "its pairs are drawn, so an array has no order to follow";
        }
        let n = self.degree(rule, multapses, (sources, targets), ends)?;
        Some(match rule.name {
            "all_to_all" => Connector::AllToAll { self_connections },
            "fixed_probability" => Connector::FixedProbability {
                p: self.probability(rule, ends)?,
                self_connections,
            },
            "fixed_indegree" => Connector::FixedIndegree {
                n,
                self_connections,
                multapses,
            },
            "fixed_outdegree" => Connector::FixedOutdegree {
                n,
                self_connections,
                multapses,
            },
            "fixed_total" => Connector::FixedTotal {
                n,
                self_connections,
            },
            _ => Connector::Dense,
        })
    }

    /// The argument `n` of a rule that draws its pairs; 0 for the others.
    fn degree(
        &mut self,
        rule: &Rule<'a>,
        multapses: bool,
        (sources, targets): (u32, u32),
        ends: &Ends<'a, '_>,
    ) -> Option<u32> {
        let Some(e) = rule.arg("n") else {
            return Some(0);
        };
        let n = self.whole(e, ends.scope, &format!("`n` of `{}`", rule.name), 0)?;
        let of = match rule.name {
            "fixed_outdegree" => targets,
            _ => sources,
        };
        if rule.name == "fixed_total" || multapses || n <= of {
            return Some(n);
        }
        let message = format!("`{}` draws {n} of {of} units without repetition", rule.name);
        self.report(
            Diagnostic::error("SYN0311", message)
                .label(e.span, format!("more than the {of} there are"))
                .hint(format!(
                    "draw at most {of}, or allow repetition by `multapses = true`"
                ))
                .field("needed", n)
                .field("available", of),
        );
        None
    }

    fn probability(&mut self, rule: &Rule<'a>, ends: &Ends<'a, '_>) -> Option<f64> {
        let e = rule.arg("p")?;
        let p = self.quantity(e, ends.scope, Dimension::NONE, "a probability")?;
        if (0.0..=1.0).contains(&p) {
            return Some(p);
        }
        self.report(
            Diagnostic::error("SYN0114", format!("a probability of {p}"))
                .label(e.span, "not between 0 and 1")
                .hint("probabilities are 0 to 1, or 0 % to 100 %"),
        );
        None
    }

    /// A rule that fills its target's shape can be followed only by rules that keep it.
    fn inner_width(&mut self, rule: &Rule, later: &[Rule<'a>]) -> Option<()> {
        let Some(next) = later
            .iter()
            .find(|r| !matches!(r.name, "flatten" | "scale" | "one_to_one"))
        else {
            return Some(());
        };
        self.report(
            Diagnostic::error(
                "SYN0311",
                format!(
                    "`{}` cannot be followed by `{}` in one chain",
                    rule.name, next.name
                ),
            )
            .label(rule.span, "how wide is its result?")
            .label(next.span, "this rule needs to know")
            .hint("put a population between the two rules"),
        );
        None
    }

    fn only(&mut self, rule: &Rule, later: &[Rule<'a>], ends: &Ends) -> Option<()> {
        if later.is_empty() {
            return Some(());
        }
        self.report(
            Diagnostic::error(
                "SYN0311",
                format!("`{}` cannot stand in a chain", rule.name),
            )
            .label(rule.span, "this rule")
            .label(ends.span, "in this chain")
            .hint("put a population between the rules"),
        );
        None
    }

    /// Does what the rules give fit the target?
    fn arrives(&mut self, shape: &[u32], rules: &[Rule<'a>], ends: &Ends) -> Option<()> {
        let spatial = rules
            .iter()
            .any(|r| r.name.starts_with("conv") || r.name.contains("pool"));
        let same = if spatial && shape.len() == ends.target.shape.len() {
            shape == ends.target.shape
        } else {
            count(shape) == count(&ends.target.shape)
        };
        if same {
            return Some(());
        }
        let last = rules.last()?;
        self.report(
            Diagnostic::error(
                "SYN0311",
                format!(
                    "`{}` gives shape {shape:?} from `{}` {:?}, but `{}` has {:?}",
                    last.name,
                    ends.source_name,
                    ends.source.shape,
                    ends.target_name,
                    ends.target.shape
                ),
            )
            .label(last.span, format!("gives {shape:?}"))
            .label(
                ends.span,
                format!("from {:?} to {:?}", ends.source.shape, ends.target.shape),
            )
            .hint(if spatial {
                format!(
                    "declare `{}` with shape {shape:?}, or change kernel, stride or padding",
                    ends.target_pop
                )
            } else {
                "give both ends the same number of units, or take slices".to_string()
            })
            .field("given", format!("{shape:?}"))
            .field("needed", format!("{:?}", ends.target.shape)),
        );
        None
    }
}

/// Shapes of an array with one value for each pair; a side of one unit needs no axis.
pub(super) fn matrices(sources: u32, targets: u32) -> Vec<Vec<u32>> {
    let mut shapes = vec![vec![targets, sources]];
    if sources == 1 {
        shapes.push(vec![targets]);
    }
    if targets == 1 {
        shapes.push(vec![sources]);
    }
    shapes
}
