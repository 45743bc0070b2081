//! Text of connectors.

use super::Scope;
use crate::diag::Diagnostics;
use crate::network::{Connector, Conv2d, Pool2d};
use crate::text::{F64, Scanner};
use std::fmt;

/// Prints a connector.
pub(super) struct Shown<'a>(pub &'a Connector, pub &'a Scope);

fn flag(yes: bool, name: &'static str) -> &'static str {
    if yes { name } else { "" }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = |yes: &bool| flag(*yes, " self_connections");
        let several = |yes: &bool| flag(*yes, " multapses");
        match self.0 {
            Connector::AllToAll {
                self_connections: o,
            } => write!(f, "all_to_all{}", own(o)),
            Connector::OneToOne => f.write_str("one_to_one"),
            Connector::FixedProbability {
                p,
                self_connections: o,
            } => write!(f, "fixed_probability {}{}", F64(*p), own(o)),
            Connector::FixedIndegree {
                n,
                self_connections: o,
                multapses: m,
            } => write!(f, "fixed_indegree {n}{}{}", own(o), several(m)),
            Connector::FixedOutdegree {
                n,
                self_connections: o,
                multapses: m,
            } => write!(f, "fixed_outdegree {n}{}{}", own(o), several(m)),
            Connector::FixedTotal {
                n,
                self_connections: o,
            } => write!(f, "fixed_total {n}{}", own(o)),
            Connector::Dense => f.write_str("dense"),
            Connector::List { pre, post } => {
                let (pre, post) = (self.1.arrays.show(*pre), self.1.arrays.show(*post));
                write!(f, "list {pre} {post}")
            }
            Connector::Conv2d(c) => write!(
                f,
                "conv2d input {:?} channels {} kernel {:?} stride {:?} padding {:?} dilation {:?} groups {}",
                c.input, c.channels, c.kernel, c.stride, c.padding, c.dilation, c.groups
            ),
            Connector::Pool2d(c) => write!(
                f,
                "pool2d input {:?} kernel {:?} stride {:?} padding {:?}{}",
                c.input,
                c.kernel,
                c.stride,
                c.padding,
                flag(c.average, " average")
            ),
            Connector::Scale => f.write_str("scale"),
        }
    }
}

const NAMES: [&str; 11] = [
    "all_to_all",
    "one_to_one",
    "fixed_probability",
    "fixed_indegree",
    "fixed_outdegree",
    "fixed_total",
    "dense",
    "list",
    "conv2d",
    "pool2d",
    "scale",
];

/// Reads a connector.
pub(super) fn parse(s: &mut Scanner, scope: &Scope) -> Result<Connector, Diagnostics> {
    let name = s.choice("a connector such as `all_to_all`", |w| {
        NAMES.into_iter().find(|n| *n == w)
    })?;
    let degree = "a number of synapses";
    Ok(match name {
        "all_to_all" => Connector::AllToAll {
            self_connections: own(s),
        },
        "one_to_one" => Connector::OneToOne,
        "fixed_probability" => Connector::FixedProbability {
            p: s.f64("a probability")?,
            self_connections: own(s),
        },
        "fixed_indegree" => Connector::FixedIndegree {
            n: s.int(degree)?,
            self_connections: own(s),
            multapses: s.eat_word("multapses"),
        },
        "fixed_outdegree" => Connector::FixedOutdegree {
            n: s.int(degree)?,
            self_connections: own(s),
            multapses: s.eat_word("multapses"),
        },
        "fixed_total" => Connector::FixedTotal {
            n: s.int(degree)?,
            self_connections: own(s),
        },
        "dense" => Connector::Dense,
        "list" => Connector::List {
            pre: scope.arrays.read(s)?,
            post: scope.arrays.read(s)?,
        },
        "conv2d" => Connector::Conv2d(Conv2d {
            input: tuple(s, "input")?,
            channels: whole(s, "channels")?,
            kernel: tuple(s, "kernel")?,
            stride: tuple(s, "stride")?,
            padding: tuple(s, "padding")?,
            dilation: tuple(s, "dilation")?,
            groups: whole(s, "groups")?,
        }),
        "pool2d" => Connector::Pool2d(Pool2d {
            input: tuple(s, "input")?,
            kernel: tuple(s, "kernel")?,
            stride: tuple(s, "stride")?,
            padding: tuple(s, "padding")?,
            average: s.eat_word("average"),
        }),
        _ => Connector::Scale,
    })
}

fn own(s: &mut Scanner) -> bool {
    s.eat_word("self_connections")
}

fn whole(s: &mut Scanner, word: &str) -> Result<u32, Diagnostics> {
    s.keyword(word)?;
    s.int("a whole number")
}

/// The word and `[a, b, ...]`.
fn tuple<const N: usize>(s: &mut Scanner, word: &str) -> Result<[u32; N], Diagnostics> {
    s.keyword(word)?;
    let mut v = [0; N];
    s.mark("[")?;
    for (k, x) in v.iter_mut().enumerate() {
        if k > 0 {
            s.mark(",")?;
        }
        *x = s.int("a whole number")?;
    }
    s.mark("]")?;
    Ok(v)
}
