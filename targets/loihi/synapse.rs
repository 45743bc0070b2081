//! Could the chip's learning follow a rule of the language?
//!
//! A synapse model goes in; the products by which a core would follow it come out, or every reason why it cannot. A core evaluates sums of products at the ends of epochs: of traces of the source (two) and of the target (three) to which a spike
//! adds a constant and which decay, of the weight, and of one tag a synapse. Only the form counts here: constants stand for themselves whatever their values, and ends of a weight's range are the register's.
//! Deliberately absent: scaling a rule into the chip's mantissas.

use std::collections::BTreeSet;
use synfire_ir::model::{BinOp, Block, Op, UnOp};
use synfire_ir::synapse::{Place, Synapse};

/// Traces of a source and of a target.
const TRACES: (usize, usize) = (2, 3);
/// Most factors of a product: beyond, its bits exceed the unit's.
const FACTORS: usize = 3;

/// A product: numbers of the states that are its factors, ascending; none is a constant.
type Monomial = Vec<u16>;
/// A sum of products; coefficients are of no account.
type Sum = BTreeSet<Monomial>;

/// One term of a rule, as a reader knows it, e.g. `y0*x1`.
pub type Term = String;

/// The terms of dw (and of dt for a tag), or why there are none.
pub fn terms(m: &Synapse) -> Result<Vec<Term>, Vec<String>> {
    let mut why = vec![];
    if !m.delivers_weight() {
        why.push("it delivers something other than its weight".to_string());
    }
    if !m.modulators.is_empty() {
        let names: Vec<&str> = m.modulators.iter().map(|x| x.name.as_str()).collect();
        why.push(format!(
            "it takes `{}`: a core has no third factor",
            names.join("`, `")
        ));
    }
    if let Some(v) = m.views.first() {
        why.push(format!(
            "it reads `{}`: rules see traces, weights and tags alone",
            v.name
        ));
    }
    let count = |place: Place| m.states.iter().skip(1).filter(|s| s.place == place).count();
    for (place, most, of) in [
        (Place::Source, TRACES.0, "source"),
        (Place::Target, TRACES.1, "target"),
        (Place::Synapse, 1, "synapse beside the weight"),
    ] {
        let n = count(place);
        if n > most {
            why.push(format!("it keeps {n} states a {of}; a core has {most}"));
        }
    }
    if let Some(s) = m
        .states
        .iter()
        .find(|s| s.place == Place::Synapse && s.decay.is_some())
    {
        why.push(format!(
            "`{}` decays by itself: weights and tags change by rules alone",
            s.name
        ));
    }
    let mut out = vec![];
    let rule = Rule { m };
    rule.traces(&mut why);
    rule.changes("x0", &m.pre.synapse, &mut out, &mut why);
    rule.changes("y0", &m.post.synapse, &mut out, &mut why);
    for e in &m.every {
        rule.changes("u", &e.action.synapse, &mut out, &mut why);
        if e.action.source != Block::default() || e.action.target != Block::default() {
            why.push("traces change at intervals; here spikes alone raise them".into());
        }
    }
    why.dedup();
    if why.is_empty() { Ok(out) } else { Err(why) }
}

struct Rule<'a> {
    m: &'a Synapse,
}

impl Rule<'_> {
    fn name(&self, state: u16) -> &str {
        self.m.states.get(state as usize).map_or("?", |s| &s.name)
    }

    /// A spike adds a constant to a trace, and nothing else.
    fn traces(&self, why: &mut Vec<String>) {
        let blocks = [&self.m.pre.source, &self.m.post.target];
        for block in blocks {
            let sums = sums(block);
            for &(state, v) in &block.stores {
                let raised: Sum = [vec![state], vec![]].into();
                let name = self.name(state);
                match &sums[v as usize] {
                    Ok(s) if *s == raised => {}
                    Ok(_) => why.push(format!("a spike does more to `{name}` than add a constant")),
                    Err(e) => why.push(format!("`{name}` {e}")),
                }
            }
        }
        for s in self.m.states.iter().filter(|s| s.place != Place::Synapse) {
            if s.decay.is_some_and(|d| d.rest != 0) {
                why.push(format!("`{}` decays to something other than 0", s.name));
            }
        }
    }

    /// What a block adds to weights and tags, as terms of gate `gate`.
    fn changes(&self, gate: &str, block: &Block, out: &mut Vec<Term>, why: &mut Vec<String>) {
        let sums = sums(block);
        for &(state, v) in &block.stores {
            let name = self.name(state);
            let sum = match &sums[v as usize] {
                Ok(s) => s,
                Err(e) => {
                    why.push(format!("`{name}` {e}"));
                    continue;
                }
            };
            if !sum.contains(&vec![state]) {
                why.push(format!("`{name}` is set, where rules add to it"));
            }
            for product in sum.iter().filter(|p| **p != [state]) {
                if product.len() > FACTORS {
                    why.push(format!(
                        "a product of {} factors; a core multiplies {FACTORS}",
                        product.len()
                    ));
                }
                let factors: Vec<&str> = product.iter().map(|&s| self.name(s)).collect();
                let all = [&[gate][..], &factors[..]].concat();
                out.push(format!("d{name} += {}", all.join("*")));
            }
        }
    }
}

/// The sum of products that each instruction is, or what it is beyond that.
fn sums(block: &Block) -> Vec<Result<Sum, String>> {
    let mut out: Vec<Result<Sum, String>> = vec![];
    for inst in &block.insts {
        let constant: Sum = [vec![]].into();
        let at = |v: u32| out[v as usize].clone();
        let value = match inst.op {
            Op::Const(0) => Ok(Sum::new()),
            Op::Const(_) | Op::Param(_) => Ok(constant),
            Op::State(k) => Ok([vec![k]].into()),
            Op::Un(UnOp::Neg | UnOp::ToF32 | UnOp::ToI32, a) => at(a),
            Op::Bin(BinOp::Add | BinOp::Sub, a, b) => {
                both(at(a), at(b), |a, b| Ok(a.into_iter().chain(b).collect()))
            }
            Op::Bin(BinOp::Mul, a, b) => both(at(a), at(b), |a, b| Ok(product(&a, &b))),
            Op::Bin(BinOp::Div, a, b) => both(at(a), at(b), |a, b| match b == constant {
                true => Ok(a),
                false => Err("divides by something other than a constant".into()),
            }),
            // An end of a range: the register's own end takes its place.
            Op::Bin(BinOp::Min | BinOp::Max, a, b) => both(at(a), at(b), |a, b| {
                let plain = |s: &Sum| s.iter().all(|p| p.is_empty());
                match (plain(&a), plain(&b)) {
                    (_, true) => Ok(a),
                    (true, _) => Ok(b),
                    _ => Err("compares values that both change".into()),
                }
            }),
            Op::Select(..) => Err("depends on a condition".into()),
            Op::Rand { .. } => Err("draws random numbers".into()),
            Op::Port(_) | Op::Arg => Err("takes a value from outside".into()),
            _ => Err("calls a function that sums of products have not".into()),
        };
        out.push(value);
    }
    out
}

fn both(
    a: Result<Sum, String>,
    b: Result<Sum, String>,
    f: impl FnOnce(Sum, Sum) -> Result<Sum, String>,
) -> Result<Sum, String> {
    // Sums grow with every product; no rule that a core could follow has this many.
    f(a?, b?).and_then(|s| match s.len() {
        0..=64 => Ok(s),
        n => Err(format!("is a sum of {n} products")),
    })
}

fn product(a: &Sum, b: &Sum) -> Sum {
    let mut out = Sum::new();
    for x in a {
        for y in b {
            let mut all = [x.as_slice(), y.as_slice()].concat();
            all.sort_unstable();
            out.insert(all);
        }
    }
    out
}
