//! The pages of `docs/errors`: one for every code that the product raises, and each example does what its page says.

use crate::place::Place;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A fenced block of a page.
struct Example {
    /// `syn wrong`, `syn right fragment`, `syn wrong target=ranc`, `text right`, ...
    info: String,
    text: String,
}

/// A chapter: code, title, number of lines of text, examples.
struct Page {
    code: String,
    title: String,
    text: usize,
    examples: Vec<Example>,
}

impl Example {
    fn has(&self, word: &str) -> bool {
        self.info.split(' ').any(|w| w == word)
    }

    fn target(&self) -> Option<&str> {
        self.info.split(' ').find_map(|w| w.strip_prefix("target="))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}

fn pages() -> Vec<Page> {
    let mut out: Vec<Page> = vec![];
    for k in 0..10 {
        let name = format!("docs/errors/SYN0{k}.md");
        let text = fs::read_to_string(root().join(&name)).expect("a file for each area");
        assert!(text.starts_with(&format!("# SYN0{k}: ")), "{name}");
        let mut open: Option<Example> = None;
        let before = out.len();
        for line in text.lines() {
            if let Some(mut e) = open.take() {
                if line == "```" {
                    let page = out.last_mut().expect("a block stands under a code");
                    page.examples.push(e);
                } else {
                    e.text += line;
                    e.text.push('\n');
                    open = Some(e);
                }
            } else if let Some(info) = line.strip_prefix("```") {
                open = Some(Example {
                    info: info.into(),
                    text: String::new(),
                });
            } else if let Some(head) = line.strip_prefix("## ") {
                let (code, title) = head.split_once(' ').expect("a code and a title");
                assert!(code.starts_with(&format!("SYN0{k}")), "{name}: {code}");
                out.push(Page {
                    code: code.into(),
                    title: title.into(),
                    text: 0,
                    examples: vec![],
                });
            } else if out.len() > before && !line.is_empty() {
                out.last_mut().expect("pushed above").text += 1;
            }
        }
        assert!(open.is_none(), "{name}: a block is not closed");
    }
    out
}

/// The source files of the product, without tests.
fn sources(dir: &Path, out: &mut Vec<PathBuf>) {
    for e in fs::read_dir(dir).expect("readable").flatten() {
        let (path, name) = (e.path(), e.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if !["tests", "benches", "fuzz", "target"].contains(&name.as_ref()) {
                sources(&path, out);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            out.push(path);
        }
    }
}

/// Codes in string literals, each with one file that has it.
fn raised() -> BTreeMap<String, PathBuf> {
    let mut files = vec![];
    for part in ["cli", "compiler", "kernels", "runtime", "targets"] {
        sources(&root().join(part), &mut files);
    }
    let mut out = BTreeMap::new();
    for f in files {
        let text = fs::read_to_string(&f).expect("UTF-8");
        // A module of tests within the file is its last item.
        let inline = text.split_once("#[cfg(test)]\nmod tests {");
        let text = inline.map_or(text.as_str(), |(before, _)| before);
        for (at, _) in text.match_indices("\"SYN") {
            let code: String = text[at + 1..].chars().take_while(|c| *c != '"').collect();
            if code.len() == 7 && code[3..].bytes().all(|b| b.is_ascii_digit()) {
                out.entry(code).or_insert_with(|| f.clone());
            }
        }
    }
    out
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let pages: BTreeSet<String> = pages().into_iter().map(|p| p.code).collect();
    let raised = raised();
    assert!(raised.len() > 200, "only {} codes found", raised.len());
    let missing: Vec<_> = raised.iter().filter(|r| !pages.contains(r.0)).collect();
    assert!(missing.is_empty(), "no page in docs/errors: {missing:?}");
    let unused: Vec<_> = pages.iter().filter(|c| !raised.contains_key(*c)).collect();
    assert!(
        unused.is_empty(),
        "docs/errors explains what nothing raises: {unused:?}"
    );
}

#[test]
fn pages_have_one_form() {
    let pages = pages();
    assert!(
        pages.windows(2).all(|w| w[0].code < w[1].code),
        "codes ascend, each once"
    );
    for p in &pages {
        let infos: Vec<&str> = p.examples.iter().map(|e| e.info.as_str()).collect();
        let [wrong, right] = &p.examples[..] else {
            panic!("{}: {infos:?}", p.code);
        };
        assert!(
            wrong.has("wrong") && right.has("right"),
            "{}: {infos:?}",
            p.code
        );
        assert!(
            p.examples.iter().all(|e| e.has("syn") || e.has("text")),
            "{}: {infos:?}",
            p.code
        );
        assert!(
            p.text >= 1 && !p.title.is_empty() && !p.title.ends_with('.'),
            "{}: {}",
            p.code,
            p.title
        );
        assert!(!wrong.text.trim().is_empty() && !right.text.trim().is_empty());
    }
}

fn synfire(p: &Place, args: &[&str]) -> Output {
    p.run(&[args, &["--format", "json"]].concat())
}

/// Codes of a result's diagnostics: those in JSON, and those of warnings on standard error.
fn codes(out: &Output) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = String::from_utf8_lossy(&out.stderr)
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| w.len() == 7 && w.starts_with("SYN"))
        .map(str::to_string)
        .collect();
    if let Ok(v) = serde_json::from_slice::<Value>(&out.stdout) {
        let list = v["diagnostics"].as_array().cloned().unwrap_or_default();
        found.extend(
            list.iter()
                .filter_map(|d| Some(d["code"].as_str()?.to_string())),
        );
    }
    found
}

/// What an example of the language is told by `check`, and if that finds no error, by a run of one step or a compilation.
fn told(p: &Place, e: &Example) -> (bool, BTreeSet<String>) {
    p.write("net.syn", &e.text);
    if e.has("fragment") {
        let out = synfire(p, &["fmt", "--check", "net.syn"]);
        return (out.status.success(), codes(&out));
    }
    let first = synfire(p, &["check", "net.syn"]);
    let mut found = codes(&first);
    if !first.status.success() {
        return (false, found);
    }
    let then = match e.target() {
        Some(t) => synfire(p, &["compile", "net.syn", "--target", t, "-o", "net.synx"]),
        None => synfire(p, &["run", "net.syn", "--steps", "1", "--engine", "cpu"]),
    };
    found.extend(codes(&then));
    (then.status.success(), found)
}

#[test]
fn examples_do_what_their_page_says() {
    let place = Place::new("examples-of-pages");
    let (mut ran, mut wrong) = (0, vec![]);
    for p in pages() {
        for e in p.examples.iter().filter(|e| e.has("syn")) {
            ran += 1;
            let (fine, codes) = told(&place, e);
            // Fifty errors have their own codes beside the one that ends them.
            let alone = codes.len() == 1 || p.code == "SYN0019";
            let right = match e.has("wrong") {
                true => codes.contains(&p.code) && alone,
                false => fine && !codes.contains(&p.code),
            };
            if !right {
                wrong.push(format!("{} ({}): {codes:?}\n{}", p.code, e.info, e.text));
            }
        }
    }
    assert!(ran > 150, "only {ran} examples were run");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn explain_prints_the_page() {
    let place = Place::new("explain");
    let text = |args: &[&str]| place.expect(0, args);
    let page = text(&["explain", "syn0416"]);
    assert!(
        page.starts_with("SYN0416  A cycle without delay\n\n"),
        "{page}"
    );
    assert!(page.contains("    connect b -> a.i : one_to_one"), "{page}");
    assert!(
        page.lines().all(|l| l.chars().count() <= 80) && !page.contains("```"),
        "{page}"
    );
    for p in pages() {
        let out = synfire(&place, &["explain", &p.code]);
        let v: Value = serde_json::from_slice(&out.stdout).expect("JSON");
        assert_eq!(
            (&v["code"], &v["title"]),
            (&p.code.clone().into(), &p.title.into())
        );
        let shown = |k: &str| v[k].as_str().map(|s| format!("{s}\n"));
        assert_eq!(
            shown("wrong"),
            Some(p.examples[0].text.clone()),
            "{}",
            p.code
        );
        assert_eq!(
            shown("right"),
            Some(p.examples[1].text.clone()),
            "{}",
            p.code
        );
        assert!(
            v["text"].as_str().is_some_and(|t| t.len() > 40),
            "{}",
            p.code
        );
    }
}

#[test]
fn codes_without_a_page_get_their_area() {
    let out = synfire(&Place::new("explain-areas"), &["explain", "SYN0499"]);
    let v: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(v["area"], "SYN04: Network structure");
    assert!(
        v["title"].is_null()
            && v["nearest"]
                .as_str()
                .is_some_and(|c| c.starts_with("SYN04"))
    );
    for bad in ["SYN1000", "SYN04", "E0001", "SYN04x6"] {
        let out = synfire(&Place::new("explain-areas"), &["explain", bad]);
        assert_eq!(out.status.code(), Some(2), "{bad}");
    }
}
