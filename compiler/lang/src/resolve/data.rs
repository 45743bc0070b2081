//! Values for elements: constants, distributions, lists and data files.
//!
//! Comes in: a field or a value, and what is wanted (dimension, shapes). Goes out: an [`Init`] in SI; lists and files
//! become arrays of the network, each stored once. Numbers of a file have no unit: they are plain unless multiplied by one.

use super::Resolver;
use super::distributions::is_whole;
use super::eval::wrong_dimension;
use super::ops::article;
use super::quantity::show;
use super::scope::ScopeId;
use super::value::{Data, Value, count};
use crate::syntax::tree::Field;
use std::sync::Arc;
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::network::{Array, ArrayData, ArrayId, Init};
use synfire_ir::units::Dimension;

/// Most numbers that a list in the text may hold, nested ones counted.
const MAX_LIST: usize = 1 << 20;

/// What a value must be.
pub(super) struct Want {
    /// For messages: "the weight of `exc->inh`".
    pub what: String,
    pub dimension: Dimension,
    pub whole: bool,
    /// Least and greatest value, of a type with so many bits.
    pub range: Option<(f64, f64)>,
    /// Shapes that an array may have; the first is named in messages. Empty: arrays are not possible.
    pub shapes: Vec<Vec<u32>>,
    /// What the axes of the first shape are, e.g. `[targets, sources]`.
    pub axes: &'static str,
    /// Why arrays are not possible, when they are not.
    pub no_array: &'static str,
    /// What an array made of a list is called.
    pub name: String,
}

/// Numbers with their shape.
pub(super) struct Numbers {
    pub shape: Vec<u32>,
    pub data: ArrayData,
    /// As it is named in the network.
    pub name: String,
}

impl<'a> Resolver<'a> {
    /// The value of `name = expr` or `name ~ expr`.
    pub(super) fn init(&mut self, f: &'a Field, scope: ScopeId, want: &Want) -> Option<Init> {
        let value = self.eval(&f.value, scope)?;
        self.init_of(&value, f.draw, f.value.span, want)
    }

    /// As [`Self::init`], of a value known already.
    pub(super) fn init_of(
        &mut self,
        value: &Value,
        draw: bool,
        at: Span,
        want: &Want,
    ) -> Option<Init> {
        let what = &want.what;
        match (draw, value) {
            (true, Value::Draw(d, dim)) => {
                if *dim != want.dimension {
                    self.report(wrong_dimension(what, want.dimension, *dim, at));
                    return None;
                }
                if want.whole && !is_whole(d) {
                    self.report(
                        Diagnostic::error(
                            "SYN0104",
                            format!("{what} must be whole, but this draws reals"),
                        )
                        .label(at, "draws reals")
                        .hint("draw from `uniform_int`, `binomial` or `poisson`"),
                    );
                    return None;
                }
                Some(Init::Draw(*d))
            }
            (true, v) => {
                self.report(
                    Diagnostic::error(
                        "SYN0117",
                        format!(
                            "`~` draws from a distribution, but this is {}",
                            v.describe()
                        ),
                    )
                    .label(at, v.describe())
                    .hint("write `=` to give a value"),
                );
                None
            }
            (false, Value::Draw(..)) => {
                self.report(
                    Diagnostic::error("SYN0117", format!("{what} is set to a distribution by `=`"))
                        .label(at, "a distribution")
                        .hint("write `~` to draw a value for each element"),
                );
                None
            }
            (false, Value::Bool(b)) if want.dimension.is_none() && want.whole => {
                Some(Init::Const(*b as u8 as f64))
            }
            (false, Value::List(_) | Value::Data(_)) => self.array_init(value, at, want),
            (false, v) => {
                let x = self.quantity_of(v, at, want.dimension, what)?;
                if want.whole && x.fract() != 0.0 {
                    self.report(not_whole(what, x, at));
                    return None;
                }
                self.in_range(what, x, at, want)?;
                Some(Init::Const(x))
            }
        }
    }

    /// Does the type of a field hold a value?
    fn in_range(&mut self, what: &str, x: f64, at: Span, want: &Want) -> Option<()> {
        let Some((low, high)) = want.range.filter(|r| !(r.0..=r.1).contains(&x)) else {
            return Some(());
        };
        self.report(
            Diagnostic::error(
                "SYN0104",
                format!("{what} is {x}; its type holds {low} to {high}"),
            )
            .label(at, "out of range")
            .hint("scale weights, thresholds and potentials together until they fit")
            .field("available", format!("{low}..={high}")),
        );
        None
    }

    fn array_init(&mut self, value: &Value, at: Span, want: &Want) -> Option<Init> {
        if want.shapes.is_empty() {
            self.report(
                Diagnostic::error(
                    "SYN0312",
                    format!("{} cannot come from an array", want.what),
                )
                .label(at, value.describe())
                .note(want.no_array)
                .hint("give one value, or draw it by `~`"),
            );
            return None;
        }
        let numbers = self.numbers(value, at, want.dimension, &want.what, &want.name)?;
        let single = count(&numbers.shape) == 1;
        if !single && !want.shapes.contains(&numbers.shape) {
            self.report(wrong_shape(want, &numbers, at));
            return None;
        }
        let array = Array {
            name: String::new(),
            shape: vec![],
            data: numbers.data.clone(),
        };
        if want.whole
            && let Some(i) = (0..array.count()).find(|&i| array.get(i).fract() != 0.0)
        {
            let d = not_whole(
                &format!("{} (element {i} of the array)", want.what),
                array.get(i),
                at,
            );
            self.report(d);
            return None;
        }
        if let Some((low, high)) = want.range
            && let Some(i) = (0..array.count()).find(|&i| !(low..=high).contains(&array.get(i)))
        {
            self.in_range(
                &format!("{what} (element {i} of the array)", what = want.what),
                array.get(i),
                at,
                want,
            )?;
        }
        if single && matches!(value, Value::List(_)) {
            return Some(Init::Const(array.get(0)));
        }
        self.store(numbers).map(Init::Array)
    }

    /// The numbers of a list or file, in SI, checked to have the wanted dimension and to be finite.
    pub(super) fn numbers(
        &mut self,
        v: &Value,
        at: Span,
        want: Dimension,
        what: &str,
        name: &str,
    ) -> Option<Numbers> {
        let numbers = match v {
            Value::Data(d) => {
                if d.dimension != want {
                    self.report(data_dimension(what, want, d.dimension, at));
                    return None;
                }
                let array = self.load_array(d)?;
                let name = if d.scale == 1.0 {
                    d.name()
                } else {
                    format!("{}*{}", d.name(), d.scale)
                };
                Numbers {
                    shape: array.shape.clone(),
                    data: times(&array.data, d.scale),
                    name,
                }
            }
            Value::List(_) => {
                let mut values = vec![];
                let shape = self.flatten(v, at, want, what, &mut values)?;
                Numbers {
                    shape,
                    data: ArrayData::F64(values.into()),
                    name: name.into(),
                }
            }
            v => {
                let x = self.quantity_of(v, at, want, what)?;
                Numbers {
                    shape: vec![1],
                    data: ArrayData::F64([x].into()),
                    name: name.into(),
                }
            }
        };
        let odd = match &numbers.data {
            ArrayData::F32(v) => v.iter().position(|x| !x.is_finite()),
            ArrayData::F64(v) => v.iter().position(|x| !x.is_finite()),
            ArrayData::I32(_) => None,
        };
        if let Some(i) = odd {
            self.report(
                Diagnostic::error(
                    "SYN0312",
                    format!("element {i} of `{}` is no finite number", numbers.name),
                )
                .label(at, format!("used for {what}"))
                .hint("repair the data, or check the factor it is multiplied by"),
            );
            return None;
        }
        Some(numbers)
    }

    /// Shape of nested lists, all of whose rows must be equally long; appends their numbers.
    fn flatten(
        &mut self,
        v: &Value,
        at: Span,
        want: Dimension,
        what: &str,
        out: &mut Vec<f64>,
    ) -> Option<Vec<u32>> {
        let Value::List(items) = v else {
            out.push(self.quantity_of(v, at, want, what)?);
            return Some(vec![]);
        };
        let mut inner: Option<Vec<u32>> = None;
        for item in items.items.iter() {
            if !self.burn(at) {
                return None;
            }
            if out.len() > MAX_LIST {
                self.report(
                    Diagnostic::error("SYN0113", format!("a list of more than {MAX_LIST} numbers"))
                        .label(at, "this list")
                        .hint("keep long lists in a data file and `load` it")
                        .field("limit", MAX_LIST),
                );
                return None;
            }
            let shape = self.flatten(item, at, want, what, out)?;
            if let Some(first) = &inner
                && *first != shape
            {
                self.report(
                    Diagnostic::error(
                        "SYN0312",
                        format!("{what}: rows of different lengths, {first:?} and {shape:?}"),
                    )
                    .label(at, "this list")
                    .hint("give every row the same number of elements"),
                );
                return None;
            }
            inner = Some(shape);
        }
        let mut shape = vec![items.items.len() as u32];
        shape.extend(inner.unwrap_or_default());
        Some(shape)
    }

    /// The array of a file, as it stands there; read once.
    pub(super) fn load_array(&mut self, d: &Data) -> Option<Arc<Array>> {
        let from = self.files.units.get(d.unit).map_or("", |u| u.name.as_str());
        let id = (d.path.clone(), d.key.clone(), d.unit);
        if let Some(known) = self.loaded.get(&id) {
            return known.clone();
        }
        let result = self.loader.array(&d.path, d.key.as_deref(), from);
        let array = match result {
            Ok(a) if a.count() as u64 == count(&a.shape) => Some(Arc::new(a)),
            Ok(_) => {
                self.report(unreadable(
                    d,
                    "its shape and its number of elements disagree",
                ));
                None
            }
            Err(why) => {
                self.report(unreadable(d, &why));
                None
            }
        };
        self.loaded.insert(id, array.clone());
        array
    }

    /// Stores an array in the network, under its name or that name with a number.
    pub(super) fn store(&mut self, n: Numbers) -> Option<ArrayId> {
        if let Some(known) = self
            .array_ids
            .get(&n.name)
            .map(|&id| (id, &self.arrays[id as usize]))
            && known.1.shape == n.shape
            && known.1.data == n.data
        {
            return Some(known.0);
        }
        let name = self.array_names.unique(&n.name);
        let id = self.arrays.len() as ArrayId;
        self.array_ids.insert(name.clone(), id);
        self.arrays.push(Array {
            name,
            shape: n.shape,
            data: n.data,
        });
        Some(id)
    }
}

/// Every number times `k`, in the precision of the data.
fn times(data: &ArrayData, k: f64) -> ArrayData {
    if k == 1.0 {
        return data.clone();
    }
    match data {
        ArrayData::F32(v) => ArrayData::F32(v.iter().map(|&x| (x as f64 * k) as f32).collect()),
        ArrayData::F64(v) => ArrayData::F64(v.iter().map(|&x| x * k).collect()),
        ArrayData::I32(v) => ArrayData::F64(v.iter().map(|&x| x as f64 * k).collect()),
    }
}

fn unreadable(d: &Data, why: &str) -> Diagnostic {
    Diagnostic::error("SYN0313", format!("`{}` cannot be read: {why}", d.name()))
        .label(d.span, "loaded here")
        .hint("the path is relative to the file that names it")
}

fn not_whole(what: &str, x: f64, at: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0104",
        format!("{what} must be whole, not {}", show(x, Dimension::NONE)),
    )
    .label(at, format!("{x}"))
    .hint("round it, or scale what it is computed from")
}

fn data_dimension(what: &str, want: Dimension, got: Dimension, at: Span) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0202",
        format!("{what} must be {}, not {}", article(want), article(got)),
    )
    .label(at, article(got));
    match (got.is_none(), want.is_none()) {
        (true, _) => d.note("numbers of a file have no unit").hint(format!(
            "multiply by one {want}, e.g. `load(\"file.npz\", \"w\") * 1 {}`",
            unit_of(want)
        )),
        (_, true) => d.hint("leave out the unit that the data is multiplied by"),
        _ => d.hint(format!("multiply the data by a unit of {want}")),
    }
}

/// A usual unit of a dimension.
fn unit_of(d: Dimension) -> &'static str {
    match d {
        Dimension::TIME => "ms",
        Dimension::VOLTAGE => "mV",
        Dimension::CURRENT => "pA",
        Dimension::CONDUCTANCE => "nS",
        Dimension::RATE => "Hz",
        Dimension::CAPACITANCE => "pF",
        Dimension::LENGTH => "mm",
        _ => "unit",
    }
}

fn wrong_shape(want: &Want, got: &Numbers, at: Span) -> Diagnostic {
    let first = want.shapes.first().cloned().unwrap_or_default();
    let d = Diagnostic::error(
        "SYN0312",
        format!(
            "{} needs an array of shape {first:?}, but `{}` has {:?}",
            want.what, got.name, got.shape
        ),
    )
    .label(at, format!("shape {:?}", got.shape))
    .field("needed", format!("{first:?}"))
    .field("found", format!("{:?}", got.shape));
    let mut turned = got.shape.clone();
    turned.reverse();
    let d = if want.axes.is_empty() {
        d
    } else {
        d.note(format!("its axes are {}", want.axes))
    };
    if turned == first && turned.len() == 2 {
        d.hint("the array stands the other way round: transpose it")
    } else if count(&got.shape) == count(&first) {
        d.hint(format!(
            "the number of elements is right: reshape the array to {first:?}"
        ))
    } else {
        d.hint("make the array fit the populations, or the populations the array")
    }
}
