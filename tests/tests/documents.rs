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

/// What a document asks its reader to do.
enum Task {
    Run(String),
    /// A block `file=NAME` is saved under that name.
    Save(String, String),
}

fn tasks(text: &str) -> Vec<(usize, Task)> {
    let (mut inside, mut file, mut out) = (false, None::<(String, String)>, vec![]);
    for (n, line) in text.lines().enumerate() {
        let t = line.trim();
        if t.starts_with("```") {
            if let Some((name, text)) = file.take() {
                out.push((n + 1, Task::Save(name, text)));
            }
            inside = t == "```sh";
            file = t
                .split("file=")
                .nth(1)
                .map(|name| (name.to_string(), String::new()));
        } else if let Some((_, text)) = &mut file {
            *text += line;
            text.push('\n');
        } else if inside && !t.is_empty() && !t.starts_with('#') {
            out.push((n + 1, Task::Run(t.to_string())));
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
        let mut behind = Behind(vec![]);
        for (line, task) in tasks(&text) {
            let command = match task {
                Task::Run(command) => command,
                Task::Save(file, text) => {
                    let path = dir.path().join(&file);
                    let folder = path.parent().expect("a file lies in a folder");
                    std::fs::create_dir_all(folder).expect("writable");
                    std::fs::write(&path, text).expect("writable");
                    continue;
                }
            };
            if OTHERS.iter().any(|o| command.starts_with(o)) {
                continue;
            }
            ran += 1;
            let at = format!("{name}:{line}");
            match command.strip_suffix(" &") {
                Some(command) => behind.0.push(start(dir.path(), &at, command)),
                None => run(dir.path(), &at, &command),
            }
        }
    }
    assert!(ran >= 10, "only {ran} commands were found");
}

/// Commands that go on while others run, up to the end of their document.
struct Behind(Vec<std::process::Child>);

impl Drop for Behind {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a line that ends in `&`; waits until it says that it is there.
fn start(dir: &Path, at: &str, command: &str) -> std::process::Child {
    let rest = command
        .strip_prefix("synfire ")
        .unwrap_or_else(|| panic!("{at}: only ours run behind others"));
    let args = words(rest);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut command = binary::command(dir, &args);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{at}: {e}"));
    let out = child.stdout.take().expect("piped");
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).expect("text");
    assert!(!line.is_empty(), "{at}: it ended");
    child
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
