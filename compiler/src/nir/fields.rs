//! The fields of one node group: looked up by name, checked for type, taken out.
//!
//! In: the datasets of a node's group. Out: the node's [`NirKind`], or findings that say which field is missing or does
//! not fit; fields that no one asked for come back from [`Fields::rest`] as metadata. Tolerated, because real files
//! have them: integers of any width, scalars where one-element arrays are meant and the reverse, numbers of any type
//! as parameters. Not done here: comparing shapes of fields with one another.

use super::graph::{Array, Meta, Metadata, Padding};
use super::hdf5::{Dataset, Group, Value};
use super::parse::hdf5_finding;
use super::report::{Report, code};
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::Diagnostic;

/// Most axes of any array or shape.
const MAX_AXES: usize = 8;

/// The fields of one node.
pub struct Fields {
    pub(super) values: BTreeMap<String, Value>,
    unreadable: BTreeSet<String>,
    pub(super) path: String,
    pub(super) name: String,
}

impl Fields {
    /// Reads all datasets of the node; those that cannot be read are reported.
    pub fn new(
        datasets: Vec<(String, Dataset)>,
        path: &str,
        name: &str,
        report: &mut Report,
    ) -> Self {
        let mut fields = Fields {
            values: BTreeMap::new(),
            unreadable: BTreeSet::new(),
            path: path.to_owned(),
            name: name.to_owned(),
        };
        for (field, dataset) in datasets {
            match dataset.read() {
                Ok(value) => {
                    fields.values.insert(field, value);
                }
                Err(e) => {
                    report.push(
                        path,
                        hdf5_finding(e, &format!("field `{field}` of node `{name}`")),
                    );
                    fields.unreadable.insert(field);
                }
            }
        }
        fields
    }

    fn take(&mut self, field: &str) -> Option<Value> {
        self.values.remove(field)
    }

    fn wrong(&self, field: &str, found: &Value, wanted: &str, report: &mut Report) {
        let shape = super::graph::shape_text(found.shape());
        let finding = Diagnostic::error(
            code::FIELD,
            format!(
                "field `{field}` of node `{}` is {} of shape {shape}",
                self.name,
                found.describe()
            ),
        )
        .hint(format!("it must be {wanted}"));
        report.push(&self.path, finding.field("field", field));
    }

    fn missing(&self, field: &str, wanted: &str, report: &mut Report) {
        // Only unreadable: already told.
        if self.unreadable.contains(field) {
            return;
        }
        let finding = Diagnostic::error(
            code::MISSING,
            format!("node `{}` has no field `{field}`", self.name),
        )
        .hint(format!("add `{field}`: {wanted}"));
        report.push(&self.path, finding.field("field", field));
    }

    fn missing_type(&self, children: &[(String, Group)], report: &mut Report) {
        let mut finding = Diagnostic::error(
            code::TYPE,
            format!("node `{}` has no field `type`", self.name),
        );
        finding = match children.first() {
            Some((child, _)) if self.values.is_empty() => finding
                .note(format!(
                    "a node named `{}/{child}` looks like this in a file: \"/\" separates groups",
                    self.name
                ))
                .hint("rename the node without \"/\" before writing"),
            _ => finding.hint("write the graph with nir.write(\"net.nir\", graph)"),
        };
        report.push(&self.path, finding);
    }

    /// The name in `type`, if there is one.
    pub fn type_name(
        &mut self,
        children: &[(String, Group)],
        report: &mut Report,
    ) -> Option<String> {
        match self.take("type") {
            Some(Value::Text(text)) if text.data.len() == 1 => text.data.into_iter().next(),
            Some(other) => {
                self.wrong(
                    "type",
                    &other,
                    "one string, the name of the node's type",
                    report,
                );
                None
            }
            None => {
                if !self.unreadable.contains("type") {
                    self.missing_type(children, report);
                }
                None
            }
        }
    }

    /// The edges of a graph: N x 2 strings. An empty array of any type means none.
    pub fn edges(&mut self, report: &mut Report) -> Option<Vec<(String, String)>> {
        let wanted = "N x 2 strings: source and destination of each edge";
        match self.take("edges") {
            Some(value) if value.shape().contains(&0) => Some(vec![]),
            Some(Value::Text(text)) if matches!(text.shape.as_slice(), [_, 2]) => {
                let mut names = text.data.into_iter();
                let mut edges = Vec::new();
                while let (Some(from), Some(to)) = (names.next(), names.next()) {
                    edges.push((from, to));
                }
                Some(edges)
            }
            Some(other) => {
                self.wrong("edges", &other, wanted, report);
                None
            }
            None => {
                self.missing("edges", wanted, report);
                None
            }
        }
    }

    pub(super) fn optional_array(
        &mut self,
        field: &'static str,
        report: &mut Report,
    ) -> Option<Array> {
        match self.take(field)? {
            Value::Real(array) if array.shape.len() <= MAX_AXES && !array.data.is_empty() => {
                self.finite(field, array, report)
            }
            Value::Int(ints) if ints.shape.len() <= MAX_AXES && !ints.data.is_empty() => {
                Some(Array {
                    shape: ints.shape,
                    data: ints.data.into_iter().map(|i| i as f64).collect(),
                    dtype: ints.dtype,
                })
            }
            other => {
                self.wrong(
                    field,
                    &other,
                    "numbers, at least one, with at most 8 axes",
                    report,
                );
                None
            }
        }
    }

    /// Refuses NaN anywhere, infinity except where it means "never".
    fn finite(&self, field: &str, array: Array, report: &mut Report) -> Option<Array> {
        let never = matches!(
            field,
            "v_threshold" | "threshold" | "tau" | "tau_syn" | "tau_mem"
        );
        let bad = |x: &f64| x.is_nan() || (x.is_infinite() && !never);
        match array.data.iter().position(bad) {
            None => Some(array),
            Some(index) => {
                let value = array.data.get(index).copied().unwrap_or(f64::NAN);
                let finding = Diagnostic::error(
                    code::FIELD,
                    format!(
                        "field `{field}` of node `{}` is {value} at index {index}",
                        self.name
                    ),
                )
                .hint(
                    "every parameter must be a finite number; check the training run that wrote it",
                );
                report.push(&self.path, finding.field("field", field));
                None
            }
        }
    }

    pub(super) fn array(
        &mut self,
        field: &'static str,
        wanted: &str,
        report: &mut Report,
    ) -> Option<Array> {
        let present = self.values.contains_key(field);
        let array = self.optional_array(field, report);
        if !present {
            self.missing(field, wanted, report);
        }
        array
    }

    /// `None`: absent. `Some(None)`: present but wrong, told.
    fn optional_ints(
        &mut self,
        field: &'static str,
        wanted: &str,
        report: &mut Report,
    ) -> Option<Option<Vec<i64>>> {
        let value = self.take(field)?;
        let list = match &value {
            Value::Int(ints) if ints.shape.len() <= 1 && ints.data.len() <= MAX_AXES => {
                Some(ints.data.clone())
            }
            // Whole numbers stored as floats occur in files of hand-written exporters.
            Value::Real(reals) if reals.shape.len() <= 1 && reals.data.len() <= MAX_AXES => reals
                .data
                .iter()
                .map(|x| (x.fract() == 0.0 && x.abs() < 9.0e15).then_some(*x as i64))
                .collect(),
            _ => None,
        };
        if list.is_none() {
            self.wrong(field, &value, wanted, report);
        }
        Some(list)
    }

    /// One whole number; `default` when absent.
    pub(super) fn one_int(
        &mut self,
        field: &'static str,
        default: i64,
        report: &mut Report,
    ) -> Option<i64> {
        match self.optional_ints(field, "one whole number", report) {
            None => Some(default),
            Some(list) => match list?.as_slice() {
                [one] => Some(*one),
                many => {
                    self.unfit(field, many, "one whole number", report);
                    None
                }
            },
        }
    }

    fn unfit(&self, field: &str, list: &[i64], wanted: &str, report: &mut Report) {
        let finding = Diagnostic::error(
            code::FIELD,
            format!("field `{field}` of node `{}` is {list:?}", self.name),
        )
        .hint(format!("it must be {wanted}"));
        report.push(&self.path, finding.field("field", field));
    }

    /// A list of lengths, each at least `least`.
    pub(super) fn lengths(
        &mut self,
        field: &'static str,
        counts: &[usize],
        least: i64,
        wanted: &str,
        report: &mut Report,
    ) -> Option<Option<Vec<usize>>> {
        let list = match self.optional_ints(field, wanted, report)? {
            Some(list) => list,
            None => return Some(None),
        };
        let fits =
            (counts.is_empty() || counts.contains(&list.len())) && list.iter().all(|&n| n >= least);
        let lengths: Option<Vec<usize>> = list.iter().map(|&n| usize::try_from(n).ok()).collect();
        if !fits || lengths.is_none() {
            self.unfit(field, &list, wanted, report);
            return Some(None);
        }
        Some(lengths)
    }

    pub(super) fn required_lengths(
        &mut self,
        field: &'static str,
        counts: &[usize],
        least: i64,
        wanted: &str,
        report: &mut Report,
    ) -> Option<Vec<usize>> {
        match self.lengths(field, counts, least, wanted, report) {
            Some(list) => list,
            None => {
                self.missing(field, wanted, report);
                None
            }
        }
    }

    pub(super) fn padding(&mut self, axes: usize, report: &mut Report) -> Option<Padding> {
        let wanted = "whole numbers of at least 0, or \"same\", or \"valid\"";
        if let Some(Value::Text(text)) = self.values.get("padding") {
            let padding = match text.data.as_slice() {
                [word] if word == "same" => Some(Padding::Same),
                [word] if word == "valid" => Some(Padding::Valid),
                _ => None,
            };
            if padding.is_none() {
                let found = Value::Text(text.clone());
                self.wrong("padding", &found, wanted, report);
            }
            self.take("padding");
            return padding;
        }
        self.required_lengths("padding", &[1, axes], 0, wanted, report)
            .map(Padding::Zeros)
    }

    /// The fields that were not asked for, as metadata, each with a warning.
    pub fn rest(self, type_name: &str, report: &mut Report) -> Metadata {
        let mut kept = Metadata::new();
        for (field, value) in self.values {
            let finding = Diagnostic::warning(
                code::UNKNOWN,
                format!(
                    "{type_name} `{}` has a field `{field}`, which its type does not have; kept as metadata, not used",
                    self.name
                ),
            );
            report.push(&self.path, finding.field("field", &field));
            kept.insert(field, Meta::Value(value));
        }
        kept
    }
}
