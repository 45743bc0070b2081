//! Functions in expressions of a network.
//!
//! Comes in: a call. Goes out: its value. There are numeric functions (with their dimensions), those of fixed-width
//! arithmetic, `name` and `size` of populations, `load` of data, and the distributions.

use super::expect::Statistic;
use super::ops::{Checked, Fault, fail, finite, mismatch, plain};
use super::scope::ScopeId;
use super::value::{Data, Node, Text, Value};
use super::{MAX_TEXT, Resolver, distributions, near};
use crate::syntax::tree::Call;
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::units::Dimension;

/// Functions of numbers: name, and names of their arguments.
const NUMERIC: [(&str, &[&str]); 16] = [
    ("exp", &["x"]),
    ("log", &["x"]),
    ("sqrt", &["x"]),
    ("sin", &["x"]),
    ("cos", &["x"]),
    ("tanh", &["x"]),
    ("abs", &["x"]),
    ("sign", &["x"]),
    ("floor", &["x"]),
    ("round", &["x"]),
    ("min", &["a", "b"]),
    ("max", &["a", "b"]),
    ("clip", &["x", "low", "high"]),
    ("where", &["condition", "a", "b"]),
    ("sat", &["x", "bits"]),
    ("wrap", &["x", "bits"]),
];

/// Functions of whole numbers.
const WHOLE: [(&str, &[&str]); 4] = [
    ("mul_shift", &["a", "b", "k"]),
    ("mul_shift_rtz", &["a", "b", "k"]),
    ("round_shift", &["x", "k"]),
    ("trunc_div", &["a", "b"]),
];

/// Functions of names and files, and lists.
const OTHER: [&str; 4] = ["load", "name", "size", "spaced"];

/// Longest list of `spaced`.
const MAX_SPACED: usize = 1 << 16;
/// Operations that one of its values costs: values take memory as long as the network is read.
const SPACED_COST: u64 = 16;

/// A value and its place.
type Placed = (Value, Span);

impl<'a> Resolver<'a> {
    /// The value of a call.
    pub(super) fn call(&mut self, c: &'a Call, scope: ScopeId) -> Option<Value> {
        let name = c.path.dotted();
        match name.as_str() {
            "load" => return self.load_call(c, scope),
            "name" => return self.name_call(c, scope),
            "size" => return self.size_call(c, scope),
            "spaced" => return self.spaced_call(c, scope),
            _ => {}
        }
        if self.measuring.is_some()
            && let Some(statistic) = Statistic::named(&name, c.args.len())
        {
            return self.measure(c, statistic, scope);
        }
        let formals = NUMERIC
            .iter()
            .chain(&WHOLE)
            .find(|f| f.0 == name)
            .map(|f| f.1);
        let Some(formals) = formals.or_else(|| distributions::arguments(&name)) else {
            self.report(unknown(c, &name));
            return None;
        };
        let values = self.arguments(c, &name, formals, scope)?;
        let result = if distributions::arguments(&name).is_some() {
            distributions::make(&name, &values, c.span)
        } else if WHOLE.iter().any(|f| f.0 == name) || matches!(name.as_str(), "sat" | "wrap") {
            whole_function(&name, &values, c.span)
        } else {
            numeric(&name, &values, c.span)
        };
        self.keep(result)
    }

    /// All arguments, each of which must be given.
    fn arguments(
        &mut self,
        c: &'a Call,
        name: &str,
        formals: &[&str],
        scope: ScopeId,
    ) -> Option<Vec<Placed>> {
        let bound = self.bind(
            &format!("`{name}`"),
            &c.args,
            formals,
            formals.len(),
            c.span,
        )?;
        let values: Vec<Option<Placed>> = bound
            .into_iter()
            .map(|e| e.and_then(|e| Some((self.eval(e, scope)?, e.span))))
            .collect();
        values.into_iter().collect()
    }

    fn load_call(&mut self, c: &'a Call, scope: ScopeId) -> Option<Value> {
        let bound = self.bind("`load`", &c.args, &["file", "key"], 1, c.span)?;
        let mut text =
            |e: Option<&'a crate::syntax::tree::Expr>, what: &str| -> Option<Option<Text>> {
                let Some(e) = e else { return Some(None) };
                match self.eval(e, scope)? {
                    Value::Text(t) => Some(Some(t)),
                    v => {
                        self.report(
                            Diagnostic::error(
                                "SYN0104",
                                format!("{what} of `load` must be a text, not {}", v.describe()),
                            )
                            .label(e.span, v.describe())
                            .hint("write `load(\"weights.npz\", \"w1\")`"),
                        );
                        None
                    }
                }
            };
        let (file, key) = (
            text(bound.first().copied().flatten(), "the file"),
            text(bound.get(1).copied().flatten(), "the key"),
        );
        let (file, key) = (file??, key?);
        Some(Value::Data(Data {
            path: file.text,
            key: key.map(|k| k.text),
            unit: file.unit,
            span: c.span,
            scale: 1.0,
            dimension: Dimension::NONE,
        }))
    }

    /// `name(a, b, ...)`: names and texts joined by `_`: `name(reg, "w_in")` is `reg_w_in`.
    fn name_call(&mut self, c: &'a Call, scope: ScopeId) -> Option<Value> {
        let mut parts = vec![];
        let mut unit = self.unit_of(c.span);
        for arg in &c.args {
            let text = match self.eval(&arg.value, scope)? {
                Value::Text(t) => {
                    unit = t.unit;
                    Some(t.text.to_string())
                }
                Value::Int(i) => Some(i.to_string()),
                Value::Node(n) => self.node_name(&n),
                _ => None,
            };
            let Some(text) = text else {
                self.report(
                    Diagnostic::error(
                        "SYN0104",
                        "`name` joins texts, whole numbers and names of populations",
                    )
                    .label(arg.span, "none of these")
                    .hint("write `name(p, \"w_in\")`"),
                );
                return None;
            };
            parts.push(text);
        }
        let text = parts.join("_");
        if text.len() > MAX_TEXT {
            self.report(
                Diagnostic::error(
                    "SYN0113",
                    format!("a name of {} bytes; at most {MAX_TEXT} can be", text.len()),
                )
                .label(c.span, "joined here")
                .hint("join fewer texts"),
            );
            return None;
        }
        Some(Value::Text(Text {
            text: text.into(),
            unit,
        }))
    }

    /// `spaced(from, to, n)`: `n` values at equal distances from `from` on, `to` left out.
    fn spaced_call(&mut self, c: &'a Call, scope: ScopeId) -> Option<Value> {
        let bound = self.bind("`spaced`", &c.args, &["from", "to", "n"], 3, c.span)?;
        let [Some(from), Some(to), Some(n)] = bound[..] else {
            return None;
        };
        let (a, b) = (self.eval(from, scope), self.eval(to, scope));
        let n = self.whole(n, scope, "the number of values of `spaced`", 0)?;
        let (a, b) = ((a?, from.span), (b?, to.span));
        if n as usize > MAX_SPACED {
            self.report(
                Diagnostic::error(
                    "SYN0113",
                    format!("a list of {n} values; at most {MAX_SPACED} can be"),
                )
                .label(c.span, "this list")
                .hint("keep long lists in a data file and `load` it")
                .field("limit", MAX_SPACED),
            );
            return None;
        }
        let ends = number(&a, "spaced").and_then(|x| Ok((x, number(&b, "spaced")?)));
        let ((x, dx), (y, dy)) = self.keep(ends)?;
        if dx != dy {
            self.report(mismatch("bounds of one list", c.span, (dx, a.1), (dy, b.1)));
            return None;
        }
        self.fuel = self.fuel.saturating_sub(n as u64 * SPACED_COST);
        let value = |k: u32| Value::Real(x + (y - x) * k as f64 / n as f64, dx);
        self.list((0..n).map(value).collect(), c.span)
    }

    /// Elements of a population (or a slice of it) or of a list.
    fn size_call(&mut self, c: &'a Call, scope: ScopeId) -> Option<Value> {
        let e = self
            .bind("`size`", &c.args, &["of"], 1, c.span)?
            .into_iter()
            .next()
            .flatten()?;
        let v = self.eval(e, scope)?;
        match &v {
            Value::List(l) => Some(Value::Int(l.items.len() as i128)),
            Value::Node(n @ (Node::Pop(..) | Node::Port(..))) => {
                Some(Value::Int(self.view_of(n)?.range.len as i128))
            }
            other => {
                self.report(
                    Diagnostic::error(
                        "SYN0104",
                        format!(
                            "`size` is of a population or a list, not of {}",
                            other.describe()
                        ),
                    )
                    .label(e.span, other.describe())
                    .hint("name a population, e.g. `size(exc)`"),
                );
                None
            }
        }
    }
}

fn unknown(c: &Call, name: &str) -> Diagnostic {
    let d = Diagnostic::error("SYN0101", format!("there is no function `{name}` here"))
        .label(c.path.span, "unknown");
    if matches!(name, "rand" | "randn" | "rand_u32") {
        return d.hint("draw a value for each element with `~`, e.g. `v ~ uniform(0, 1)`");
    }
    let names = NUMERIC
        .iter()
        .chain(&WHOLE)
        .map(|f| f.0)
        .chain(OTHER)
        .chain(distributions::names());
    match near(name, names) {
        Some(n) => d.hint(format!("did you mean `{n}`?")),
        None => d.hint("functions are exp, log, sqrt, min, max, where, ... and load, name, size, spaced; `synfire help` lists them"),
    }
}

fn number(v: &Placed, name: &str) -> Checked<(f64, Dimension)> {
    v.0.number().ok_or_else(|| {
        Fault::from(
            Diagnostic::error(
                "SYN0104",
                format!("`{name}` needs numbers, not {}", v.0.describe()),
            )
            .label(v.1, v.0.describe())
            .hint("give a number"),
        )
    })
}

fn numeric(name: &str, values: &[Placed], at: Span) -> Checked<Value> {
    if name == "where" {
        return choose(values, at);
    }
    let numbers: Vec<(f64, Dimension)> = values
        .iter()
        .map(|v| number(v, name))
        .collect::<Result<_, _>>()?;
    for (v, n) in values.iter().zip(&numbers).skip(1) {
        if n.1 != numbers[0].1 {
            return fail(mismatch(
                "compared",
                at,
                (numbers[0].1, values[0].1),
                (n.1, v.1),
            ));
        }
    }
    let (x, d) = numbers[0];
    let all_whole = values.iter().all(|v| matches!(v.0, Value::Int(_)));
    let of_any = |r: f64| finite(r, d, at);
    let of_plain = |r: f64| {
        if d.is_none() {
            finite(r, d, at)
        } else {
            fail(plain(&format!("the argument of `{name}`"), d, values[0].1))
        }
    };
    let get = |i: usize| numbers.get(i).map_or(x, |n| n.0);
    let result = match name {
        "exp" => of_plain(x.exp()),
        "log" => of_plain(x.ln()),
        "sin" => of_plain(x.sin()),
        "cos" => of_plain(x.cos()),
        "tanh" => of_plain(x.tanh()),
        "floor" => of_plain(x.floor()),
        "round" => of_plain(x.round_ties_even()),
        "sqrt" => root(x, d, values[0].1, at),
        "sign" => Ok(Value::Real(
            if x == 0.0 { 0.0 } else { x.signum() },
            Dimension::NONE,
        )),
        "abs" => of_any(x.abs()),
        "min" => of_any(x.min(get(1))),
        "max" => of_any(x.max(get(1))),
        _ => of_any(x.max(get(1)).min(get(2))),
    }?;
    let rounds = matches!(name, "floor" | "round");
    let keeps = matches!(name, "abs" | "min" | "max" | "clip" | "sign");
    match result.whole() {
        Some(i) if rounds || (keeps && all_whole) => Ok(Value::Int(i)),
        _ => Ok(result),
    }
}

fn root(x: f64, d: Dimension, arg: Span, at: Span) -> Checked<Value> {
    if d.0.iter().any(|e| e % 2 != 0) {
        return fail(
            Diagnostic::error(
                "SYN0201",
                format!("the square root of {} has no unit", super::ops::article(d)),
            )
            .label(arg, "its unit is no square")
            .hint("divide by a unit first, e.g. `sqrt(x / 1 mV)`"),
        );
    }
    finite(x.sqrt(), Dimension(d.0.map(|e| e / 2)), at)
}

fn choose(values: &[Placed], at: Span) -> Checked<Value> {
    let [(c, c_at), (a, a_at), (b, b_at)] = values else {
        return Ok(Value::Bool(false));
    };
    let Value::Bool(c) = c else {
        return fail(
            Diagnostic::error(
                "SYN0104",
                format!(
                    "the condition of `where` must be `true` or `false`, not {}",
                    c.describe()
                ),
            )
            .label(*c_at, c.describe())
            .hint("write a comparison"),
        );
    };
    if let (Some((_, da)), Some((_, db))) = (a.number(), b.number())
        && da != db
    {
        return fail(mismatch("alternatives", at, (da, *a_at), (db, *b_at)));
    }
    Ok(if *c { a.clone() } else { b.clone() })
}

fn whole_function(name: &str, values: &[Placed], at: Span) -> Checked<Value> {
    let ints: Vec<i64> = values
        .iter()
        .map(|v| {
            v.0.whole()
                .and_then(|i| i64::try_from(i).ok())
                .ok_or_else(|| {
                    let d = Diagnostic::error(
                        "SYN0104",
                        format!(
                            "`{name}` needs whole numbers of at most 64 bits, not {}",
                            v.0.describe()
                        ),
                    )
                    .label(v.1, v.0.describe())
                    .hint("give a whole number");
                    Fault::from(d)
                })
        })
        .collect::<Result<_, _>>()?;
    let get = |i: usize| ints.get(i).copied().unwrap_or(0);
    let (a, b) = (get(0), get(1));
    let shift = if name == "round_shift" { b } else { get(2) };
    let range = |ok: bool, what: &str, last: &Placed| {
        if ok {
            Ok(())
        } else {
            fail(
                Diagnostic::error("SYN0114", format!("{what} of `{name}` is out of range"))
                    .label(last.1, "out of range")
                    .label(at, "in this call")
                    .hint("widths are 1 to 32 bits, shifts 0 to 63, divisors not 0"),
            )
        }
    };
    let last = &values[values.len() - 1];
    let r: i128 = match name {
        "sat" | "wrap" => {
            range((1..=32).contains(&b), "the width", last)?;
            let half = 1i128 << (b - 1);
            if name == "sat" {
                (a as i128).clamp(-half, half - 1)
            } else {
                (a as i128 + half).rem_euclid(2 * half) - half
            }
        }
        "trunc_div" => {
            range(b != 0, "the divisor", last)?;
            a as i128 / b as i128
        }
        _ => {
            range((0..=63).contains(&shift), "the shift", last)?;
            let product = if name == "round_shift" {
                a as i128
            } else {
                a as i128 * b as i128
            };
            match name {
                "mul_shift" => product >> shift,
                "mul_shift_rtz" => product / (1i128 << shift),
                _ if shift == 0 => product,
                _ => (product + (1i128 << (shift - 1))) >> shift,
            }
        }
    };
    Ok(Value::Int(r))
}
