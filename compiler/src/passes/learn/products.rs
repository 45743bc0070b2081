//! Rules of the form [`LearningForm::Products`]: the blocks of a synapse model as sums of products.
//!
//! In: a synapse model with the values of its parameters. Out: a [`Normal`], coefficients in the network's units, or every reason why there is none; with the scale of the weights it becomes
//! mantissas and exponents (`rounding`). Sums are exact polynomials over the model's states, so that no way of writing them is preferred. Ends of the weight's range may stand at
//! the outside of what is stored, where the chip has its own (`ends`).

use super::ends::{Ends, ends};
use crate::plastic::Settled;
use std::collections::BTreeMap;
use synfire_ir::mapping::Gate;
use synfire_ir::model::{BinOp, Block, Op, Ty, UnOp};
use synfire_ir::synapse::Place;
use synfire_targets::schema::LearningForm;

/// Most products of a sum; no rule that a core could follow has this many.
const MOST: usize = 64;
/// Numbers of so many bits wrap nowhere that a weight or trace of a chip gets to.
const WIDE: u8 = 16;
/// Most factors of a product.
pub(super) const FACTORS: usize = 3;
/// In a product: a value from outside, beside the states.
pub(super) const GIVEN: u16 = u16::MAX;

/// States that are factors, ascending; none is a constant.
pub(super) type Monomial = Vec<u16>;
/// When, coefficient, product.
pub(super) type Added = (Gate, f64, Monomial);
/// Coefficient of each product.
type Sum = BTreeMap<Monomial, f64>;

/// A sum, and the ends that it is cut to.
#[derive(Clone)]
pub(super) struct Cut {
    pub sum: Sum,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Cut {
    fn plain(sum: Sum) -> Cut {
        Cut {
            sum,
            low: None,
            high: None,
        }
    }

    /// Is it the value from outside, cut or not?
    pub fn given(&self) -> bool {
        self.sum.len() == 1 && self.sum.get(&vec![GIVEN]) == Some(&1.0)
    }

    pub fn constant(&self) -> Option<f64> {
        let uncut = self.low.is_none() && self.high.is_none();
        let one = self.sum.keys().all(Vec::is_empty);
        (uncut && one).then(|| self.sum.get(&vec![]).copied().unwrap_or(0.0))
    }
}

/// A rule in the network's units.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Normal {
    /// Interval of [`Gate::Interval`], as a power of two of steps.
    pub decimate: u32,
    /// Traces, by state.
    pub traces: BTreeMap<u16, Raised>,
    /// What is added to the weight.
    pub terms: Vec<Added>,
    /// The state that is a tag, and what is added to it.
    pub tag: Option<(u16, Vec<Added>)>,
    /// Is the tag a whole number?
    pub whole_tag: bool,
    /// Largest weight, where the rule has one.
    pub high: Option<f64>,
    /// In what the chip's range of weights is another, in sentences.
    pub range: Vec<String>,
    /// Names of states.
    pub names: Vec<String>,
    /// Are weights whole numbers?
    pub whole: bool,
}

/// A trace in the network's units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Raised {
    /// Where it lives.
    pub place: Place,
    /// What is left of it after a step.
    pub left: f64,
    /// What a spike adds.
    pub adds: f64,
    /// Is it a whole number?
    pub whole: bool,
}

/// The normal form of a model.
pub(super) fn products(s: &Settled, form: &LearningForm) -> Result<Normal, Vec<String>> {
    let LearningForm::Products {
        source_traces,
        target_traces,
        decimate,
        tag,
        ..
    } = form
    else {
        return Err(vec![]);
    };
    let mut reader = Reader::new(s, false);
    reader.surroundings();
    if let Some(range) = tag {
        reader.tag(range.value);
    } else {
        reader.no_tags();
    }
    for x in &s.model.modulators {
        reader
            .why
            .push(format!("it takes `{}`: a core has no third factor", x.name));
    }
    let traces = reader.traces([source_traces.value, target_traces.value]);
    let m = &s.model;
    reader.changes(Gate::Source, "at an arrival", &m.pre.synapse);
    reader.changes(Gate::Target, "at a spike of the target", &m.post.synapse);
    let mut power = None;
    for e in m
        .every
        .iter()
        .filter(|e| !e.action.synapse.stores.is_empty())
    {
        let sums = |r: &Reader| r.terms.len() + r.tag_terms.len();
        let (exponent, before) = (e.period.trailing_zeros(), sums(&reader));
        let at = format!("in every {} steps", e.period);
        reader.changes(Gate::Interval, &at, &e.action.synapse);
        if sums(&reader) == before {
            continue;
        }
        if !e.period.is_power_of_two() || exponent > decimate.value {
            reader.why.push(format!(
                "its weights change in every {} steps; the chip's in every 2^0 to 2^{}",
                e.period, decimate.value
            ));
        } else if power.is_some_and(|p| p != exponent) {
            reader
                .why
                .push("its weights change at two different intervals; the chip has one".into());
        }
        power = Some(exponent);
    }
    let Reader {
        mut why,
        terms,
        tag,
        tag_terms,
        blocks,
        ..
    } = reader;
    let (high, range) = ends(&blocks, &mut why);
    why.dedup();
    if !why.is_empty() {
        return Err(why);
    }
    Ok(Normal {
        decimate: power.unwrap_or(0),
        traces,
        terms,
        whole_tag: tag.is_some_and(|k| m.states[usize::from(k)].width.ty() != Ty::F32),
        tag: tag.map(|k| (k, tag_terms)),
        high,
        range,
        names: m.states.iter().map(|c| c.name.clone()).collect(),
        whole: m.states.first().is_some_and(|w| w.width.ty() != Ty::F32),
    })
}

/// Reads the blocks of a model.
pub(super) struct Reader<'a> {
    /// The model.
    pub s: &'a Settled,
    /// May blocks read a value from outside?
    given: bool,
    /// What stands in the way.
    pub why: Vec<String>,
    /// What is added to the weight.
    pub terms: Vec<Added>,
    /// The state that is a tag.
    pub tag: Option<u16>,
    /// What is added to the tag.
    pub tag_terms: Vec<Added>,
    /// Ends of the weight's range, block by block.
    pub blocks: Vec<Ends>,
}

impl<'a> Reader<'a> {
    pub fn new(s: &'a Settled, given: bool) -> Reader<'a> {
        Reader {
            s,
            given,
            why: vec![],
            terms: vec![],
            tag: None,
            tag_terms: vec![],
            blocks: vec![],
        }
    }

    pub fn name(&self, state: u16) -> &str {
        let cell = self.s.model.states.get(usize::from(state));
        cell.map_or("?", |c| &c.name)
    }

    /// What stands around the sums.
    pub fn surroundings(&mut self) {
        let m = &self.s.model;
        if !m.delivers_weight() {
            self.why
                .push("it delivers something other than its weight as it stands: `emit w` comes first, before the weight changes".into());
        }
        for v in &m.views {
            self.why.push(format!(
                "it reads `{}`: rules see traces and weights alone",
                v.name
            ));
        }
        if m.states.first().is_some_and(|w| w.decay.is_some()) {
            self.why
                .push("its weights decay by themselves; the chip's change by rules alone".into());
        }
    }

    /// Traces that spikes raise by a constant and time lowers.
    pub fn traces(&mut self, most: [usize; 2]) -> BTreeMap<u16, Raised> {
        let m = &self.s.model;
        let mut out = BTreeMap::new();
        for (place, of, block, most) in [
            (Place::Source, "source", &m.pre.source, most[0]),
            (Place::Target, "target", &m.post.target, most[1]),
        ] {
            let cells = m.states.iter().zip(0u16..).filter(|c| c.0.place == place);
            let n = cells.clone().count();
            if n > most {
                self.why.push(match most {
                    0 => format!("it keeps a state of each {of}, and the chip's rule keeps none"),
                    _ => format!("it keeps {n} states a {of}; a core has {most}"),
                });
            }
            let sums = self.sums(block);
            for (cell, k) in cells {
                let whole = cell.width.ty() != Ty::F32;
                let left = match cell.decay {
                    Some(d) => d.factor as f64 / 18_446_744_073_709_551_616.0,
                    None => 1.0,
                };
                if cell.decay.is_none() {
                    self.why.push(format!(
                        "`{}` never falls, and the chip's traces do",
                        cell.name
                    ));
                } else if cell.decay.is_some_and(|d| d.rest != 0) || self.s.word(k) != 0 {
                    self.why.push(format!(
                        "`{}` starts or rests at something other than 0",
                        cell.name
                    ));
                }
                let raised = block.stores.iter().find(|x| x.0 == k);
                let sum = raised.and_then(|x| sums.get(x.1 as usize));
                match sum.map(|r| r.as_ref().map(|c| step(c, k))) {
                    Some(Ok(Some(adds))) => {
                        let trace = Raised {
                            place,
                            left,
                            adds,
                            whole,
                        };
                        out.insert(k, trace);
                    }
                    Some(Err(e)) => self.why.push(format!("`{}` {e}", cell.name)),
                    _ => self.why.push(format!(
                        "a spike does something else to `{}` than add a constant",
                        cell.name
                    )),
                }
            }
        }
        let still = |b: &Block| b.stores.is_empty();
        if !m
            .every
            .iter()
            .all(|e| still(&e.action.source) && still(&e.action.target))
        {
            self.why
                .push("traces change at intervals; on the chip spikes alone raise them".into());
        }
        out
    }

    /// What a block adds to the weight.
    pub fn changes(&mut self, gate: Gate, at: &str, block: &Block) {
        self.tag_changes(gate, block);
        let sums = self.sums(block);
        for &(state, v) in block.stores.iter().filter(|x| x.0 == 0) {
            let name = self.name(state).to_string();
            let cut = match sums.get(v as usize) {
                Some(Ok(c)) => c.clone(),
                Some(Err(e)) => {
                    self.why.push(format!("`{name}` {e}"));
                    continue;
                }
                None => continue,
            };
            if !cut.sum.contains_key(&vec![state]) {
                self.why
                    .push(format!("`{name}` is set, where rules add to it"));
                continue;
            }
            let before = self.terms.len();
            for (product, c) in cut.sum {
                // The weight itself stays; only what is added to one of it is a change.
                let c = if product == [state] { c - 1.0 } else { c };
                if c.abs() < 1e-12 {
                    continue;
                }
                if product.len() > FACTORS {
                    self.why.push(format!(
                        "a product of {} factors; a core multiplies {FACTORS}",
                        product.len()
                    ));
                }
                self.terms.push((gate, c, product));
            }
            let moves = |way: fn(f64) -> bool| self.terms[before..].iter().any(|t| way(t.1));
            let (falls, rises) = (moves(|c| c < 0.0), moves(|c| c > 0.0));
            self.blocks.push(Ends {
                at: at.into(),
                low: cut.low,
                high: cut.high,
                falls,
                rises,
            });
        }
    }

    /// The sum of products that each instruction is, or what it is beyond that.
    pub fn sums(&self, block: &Block) -> Vec<Result<Cut, String>> {
        let mut out: Vec<Result<Cut, String>> = vec![];
        for inst in &block.insts {
            let at = |v: u32| match out.get(v as usize) {
                Some(c) => c.clone(),
                None => Err("is not to be read".to_string()),
            };
            let value = match inst.op {
                Op::Const(w) => Ok(Cut::plain(number(w, inst.ty))),
                Op::Param(k) => Ok(Cut::plain(number(
                    self.s.params.get(usize::from(k)).copied().unwrap_or(0),
                    inst.ty,
                ))),
                Op::State(k) => Ok(Cut::plain([(vec![k], 1.0)].into())),
                Op::Un(UnOp::Neg, a) => {
                    at(a).and_then(|a| uncut(a).map(|s| Cut::plain(scaled(s, -1.0))))
                }
                Op::Un(UnOp::ToF32, a) => at(a),
                Op::Un(UnOp::ToI32, a) if block.insts[a as usize].ty != Ty::F32 => at(a),
                Op::Bin(op, a, b) => at(a).and_then(|a| binary(op, a, at(b)?, inst.ty)),
                // The chip's weights and traces end long before so many bits.
                Op::Wrap { a, bits, .. } if bits >= WIDE => at(a),
                Op::Select(..) => Err("depends on a condition".into()),
                Op::Rand { .. } => Err("draws random numbers".into()),
                Op::Port(_) if self.given => Ok(Cut::plain([(vec![GIVEN], 1.0)].into())),
                Op::Port(_) | Op::Arg => Err("takes a value from outside".into()),
                _ => Err("calls a function that sums of products have not".into()),
            };
            out.push(value.and_then(|c| match c.sum.len() {
                0..=MOST => Ok(c),
                n => Err(format!("is a sum of {n} products")),
            }));
        }
        out
    }
}

/// The constant that a spike adds to state `k`.
fn step(c: &Cut, k: u16) -> Option<f64> {
    let own = c.sum.get(&vec![k]) == Some(&1.0);
    let adds = c.sum.get(&vec![]).copied().unwrap_or(0.0);
    let uncut = c.low.is_none() && c.high.is_none();
    (own && uncut && adds > 0.0 && c.sum.len() == 2).then_some(adds)
}

fn number(word: u32, ty: Ty) -> Sum {
    let value = match ty {
        Ty::F32 => f64::from(f32::from_bits(word)),
        Ty::I32 => f64::from(word as i32),
        _ => f64::from(word),
    };
    if value == 0.0 {
        return Sum::new();
    }
    [(vec![], value)].into()
}

fn scaled(s: Sum, by: f64) -> Sum {
    s.into_iter()
        .map(|(p, c)| (p, c * by))
        .filter(|x| x.1 != 0.0)
        .collect()
}

fn uncut(c: Cut) -> Result<Sum, String> {
    // Where a value from outside is cut, all of it is, and the rule's form says at which end.
    match c.low.is_none() && c.high.is_none() || c.given() {
        true => Ok(c.sum),
        false => Err("computes with a value that was cut to a range".into()),
    }
}

fn binary(op: BinOp, a: Cut, b: Cut, ty: Ty) -> Result<Cut, String> {
    let (first, second) = (a.constant(), b.constant());
    match (op, first, second) {
        (BinOp::Min, _, Some(x)) => Ok(Cut {
            high: Some(a.high.map_or(x, |h| h.min(x))),
            ..a
        }),
        (BinOp::Min, Some(x), _) => Ok(Cut {
            high: Some(b.high.map_or(x, |h| h.min(x))),
            ..b
        }),
        (BinOp::Max, _, Some(x)) => Ok(Cut {
            low: Some(a.low.map_or(x, |l| l.max(x))),
            ..a
        }),
        (BinOp::Max, Some(x), _) => Ok(Cut {
            low: Some(b.low.map_or(x, |l| l.max(x))),
            ..b
        }),
        (BinOp::Min | BinOp::Max, ..) => Err("compares values that both change".into()),
        (BinOp::Add, ..) => Ok(Cut::plain(added(uncut(a)?, uncut(b)?, 1.0))),
        (BinOp::Sub, ..) => Ok(Cut::plain(added(uncut(a)?, uncut(b)?, -1.0))),
        (BinOp::Mul, ..) => Ok(Cut::plain(multiplied(&uncut(a)?, &uncut(b)?))),
        (BinOp::Div, _, Some(x)) if x != 0.0 && ty == Ty::F32 => {
            Ok(Cut::plain(scaled(uncut(a)?, 1.0 / x)))
        }
        (BinOp::Div, ..) => {
            Err("divides by something other than a constant, or in whole numbers".into())
        }
        (BinOp::Shl, _, Some(x)) if (0.0..31.0).contains(&x) => {
            Ok(Cut::plain(scaled(uncut(a)?, x.exp2())))
        }
        _ => Err("calls a function that sums of products have not".into()),
    }
}

fn added(mut a: Sum, b: Sum, sign: f64) -> Sum {
    for (p, c) in b {
        *a.entry(p).or_insert(0.0) += sign * c;
    }
    a.retain(|_, c| *c != 0.0);
    a
}

fn multiplied(a: &Sum, b: &Sum) -> Sum {
    let mut out = Sum::new();
    for (p, c) in a {
        for (q, d) in b {
            let mut all = [p.as_slice(), q.as_slice()].concat();
            all.sort_unstable();
            *out.entry(all).or_insert(0.0) += c * d;
        }
    }
    out
}
