//! Weights that a run learnt, as `.npz`.
//!
//! For each plastic projection NAME four arrays in one order: `NAME.source`, `NAME.target` (u32, neurons of the two populations),
//! `NAME.delay` (u32, steps) and `NAME.w` (in SI units; of a batch [samples, synapses]): f32 where that holds every weight, else
//! f64 (integers of fixed arithmetic have more digits). Equal weights are equal bytes.

use super::npy::{self, Npy};
use super::npz::{Archive, unfit, unpack};
use synfire_ir::{Diagnostic, Diagnostics};

/// The synapses of one projection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// Name of the projection.
    pub projection: String,
    /// Neuron of the source population, for each synapse.
    pub source: Vec<u32>,
    /// Neuron of the target population.
    pub target: Vec<u32>,
    /// Steps.
    pub delay: Vec<u32>,
    /// `[sample][synapse]`.
    pub values: Vec<Vec<f64>>,
}

/// The file of some projections.
pub fn write(all: &[Weights]) -> Result<Vec<u8>, Diagnostics> {
    let mut zip = Archive::new();
    for x in all {
        let n = x.source.len();
        let columns = [
            ("source", &x.source),
            ("target", &x.target),
            ("delay", &x.delay),
        ];
        for (key, column) in columns {
            let body = npy::file("<u4", &[n], column.iter().flat_map(|v| v.to_le_bytes()));
            zip.add(&format!("{}.{key}", x.projection), body)?;
        }
        let shape = match x.values.len() {
            1 => vec![n],
            samples => vec![samples, n],
        };
        let values = || x.values.iter().flatten();
        let body = match values().all(|v| f64::from(*v as f32) == *v) {
            true => {
                let bytes = values().flat_map(|v| (*v as f32).to_le_bytes());
                npy::file("<f4", &shape, bytes)
            }
            false => npy::file("<f8", &shape, values().flat_map(|v| v.to_le_bytes())),
        };
        zip.add(&format!("{}.w", x.projection), body)?;
    }
    zip.finish()
}

/// The projections of a file, by name; `name` is what errors call it. Errors: SYN0901, SYN0906.
pub fn read(name: &str, bytes: &[u8]) -> Result<Vec<Weights>, Diagnostics> {
    let arrays = unpack(name, bytes)?;
    let mut out = vec![];
    let projections = arrays.keys().filter_map(|k| k.strip_suffix(".w"));
    for projection in projections {
        let column = |key: &str| -> Result<Vec<u32>, Diagnostics> {
            let key = format!("{projection}.{key}");
            let array = arrays.get(&key).ok_or_else(|| lacks(name, &key))?;
            numbers(name, &key, array)
        };
        let (source, target, delay) = (column("source")?, column("target")?, column("delay")?);
        let w = &arrays[&format!("{projection}.w")];
        let n = source.len();
        if target.len() != n || delay.len() != n || w.len() != n {
            let what = format!(
                "`{projection}` has {n} sources, {} targets, {} delays and {} weights",
                target.len(),
                delay.len(),
                w.len()
            );
            return Err(Diagnostic::error("SYN0906", what)
                .at(name)
                .hint("give the weights of one sample, one for each synapse")
                .into());
        }
        out.push(Weights {
            projection: projection.into(),
            source,
            target,
            delay,
            values: vec![(0..n).map(|i| w.float(i)).collect()],
        });
    }
    if out.is_empty() {
        return Err(unfit(name, "it holds no array `PROJECTION.w`").into());
    }
    Ok(out)
}

fn lacks(name: &str, key: &str) -> Diagnostics {
    Diagnostic::error("SYN0906", format!("there is no array `{key}`"))
        .at(name)
        .hint("`--save-weights` writes such a file")
        .into()
}

fn numbers(name: &str, key: &str, array: &Npy) -> Result<Vec<u32>, Diagnostics> {
    let whole = |i| array.whole(i).and_then(|n| u32::try_from(n).ok());
    let list: Option<Vec<u32>> = (0..array.len()).map(whole).collect();
    list.ok_or_else(|| {
        Diagnostic::error(
            "SYN0906",
            format!("`{key}` holds something other than whole numbers of 32 bits"),
        )
        .at(name)
        .hint("`--save-weights` writes such a file")
        .into()
    })
}
