//! What an expression of a network can be worth.
//!
//! Values are constants of the build: numbers with dimensions, truth values, texts, lists, references to data files,
//! distributions, and the populations, parts and projections that names stand for. Data files stay references, so that
//! scaling one costs nothing and a file is read only when something needs its numbers.

use super::quantity::show;
use std::sync::Arc;
use synfire_ir::diag::Span;
use synfire_ir::network::Distribution;
use synfire_ir::program::Range;
use synfire_ir::units::Dimension;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Whole, without unit.
    Int(i128),
    /// SI.
    Real(f64, Dimension),
    Bool(bool),
    Text(Text),
    List(List),
    Data(Data),
    Draw(Distribution, Dimension),
    Node(Node),
}

/// Most lists within lists.
pub(crate) const MAX_LISTS_DEEP: u8 = 16;

/// Values in order, and how many lists nest in it: short, so that walking and dropping it may recurse.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List {
    pub items: Arc<[Value]>,
    deep: u8,
}

impl List {
    /// `None` when lists would nest too deep.
    pub fn new(items: Vec<Value>) -> Option<List> {
        let inner = items.iter().map(|v| match v {
            Value::List(l) => l.deep,
            _ => 0,
        });
        let deep = inner.max().unwrap_or(0) + 1;
        (deep <= MAX_LISTS_DEEP).then(|| List {
            items: items.into(),
            deep,
        })
    }
}

/// A text and the file in which it was written, to which a path in it is relative.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub text: Arc<str>,
    /// Index of the file among those that were loaded.
    pub unit: usize,
}

/// Numbers of a file, times a factor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Data {
    pub path: Arc<str>,
    pub key: Option<Arc<str>>,
    /// File to which `path` is relative.
    pub unit: usize,
    /// Where `load` stands.
    pub span: Span,
    pub scale: f64,
    pub dimension: Dimension,
}

impl Data {
    /// As it is named in the network: `lsnn.npz:w_in`.
    pub fn name(&self) -> String {
        match &self.key {
            Some(k) => format!("{}:{k}", self.path),
            None => self.path.to_string(),
        }
    }
}

/// What a name of a network may stand for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A population or source, perhaps a slice of it.
    Pop(usize, Option<Box<View>>),
    /// A port of a part.
    Port(usize, Option<Box<View>>),
    /// An instance of a module.
    Part(usize),
    /// What a `for` declared, by number.
    Family(usize),
    /// A named `connect`.
    Projection(usize),
}

/// A contiguous slice and its shape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub range: Range,
    pub shape: Vec<u32>,
}

impl View {
    /// All of something of that shape.
    pub fn whole(shape: &[u32]) -> View {
        View {
            range: Range {
                start: 0,
                len: count(shape).min(u32::MAX as u64) as u32,
            },
            shape: shape.to_vec(),
        }
    }
}

/// Number of elements of a shape.
pub(crate) fn count(shape: &[u32]) -> u64 {
    shape.iter().fold(1u64, |n, &d| n.saturating_mul(d as u64))
}

impl Value {
    /// What it is, for messages: "the number 3", "a time (20 ms)".
    pub fn describe(&self) -> String {
        match self {
            Value::Int(i) => format!("the number {i}"),
            Value::Real(v, d) if d.is_none() => format!("the number {v}"),
            Value::Real(v, d) => format!("{} ({d})", show(*v, *d)),
            Value::Bool(b) => format!("`{b}`"),
            Value::Text(t) => format!(
                "the text \"{}\"",
                t.text.chars().take(40).collect::<String>()
            ),
            Value::List(l) => format!("a list of {}", l.items.len()),
            Value::Data(d) => format!("the data of `{}`", d.name()),
            Value::Draw(_, d) if d.is_none() => "a distribution".into(),
            Value::Draw(_, d) => format!("a distribution of {d}"),
            Value::Node(n) => n.kind().into(),
        }
    }

    /// The number and its dimension, if it is one.
    pub fn number(&self) -> Option<(f64, Dimension)> {
        match self {
            Value::Int(i) => Some((*i as f64, Dimension::NONE)),
            Value::Real(v, d) => Some((*v, *d)),
            _ => None,
        }
    }

    /// The whole number without dimension, if it is one.
    pub fn whole(&self) -> Option<i128> {
        match self {
            Value::Int(i) => Some(*i),
            Value::Real(v, d) if d.is_none() && v.fract() == 0.0 && v.abs() < 1e18 => {
                Some(*v as i128)
            }
            _ => None,
        }
    }
}

impl Node {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Node::Pop(..) => "a population",
            Node::Port(..) => "a port",
            Node::Part(_) => "a part",
            Node::Family(_) => "what a `for` declared",
            Node::Projection(_) => "a projection",
        }
    }
}

/// A distribution multiplied by a factor; `None` where its family has no such member.
pub(crate) fn scaled(d: Distribution, k: f64) -> Option<Distribution> {
    use Distribution as D;
    let order = |a: f64, b: f64| {
        if k < 0.0 {
            (b * k, a * k)
        } else {
            (a * k, b * k)
        }
    };
    Some(match d {
        D::Uniform(a, b) => D::Uniform(a * k, b * k),
        D::Normal(m, s) => D::Normal(m * k, s * k.abs()),
        D::NormalClipped(m, s, a, b) => {
            let (lo, hi) = order(a, b);
            D::NormalClipped(m * k, s * k.abs(), lo, hi)
        }
        D::NormalClippedToBoundary(m, s, a, b) => {
            let (lo, hi) = order(a, b);
            D::NormalClippedToBoundary(m * k, s * k.abs(), lo, hi)
        }
        D::Lognormal(m, s) if k > 0.0 => D::Lognormal(m + k.ln(), s),
        D::Exponential(m) => D::Exponential(m * k),
        D::Gamma(shape, scale) => D::Gamma(shape, scale * k),
        other if k == 1.0 => other,
        _ => return None,
    })
}
