//! From texts and data files in memory to networks: what a loaded network holds, and what is said of wrong ones.

#![allow(clippy::unwrap_used)]

mod connectors;
mod errors;
mod files;
mod hostile;
mod programs;
mod structure;
mod synapses;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use synfire_ir::diag::{Diagnostics, SourceMap};
use synfire_ir::network::{Array, Network, ProjId, Synapse, Verified, verify};
use synfire_ir::program::Range;
use synfire_lang::npy::{read_npy, read_npz};
use synfire_lang::{LoadOptions, Loader, load};

/// Files by name; events by name.
#[derive(Default)]
pub struct Memory {
    pub files: BTreeMap<String, Vec<u8>>,
    pub events: BTreeMap<String, Vec<(u32, u32, f32)>>,
}

impl Memory {
    pub fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.into(), bytes.into());
        self
    }
    pub fn with_events(mut self, name: &str, events: &[(u32, u32, f32)]) -> Self {
        self.events.insert(name.into(), events.to_vec());
        self
    }
    fn file(&self, path: &str) -> Result<&Vec<u8>, String> {
        self.files.get(path).ok_or("there is no such file".into())
    }
}

impl Loader for Memory {
    fn text(&self, path: &str, _: &str) -> Result<(String, String), String> {
        let text = String::from_utf8(self.file(path)?.clone()).map_err(|e| e.to_string())?;
        Ok((path.into(), text))
    }
    fn array(&self, path: &str, key: Option<&str>, _: &str) -> Result<Array, String> {
        let bytes = self.file(path)?;
        let name = key.map_or(path.to_string(), |k| format!("{path}:{k}"));
        match path.ends_with(".npz") {
            true => read_npz(bytes, key, &name),
            false => read_npy(bytes, &name),
        }
    }
    fn events(&self, path: &str, _: &str) -> Result<Vec<(u32, u32, f32)>, String> {
        self.events
            .get(path)
            .cloned()
            .ok_or("there is no such file".into())
    }
    fn target_model(&self, target: &str) -> Option<String> {
        let toy = "# A counter.\nneuron Cell(thr: i32, leak: i32) {\n  state v: i32\n  input syn: i32\n  on step {\n    v = v + syn + leak\n    if v >= thr { emit 1; v = 0 }\n  }\n}\n";
        (target == "toy").then(|| toy.into())
    }
}

/// An `.npy` file.
pub fn npy(descr: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let dims: String = shape.iter().map(|d| format!("{d},")).collect();
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}\n");
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((text.len() as u16).to_le_bytes());
    out.extend(text.as_bytes());
    out.extend(data);
    out
}

/// An `.npy` file of single-precision numbers.
pub fn floats(shape: &[usize], values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    let data: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
    assert_eq!(data.len(), 4 * shape.iter().product::<usize>());
    npy("<f4", shape, &data)
}

/// An `.npy` file of integers.
pub fn ints(values: &[i32]) -> Vec<u8> {
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    npy("<i4", &[values.len()], &data)
}

/// An `.npz` file.
pub fn npz(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut w = zip::ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in members {
        w.start_file(
            format!("{name}.npy"),
            zip::write::SimpleFileOptions::default(),
        )
        .unwrap();
        w.write_all(bytes).unwrap();
    }
    w.finish().unwrap().into_inner()
}

/// Everything that [`load`] returns, after `verify`.
pub struct Loaded {
    pub sources: SourceMap,
    pub network: Result<Verified<Network>, Diagnostics>,
    pub warnings: Diagnostics,
}

pub fn load_with(text: &str, files: &Memory, set: &[(&str, &str)]) -> Loaded {
    let set = set
        .iter()
        .map(|(a, b)| (a.to_string(), b.to_string()))
        .collect();
    let options = LoadOptions {
        set,
        ..LoadOptions::default()
    };
    let (sources, result, warnings) = load("net.syn", text, files, &options);
    Loaded {
        sources,
        network: result.and_then(verify),
        warnings,
    }
}

/// A network that must load and verify.
pub fn network_of(text: &str, files: &Memory) -> Verified<Network> {
    let l = load_with(text, files, &[]);
    match l.network {
        Ok(n) => n,
        Err(e) => panic!("{}", render(&l.sources, &e)),
    }
}

/// A network without files.
pub fn network(text: &str) -> Verified<Network> {
    network_of(text, &Memory::default())
}

/// What is wrong with a text, as people see it.
pub fn wrong(text: &str, files: &Memory, set: &[(&str, &str)]) -> String {
    let l = load_with(text, files, set);
    match l.network {
        Ok(_) => panic!("this network is not wrong"),
        Err(e) => render(&l.sources, &e),
    }
}

/// Diagnostics as text: places as line and column with the text they cover.
pub fn render(sources: &SourceMap, d: &Diagnostics) -> String {
    let mut out = String::new();
    for d in &d.0 {
        let place = d.place.as_ref().map_or(String::new(), |p| format!("{p}: "));
        writeln!(out, "{}: {place}{}", d.code, d.message).unwrap();
        for l in &d.labels {
            let (line, col) = sources.line_col(l.span).unwrap();
            let file = sources.get(l.span.file).unwrap();
            let covered = &file.text[l.span.start as usize..l.span.end as usize];
            let covered = covered.lines().next().unwrap_or("");
            writeln!(out, "  {}:{line}:{col} `{covered}`: {}", file.name, l.text).unwrap();
        }
        d.notes
            .iter()
            .for_each(|n| writeln!(out, "  note: {n}").unwrap());
        d.hints
            .iter()
            .for_each(|h| writeln!(out, "  help: {h}").unwrap());
    }
    out
}

/// All synapses of the projection of that name.
pub fn synapses(net: &Network, name: &str) -> Vec<Synapse> {
    let id = projection(net, name);
    let all = Range {
        start: 0,
        len: net.graph[id].target_range.len,
    };
    net.expand(id, net.seed_or_default(), all)
}

pub fn projection(net: &Network, name: &str) -> ProjId {
    let names: Vec<&str> = net.projections().map(|p| p.3.name.as_str()).collect();
    net.projections()
        .find(|p| p.3.name == name)
        .unwrap_or_else(|| panic!("no projection `{name}` among {names:?}"))
        .0
}
