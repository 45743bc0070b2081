//! `connect`: from a statement to links between populations and ports of parts.
//!
//! Comes in: a statement with its scope. Goes out: one [`Link`] for each pair of its sources and targets, checked: what the
//! source gives, which port takes it, rules, weight, delay. Ports of parts remain, and [`super::ports`] removes them.

use super::data::Want;
use super::declare::Later;
use super::refs::Target;
use super::rules::Ends;
use super::scope::ScopeId;
use super::value::{Node, Value, View};
use super::{Resolver, listed, near};
use crate::syntax::tree::{Connect, Direction, Field, Ref};
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::model::Ty;
use synfire_ir::network::{Init, Stage};
use synfire_ir::program::{Carry, Range};
use synfire_ir::units::Dimension;

/// What a link begins or ends at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Pop(usize),
    Port(usize),
}

/// A connection whose ends may still be ports of parts.
#[derive(Clone)]
pub(super) struct Link {
    pub name: String,
    pub span: Span,
    pub source: End,
    pub target: End,
    pub source_range: Range,
    pub target_range: Range,
    /// Port of the target's model, when the target is a population.
    pub port: u16,
    pub carry: Carry,
    pub stages: Vec<Stage>,
    /// In steps.
    pub delay: Init,
    pub bias: Option<Init>,
    pub trainable: bool,
    /// How it learns.
    pub rule: Option<super::synapses::Learning>,
    /// Number of the connect.
    pub connect: usize,
}

/// One end of a link, understood.
pub(super) struct Side {
    pub end: End,
    pub view: View,
    /// As named in messages and in the names of links: `exc[0..10].kick`.
    pub name: String,
    pub dimension: Dimension,
    port: u16,
    pub carry: Carry,
    /// Whole numbers only.
    whole: bool,
}

const FIELDS: [&str; 6] = [
    "weight",
    "delay",
    "bias",
    "trainable",
    "synapse",
    "dendritic",
];
/// What else a connect with a `synapse` has: another word for `weight`.
const PLASTIC: &str = "w";

impl<'a> Resolver<'a> {
    /// All links, in the order of the text.
    pub(super) fn links(&mut self) -> Vec<Link> {
        let stmts: Vec<Later<'a, Connect>> = std::mem::take(&mut self.connects);
        self.connect_names = stmts
            .iter()
            .map(|s| s.name.clone().unwrap_or_default())
            .collect();
        let mut stmts: Vec<(usize, Later<'a, Connect>)> = stmts.into_iter().enumerate().collect();
        stmts.sort_by(|a, b| a.1.order.cmp(&b.1.order));
        let mut links = vec![];
        for (k, s) in &stmts {
            if self.connect(*k, s, &mut links).is_none() && self.tried > super::MAX_ITEMS {
                break;
            }
        }
        links
    }

    fn connect(
        &mut self,
        number: usize,
        s: &Later<'a, Connect>,
        out: &mut Vec<Link>,
    ) -> Option<()> {
        let fields = self.connect_fields(s.stmt)?;
        let sources = self.expand_refs(&s.stmt.sources, s.scope);
        let targets = self.expand_refs(&s.stmt.targets, s.scope);
        let (sources, targets) = (sources?, targets?);
        let several = sources.len() * targets.len() > 1;
        let mut k = 0;
        for source in &sources {
            for target in &targets {
                self.tried += 1;
                self.room(self.tried - 1, "projections", s.stmt.span)?;
                let name = s.name.as_ref().map(|n| {
                    if several {
                        format!("{n}.{k}")
                    } else {
                        n.clone()
                    }
                });
                k += 1;
                let link = self.link((number, s), source, target, name, &fields);
                out.extend(link);
            }
        }
        Some(())
    }

    /// The fields of a statement by name.
    fn connect_fields(&mut self, c: &'a Connect) -> Option<Vec<&'a Field>> {
        let mut fields: Vec<&'a Field> = vec![];
        let entries = c.fields.as_ref().map_or(&[][..], |f| &f.entries);
        let plastic = entries.iter().any(|f| f.name.as_str() == "synapse");
        let known = |name: &str| FIELDS.contains(&name) || plastic && name == PLASTIC;
        let mut ok = true;
        for f in entries {
            let name = f.name.as_str();
            if let Some(first) = fields.iter().find(|g| g.name.text == f.name.text) {
                let first = first.name.span;
                self.report(super::files::duplicate(name, f.name.span, first));
                ok = false;
            } else if !known(name) {
                let d = Diagnostic::error("SYN0110", format!("a `connect` has no field `{name}`"))
                    .label(f.name.span, "unknown field");
                let d = match near(name, FIELDS) {
                    _ if name == PLASTIC => {
                        d.hint("write `weight`; `w` is the weight of a connect with a `synapse`")
                    }
                    Some(n) => d.hint(format!("did you mean `{n}`?")),
                    None => d.hint(format!("its fields are: {}", FIELDS.join(", "))),
                };
                self.report(d);
                ok = false;
            } else {
                fields.push(f);
            }
        }
        ok.then_some(fields)
    }

    /// The ends that a list of references names; a list of populations counts as its elements.
    pub(super) fn expand_refs(&mut self, refs: &'a [Ref], scope: ScopeId) -> Option<Vec<Target>> {
        let mut out = vec![];
        let mut ok = true;
        for r in refs {
            match self.resolve_ref(r, scope) {
                Some(Target {
                    value: Value::List(l),
                    span,
                    ..
                }) => out.extend(l.items.iter().map(|v| Target {
                    value: v.clone(),
                    member: None,
                    via: None,
                    span,
                })),
                Some(t) => out.push(t),
                None => ok = false,
            }
        }
        ok.then_some(out)
    }

    fn link(
        &mut self,
        (connect, s): (usize, &Later<'a, Connect>),
        source: &Target,
        target: &Target,
        name: Option<String>,
        fields: &[&'a Field],
    ) -> Option<Link> {
        let (a, b) = (
            self.source_side(source, s.scope),
            self.target_side(target, s.scope),
        );
        let (a, b) = (a?, b?);
        let name = name.unwrap_or_else(|| format!("{}->{}", a.name, b.name));
        let dimension = a.dimension.power(-1).and_then(|d| b.dimension.times(d))?;
        let field = |n: &str| fields.iter().find(|f| f.name.as_str() == n).copied();
        let weight = field("weight").or(field(PLASTIC));
        if let (Some(a), Some(b)) = (field("weight"), field(PLASTIC)) {
            self.report(super::files::duplicate("weight", b.name.span, a.name.span));
        }
        let rule = match field("synapse") {
            Some(f) => self
                .learning_rule(f, weight, s.scope, s.stmt.span)
                .map(Some),
            None => Some(None),
        };
        let target_pop = self.full_name_of(b.end);
        let ends = Ends {
            scope: s.scope,
            name: &name,
            source: &a.view,
            target: &b.view,
            source_name: &a.name,
            target_name: &b.name,
            target_pop: &target_pop,
            weight,
            learns: field("synapse").is_some(),
            dimension,
            whole: b.whole,
            span: s.stmt.span,
        };
        let stages = self.stages(&s.stmt.rule, &ends);
        let delay = match field("delay") {
            Some(f) => self.delay(f, &ends, stages.as_deref().unwrap_or(&[])),
            None => Some(Init::Const(0.0)),
        };
        let dendritic = match field("dendritic") {
            Some(f) => self.dendritic(f, field("synapse").is_some(), &ends),
            None => Some(0),
        };
        let bias = match field("bias") {
            Some(f) => self.bias(f, &b, &name, s.scope).map(Some),
            None => Some(None),
        };
        let trainable = match field("trainable") {
            Some(f) => self.truth(&f.value, s.scope, "`trainable`"),
            None => Some(false),
        };
        let mut rule = rule?;
        if let Some(rule) = &mut rule {
            rule.dendritic = dendritic?;
        }
        Some(Link {
            span: s.stmt.span,
            source: a.end,
            target: b.end,
            source_range: a.view.range,
            target_range: b.view.range,
            port: b.port,
            carry: a.carry,
            stages: stages?,
            delay: delay?,
            bias: bias?,
            trainable: trainable?,
            rule,
            connect,
            name,
        })
    }

    fn bias(&mut self, f: &'a Field, b: &Side, name: &str, scope: ScopeId) -> Option<Init> {
        let want = Want {
            what: format!("the bias of `{name}`"),
            dimension: b.dimension,
            whole: b.whole,
            range: None,
            shapes: vec![vec![b.view.range.len], b.view.shape.clone()],
            axes: "[targets]",
            no_array: "",
            name: format!("{name}.bias"),
        };
        self.init(f, scope, &want)
    }

    /// What a reference gives as the source of a connection.
    pub(super) fn source_side(&mut self, t: &Target, scope: ScopeId) -> Option<Side> {
        if let Some(p) = t.via {
            self.port_side(p, Direction::In, t.span, scope)?;
        }
        let (node, view, name) = self.node_side(t)?;
        let i = match node {
            Node::Pop(i, _) => i,
            Node::Port(p, _) => {
                self.port_side(p, Direction::In, t.span, scope)?;
                return self.side_of_port(p, view, name);
            }
            _ => return None,
        };
        let (carry, dimension) = match &t.member {
            Some(m) if m.as_str() != "spikes" => self.output_of(i, m.as_str(), m.span)?,
            _ => (Carry::Events, Dimension::NONE),
        };
        let name = match carry {
            Carry::Output(_) => format!("{name}.{}", t.member.as_ref().map_or("", |m| m.as_str())),
            Carry::Events => name,
        };
        Some(Side {
            end: End::Pop(i),
            view,
            name,
            dimension,
            port: 0,
            carry,
            whole: false,
        })
    }

    /// A port of a part as an end of a connection.
    fn side_of_port(&mut self, port: usize, view: View, name: String) -> Option<Side> {
        Some(Side {
            end: End::Port(port),
            view,
            name,
            dimension: self.port_dimension(port)?,
            port: 0,
            carry: Carry::Events,
            whole: false,
        })
    }

    /// The analog output `name` of a population, and its dimension.
    fn output_of(&mut self, pop: usize, name: &str, at: Span) -> Option<(Carry, Dimension)> {
        let model = self.pop_models.get(pop).copied().flatten();
        let Some(m) = model.and_then(|m| self.models.get(m as usize)) else {
            // A model that failed was reported; a driven source has no outputs.
            if self.driven(pop) {
                let d = self.no_member(pop, "output", name, at, &[]);
                self.report(d);
            }
            return None;
        };
        if let Some(k) = m.model.outputs.iter().position(|o| o.name == name) {
            let state = m.model.outputs[k].state as usize;
            let dimension = m
                .state_dimensions
                .get(state)
                .copied()
                .unwrap_or(Dimension::NONE);
            return Some((Carry::Output(k as u16), dimension));
        }
        let outputs: Vec<String> = m.model.outputs.iter().map(|o| o.name.clone()).collect();
        let d = self.no_member(pop, "output", name, at, &outputs);
        self.report(d);
        None
    }

    /// What a reference takes as the target of a connection.
    fn target_side(&mut self, t: &Target, scope: ScopeId) -> Option<Side> {
        if let Some(p) = t.via {
            self.port_side(p, Direction::Out, t.span, scope)?;
        }
        let (node, view, name) = self.node_side(t)?;
        let i = match node {
            Node::Pop(i, _) => i,
            Node::Port(p, _) => {
                self.port_side(p, Direction::Out, t.span, scope)?;
                return self.side_of_port(p, view, name);
            }
            _ => return None,
        };
        if self.driven(i) {
            self.report(
                Diagnostic::error(
                    "SYN0116",
                    format!(
                        "`{}` is driven from outside and cannot be a target",
                        self.pops[i].name
                    ),
                )
                .label(t.span, "connected to here")
                .label(self.pops[i].span, "declared as a source here")
                .hint("connect to a population of neurons"),
            );
            return None;
        }
        let model = self.pop_models.get(i).copied().flatten()?;
        let m = self.models.get(model as usize)?;
        let inputs: Vec<String> = m.model.ports.iter().map(|p| p.name.clone()).collect();
        let port = match &t.member {
            Some(n) => inputs.iter().position(|p| p == n.as_str()),
            None if inputs.len() == 1 => Some(0),
            None => None,
        };
        let Some(k) = port else {
            let d = match &t.member {
                Some(n) => self.no_member(i, "input", n.as_str(), n.span, &inputs),
                None => unnamed_port(&self.pops[i].name, &inputs, t.span),
            };
            self.report(d);
            return None;
        };
        let whole = m.model.ports[k].ty != Ty::F32;
        let dimension = m.port_dimensions.get(k).copied().unwrap_or(Dimension::NONE);
        let name = format!("{name}.{}", inputs[k]);
        Some(Side {
            end: End::Pop(i),
            view,
            name,
            dimension,
            port: k as u16,
            carry: Carry::Events,
            whole,
        })
    }

    fn full_name_of(&self, end: End) -> String {
        self.full_name(&match end {
            End::Pop(i) => Node::Pop(i, None),
            End::Port(i) => Node::Port(i, None),
        })
    }

    /// The population or port that a reference names, its slice, and its name with the slice.
    fn node_side(&mut self, t: &Target) -> Option<(Node, View, String)> {
        let Value::Node(node @ (Node::Pop(..) | Node::Port(..))) = &t.value else {
            self.report(
                Diagnostic::error(
                    "SYN0103",
                    format!("{} cannot be connected", t.value.describe()),
                )
                .label(t.span, t.value.describe())
                .hint("name a population, a source, or a port of a part"),
            );
            return None;
        };
        let view = self.view_of(node)?;
        let mut name = self.full_name(node);
        if let Node::Pop(_, Some(v)) | Node::Port(_, Some(v)) = node {
            name = format!("{name}[{}..{}]", v.range.start, v.range.start + v.range.len);
        }
        Some((node.clone(), view, name))
    }

    /// What passes through a port: events are plain.
    fn port_dimension(&mut self, port: usize) -> Option<Dimension> {
        let ty = self.ports.get(port)?.ty;
        let name = ty.name.as_str();
        if matches!(name, "spikes" | "events" | "signal") {
            return Some(Dimension::NONE);
        }
        if let Some(d) = Dimension::of_type(name) {
            return Some(d);
        }
        self.report(
            Diagnostic::error("SYN0104", format!("`{name}` is no type of a port"))
                .label(ty.span, "unknown type")
                .hint("ports are of type `spikes[n]`, `signal[n]`, `real[n]`, `voltage[n]`, ..."),
        );
        None
    }

    fn driven(&self, pop: usize) -> bool {
        self.driven_pops.get(pop).copied().unwrap_or(false)
    }

    /// A port or output that a population does not have.
    fn no_member(
        &self,
        pop: usize,
        kind: &str,
        name: &str,
        at: Span,
        known: &[String],
    ) -> Diagnostic {
        let p = &self.pops[pop];
        let d = Diagnostic::error("SYN0116", format!("`{}` has no {kind} `{name}`", p.name))
            .label(at, format!("no such {kind}"))
            .label(p.span, "declared here");
        match near(name, known.iter().map(String::as_str)) {
            Some(n) => d.hint(format!("did you mean `{n}`?")),
            None if known.is_empty() => d.hint(format!("its model has no {kind}s")),
            None => d.hint(format!("its {kind}s are: {}", listed(known))),
        }
    }
}

fn unnamed_port(pop: &str, inputs: &[String], at: Span) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0116",
        format!("which input of `{pop}`? It has {}", inputs.len()),
    )
    .label(at, "no input is named");
    match inputs.first() {
        Some(_) => {
            let list: Vec<String> = inputs.iter().map(|i| format!("`{pop}.{i}`")).collect();
            d.hint(format!("write {}", list.join(" or ")))
        }
        None => d.hint("declare an `input` in its model"),
    }
}
