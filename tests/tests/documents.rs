//! Every command in the README and in `docs/` runs: lines of `sh` blocks that call the binary, in a folder that holds the examples.

use std::path::Path;
use synfire_tests::binary;

/// Commands of other programs that documents may show; each is covered elsewhere or by the reader's machine.
const OTHERS: [&str; 8] = [
    "git ",
    "cd ",
    "cargo xtask",
    "cargo install",
    "cargo bench",
    "apt",
    "sudo ",
    "cargo doc",
];

fn commands(text: &str) -> Vec<(usize, String)> {
    let (mut inside, mut out) = (false, vec![]);
    for (n, line) in text.lines().enumerate() {
        let t = line.trim();
        if t.starts_with("```") {
            inside = t == "```sh";
        } else if inside && !t.is_empty() && !t.starts_with('#') {
            out.push((n + 1, t.to_string()));
        }
    }
    out
}

fn documents() -> Vec<std::path::PathBuf> {
    let mut out = vec![
        binary::root().join("README.md"),
        binary::root().join("examples/README.md"),
    ];
    let mut folders = vec![binary::root().join("docs")];
    while let Some(dir) = folders.pop() {
        for e in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let p = e.path();
            if p.is_dir() {
                folders.push(p);
            } else if p.extension().is_some_and(|x| x == "md") {
                out.push(p);
            }
        }
    }
    out.sort();
    out
}

/// Words of a line as a shell splits them (quotes, no substitutions).
fn words(line: &str) -> Vec<String> {
    let (mut out, mut now, mut quote) = (vec![], String::new(), None);
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => out.push(std::mem::take(&mut now)),
            (_, c) => now.push(c),
        }
    }
    out.push(now);
    out.retain(|w| !w.is_empty());
    out
}

#[test]
fn every_command_runs() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for shown in ["examples", "targets", "tests", "docs"] {
        std::os::unix::fs::symlink(binary::root().join(shown), dir.path().join(shown))
            .expect("a link");
    }
    let mut ran = 0;
    for doc in documents() {
        let name = doc
            .strip_prefix(binary::root())
            .unwrap_or(&doc)
            .display()
            .to_string();
        let text = std::fs::read_to_string(&doc).unwrap_or_else(|e| panic!("{name}: {e}"));
        for (line, command) in commands(&text) {
            if OTHERS.iter().any(|o| command.starts_with(o)) {
                continue;
            }
            ran += 1;
            run(dir.path(), &format!("{name}:{line}"), &command);
        }
    }
    assert!(ran >= 10, "only {ran} commands were found");
}

/// Runs one line; a comment `# exit N` at its end states another status than 0.
fn run(dir: &Path, at: &str, command: &str) {
    let (command, expected) = match command.split_once("# exit ") {
        Some((c, n)) => (
            c.trim(),
            n.trim().parse().unwrap_or_else(|e| panic!("{at}: {e}")),
        ),
        None => (command.split(" # ").next().unwrap_or(command).trim(), 0),
    };
    let rest = command
        .strip_prefix("cargo run --release -- ")
        .or_else(|| command.strip_prefix("synfire "))
        .unwrap_or_else(|| panic!("{at}: `{command}` is neither ours nor a known other"));
    assert!(
        !rest.contains(['|', '>', ';', '$']),
        "{at}: write one plain command a line"
    );
    let args = words(rest);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let out = binary::run(dir, &args);
    let told = String::from_utf8_lossy(&out.stderr);
    assert_eq!(
        out.status.code(),
        Some(expected),
        "{at}: `{command}`\n{told}"
    );
}
