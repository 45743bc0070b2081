//! Networks from files: reading, and the files that they name.

use crate::args::{CubaArg, NetworkArgs, ResetArg, TauArg};
use crate::console::Console;
use crate::failure::Failure;
use crate::files;
use std::fs;
use std::path::{Path, PathBuf};
use synfire_compiler::frontend::{self, LoadOptions};
use synfire_compiler::nir::{CubaOrder, NirOptions, Reset, TauUnit};
use synfire_ir::network::{Array, ArrayData, Network, Symbolic, Verified};
use synfire_ir::{Diagnostics, SourceMap};
use synfire_lang::npy;
use synfire_lang::resolve::{Expectation, Loader};
use synfire_runtime::spikes::read_events;

/// A network that was read without errors.
pub struct Loaded<N = Network> {
    /// The network.
    pub network: Verified<N>,
    /// Texts that spans point into.
    pub sources: SourceMap,
    /// Warnings, already shown.
    pub warnings: Diagnostics,
    /// What the experiment expects.
    pub expectations: Vec<Expectation>,
    /// CRC-32 of the file's bytes.
    pub hash: u32,
}

impl<N> Loaded<N> {
    /// A failure whose spans point into this network's texts.
    pub fn wrong(&self, d: Diagnostics) -> Failure {
        Failure::Wrong(d, self.sources.clone())
    }
}

/// Reads NET; its warnings are shown.
pub fn read(path: &Path, args: &NetworkArgs, console: &Console) -> Result<Loaded, Failure> {
    load(path, files::read(path)?, args, console)
}

/// The network in the bytes of `path`; its warnings are shown.
pub fn load(
    path: &Path,
    bytes: Vec<u8>,
    args: &NetworkArgs,
    console: &Console,
) -> Result<Loaded, Failure> {
    loaded(path, bytes, args, console, frontend::load)
}

/// Reads NET for those who keep it as rules: it may have any number of units.
pub fn read_symbolic(
    path: &Path,
    args: &NetworkArgs,
    console: &Console,
) -> Result<Loaded<Symbolic>, Failure> {
    let bytes = files::read(path)?;
    loaded(path, bytes, args, console, frontend::load_symbolic)
}

type Front<N> = fn(&str, &[u8], &dyn Loader, &LoadOptions) -> frontend::Loaded<N>;

fn loaded<N>(
    path: &Path,
    bytes: Vec<u8>,
    args: &NetworkArgs,
    console: &Console,
    load: Front<N>,
) -> Result<Loaded<N>, Failure> {
    let nir = NirOptions {
        dt: args.dt,
        reset: match args.reset {
            ResetArg::Zero => Reset::Zero,
            ResetArg::Subtract => Reset::Subtract,
        },
        cuba_order: match args.cuba_order {
            CubaArg::NewCurrent => CubaOrder::NewCurrent,
            CubaArg::OldCurrent => CubaOrder::OldCurrent,
        },
        tau_unit: match args.tau_unit {
            TauArg::S => TauUnit::Seconds,
            TauArg::Steps => TauUnit::Steps,
        },
        strict: args.strict,
    };
    let options = LoadOptions {
        set: args.set.clone(),
        nir,
        experiment: args.experiment.clone(),
        results: args.results.clone(),
    };
    let loaded = load(&files::shown(path), &bytes, &Beside, &options);
    // A second reading has nothing new to warn of.
    if args.results.is_none() {
        console.show(&loaded.warnings, &loaded.sources);
    }
    tracing::info!(file = %files::shown(path), bytes = bytes.len(), "read");
    match loaded.network {
        Ok(network) => Ok(Loaded {
            network,
            sources: loaded.sources,
            warnings: loaded.warnings,
            expectations: loaded.expectations,
            hash: crc32fast::hash(&bytes),
        }),
        Err(d) => Err(Failure::Wrong(d, loaded.sources)),
    }
}

/// Files named in a network are looked for beside the file that names them.
struct Beside;

/// The path of `named` as seen from the file `from`.
fn beside(named: &str, from: &str) -> PathBuf {
    let folder = Path::new(from).parent().filter(|_| !from.starts_with('<'));
    folder.map_or_else(|| PathBuf::from(named), |f| f.join(named))
}

fn contents(named: &str, from: &str) -> Result<(PathBuf, Vec<u8>), String> {
    let path = beside(named, from);
    match fs::metadata(&path) {
        Ok(m) if !m.is_file() => return Err(format!("`{}` is not a file", path.display())),
        _ => {}
    }
    let bytes = files::read(&path).map_err(|all| {
        let first = all.0.first();
        let message = first.map_or(String::new(), |d| d.message.clone());
        let hint = first
            .and_then(|d| d.hints.first())
            .filter(|h| h.starts_with("did you mean"));
        hint.map_or(message.clone(), |h| format!("{message}; {h}"))
    })?;
    Ok((path, bytes))
}

impl Loader for Beside {
    fn text(&self, path: &str, from: &str) -> Result<(String, String), String> {
        let (path, bytes) = contents(path, from)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| format!("`{}` is not UTF-8 text", path.display()))?;
        Ok((path.display().to_string(), text))
    }

    fn array(&self, path: &str, key: Option<&str>, from: &str) -> Result<Array, String> {
        let (file, bytes) = contents(path, from)?;
        let name = key.map_or_else(|| path.to_string(), |k| format!("{path}:{k}"));
        if bytes.starts_with(b"PK") {
            return npy::read_npz(&bytes, key, &name);
        }
        if bytes.starts_with(b"\x93NUMPY") {
            return npy::read_npy(&bytes, &name);
        }
        if file.extension().is_some_and(|e| e == "csv" || e == "txt") {
            return table(&bytes, &name);
        }
        Err(format!(
            "`{}` is none of .npz, .npy and .csv",
            file.display()
        ))
    }

    fn events(&self, path: &str, from: &str) -> Result<Vec<(u32, u32, f32)>, String> {
        read_events(&contents(path, from)?.1)
    }

    fn target_model(&self, target: &str) -> Option<String> {
        frontend::target_model(target).or_else(|| crate::targets::own_model(target))
    }
}

/// Numbers in rows of equal length, separated by commas or blanks; a first row of words is a header.
fn table(bytes: &[u8], name: &str) -> Result<Array, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text")?;
    let mut values: Vec<f64> = vec![];
    let (mut rows, mut columns) = (0u32, 0usize);
    for (k, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line
            .split(|c: char| c == ',' || c.is_whitespace())
            .filter(|c| !c.is_empty())
            .collect();
        if cells.is_empty() || line.starts_with('#') {
            continue;
        }
        let numbers: Result<Vec<f64>, _> = cells.iter().map(|c| c.parse()).collect();
        let Ok(numbers) = numbers else {
            if rows == 0 {
                continue;
            }
            return Err(format!("line {} holds something that is no number", k + 1));
        };
        if rows > 0 && numbers.len() != columns {
            return Err(format!(
                "line {} has {} numbers, the lines before {columns}",
                k + 1,
                numbers.len()
            ));
        }
        columns = numbers.len();
        rows = rows.checked_add(1).ok_or("it has too many lines")?;
        values.extend(numbers);
    }
    if rows == 0 {
        return Err("it holds no numbers".into());
    }
    let shape = if columns == 1 {
        vec![rows]
    } else {
        vec![rows, columns as u32]
    };
    Ok(Array {
        name: name.into(),
        shape,
        data: ArrayData::F64(values.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_numbers() {
        let a = table(b"a,b\n1,2\n\n3,4\n", "t").expect("a table");
        assert_eq!((a.shape.clone(), a.get(2)), (vec![2, 2], 3.0));
        assert_eq!(table(b"1\n2\n3\n", "t").expect("a list").shape, [3]);
        for wrong in ["", "1,2\n3\n", "1\nx\n"] {
            assert!(table(wrong.as_bytes(), "t").is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn files_are_looked_for_beside_the_one_that_names_them() {
        assert_eq!(beside("w.npz", "nets/a.syn"), Path::new("nets/w.npz"));
        assert_eq!(beside("w.npz", "<stdin>"), Path::new("w.npz"));
    }
}
