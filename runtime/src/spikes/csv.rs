//! Spikes as CSV: one row a spike.
//!
//! The header names the columns (`step`, `population`, `neuron`, and `sample`, `value` where there are such) in any order.
//! Names follow CSV quoting (RFC 4180). Blank lines and carriage returns are passed over. Deliberately absent: signals.

use super::events::{self, Event};
use super::{Findings, NamedSpike, Names, Population, SpikeData};
use std::borrow::Cow;
use std::fmt::Write as _;
use synfire_ir::diag::nearest;
use synfire_ir::{Diagnostic, Diagnostics};

/// Columns in canonical order.
const COLUMNS: [&str; 5] = ["sample", "step", "population", "neuron", "value"];
const SAMPLE: usize = 0;
const STEP: usize = 1;
const POPULATION: usize = 2;
const NEURON: usize = 3;
const VALUE: usize = 4;

/// Reads CSV; rows keep the order of the file.
pub fn read(
    name: &str,
    bytes: &[u8],
    populations: &[Population],
) -> Result<SpikeData, Diagnostics> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|e| not_text(name, bytes, e.valid_up_to()))?;
    let mut records = Records {
        rest: text,
        line: 0,
    };
    let header = records.next();
    let columns = columns(name, header)?;
    let names = Names::new(populations);
    let mut data = SpikeData::default();
    let mut findings = Findings::new();
    let mut samples = 0;
    for (line, fields) in records {
        match row(&fields, &columns, &names) {
            Ok(spike) => {
                samples = samples.max(spike.sample.saturating_add(1));
                data.spikes.push(spike);
            }
            Err(d) => findings.add(|| d.at(format!("{name}:{line}"))),
        }
    }
    data.batch = columns.at[SAMPLE].map(|_| samples.max(1));
    findings.finish(name, data)
}

fn not_text(name: &str, bytes: &[u8], at: usize) -> Diagnostics {
    let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
    let error = Diagnostic::error(
        "SYN0901",
        "this is neither CSV text (UTF-8) nor a .npz file",
    )
    .at(format!("{name}:{line}"));
    let error = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => error.note("it is a single .npy array"),
        [0x89, b'H', b'D', b'F', ..] => error.note("it is an HDF5 file"),
        _ => error,
    };
    error.hint("spike files are CSV with the header `step,population,neuron`, or .npz with arrays of these names").into()
}

/// See [`super::read_events`].
pub fn events(bytes: &[u8]) -> Result<Vec<Event>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text =
        std::str::from_utf8(bytes).map_err(|_| "it is neither CSV text (UTF-8) nor a .npz file")?;
    let mut records = Records {
        rest: text,
        line: 0,
    };
    let (_, head) = records
        .next()
        .ok_or("it is empty; its header is `step,neuron`, with `value` behind for graded events")?;
    let column = |name: &str| head.iter().position(|h| h.trim() == name);
    let (Some(step), Some(neuron)) = (column("step"), column("neuron")) else {
        return Err("its header has no columns `step` and `neuron`".into());
    };
    if column("sample").is_some() {
        return Err(events::BATCH.into());
    }
    let (population, value) = (column("population"), column("value"));
    let mut one: Option<String> = None;
    let mut out = vec![];
    for (line, fields) in records {
        let field = |k: usize| {
            fields
                .get(k)
                .map(|f| f.trim())
                .ok_or_else(|| format!("line {line} has too few fields"))
        };
        let whole = |k: usize| {
            field(k)?
                .parse::<u32>()
                .map_err(|_| format!("line {line}: `{}` must be a whole number", head[k].trim()))
        };
        if let Some(p) = population {
            let name = field(p)?;
            match &one {
                None => one = Some(name.to_string()),
                Some(first) if first == name => {}
                Some(_) => return Err(events::SEVERAL.into()),
            }
        }
        let value = match value {
            None => 1.0,
            Some(k) => field(k)?
                .parse::<f32>()
                .ok()
                .filter(|x| x.is_finite())
                .ok_or_else(|| format!("line {line}: `value` must be a number"))?,
        };
        out.push((whole(step)?, whole(neuron)?, value));
    }
    Ok(out)
}

/// Where each of [`COLUMNS`] stands.
struct Columns {
    at: [Option<usize>; 5],
    count: usize,
}

fn columns(name: &str, header: Option<(usize, Vec<Cow<'_, str>>)>) -> Result<Columns, Diagnostics> {
    let wrong = |line: usize, what: String| {
        Diagnostic::error("SYN0901", what)
            .at(format!("{name}:{line}"))
            .hint("the header is `step,population,neuron`, with `sample` in front for a batch and `value` behind for graded spikes")
    };
    let Some((line, fields)) = header else {
        return Err(wrong(1, "the file is empty: it has no header".into()).into());
    };
    let mut at = [None; 5];
    let mut found = Diagnostics::new();
    for (i, field) in fields.iter().enumerate() {
        let shown: String = field.trim().chars().take(40).collect();
        match COLUMNS.iter().position(|c| *c == shown) {
            Some(c) if at[c].is_none() => at[c] = Some(i),
            Some(_) => found.push(wrong(
                line,
                format!("the column `{shown}` stands twice in the header"),
            )),
            None => {
                let error = wrong(line, format!("`{shown}` is no column of a spike file"));
                found.push(match nearest(&shown, COLUMNS) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error,
                });
            }
        }
        if found.0.len() >= super::LISTED {
            break;
        }
    }
    for c in [STEP, POPULATION, NEURON] {
        if at[c].is_none() && found.is_empty() {
            found.push(wrong(
                line,
                format!("the header has no column `{}`", COLUMNS[c]),
            ));
        }
    }
    found.result(Columns {
        at,
        count: fields.len(),
    })
}

fn row(
    fields: &[Cow<'_, str>],
    columns: &Columns,
    names: &Names<'_>,
) -> Result<NamedSpike, Diagnostic> {
    if fields.len() != columns.count {
        return Err(Diagnostic::error(
            "SYN0902",
            format!(
                "the row has {} fields, the header {}",
                fields.len(),
                columns.count
            ),
        )
        .hint("a name that holds a comma or a quote stands in double quotes"));
    }
    let field = |c: usize| columns.at[c].map(|i| fields[i].as_ref());
    let number = |c: usize| -> Result<u64, Diagnostic> {
        let text = field(c).unwrap_or("0").trim();
        text.parse::<u64>()
            .map_err(|_| bad_number(COLUMNS[c], text))
    };
    let small = |c: usize| -> Result<u32, Diagnostic> {
        let n = number(c)?;
        // The last u32 is left free, so that one more than a step or a sample is a number too.
        u32::try_from(n)
            .ok()
            .filter(|n| *n < u32::MAX)
            .ok_or_else(|| {
                Diagnostic::error("SYN0902", format!("{} {n} is too large", COLUMNS[c]))
                    .hint("it is at most 4294967294")
            })
    };
    let (sample, step) = (small(SAMPLE)?, small(STEP)?);
    let population = names.input(field(POPULATION).unwrap_or_default())?;
    let neuron = names.neuron(population, number(NEURON)?)?;
    let value = match field(VALUE) {
        None => 1.0,
        Some(text) => {
            let text = text.trim();
            names.value(
                population,
                text.parse::<f64>().map_err(|_| bad_number("value", text))?,
            )?
        }
    };
    Ok(NamedSpike {
        sample,
        step,
        population,
        neuron,
        value,
    })
}

fn bad_number(column: &str, text: &str) -> Diagnostic {
    let shown: String = text.chars().take(40).collect();
    let what = if column == "value" {
        "a number"
    } else {
        "a whole number from 0 on"
    };
    Diagnostic::error("SYN0902", format!("`{shown}` is no {column}"))
        .hint(format!("{column} is {what}"))
}

/// Records of a CSV text with the line on which each begins.
pub(super) struct Records<'a> {
    pub rest: &'a str,
    pub line: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = (usize, Vec<Cow<'a, str>>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            self.line += 1;
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            let line = self.rest[..end].trim_end_matches('\r');
            if line.trim().is_empty() {
                self.rest = self.rest.get(end + 1..).unwrap_or("");
                continue;
            }
            let start = self.line;
            if !line.contains('"') {
                self.rest = self.rest.get(end + 1..).unwrap_or("");
                return Some((start, line.split(',').map(Cow::Borrowed).collect()));
            }
            return Some((start, self.quoted()));
        }
    }
}

impl<'a> Records<'a> {
    /// A record with quotes, whose fields may hold commas, quotes and line ends.
    fn quoted(&mut self) -> Vec<Cow<'a, str>> {
        let mut fields: Vec<Cow<'a, str>> = vec![];
        let mut field = String::new();
        let mut inside = false;
        let mut chars = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' if inside && chars.peek().is_some_and(|n| n.1 == '"') => {
                    field.push('"');
                    chars.next();
                }
                '"' => inside = !inside,
                ',' if !inside => fields.push(Cow::Owned(std::mem::take(&mut field))),
                '\n' if !inside => {
                    end = at + 1;
                    break;
                }
                '\r' if !inside => {}
                '\n' => {
                    self.line += 1;
                    field.push(c);
                }
                _ => field.push(c),
            }
        }
        fields.push(Cow::Owned(field));
        self.rest = &self.rest[end..];
        fields
    }
}

/// The CSV text of sorted spikes.
pub fn write(data: &SpikeData, populations: &[Population]) -> Vec<u8> {
    let graded = data.is_graded();
    let names: Vec<Cow<'_, str>> = populations.iter().map(|p| quoted(&p.name)).collect();
    let mut out = String::with_capacity(32 + data.spikes.len() * 16);
    if data.batch.is_some() {
        out += "sample,";
    }
    out += "step,population,neuron";
    out += if graded { ",value\n" } else { "\n" };
    for s in &data.spikes {
        if data.batch.is_some() {
            let _ = write!(out, "{},", s.sample);
        }
        let name = names.get(s.population as usize).map_or("", |n| n.as_ref());
        let _ = write!(out, "{},{name},{}", s.step, s.neuron);
        if graded {
            let _ = write!(out, ",{}", s.value);
        }
        out.push('\n');
    }
    out.into_bytes()
}

fn quoted(name: &str) -> Cow<'_, str> {
    if name.contains([',', '"', '\n', '\r']) || name.trim() != name {
        return Cow::Owned(format!("\"{}\"", name.replace('"', "\"\"")));
    }
    Cow::Borrowed(name)
}
