//! Spikes and signals as `.npz`: a zip archive of NumPy arrays.
//!
//! Members carry a fixed time, so that equal data is equal bytes. Signals of sources that are driven from outside are read;
//! traces of other populations, as a recording holds them, are passed over.

use super::events::{self, Event};
use super::npy::{self, MAX_UNPACKED, Npy};
use super::{Findings, NamedSpike, Names, Population, Signal, SpikeData};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use synfire_ir::{Diagnostic, Diagnostics};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

pub(super) fn unfit(name: &str, what: impl Into<String>) -> Diagnostic {
    Diagnostic::error("SYN0906", what)
        .at(name)
        .hint("numpy.savez(FILE, step=.., population=.., neuron=.., names=..) writes such a file; the first three have one length")
}

/// Reads an archive; rows keep the order of the file.
pub fn read(
    name: &str,
    bytes: &[u8],
    populations: &[Population],
) -> Result<SpikeData, Diagnostics> {
    let mut arrays = unpack(name, bytes)?;
    let names = Names::new(populations);
    let mut data = SpikeData::default();
    let mut samples = None;
    if ["step", "population", "neuron"]
        .iter()
        .any(|k| arrays.contains_key(*k))
    {
        samples = spikes(name, &mut arrays, &names, &mut data)?;
    }
    for (key, array) in &arrays {
        let steps = arrays.get(&format!("{key}.step"));
        if array.is_text()
            || (steps.is_none() && !populations.iter().any(|p| p.name == *key && p.graded))
        {
            continue;
        }
        if let Some(s) = signal(name, key, array, steps, &names)? {
            let n = s.values.len() as u32;
            if let (Some(a), true) = (samples, n > 1)
                && a != n
            {
                return Err(
                    unfit(name, format!("`{key}` has {n} samples, other arrays {a}")).into(),
                );
            }
            samples = samples.max((n > 1).then_some(n));
            data.signals.push(s);
        }
    }
    if data.spikes.is_empty()
        && data.signals.is_empty()
        && !arrays.contains_key("names")
        && !arrays.is_empty()
    {
        let has: Vec<&str> = arrays.keys().map(String::as_str).take(12).collect();
        return Err(unfit(
            name,
            format!(
                "it holds neither spikes nor an input signal; its arrays are {}",
                has.join(", ")
            ),
        )
        .into());
    }
    data.batch = samples;
    Ok(data)
}

/// Every array of the archive.
pub(super) fn unpack(name: &str, bytes: &[u8]) -> Result<BTreeMap<String, Npy>, Diagnostics> {
    let broken = |e: &dyn std::fmt::Display| -> Diagnostics {
        Diagnostic::error("SYN0901", format!("the archive cannot be read: {e}"))
            .at(name)
            .hint("write the file again; numpy.load tells whether it is whole")
            .into()
    };
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|e| broken(&e))?;
    let mut arrays = BTreeMap::new();
    let mut left = MAX_UNPACKED;
    for i in 0..zip.len() {
        let member = zip.by_index(i).map_err(|e| broken(&e))?;
        let key = member.name().to_string();
        let Some(key) = key.strip_suffix(".npy").map(str::to_string) else {
            continue;
        };
        let mut body = vec![];
        member
            .take(left + 1)
            .read_to_end(&mut body)
            .map_err(|e| broken(&e))?;
        let size = body.len() as u64;
        if size > left {
            return Err(unfit(
                name,
                format!("its arrays unpack to more than {} GiB", MAX_UNPACKED >> 30),
            )
            .hint("split the file into several inputs")
            .into());
        }
        left -= size;
        let array = Npy::parse(body)
            .map_err(|e| unfit(name, format!("array `{}`: {e}", key.escape_default())))?;
        arrays.insert(key, array);
    }
    Ok(arrays)
}

/// Takes the arrays of spikes out; returns the number of samples, if there is such an array.
fn spikes(
    name: &str,
    arrays: &mut BTreeMap<String, Npy>,
    known: &Names<'_>,
    data: &mut SpikeData,
) -> Result<Option<u32>, Diagnostics> {
    let mut found = Diagnostics::new();
    for key in ["step", "population", "neuron"] {
        if !arrays.contains_key(key) {
            found.push(unfit(name, format!("there is no array `{key}`")));
        }
    }
    found.result(())?;
    let mut take = |key: &str| arrays.remove(key);
    let (Some(step), Some(population), Some(neuron)) =
        (take("step"), take("population"), take("neuron"))
    else {
        return Ok(None);
    };
    let (names, sample, value) = (take("names"), take("sample"), take("value"));
    let rows = step.len();
    for (key, array) in [
        ("population", Some(&population)),
        ("neuron", Some(&neuron)),
        ("sample", sample.as_ref()),
        ("value", value.as_ref()),
    ] {
        if let Some(a) = array.filter(|a| a.len() != rows) {
            found.push(unfit(
                name,
                format!("`{key}` has {} rows, `step` {rows}", a.len()),
            ));
        }
    }
    if !population.is_text() && names.as_ref().is_none_or(|n| !n.is_text()) {
        found.push(unfit(
            name,
            "there is no text array `names`, which `population` counts in",
        ));
    }
    found.result(())?;
    let names: Vec<String> = names.map_or(vec![], |n| (0..n.len()).map(|i| n.text(i)).collect());
    let resolved: Vec<_> = names.iter().map(|n| known.input(n)).collect();
    let mut findings = Findings::new();
    let mut samples = 0;
    for i in 0..rows {
        let row = || -> Result<NamedSpike, Diagnostic> {
            let population = match population.is_text() {
                true => known.input(&population.text(i))?,
                false => {
                    let k = small(&population, "population", i)?;
                    resolved.get(k as usize).cloned().ok_or_else(|| {
                        Diagnostic::error(
                            "SYN0902",
                            format!(
                                "population {k} is beyond `names`, which has {}",
                                resolved.len()
                            ),
                        )
                        .hint("`population` counts in `names` from 0")
                    })??
                }
            };
            let value = value.as_ref().map_or(1.0, |v| v.float(i));
            Ok(NamedSpike {
                sample: sample.as_ref().map_or(Ok(0), |s| small(s, "sample", i))?,
                step: small(&step, "step", i)?,
                population,
                neuron: known.neuron(population, u64::from(small(&neuron, "neuron", i)?))?,
                value: known.value(population, value)?,
            })
        };
        match row() {
            Ok(s) => {
                samples = samples.max(s.sample.saturating_add(1));
                data.spikes.push(s);
            }
            Err(d) => findings.add(|| d.at(format!("{name}, row {i}"))),
        }
    }
    findings.finish(name, sample.map(|_| samples.max(1)))
}

fn small(array: &Npy, what: &str, i: usize) -> Result<u32, Diagnostic> {
    let n = array
        .whole(i)
        .and_then(|n| u32::try_from(n).ok())
        .filter(|n| *n < u32::MAX);
    n.ok_or_else(|| {
        Diagnostic::error(
            "SYN0902",
            format!("`{what}` is no whole number from 0 to 4294967294"),
        )
        .hint("write it as an unsigned 32-bit array")
    })
}

/// The signal `key`; `None` when it is a trace of a population that nothing drives.
fn signal(
    name: &str,
    key: &str,
    array: &Npy,
    steps: Option<&Npy>,
    names: &Names<'_>,
) -> Result<Option<Signal>, Diagnostics> {
    let population = match names.input(key) {
        Ok(i) => i,
        Err(d) => {
            let trace = key
                .rsplit_once('.')
                .is_some_and(|(pop, _)| names.index.contains_key(pop));
            return if trace {
                Ok(None)
            } else {
                Err(d.at(format!("{name}, array {key}")).into())
            };
        }
    };
    let p = &names.populations[population as usize];
    if !p.graded {
        return Err(unfit(name, format!("`{key}` takes spikes, not a signal"))
            .hint("give its spikes in `step`, `population`, `neuron`, or declare it as `signal`")
            .into());
    }
    let (samples, times, elements) = match array.shape[..] {
        [s, t, e] => (s, t, e),
        [t, e] => (1, t, e),
        [t] if p.size == 1 => (1, t, 1),
        _ => {
            return Err(unfit(
                name,
                format!(
                    "`{key}` has {} axes; a signal is [samples, times, elements]",
                    array.shape.len()
                ),
            )
            .into());
        }
    };
    if elements != p.size as usize {
        return Err(unfit(
            name,
            format!("`{key}` has {elements} elements, the source {}", p.size),
        )
        .into());
    }
    let steps: Vec<u32> = match steps {
        None => (0..times as u32).collect(),
        Some(s) => (0..s.len())
            .map(|i| small(s, "step", i))
            .collect::<Result<_, _>>()
            .map_err(|d| d.at(format!("{name}, array {key}.step")))?,
    };
    if steps.len() != times || steps.windows(2).any(|w| w[0] >= w[1]) {
        return Err(unfit(
            name,
            format!("`{key}.step` must have {times} ascending steps, one for each time of `{key}`"),
        )
        .into());
    }
    let mut values = Vec::with_capacity(samples);
    for s in 0..samples {
        let row: Vec<f32> = (s * times * elements..(s + 1) * times * elements)
            .map(|i| array.float(i) as f32)
            .collect();
        if let Some(at) = row.iter().position(|x| !x.is_finite()) {
            let place = format!(
                "{name}, array {key}[{s}, {}, {}]",
                at / elements,
                at % elements
            );
            return Err(Diagnostic::error(
                "SYN0902",
                "the value is not a finite single-precision number",
            )
            .at(place)
            .hint("replace NaN and infinite values")
            .into());
        }
        values.push(row);
    }
    Ok(Some(Signal {
        name: key.into(),
        population,
        first: 0,
        elements: p.size,
        steps,
        values,
    }))
}

/// See [`super::read_events`].
pub fn events(bytes: &[u8]) -> Result<Vec<Event>, String> {
    let arrays = unpack("the file", bytes)
        .map_err(|d| d.0.first().map_or(String::new(), |d| d.message.clone()))?;
    let (Some(step), Some(neuron)) = (arrays.get("step"), arrays.get("neuron")) else {
        return Err("it has no arrays `step` and `neuron`".into());
    };
    if arrays.contains_key("sample") {
        return Err(events::BATCH.into());
    }
    if let Some(p) = arrays.get("population")
        && (1..p.len()).any(|i| {
            if p.is_text() {
                p.text(i) != p.text(0)
            } else {
                p.whole(i) != p.whole(0)
            }
        })
    {
        return Err(events::SEVERAL.into());
    }
    let value = arrays.get("value");
    if neuron.len() != step.len() || value.is_some_and(|v| v.len() != step.len()) {
        return Err("its arrays differ in length".into());
    }
    let whole = |a: &Npy, i: usize| {
        a.whole(i)
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| format!("row {i} is no whole number"))
    };
    let event = |i: usize| {
        let x = value.map_or(1.0, |v| v.float(i) as f32);
        if !x.is_finite() {
            return Err(format!("row {i}: the value is not finite"));
        }
        Ok((whole(step, i)?, whole(neuron, i)?, x))
    };
    (0..step.len()).map(event).collect()
}

/// See [`super::write_npz`].
pub fn write(data: &SpikeData, populations: &[Population]) -> Result<Vec<u8>, Diagnostics> {
    let mut of: Vec<Option<u16>> = vec![None; populations.len()];
    let mut names = vec![];
    let used: std::collections::BTreeSet<u32> = data.spikes.iter().map(|s| s.population).collect();
    for (i, p) in populations
        .iter()
        .enumerate()
        .filter(|(i, p)| p.recorded || used.contains(&(*i as u32)))
    {
        let index = u16::try_from(names.len())
            .map_err(|_| unfit("the recording", "more than 65,536 populations are recorded"))?;
        of[i] = Some(index);
        names.push(p.name.as_str());
    }
    let rows = data.spikes.len();
    let mut zip = Archive::new();
    let spikes = &data.spikes;
    if data.batch.is_some() {
        zip.add(
            "sample",
            npy::file(
                "<u4",
                &[rows],
                spikes.iter().flat_map(|s| s.sample.to_le_bytes()),
            ),
        )?;
    }
    zip.add(
        "step",
        npy::file(
            "<u4",
            &[rows],
            spikes.iter().flat_map(|s| s.step.to_le_bytes()),
        ),
    )?;
    let index = |s: &NamedSpike| {
        of.get(s.population as usize)
            .copied()
            .flatten()
            .unwrap_or(u16::MAX)
    };
    zip.add(
        "population",
        npy::file(
            "<u2",
            &[rows],
            spikes.iter().flat_map(|s| index(s).to_le_bytes()),
        ),
    )?;
    zip.add(
        "neuron",
        npy::file(
            "<u4",
            &[rows],
            spikes.iter().flat_map(|s| s.neuron.to_le_bytes()),
        ),
    )?;
    if data.is_graded() {
        // Counts beyond 2^24 do not fit into single precision.
        let narrow = spikes.iter().all(|s| f64::from(s.value as f32) == s.value);
        let value = match narrow {
            true => npy::file(
                "<f4",
                &[rows],
                spikes.iter().flat_map(|s| (s.value as f32).to_le_bytes()),
            ),
            false => npy::file(
                "<f8",
                &[rows],
                spikes.iter().flat_map(|s| s.value.to_le_bytes()),
            ),
        };
        zip.add("value", value)?;
    }
    zip.add("names", npy::texts(&names))?;
    for s in &data.signals {
        let shape = [s.values.len(), s.steps.len(), s.elements as usize];
        let body = s.values.iter().flatten().flat_map(|x| x.to_le_bytes());
        zip.add(&s.name, npy::file("<f4", &shape, body))?;
        zip.add(
            &format!("{}.step", s.name),
            npy::file(
                "<u4",
                &[s.steps.len()],
                s.steps.iter().flat_map(|x| x.to_le_bytes()),
            ),
        )?;
    }
    zip.finish()
}

/// An archive being written; members carry a fixed time.
pub(super) struct Archive(ZipWriter<Cursor<Vec<u8>>>);

impl Archive {
    pub fn new() -> Self {
        Archive(ZipWriter::new(Cursor::new(vec![])))
    }

    /// Adds an array.
    pub fn add(&mut self, key: &str, body: Vec<u8>) -> Result<(), Diagnostics> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(0o644)
            .large_file(body.len() > u32::MAX as usize / 2);
        let done = self.0.start_file(format!("{key}.npy"), options);
        done.map_err(|e| failed(&e))?;
        self.0.write_all(&body).map_err(|e| failed(&e))
    }

    /// The archive's bytes.
    pub fn finish(self) -> Result<Vec<u8>, Diagnostics> {
        self.0
            .finish()
            .map(Cursor::into_inner)
            .map_err(|e| failed(&e))
    }
}

fn failed(e: &dyn std::fmt::Display) -> Diagnostics {
    Diagnostic::error("SYN0906", format!("the recording cannot be packed: {e}"))
        .class(synfire_ir::Class::Device)
        .hint("record fewer populations, or to CSV")
        .into()
}
