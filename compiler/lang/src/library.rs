//! The standard library: its text, embedded, and where each name stands in it.
//!
//! Comes in: a path such as `std.neurons.Lif`. Goes out: the module's display name and text, which callers parse as any other file.

/// One module of the standard library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module {
    /// Path, e.g. `std.neurons`.
    pub path: &'static str,
    /// Name for the source map, e.g. `<std>/neurons.syn`.
    pub file: &'static str,
    /// The whole text.
    pub text: &'static str,
}

/// All modules, sorted by path.
pub const MODULES: &[Module] = &[
    Module {
        path: "std.neurons",
        file: "<std>/neurons.syn",
        text: include_str!("std/neurons.syn"),
    },
    Module {
        path: "std.nir",
        file: "<std>/nir.syn",
        text: include_str!("std/nir.syn"),
    },
    Module {
        path: "std.sources",
        file: "<std>/sources.syn",
        text: include_str!("std/sources.syn"),
    },
    Module {
        path: "std.synapses",
        file: "<std>/synapses.syn",
        text: include_str!("std/synapses.syn"),
    },
];

/// The module of that path (`std.neurons`).
pub fn module(path: &str) -> Option<&'static Module> {
    MODULES.iter().find(|m| m.path == path)
}

/// The module and the name inside it that a full path (`std.neurons.Lif`) points to; `None` when there is no such
/// module or it declares no such name.
pub fn lookup(path: &str) -> Option<(&'static Module, &str)> {
    let (head, name) = path.rsplit_once('.')?;
    let m = module(head)?;
    m.names().any(|n| n == name).then_some((m, name))
}

/// Every full path that the library declares, for suggestions; in order of modules and of their text.
pub fn paths() -> impl Iterator<Item = String> {
    MODULES
        .iter()
        .flat_map(|m| m.names().map(move |n| format!("{}.{n}", m.path)))
}

/// The documentation of a full path: the comment lines above its declaration, without `#`.
pub fn doc(path: &str) -> Option<String> {
    let (m, name) = lookup(path)?;
    let lines: Vec<&str> = m.text.lines().collect();
    let at = lines.iter().position(|l| declared(l) == Some(name))?;
    let first = lines[..at]
        .iter()
        .rposition(|l| !l.starts_with('#'))
        .map_or(0, |i| i + 1);
    let text: Vec<&str> = lines[first..at]
        .iter()
        .map(|l| l.trim_start_matches('#').trim_start_matches(' '))
        .collect();
    Some(text.join("\n"))
}

impl Module {
    /// The names that the module declares, in order of its text.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.text.lines().filter_map(declared)
    }
}

/// The name that a line declares: the library is in canonical layout, so declarations begin their line.
fn declared(line: &'static str) -> Option<&'static str> {
    let rest = ["neuron ", "synapse ", "module "]
        .iter()
        .find_map(|k| line.strip_prefix(k))?;
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(rest.len());
    Some(&rest[..end])
}
