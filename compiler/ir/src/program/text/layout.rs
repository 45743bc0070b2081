//! Text of synapses. Sound rows are printed source by source; rows that break their own rules, as the arrays that they are.

use crate::diag::Diagnostics;
use crate::model::Ty;
use crate::network::{parse_rule, print_rule};
use crate::program::{Generated, Layout, Projection, Rows, Run, Store, Weights};
use crate::text::{F32, ORDER, Printer, RANGE, Scanner, Token, Word};
use std::fmt::{self, Write as _};
use std::sync::Arc;

pub(super) fn print(p: &mut Printer, head: &str, x: &Projection, ty: Option<Ty>) {
    let sources = x.source_range.len as usize;
    match &x.layout {
        Layout::Rows(r) if sound(r, sources) => {
            p.open(format_args!("{head} rows {}", Kind(&r.weights, ty)));
            for i in 0..sources {
                p.line(row(r, i));
            }
            p.close();
        }
        Layout::Rows(r) => {
            p.open(format_args!("{head} raw"));
            p.array("row", r.row.iter());
            let run = |r: &Run| format!("d{} {} {}", r.delay, r.start, r.len);
            p.array("runs", r.runs.iter().map(run));
            p.array("targets", r.targets.iter());
            weights(p, "weights", 16, &r.weights, ty);
            p.close();
        }
        Layout::Dense {
            delay,
            weights: values,
        } => {
            let width = x.target_range.len as usize;
            weights(p, &format!("{head} dense d{delay}"), width, values, ty);
        }
        Layout::OneToOne {
            delay,
            weights: values,
        } => weights(p, &format!("{head} one_to_one d{delay}"), 16, values, ty),
        Layout::Generated(g) => p.line(format_args!("{head} generated {}", Rule(g))),
    }
}

/// A rule on one line.
struct Rule<'a>(&'a Generated);

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let g = self.0;
        if g.procedural {
            f.write_str("procedural ")?;
        }
        match g.store {
            Store::F32 => f.write_str("f32")?,
            Store::Scaled => f.write_str("scaled")?,
            Store::Integer { fraction } => write!(f, "integer {fraction}")?,
        }
        write!(f, " seed {} key {}", g.seed, g.key)?;
        write!(f, " sources {} targets {}", g.sources, g.targets)?;
        if let Some(own) = g.own {
            write!(f, " own {own}")?;
        }
        write!(f, " {}", print_rule(&g.connector, &g.weight, &g.delay))
    }
}

fn parse_generated(s: &mut Scanner) -> Result<Generated, Diagnostics> {
    let procedural = s.eat_word("procedural");
    let store = s.choice("`f32`, `scaled` or `integer`", |w| match w {
        "f32" => Some(Store::F32),
        "scaled" => Some(Store::Scaled),
        "integer" => Some(Store::Integer { fraction: 0 }),
        _ => None,
    })?;
    let store = match store {
        Store::Integer { .. } => Store::Integer {
            fraction: s.int("bits after the point")?,
        },
        other => other,
    };
    s.keyword("seed")?;
    let seed = s.int("a seed")?;
    s.keyword("key")?;
    let key = s.int("a key")?;
    s.keyword("sources")?;
    let sources = s.int("a number of sources")?;
    s.keyword("targets")?;
    let targets = s.int("a number of targets")?;
    let own = match s.eat_word("own") {
        true => Some(s.int("a distance")?),
        false => None,
    };
    let (connector, weight, delay) = parse_rule(s)?;
    Ok(Generated {
        connector,
        weight,
        delay,
        store,
        seed,
        key,
        sources,
        targets,
        own,
        procedural,
    })
}

/// Can these rows be told source by source?
fn sound(r: &Rows, sources: usize) -> bool {
    let pointers = r.row.len() == sources + 1
        && r.row.first() == Some(&0)
        && r.row.windows(2).all(|w| w[0] <= w[1])
        && r.row.last().is_some_and(|l| *l as usize == r.runs.len());
    let mut next = 0usize;
    let following = r.runs.iter().all(|run| {
        let follows = run.start as usize == next;
        next += run.len as usize;
        follows
    });
    let targets = r.targets.len();
    pointers && following && next == targets && r.weights.count().is_none_or(|n| n == targets)
}

fn row(r: &Rows, source: usize) -> String {
    let mut t = format!("{source}:");
    for run in &r.runs[r.row[source] as usize..r.row[source + 1] as usize] {
        let _ = write!(t, " d{} [", run.delay);
        let first = run.start as usize;
        for k in first..first + run.len as usize {
            let comma = if k == first { "" } else { ", " };
            let _ = match r.weights.count() {
                None => write!(t, "{comma}{}", r.targets[k]),
                Some(_) => write!(t, "{comma}{}: {}", r.targets[k], Element(&r.weights, k)),
            };
        }
        t.push(']');
    }
    t
}

/// `uniform 0.5`, or the type of the values.
struct Kind<'a>(&'a Weights, Option<Ty>);

impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Weights::Uniform(w) => write!(f, "uniform {}", Word(*w, self.1)),
            Weights::I8(_) => f.write_str("i8"),
            Weights::I16(_) => f.write_str("i16"),
            Weights::I32(_) => f.write_str("i32"),
            Weights::F32(_) => f.write_str("f32"),
        }
    }
}

struct Element<'a>(&'a Weights, usize);

impl fmt::Display for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Weights::F32(v) => F32(v[self.1]).fmt(f),
            other => write!(f, "{}", other.bits(self.1) as i32),
        }
    }
}

fn weights(p: &mut Printer, head: &str, width: usize, w: &Weights, ty: Option<Ty>) {
    let head = format!("{head} {}", Kind(w, ty));
    match w.count() {
        None => p.line(head),
        Some(n) => p.array_by(head, width, (0..n).map(|k| Element(w, k))),
    }
}

/// Weights as they are read.
enum Values {
    Uniform(u32),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    F32(Vec<f32>),
}

impl Values {
    /// Reads what [`Kind`] prints.
    fn begin(s: &mut Scanner, ty: Option<Ty>) -> Result<Self, Diagnostics> {
        if s.eat_word("uniform") {
            return Ok(Values::Uniform(s.word_of(ty, "a weight")?));
        }
        s.choice("`uniform`, `i8`, `i16`, `i32` or `f32`", |w| match w {
            "i8" => Some(Values::I8(vec![])),
            "i16" => Some(Values::I16(vec![])),
            "i32" => Some(Values::I32(vec![])),
            "f32" => Some(Values::F32(vec![])),
            _ => None,
        })
    }

    fn uniform(&self) -> bool {
        matches!(self, Values::Uniform(_))
    }

    fn push(&mut self, s: &mut Scanner) -> Result<(), Diagnostics> {
        match self {
            Values::Uniform(_) => {}
            Values::I8(v) => v.push(s.int("a weight")?),
            Values::I16(v) => v.push(s.int("a weight")?),
            Values::I32(v) => v.push(s.int("a weight")?),
            Values::F32(v) => v.push(s.f32("a weight")?),
        }
        Ok(())
    }

    fn finish(self) -> Weights {
        match self {
            Values::Uniform(w) => Weights::Uniform(w),
            Values::I8(v) => Weights::I8(v.into()),
            Values::I16(v) => Weights::I16(v.into()),
            Values::I32(v) => Weights::I32(v.into()),
            Values::F32(v) => Weights::F32(v.into()),
        }
    }
}

fn all_weights(s: &mut Scanner, ty: Option<Ty>) -> Result<Weights, Diagnostics> {
    let mut values = Values::begin(s, ty)?;
    if !values.uniform() {
        s.list(|s| values.push(s))?;
    }
    Ok(values.finish())
}

/// Reads a layout for a port of that type.
pub(super) fn parse(s: &mut Scanner, ty: Option<Ty>) -> Result<Layout, Diagnostics> {
    if s.eat_word("rows") {
        return Ok(Layout::Rows(parse_rows(s, ty)?));
    }
    if s.eat_word("raw") {
        return Ok(Layout::Rows(parse_raw(s, ty)?));
    }
    if s.eat_word("generated") {
        return Ok(Layout::Generated(Arc::new(parse_generated(s)?)));
    }
    let dense = s.eat_word("dense");
    if !dense && !s.eat_word("one_to_one") {
        return Err(s.expected("`rows`, `raw`, `dense`, `one_to_one` or `generated`"));
    }
    let delay = s.delay()?;
    let weights = all_weights(s, ty)?;
    Ok(match dense {
        true => Layout::Dense { delay, weights },
        false => Layout::OneToOne { delay, weights },
    })
}

fn parse_rows(s: &mut Scanner, ty: Option<Ty>) -> Result<Rows, Diagnostics> {
    let mut values = Values::begin(s, ty)?;
    let (mut row, mut runs, mut targets) = (vec![], vec![], vec![]);
    s.braces(|s| {
        let at = s.mark_here();
        let source: u32 = s.int("the number of a source, or `}`,")?;
        if source as usize != row.len() {
            let wanted = row.len();
            return Err(s
                .fault_at(at, ORDER, format!("source {source} where {wanted} is next"))
                .hint("give every source a line, in order from 0, even without synapses")
                .into());
        }
        row.push(runs.len() as u32);
        s.mark(":")?;
        while let Token::Word(_) = s.peek() {
            runs.push(parse_run(s, &mut targets, &mut values)?);
        }
        Ok(())
    })?;
    row.push(runs.len() as u32);
    Ok(Rows {
        row: row.into(),
        runs: runs.into(),
        targets: targets.into(),
        weights: values.finish(),
    })
}

fn parse_run(
    s: &mut Scanner,
    targets: &mut Vec<u32>,
    values: &mut Values,
) -> Result<Run, Diagnostics> {
    let delay = s.delay()?;
    let first = targets.len();
    s.list(|s| {
        targets.push(s.int("a target")?);
        if values.uniform() {
            return Ok(());
        }
        s.mark(":")?;
        values.push(s)
    })?;
    match (u32::try_from(first), u32::try_from(targets.len() - first)) {
        (Ok(start), Ok(len)) => Ok(Run { delay, start, len }),
        _ => Err(s
            .fault(RANGE, "a projection holds fewer than 2^32 synapses")
            .hint("split the projection")
            .into()),
    }
}

fn parse_raw(s: &mut Scanner, ty: Option<Ty>) -> Result<Rows, Diagnostics> {
    let (mut row, mut runs, mut targets) = (vec![], vec![], vec![]);
    s.mark("{")?;
    s.keyword("row")?;
    s.list(|s| {
        row.push(s.int("the number of a run")?);
        Ok(())
    })?;
    s.keyword("runs")?;
    s.list(|s| {
        runs.push(Run {
            delay: s.delay()?,
            start: s.int("the number of a synapse")?,
            len: s.int("a number of synapses")?,
        });
        Ok(())
    })?;
    s.keyword("targets")?;
    s.list(|s| {
        targets.push(s.int("a target")?);
        Ok(())
    })?;
    s.keyword("weights")?;
    let weights = all_weights(s, ty)?;
    s.mark("}")?;
    Ok(Rows {
        row: row.into(),
        runs: runs.into(),
        targets: targets.into(),
        weights,
    })
}
