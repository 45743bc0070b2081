//! Values of a step block as forms in its states and ports, and what operations make of them.
//!
//! A form is a constant, affine in states and ports, a test of one, or a choice by a test. Any operation that leaves these forms is an error that says which.

use synfire_ir::model::{BinOp, UnOp};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Affine {
    /// One factor a state.
    pub v: Vec<f64>,
    pub ports: Vec<f64>,
    pub c: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Const(f64),
    Affine(Affine),
    /// `x - y > 0` (or `>= 0`).
    Test {
        difference: Affine,
        strict: bool,
    },
    /// The negation of a test.
    Not(Box<Form>),
    /// By a test.
    Choice {
        test: Box<Form>,
        yes: Box<Form>,
        no: Box<Form>,
    },
}

pub(super) fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn affine(f: &Form, (states, ports): (usize, usize)) -> Option<Affine> {
    match f {
        Form::Const(c) => Some(Affine {
            v: vec![0.0; states],
            ports: vec![0.0; ports],
            c: *c,
        }),
        Form::Affine(a) => Some(a.clone()),
        _ => None,
    }
}

/// Numbers of states and ports of a form.
fn extent(f: &Form) -> (usize, usize) {
    match f {
        Form::Affine(a) | Form::Test { difference: a, .. } => (a.v.len(), a.ports.len()),
        Form::Choice { yes, no, .. } => extent(yes).max(extent(no)),
        Form::Not(t) => extent(t),
        Form::Const(_) => (0, 0),
    }
}

pub(super) fn choose(c: &Form, a: &Form, e: &Form) -> Form {
    match c {
        Form::Const(x) => {
            if *x != 0.0 {
                a.clone()
            } else {
                e.clone()
            }
        }
        _ if a == e => a.clone(),
        Form::Not(t) => choose(t, e, a),
        test => {
            // A branch that chooses by the same test is already decided.
            let inner = |f: &Form, yes: bool| match f {
                Form::Choice {
                    test: t,
                    yes: y,
                    no: n,
                } if **t == *test => {
                    if yes {
                        (**y).clone()
                    } else {
                        (**n).clone()
                    }
                }
                other => other.clone(),
            };
            Form::Choice {
                test: Box::new(test.clone()),
                yes: Box::new(inner(a, true)),
                no: Box::new(inner(e, false)),
            }
        }
    }
}

fn lift(f: &Form, g: &dyn Fn(&Form) -> Result<Form, String>) -> Result<Form, String> {
    match f {
        Form::Choice { test, yes, no } => Ok(choose(test, &lift(yes, g)?, &lift(no, g)?)),
        other => g(other),
    }
}

pub(super) fn unary(o: UnOp, a: &Form) -> Result<Form, String> {
    match (o, a) {
        (UnOp::ToF32, Form::Const(_) | Form::Affine(_)) => Ok(a.clone()),
        (UnOp::ToI32 | UnOp::ToU32 | UnOp::ToF32, Form::Test { .. } | Form::Not(_)) => {
            Ok(choose(a, &Form::Const(1.0), &Form::Const(0.0)))
        }
        (UnOp::Not, Form::Test { .. }) => Ok(Form::Not(Box::new(a.clone()))),
        (UnOp::Not, Form::Not(t)) => Ok((**t).clone()),
        (UnOp::Not, Form::Const(c)) => Ok(Form::Const((*c == 0.0) as u8 as f64)),
        (UnOp::ToBool, Form::Test { .. } | Form::Not(_)) => Ok(a.clone()),
        (UnOp::ToBool, Form::Const(c)) => Ok(Form::Const((*c != 0.0) as u8 as f64)),
        (UnOp::ToI32 | UnOp::ToU32, Form::Const(c)) => Ok(Form::Const(c.trunc())),
        (UnOp::ToI32 | UnOp::ToU32, Form::Affine(_)) => Ok(a.clone()),
        (UnOp::Neg, _) => binary(BinOp::Sub, &Form::Const(0.0), a),
        (_, Form::Choice { .. }) => lift(a, &|f| unary(o, f)),
        (_, Form::Const(c)) => match o {
            UnOp::Abs => Ok(Form::Const(c.abs())),
            UnOp::Sign => Ok(Form::Const(if *c == 0.0 { 0.0 } else { c.signum() })),
            UnOp::Floor => Ok(Form::Const(c.floor())),
            UnOp::Sqrt => Ok(Form::Const(c.sqrt())),
            UnOp::Exp => Ok(Form::Const(c.exp())),
            UnOp::Log => Ok(Form::Const(c.ln())),
            UnOp::Sin => Ok(Form::Const(c.sin())),
            UnOp::Cos => Ok(Form::Const(c.cos())),
            UnOp::Tanh => Ok(Form::Const(c.tanh())),
            _ => Err(format!("it uses `{o:?}`")),
        },
        _ => Err(format!(
            "it uses `{}` on its membrane",
            format!("{o:?}").to_lowercase()
        )),
    }
}

fn combine(x: &Affine, y: &Affine, f: fn(f64, f64) -> f64) -> Affine {
    let each = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(p, q)| f(*p, *q)).collect();
    Affine {
        v: each(&x.v, &y.v),
        ports: each(&x.ports, &y.ports),
        c: f(x.c, y.c),
    }
}

pub(super) fn binary(o: BinOp, a: &Form, b: &Form) -> Result<Form, String> {
    if let Form::Choice { .. } = a {
        return lift(a, &|f| binary(o, f, b));
    }
    if let Form::Choice { .. } = b {
        return lift(b, &|f| binary(o, a, f));
    }
    if let (Form::Const(x), Form::Const(y)) = (a, b) {
        use synfire_ir::network::HostFn2 as F;
        let f = match o {
            BinOp::Add => F::Add,
            BinOp::Sub => F::Sub,
            BinOp::Mul => F::Mul,
            BinOp::Div => F::Div,
            BinOp::Min => F::Min,
            BinOp::Max => F::Max,
            BinOp::Pow => F::Pow,
            BinOp::Lt => F::Lt,
            BinOp::Le => F::Le,
            BinOp::Gt => F::Gt,
            BinOp::Ge => F::Ge,
            BinOp::Eq => F::Eq,
            BinOp::Ne => F::Ne,
            BinOp::And => F::And,
            BinOp::Or => F::Or,
            _ => return Err(format!("it uses `{}`", format!("{o:?}").to_lowercase())),
        };
        return Ok(Form::Const(f.apply(*x, *y)));
    }
    let n = extent(a).max(extent(b));
    let logic = |c: f64, other: &Form| match (o, c != 0.0) {
        (BinOp::And, true) | (BinOp::Or, false) => Some(other.clone()),
        (BinOp::And, false) => Some(Form::Const(0.0)),
        (BinOp::Or, true) => Some(Form::Const(1.0)),
        _ => None,
    };
    match (a, b) {
        (Form::Const(c), t @ (Form::Test { .. } | Form::Not(_)))
        | (t @ (Form::Test { .. } | Form::Not(_)), Form::Const(c)) => {
            return logic(*c, t).ok_or_else(|| "it combines tests".into());
        }
        _ => {}
    }
    let (Some(x), Some(y)) = (affine(a, n), affine(b, n)) else {
        return Err("it combines several tests".into());
    };
    let scale = |k: f64, z: &Affine| Affine {
        v: z.v.iter().map(|g| g * k).collect(),
        ports: z.ports.iter().map(|g| g * k).collect(),
        c: z.c * k,
    };
    let test = |p: &Affine, q: &Affine, strict: bool| Form::Test {
        difference: combine(p, q, |a, b| a - b),
        strict,
    };
    Ok(match o {
        BinOp::Add => Form::Affine(combine(&x, &y, |p, q| p + q)),
        BinOp::Sub => Form::Affine(combine(&x, &y, |p, q| p - q)),
        BinOp::Mul => match (a, b) {
            (Form::Const(k), _) => Form::Affine(scale(*k, &y)),
            (_, Form::Const(k)) => Form::Affine(scale(*k, &x)),
            _ => return Err("it multiplies its membrane or inputs with one another".into()),
        },
        BinOp::Div => match b {
            Form::Const(k) if *k != 0.0 => Form::Affine(scale(1.0 / k, &x)),
            _ => return Err("it divides by its membrane or inputs".into()),
        },
        BinOp::Gt => test(&x, &y, true),
        BinOp::Ge => test(&x, &y, false),
        BinOp::Lt => test(&y, &x, true),
        BinOp::Le => test(&y, &x, false),
        _ => {
            return Err(format!(
                "it uses `{}` on its membrane",
                format!("{o:?}").to_lowercase()
            ));
        }
    })
}
