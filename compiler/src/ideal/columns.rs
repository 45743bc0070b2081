//! Values of fields, parameters and states: evaluated on the host in f64, then words of their types.

use synfire_ir::model::Ty;
use synfire_ir::network::{Init, Network, NeuronModel, PopId};
use synfire_ir::program::Column;
use synfire_ir::{Diagnostic, Diagnostics};

/// One value for all, or one a unit.
pub(crate) struct Values(pub Vec<f64>);

impl Values {
    pub(crate) fn at(&self, i: usize) -> f64 {
        if self.0.len() == 1 {
            self.0[0]
        } else {
            self.0[i]
        }
    }
}

pub(super) fn draw(net: &Network, v: &Init, n: u32, seed: u64, key: &str) -> Values {
    match v {
        Init::Const(c) => Values(vec![*c]),
        Init::Array(a) if net.arrays[*a as usize].count() == 1 => {
            Values(vec![net.arrays[*a as usize].get(0)])
        }
        _ => Values(net.elements(v, n, seed, key)),
    }
}

/// Values of all fields of a population, defaults filled in from earlier fields.
pub(crate) fn evaluate_fields(
    net: &Network,
    id: PopId,
    m: &NeuronModel,
    values: &[(String, Init)],
    size: u32,
    seed: u64,
) -> Vec<Values> {
    let mut done: Vec<Values> = vec![];
    let dt = net.dt.unwrap_or(1.0);
    for f in &m.fields {
        let given = values.iter().find(|v| v.0 == f.name).map(|v| &v.1);
        let next = match (given, &f.default) {
            (Some(v), _) => draw(
                net,
                v,
                size,
                seed,
                &format!("{}.{}", net.graph[id].name, f.name),
            ),
            (None, Some(expr)) => {
                let uniform = !expr.reads_field() || done.iter().all(|v| v.0.len() == 1);
                let n = if uniform { 1 } else { size as usize };
                Values(
                    (0..n)
                        .map(|u| expr.eval(&|k| done[k as usize].at(u), dt))
                        .collect(),
                )
            }
            (None, None) => Values(vec![0.0]),
        };
        done.push(next);
    }
    done
}

/// Bits of a value in a type; integers round to the nearest, ties to even, and saturate.
pub(crate) fn bits(ty: Ty, x: f64) -> u32 {
    match ty {
        Ty::F32 => (x as f32).to_bits(),
        Ty::I32 => x.round_ties_even() as i32 as u32,
        Ty::U32 => x.round_ties_even() as u32,
        Ty::Bool => (x != 0.0) as u32,
    }
}

pub(super) fn column(
    out: &mut Diagnostics,
    pop: &str,
    what: &str,
    ty: Ty,
    size: u32,
    uniform: bool,
    of: impl Fn(usize) -> f64,
) -> Column {
    let n = if uniform { 1 } else { size as usize };
    let values: Vec<f64> = (0..n).map(of).collect();
    if let Some(u) = values.iter().position(|x| x.is_nan()) {
        out.push(
            Diagnostic::error(
                "SYN0425",
                format!("`{what}` of `{pop}` is not a number (unit {u})"),
            )
            .at(pop)
            .hint("look for a division by zero or the logarithm of a negative value in its fields"),
        );
    }
    let words: Vec<u32> = values.into_iter().map(|x| bits(ty, x)).collect();
    if uniform {
        Column::Uniform(words[0])
    } else {
        Column::from_words(words)
    }
}
