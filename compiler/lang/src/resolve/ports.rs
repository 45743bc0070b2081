//! Ports of parts: from links that end at ports to projections between populations.
//!
//! Comes in: all links. Goes out: links whose ends are populations. A link to a port and a link from it become one: the
//! rules of both in a chain (one to one with weight 1 is no rule at all), the delays added. Every pair of a link into a
//! port and a link out of it gives one; the first keeps the inner name, further ones carry a number.

use super::connect::{End, Link};
use super::scope::ScopeId;
use super::value::scaled;
use super::{MAX_ITEMS, Resolver};
use crate::syntax::tree::Direction;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::network::{Connector, Init, Stage};
use synfire_ir::program::Range;

/// Most ports that one connection leads through.
const MAX_PORTS_DEEP: usize = 256;
/// Joined links that count as one projection: those at ports within ports are joined several times.
const JOINS: usize = 4;
/// Most rules of one projection.
const MAX_RULES: usize = 64;

impl Link {
    /// The factor, if it hands every unit on with one factor and nothing else.
    fn factor(&self) -> Option<f64> {
        match (&self.stages[..], &self.bias) {
            (
                [
                    Stage {
                        connector: Connector::OneToOne,
                        weight: Init::Const(w),
                    },
                ],
                None,
            ) => Some(*w),
            _ => None,
        }
    }
}

/// Linear rules times a factor: in the weight of one of them where that is possible, else as a rule of its own in front.
fn times(stages: &[Stage], factor: f64) -> Vec<Stage> {
    let mut out = stages.to_vec();
    for stage in &mut out {
        let weight = match &stage.weight {
            Init::Const(w) => Some(Init::Const(w * factor)),
            Init::Draw(d) => scaled(*d, factor).map(Init::Draw),
            Init::Array(_) if factor == 1.0 => Some(stage.weight.clone()),
            Init::Array(_) => None,
        };
        if let Some(w) = weight {
            stage.weight = w;
            return out;
        }
    }
    let first = Stage {
        connector: Connector::OneToOne,
        weight: Init::Const(factor),
    };
    out.insert(0, first);
    out
}

impl Resolver<'_> {
    /// Removes all ports from the links.
    pub(super) fn without_ports(&mut self, links: Vec<Link>) -> Vec<Link> {
        if links.iter().all(|l| is_pop(l.source) && is_pop(l.target)) {
            return links;
        }
        let mut into: BTreeMap<usize, Vec<Link>> = BTreeMap::new();
        let mut out_of: BTreeSet<usize> = BTreeSet::new();
        for l in &links {
            if let End::Port(p) = l.target {
                into.entry(p).or_default().push(l.clone());
            }
            if let End::Port(p) = l.source {
                out_of.insert(p);
            }
        }
        self.dangling(&into, &out_of);
        let mut done = BTreeMap::new();
        let mut out = vec![];
        for l in links {
            match (l.source, l.target) {
                (_, End::Port(_)) => {}
                (End::Pop(_), _) => out.push(l),
                (End::Port(p), _) => {
                    let outer = self.arriving(p, &into, &mut done, &mut vec![]);
                    self.join_all(&outer, &l, &mut out);
                }
            }
            if self
                .room(out.len(), "projections", Span::default())
                .is_none()
            {
                return vec![];
            }
        }
        out
    }

    /// Links from populations that arrive at a port, through however many ports.
    fn arriving(
        &mut self,
        port: usize,
        into: &BTreeMap<usize, Vec<Link>>,
        done: &mut BTreeMap<usize, Vec<Link>>,
        path: &mut Vec<usize>,
    ) -> Vec<Link> {
        if let Some(known) = done.get(&port) {
            return known.clone();
        }
        if path.contains(&port) {
            let (name, span) = (self.ports[port].name.clone(), self.ports[port].span);
            self.report(
                Diagnostic::error(
                    "SYN0106",
                    format!("port `{name}` is connected to itself through other ports"),
                )
                .label(span, "declared here")
                .hint("put a population into the circle"),
            );
            return vec![];
        }
        if path.len() >= MAX_PORTS_DEEP {
            let span = self.ports[port].span;
            self.report(
                Diagnostic::error(
                    "SYN0113",
                    format!("connections lead through more than {MAX_PORTS_DEEP} ports"),
                )
                .label(span, "one port too many")
                .hint("put a population between the parts")
                .field("limit", MAX_PORTS_DEEP),
            );
            return vec![];
        }
        path.push(port);
        let mut out = vec![];
        for l in into.get(&port).map_or(&[][..], |v| v) {
            match l.source {
                End::Pop(_) => out.push(l.clone()),
                End::Port(p) => {
                    let outer = self.arriving(p, into, done, path);
                    self.join_all(&outer, l, &mut out);
                }
            }
            if out.len() > MAX_ITEMS {
                break;
            }
        }
        path.pop();
        done.insert(port, out.clone());
        out
    }

    fn join_all(&mut self, outer: &[Link], inner: &Link, out: &mut Vec<Link>) {
        for (k, o) in outer.iter().enumerate() {
            self.joined += 1;
            if self
                .room(self.joined / JOINS, "projections through ports", inner.span)
                .is_none()
            {
                return;
            }
            if let Some(mut joined) = self.join(o, inner) {
                if k > 0 {
                    joined.name = format!("{}.{k}", joined.name);
                }
                out.push(joined);
            }
        }
    }

    /// `outer` into a port and `inner` out of it, as one.
    fn join(&mut self, outer: &Link, inner: &Link) -> Option<Link> {
        let (t, s) = (outer.target_range, inner.source_range);
        let inside = |a: Range, b: Range| {
            a.start >= b.start && a.start as u64 + a.len as u64 <= b.start as u64 + b.len as u64
        };
        if let (Some(rule), Some(_)) = (&outer.rule, &inner.rule) {
            self.report(super::synapses::scaled_rule(rule, inner.span));
            return None;
        }
        let plastic = outer.rule.as_ref().or(inner.rule.as_ref());
        let other = if outer.rule.is_some() { inner } else { outer };
        if let Some(rule) = plastic.filter(|_| other.factor() != Some(1.0)) {
            self.report(super::synapses::scaled_rule(rule, other.span));
            return None;
        }
        let connect = if outer.rule.is_some() { outer } else { inner };
        let mut link = Link {
            rule: plastic.cloned(),
            connect: connect.connect,
            source: outer.source,
            carry: outer.carry,
            source_range: outer.source_range,
            delay: self.sum_delays(outer, inner)?,
            trainable: outer.trainable || inner.trainable,
            ..inner.clone()
        };
        if let Some(w) = outer.factor().filter(|_| inside(s, t)) {
            let start = outer.source_range.start + s.start - t.start;
            link.source_range = Range { start, len: s.len };
            link.stages = times(&inner.stages, w);
        } else if let Some(w) = inner.factor().filter(|_| inside(t, s)) {
            let start = inner.target_range.start + t.start - s.start;
            link.target_range = Range { start, len: t.len };
            link.stages = times(&outer.stages, w);
        } else if t == s {
            link.stages = [&outer.stages[..], &inner.stages[..]].concat();
        } else {
            let place = |r: Range| format!("{}..{}", r.start, r.start + r.len);
            self.report(
                Diagnostic::error("SYN0311", "two slices of a port do not match")
                    .label(outer.span, format!("arrives at elements {}", place(t)))
                    .label(inner.span, format!("goes on from elements {}", place(s)))
                    .hint("let both sides use the same slice of the port, or one side `one_to_one` around the other's"),
            );
            return None;
        }
        if outer.bias.is_some() {
            self.report(
                Diagnostic::error("SYN0110", "a bias at a port of a part")
                    .label(outer.span, "has a bias")
                    .hint("give the bias where the port is connected to a population"),
            );
            return None;
        }
        self.chains(&link, outer, inner)?;
        Some(link)
    }

    /// May the rules of both sides stand in one chain?
    fn chains(&mut self, link: &Link, outer: &Link, inner: &Link) -> Option<()> {
        if link.stages.len() < 2 {
            return Some(());
        }
        if link.stages.len() > MAX_RULES {
            self.report(
                Diagnostic::error(
                    "SYN0113",
                    format!("more than {MAX_RULES} rules in one projection"),
                )
                .label(inner.span, "joined with what arrives at the port")
                .hint("put a population between the parts")
                .field("limit", MAX_RULES),
            );
            return None;
        }
        let wide = |s: &Stage| {
            s.connector.random()
                || matches!(
                    s.connector,
                    Connector::List { .. } | Connector::Dense | Connector::AllToAll { .. }
                )
        };
        let early = link
            .stages
            .iter()
            .rposition(wide)
            .is_some_and(|i| i + 1 < link.stages.len());
        if !early
            && !link
                .stages
                .iter()
                .any(|s| matches!(s.weight, Init::Draw(_)))
        {
            return Some(());
        }
        self.report(
            Diagnostic::error("SYN0311", "the rules on both sides of a port cannot be joined to one projection")
                .label(outer.span, "into the port")
                .label(inner.span, "out of it")
                .hint("connect one side by `one_to_one` without weight, or put a population behind the port"),
        );
        None
    }

    fn sum_delays(&mut self, a: &Link, b: &Link) -> Option<Init> {
        let zero = |i: &Init| matches!(i, Init::Const(c) if *c == 0.0);
        match (&a.delay, &b.delay) {
            (Init::Const(x), Init::Const(y)) => Some(Init::Const(x + y)),
            (x, y) if zero(y) => Some(x.clone()),
            (x, y) if zero(x) => Some(y.clone()),
            _ => {
                self.report(
                    Diagnostic::error(
                        "SYN0204",
                        "the delays on both sides of a port cannot be added",
                    )
                    .label(a.span, "a delay into the port")
                    .label(b.span, "a delay out of it")
                    .hint("give the delay on one side only, or a constant on both"),
                );
                None
            }
        }
    }

    /// Is a port used from the right side? Inside its part it gives what comes in, outside what goes out.
    pub(super) fn port_side(
        &mut self,
        port: usize,
        inside: Direction,
        at: Span,
        scope: ScopeId,
    ) -> Option<()> {
        let p = self.ports.get(port)?;
        let mut from = Some(scope);
        let mut within = false;
        while let Some(s) = from {
            within |= s == p.scope;
            from = self.scopes.get(s)?.parent;
        }
        if (p.direction == inside) == within {
            return Some(());
        }
        let (name, span) = (p.name.clone(), p.span);
        let (does, use_) = match p.direction {
            Direction::In => (
                "leads into",
                "connect to it from outside, and from it inside the module",
            ),
            Direction::Out => (
                "leads out of",
                "connect from it outside, and to it inside the module",
            ),
        };
        self.report(
            Diagnostic::error(
                "SYN0103",
                format!("port `{name}` {does} its part, and is used the other way"),
            )
            .label(at, "used here")
            .label(span, "declared here")
            .hint(use_),
        );
        None
    }

    /// Warns of ports that lead nowhere.
    fn dangling(&mut self, into: &BTreeMap<usize, Vec<Link>>, out_of: &BTreeSet<usize>) {
        let lost: Vec<(usize, bool)> = out_of
            .iter()
            .filter(|p| !into.contains_key(p))
            .map(|p| (*p, true))
            .chain(
                into.keys()
                    .filter(|p| !out_of.contains(p))
                    .map(|p| (*p, false)),
            )
            .collect();
        for (p, empty) in lost {
            let (name, span) = (self.ports[p].name.clone(), self.ports[p].span);
            let what = if empty {
                "nothing arrives at it"
            } else {
                "nothing goes on from it"
            };
            self.warn(
                Diagnostic::warning(
                    "SYN0118",
                    format!("port `{name}` is connected on one side only: {what}"),
                )
                .label(span, what)
                .hint("connect its other side, or remove it"),
            );
        }
    }
}

fn is_pop(e: End) -> bool {
    matches!(e, End::Pop(_))
}
