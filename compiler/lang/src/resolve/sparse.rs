//! Connections given pair by pair: `list` and `sparse`.
//!
//! Comes in: lists or arrays of indices, or the arrays of a sparse matrix in compressed rows (as SciPy's `save_npz` writes
//! them; rows are targets, so that the matrix times a vector of spikes is what the targets receive). Goes out: a
//! [`Connector::List`] whose indices lie inside both populations.

use super::Resolver;
use super::data::{Numbers, Want};
use super::rules::{Ends, Rule};
use super::value::{Data, Value};
use super::weights::Weight;
use std::sync::Arc;
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::network::{Array, ArrayData, ArrayId, Connector, Stage};
use synfire_ir::units::Dimension;

/// Sources and targets.
type Pairs = (Vec<i32>, Vec<i32>);

impl<'a> Resolver<'a> {
    /// `list(pre, post)`: the connector and its number of pairs.
    pub(super) fn pairs(
        &mut self,
        rule: &Rule<'a>,
        sources: u32,
        targets: u32,
        ends: &Ends<'a, '_>,
    ) -> Option<(Connector, u32)> {
        let pre = self.indices(rule, "pre", sources, ends);
        let post = self.indices(rule, "post", targets, ends);
        let ((pre, n), (post, m)) = (pre?, post?);
        if n != m {
            self.report(
                Diagnostic::error("SYN0312", format!("`list` has {n} sources but {m} targets"))
                    .label(rule.span, "one target for each source")
                    .hint("give both lists the same length"),
            );
            return None;
        }
        Some((Connector::List { pre, post }, n))
    }

    fn indices(
        &mut self,
        rule: &Rule<'a>,
        which: &str,
        limit: u32,
        ends: &Ends<'a, '_>,
    ) -> Option<(ArrayId, u32)> {
        let e = rule.arg(which)?;
        let v = self.eval(e, ends.scope)?;
        let what = format!("`{which}` of `list`");
        let name = format!("{}.{which}", ends.name);
        let numbers = self.numbers(&v, e.span, Dimension::NONE, &what, &name)?;
        let array = Array {
            name: String::new(),
            shape: vec![],
            data: numbers.data,
        };
        let mut out = Vec::with_capacity(array.count());
        for i in 0..array.count() {
            let x = array.get(i);
            if x.fract() != 0.0 || x < 0.0 || x >= limit as f64 {
                self.report(
                    Diagnostic::error(
                        "SYN0312",
                        format!(
                            "element {i} of {what} is {x}; indices are whole, 0 to {}",
                            limit.saturating_sub(1)
                        ),
                    )
                    .label(e.span, "an index out of range")
                    .hint("indices count the units of the slice that is connected, from 0"),
                );
                return None;
            }
            out.push(x as i32);
        }
        let n = out.len() as u32;
        let id = self.store(Numbers {
            shape: vec![n],
            data: ArrayData::I32(out.into()),
            name: numbers.name,
        })?;
        Some((id, n))
    }

    /// `sparse`: pairs and weights of a matrix in compressed rows.
    pub(super) fn sparse(
        &mut self,
        w: &Weight,
        want: Want,
        sources: u32,
        targets: u32,
        at: Span,
    ) -> Option<Stage> {
        let (data, span) = match w {
            Weight::Value {
                value: Value::Data(d),
                at,
                ..
            } => (d.clone(), *at),
            _ => {
                self.report(
                    Diagnostic::error("SYN0314", "`sparse` needs a matrix from a file")
                        .label(at, "no file is loaded here")
                        .hint("write `sparse { weight = load(\"matrix.npz\") }`, a file of SciPy's `save_npz`"),
                );
                return None;
            }
        };
        let (pre, post) = self.stored_elements(&data, span, (sources, targets), at)?;
        let n = pre.len() as u32;
        let values: Arc<str> = data
            .key
            .as_ref()
            .map_or("data".into(), |k| format!("{k}.data").into());
        let values = Value::Data(Data {
            key: Some(values),
            ..data.clone()
        });
        let want = Want {
            shapes: vec![vec![n]],
            axes: "[stored elements]",
            ..want
        };
        let weight = self.init_of(&values, false, span, &want)?;
        let store = |r: &mut Self, v: Vec<i32>, what: &str| {
            r.store(Numbers {
                shape: vec![n],
                data: ArrayData::I32(v.into()),
                name: format!("{}:{what}", data.name()),
            })
        };
        let (pre, post) = (store(self, pre, "columns")?, store(self, post, "rows")?);
        Some(Stage {
            connector: Connector::List { pre, post },
            weight,
        })
    }

    /// Columns and rows of the stored elements of a matrix.
    fn stored_elements(
        &mut self,
        data: &Data,
        span: Span,
        (sources, targets): (u32, u32),
        at: Span,
    ) -> Option<Pairs> {
        let part = |r: &mut Self, key: &str| {
            let key: Arc<str> = match &data.key {
                Some(k) => format!("{k}.{key}").into(),
                None => key.into(),
            };
            r.load_array(&Data {
                key: Some(key),
                ..data.clone()
            })
        };
        let (indptr, indices, shape) = (
            part(self, "indptr"),
            part(self, "indices"),
            part(self, "shape"),
        );
        let (indptr, indices, shape) = (indptr?, indices?, shape?);
        self.compressed_by_row(data, span)?;
        let rows = matrix(data, &indptr, &indices, &shape, (sources, targets));
        match rows {
            Ok(pairs) => Some(pairs),
            Err(d) => {
                self.report(
                    d.label(span, "this matrix")
                        .label(at, format!("from {sources} to {targets} units")),
                );
                None
            }
        }
    }

    /// A `format` array, where there is one, must say `csr`: the arrays of other formats look alike and mean something else.
    fn compressed_by_row(&mut self, data: &Data, at: Span) -> Option<()> {
        let key = data
            .key
            .as_ref()
            .map_or("format".to_string(), |k| format!("{k}.format"));
        let from = self
            .files
            .units
            .get(data.unit)
            .map_or("", |u| u.name.as_str());
        let Ok(format) = self.loader.array(&data.path, Some(&key), from) else {
            return Some(());
        };
        let text: String = (0..format.count())
            .filter_map(|i| char::from_u32(format.get(i) as u32))
            .filter(|c| *c != '\0')
            .take(20)
            .collect();
        if text == "csr" {
            return Some(());
        }
        self.report(
            Diagnostic::error(
                "SYN0314",
                format!(
                    "`{}` is a sparse matrix in format `{text}`, not `csr`",
                    data.name()
                ),
            )
            .label(at, "this matrix")
            .hint("convert it before saving: `scipy.sparse.save_npz(file, matrix.tocsr())`"),
        );
        None
    }
}

/// Columns (sources) and rows (targets) of the stored elements.
fn matrix(
    d: &Data,
    indptr: &Array,
    indices: &Array,
    shape: &Array,
    (sources, targets): (u32, u32),
) -> Result<Pairs, Box<Diagnostic>> {
    let wrong = |what: String| {
        let d = Diagnostic::error(
            "SYN0314",
            format!("`{}` is no sparse matrix for this: {what}", d.name()),
        )
        .hint("rows are targets and columns are sources: the matrix times the sources' spikes");
        Box::new(d)
    };
    let (rows, columns) = match shape.count() {
        2 => (shape.get(0), shape.get(1)),
        n => return Err(wrong(format!("its shape has {n} numbers instead of 2"))),
    };
    if rows != targets as f64 || columns != sources as f64 {
        return Err(wrong(format!(
            "it has {rows} rows and {columns} columns for {targets} targets and {sources} sources"
        )));
    }
    let n = indices.count();
    if indptr.count() != targets as usize + 1 {
        return Err(wrong(format!(
            "`indptr` has {} numbers instead of {}",
            indptr.count(),
            targets as u64 + 1
        )));
    }
    let mut pre = Vec::with_capacity(n);
    let mut post = Vec::with_capacity(n);
    for t in 0..targets as usize {
        let (a, b) = (indptr.get(t), indptr.get(t + 1));
        let ordered = a == pre.len() as f64 && b >= a && b <= n as f64;
        if !ordered {
            return Err(wrong(format!(
                "`indptr` does not ascend from 0 to {n} at row {t}"
            )));
        }
        for k in a as usize..b as usize {
            let s = indices.get(k);
            if s.fract() != 0.0 || s < 0.0 || s >= sources as f64 {
                return Err(wrong(format!(
                    "element {k} of `indices` is {s}, outside 0 to {}",
                    sources.saturating_sub(1)
                )));
            }
            pre.push(s as i32);
            post.push(t as i32);
        }
    }
    if pre.len() != n {
        return Err(wrong(format!(
            "`indptr` ends at {} instead of {n}",
            pre.len()
        )));
    }
    Ok((pre, post))
}
