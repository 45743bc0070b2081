//! The files of one network: the one given, what it imports, the library and the chips' models that it uses.
//!
//! Comes in: a text and a loader. Goes out: all trees, and for each file a table of the names that can be used in it. A file
//! is read once, however often it is imported; circles of imports are fine, as nothing is evaluated here.

use super::{LoadOptions, Loader, MAX_FILES, listed, near};
use crate::library;
use crate::syntax::{self, tree};
use std::collections::BTreeMap;
use std::sync::Arc;
use synfire_ir::diag::{Diagnostic, Diagnostics, SourceMap, Span};

/// One item of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ItemId {
    /// Index into [`Files::units`].
    pub unit: usize,
    /// Index into its items.
    pub item: usize,
}

/// A file.
pub(super) struct Unit {
    /// Name that the loader knows it by.
    pub name: String,
    /// What a model of it is called in full, e.g. `std.neurons.`; empty for the user's files.
    pub path: String,
    pub tree: tree::File,
    /// Its own items.
    own: BTreeMap<Arc<str>, usize>,
    /// Items that can be named in it, own and imported, and where the name was introduced.
    pub names: BTreeMap<Arc<str>, (ItemId, Span)>,
    /// Files that can be named in it (`import ... as a`, `use std.neurons`).
    pub spaces: BTreeMap<Arc<str>, (usize, Span)>,
}

/// A `NAME=VALUE` of the caller.
pub(super) struct Override {
    pub name: String,
    /// The value as given.
    pub raw: String,
    /// The file made of it, and whether it parsed.
    pub unit: usize,
    pub errors: Diagnostics,
}

/// All files.
pub(super) struct Files {
    pub units: Vec<Unit>,
    pub sources: SourceMap,
    pub overrides: Vec<Override>,
    /// Did every file parse?
    pub whole: bool,
    by_id: BTreeMap<u32, usize>,
    by_name: BTreeMap<String, usize>,
}

impl Files {
    /// Reads everything that `text` needs.
    pub fn read(
        name: &str,
        text: &str,
        loader: &dyn Loader,
        options: &LoadOptions,
        out: &mut Diagnostics,
    ) -> Files {
        let mut files = Files {
            units: vec![],
            sources: SourceMap::default(),
            overrides: vec![],
            whole: true,
            by_id: BTreeMap::new(),
            by_name: BTreeMap::new(),
        };
        files.add(name, "", text, out);
        files.library("std.sources", out);
        let mut at = 0;
        while at < files.units.len() {
            files.follow(at, loader, out);
            at += 1;
        }
        for (name, raw) in &options.set {
            files.add_override(name, raw);
        }
        files
    }

    /// The file that holds a source's spans.
    pub fn unit_of(&self, file: u32) -> usize {
        self.by_id.get(&file).copied().unwrap_or(0)
    }

    /// Is it the text of a value that the caller set?
    pub fn is_override(&self, unit: usize) -> bool {
        self.overrides.iter().any(|o| o.unit == unit)
    }

    /// An item.
    pub fn item(&self, id: ItemId) -> Option<&tree::Item> {
        self.units.get(id.unit)?.tree.items.get(id.item)
    }

    /// The own item of a file by name.
    pub fn own(&self, unit: usize, name: &str) -> Option<ItemId> {
        let item = *self.units.get(unit)?.own.get(name)?;
        Some(ItemId { unit, item })
    }

    /// Own names of a file, for suggestions.
    pub fn own_names(&self, unit: usize) -> impl Iterator<Item = &str> {
        self.units
            .get(unit)
            .into_iter()
            .flat_map(|u| u.own.keys().map(|k| &**k))
    }

    /// The file behind `std.neurons` or `targets.ranc`, if it was read.
    pub fn space(&self, path: &str) -> Option<usize> {
        match path.strip_prefix("targets.") {
            Some(chip) => self.by_name.get(&target_file(chip)).copied(),
            None => self.by_name.get(library::module(path)?.file).copied(),
        }
    }

    fn add(&mut self, name: &str, path: &str, text: &str, out: &mut Diagnostics) -> usize {
        let id = self.sources.add(name, text);
        let (tree, errors) = syntax::parse(id, text);
        self.whole &= !errors.has_errors();
        out.extend(errors);
        let mut own = BTreeMap::new();
        for (i, item) in tree.items.iter().enumerate() {
            let Some(name) = item_name(item) else {
                continue;
            };
            if let Some(first) = own.insert(name.text.clone(), i) {
                own.insert(name.text.clone(), first);
                let at = tree
                    .items
                    .get(first)
                    .and_then(item_name)
                    .map_or(tree.span, |n| n.span);
                out.push(duplicate(name.as_str(), name.span, at));
            }
        }
        let unit = self.units.len();
        let names = own
            .iter()
            .map(|(n, &item)| {
                let span = tree
                    .items
                    .get(item)
                    .and_then(item_name)
                    .map_or(tree.span, |n| n.span);
                (n.clone(), (ItemId { unit, item }, span))
            })
            .collect();
        self.by_id.insert(id, unit);
        self.by_name.insert(name.into(), unit);
        self.units.push(Unit {
            name: name.into(),
            path: path.into(),
            tree,
            own,
            names,
            spaces: BTreeMap::new(),
        });
        unit
    }

    fn library(&mut self, path: &str, out: &mut Diagnostics) -> Option<usize> {
        let module = library::module(path)?;
        if let Some(&unit) = self.by_name.get(module.file) {
            return Some(unit);
        }
        Some(self.add(module.file, &format!("{path}."), module.text, out))
    }

    /// Reads what a file imports and enters the names into its table.
    fn follow(&mut self, unit: usize, loader: &dyn Loader, out: &mut Diagnostics) {
        let items = &self.units[unit].tree.items;
        let outward = |i: &&tree::Item| matches!(i, tree::Item::Import(_) | tree::Item::Use(_));
        let wanted: Vec<tree::Item> = items.iter().filter(outward).cloned().collect();
        let mut named = vec![];
        for item in items {
            if let tree::Item::Module(s) | tree::Item::Network(s) = item {
                paths(&s.body, &mut named);
            }
        }
        for item in &wanted {
            match item {
                tree::Item::Import(i) => self.import(unit, i, loader, out),
                tree::Item::Use(u) => self.use_item(unit, u, loader, out),
                _ => {}
            }
        }
        // Models may be named in full without `use`; a module that is not there shows where its model is looked up.
        for path in named {
            if let Some((head, _)) = path.rsplit_once('.') {
                self.space_of(head, loader, out);
            }
        }
    }

    fn import(
        &mut self,
        unit: usize,
        i: &tree::Import,
        loader: &dyn Loader,
        out: &mut Diagnostics,
    ) {
        let wrong = |why: String| {
            Diagnostic::error(
                "SYN0107",
                format!("`{}` cannot be imported: {why}", i.file.value),
            )
            .label(i.file.span, "imported here")
            .hint("the path is relative to the importing file")
        };
        if self.units.len() >= MAX_FILES {
            return out.push(wrong(format!("more than {MAX_FILES} files are imported")));
        }
        let (name, text) = match loader.text(&i.file.value, &self.units[unit].name) {
            Ok(found) => found,
            Err(why) => return out.push(wrong(why)),
        };
        let target = match self.by_name.get(&name) {
            Some(&known) => known,
            None => self.add(&name, "", &text, out),
        };
        match &i.alias {
            Some(alias) => self.add_space(unit, alias, target, out),
            None => {
                let own: Vec<Arc<str>> = self.units[target].own.keys().cloned().collect();
                for name in own {
                    let id = ItemId {
                        unit: target,
                        item: self.units[target].own[&name],
                    };
                    self.introduce(unit, name, id, i.file.span, out);
                }
            }
        }
    }

    fn use_item(&mut self, unit: usize, u: &tree::Use, loader: &dyn Loader, out: &mut Diagnostics) {
        let full = u.path.dotted();
        let names: Vec<&tree::Name> = match &u.group {
            Some(group) => group.iter().collect(),
            None => u.path.names.last().into_iter().collect(),
        };
        let head = match (&u.group, full.rsplit_once('.')) {
            (Some(_), _) => full.clone(),
            (None, Some((head, _))) => head.to_string(),
            (None, None) => String::new(),
        };
        // The rules of connection are known everywhere; naming them is allowed.
        if full == CONNECT || head == CONNECT {
            let rules = || super::rules::RULES.iter().map(|r| r.0);
            for name in names.iter().filter(|_| head == CONNECT) {
                if !rules().any(|r| r == name.as_str()) {
                    out.push(not_in(CONNECT, name, rules()));
                }
            }
            return;
        }
        // `use std.neurons` makes the module itself known.
        if u.group.is_none()
            && let (Some(target), Some(name)) =
                (self.space_of(&full, loader, out), u.path.names.last())
        {
            return self.add_space(unit, name, target, out);
        }
        let Some(target) = self.space_of(&head, loader, out) else {
            return out.push(no_such_use(&full, u));
        };
        for name in names {
            match self.own(target, name.as_str()) {
                Some(id) => self.introduce(unit, name.text.clone(), id, name.span, out),
                None => out.push(not_in(&head, name, self.own_names(target))),
            }
        }
    }

    /// The file behind `std.neurons` or `targets.ranc`, read now if need be.
    fn space_of(
        &mut self,
        path: &str,
        loader: &dyn Loader,
        out: &mut Diagnostics,
    ) -> Option<usize> {
        if path.starts_with("std.") {
            return self.library(path, out);
        }
        let target = path.strip_prefix("targets.")?;
        let name = target_file(target);
        if let Some(&unit) = self.by_name.get(&name) {
            return Some(unit);
        }
        let text = loader.target_model(target)?;
        Some(self.add(&name, &format!("{path}."), &text, out))
    }

    fn add_space(&mut self, unit: usize, name: &tree::Name, target: usize, out: &mut Diagnostics) {
        let spaces = &mut self.units[unit].spaces;
        match spaces.get(&name.text) {
            Some(&(known, first)) if known != target => {
                out.push(duplicate(name.as_str(), name.span, first))
            }
            _ => {
                spaces.insert(name.text.clone(), (target, name.span));
            }
        }
    }

    fn introduce(
        &mut self,
        unit: usize,
        name: Arc<str>,
        id: ItemId,
        at: Span,
        out: &mut Diagnostics,
    ) {
        let names = &mut self.units[unit].names;
        match names.get(&name) {
            Some(&(known, first)) if known != id => out.push(duplicate(&name, at, first)),
            _ => {
                names.insert(name, (id, at));
            }
        }
    }

    fn add_override(&mut self, name: &str, raw: &str) {
        let mut errors = Diagnostics::new();
        let whole = self.whole;
        let unit = self.add(
            &format!("--set {name}"),
            "",
            &format!("let value = {raw}"),
            &mut errors,
        );
        self.whole = whole;
        if !matches!(&self.units[unit].tree.items[..], [tree::Item::Let(_)]) && !errors.has_errors()
        {
            errors.push(
                Diagnostic::error("SYN0108", format!("`{raw}` is no value"))
                    .label(self.units[unit].tree.span, "more than one expression")
                    .hint(format!(
                        "give one value, e.g. `--set {name}=20` or `--set {name}=\"20 mV\"`"
                    )),
            );
        }
        self.overrides.push(Override {
            name: name.into(),
            raw: raw.into(),
            unit,
            errors,
        });
    }
}

/// The module of the rules of connection, which has no text.
const CONNECT: &str = "std.connect";

/// How the model of a chip is called among the files.
fn target_file(chip: &str) -> String {
    format!("<targets>/{chip}/model.syn")
}

/// Dotted models and kinds of populations and sources in a body.
fn paths(body: &[tree::Net], out: &mut Vec<String>) {
    for s in body {
        match s {
            tree::Net::Pop(p) => out.push(p.model.dotted()),
            tree::Net::Source(s) => out.push(s.kind.dotted()),
            tree::Net::For(f) => paths(&f.body, out),
            _ => {}
        }
    }
}

/// The name that an item declares; experiments live apart.
pub(super) fn item_name(item: &tree::Item) -> Option<&tree::Name> {
    Some(match item {
        tree::Item::Let(l) => &l.name,
        tree::Item::Neuron(m) | tree::Item::Synapse(m) => &m.name,
        tree::Item::Module(s) | tree::Item::Network(s) => &s.name,
        tree::Item::Import(_) | tree::Item::Use(_) | tree::Item::Experiment(_) => return None,
    })
}

/// One name, declared twice.
pub(super) fn duplicate(name: &str, at: Span, first: Span) -> Diagnostic {
    Diagnostic::error("SYN0102", format!("`{name}` is declared twice"))
        .label(at, "declared again")
        .label(first, "first declared here")
        .hint("rename one of the two")
}

fn not_in<'n>(head: &str, name: &tree::Name, names: impl Iterator<Item = &'n str>) -> Diagnostic {
    let names: Vec<&str> = names.collect();
    let d = Diagnostic::error("SYN0101", format!("`{head}` has no `{}`", name.text))
        .label(name.span, "unknown");
    match near(name.as_str(), names.iter().copied()) {
        Some(n) => d.hint(format!("did you mean `{n}`?")),
        None => d.hint(format!("it has: {}", listed(&names))),
    }
}

fn no_such_use(full: &str, u: &tree::Use) -> Diagnostic {
    let d = Diagnostic::error("SYN0107", format!("there is no `{full}` to use"))
        .label(u.path.span, "unknown");
    if let Some(rest) = full.strip_prefix("targets.") {
        let chip = rest.split('.').next().unwrap_or(rest);
        return d.hint(format!(
            "no chip `{chip}` with a model is known; `synfire targets` lists the chips"
        ));
    }
    let modules: Vec<&str> = library::MODULES.iter().map(|m| m.path).collect();
    let paths: Vec<String> = library::paths().collect();
    let known = paths
        .iter()
        .map(String::as_str)
        .chain(modules.iter().copied());
    match near(full, known) {
        Some(n) => d.hint(format!("did you mean `{n}`?")),
        None => d.hint(format!(
            "`use` names the library ({}) or `targets.CHIP`; files are read by `import \"file.syn\"`",
            modules.join(", ")
        )),
    }
}
