//! Chores: `cargo xtask test` (what the README's second command runs), `cargo xtask ci`, `cargo xtask golden`.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("test") => test(&args[1..]),
        Some("ci") => ci(),
        Some("fmt") => format(args.iter().any(|a| a == "--check")),
        Some("golden") => golden(&args[1..]),
        _ => {
            eprintln!(
                "usage: cargo xtask <task>\n\n  test [ARGS]     install what the tests need and run them all\n  ci              everything that CI runs\n  fmt [--check]   format all Rust files, chip folders included\n  golden [ARGS]   run golden vectors on both engines"
            );
            std::process::exit(2);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
        .to_path_buf()
}

fn cargo(args: &[&str]) -> Command {
    let mut c = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    c.args(args).current_dir(root());
    c
}

fn run(mut c: Command) -> Result<()> {
    let status = c
        .status()
        .with_context(|| format!("{c:?} cannot be started"))?;
    if !status.success() {
        bail!("{c:?} failed: {status}");
    }
    Ok(())
}

/// The Debian packages that the tests need: a software Vulkan driver and its loader.
const PACKAGES: [&str; 2] = ["mesa-vulkan-drivers", "libvulkan1"];

fn installed(package: &str) -> bool {
    let out = Command::new("dpkg-query")
        .args(["-W", "-f=${Status}", package])
        .output();
    out.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).contains("install ok installed"))
}

/// Installs missing packages as root; otherwise names them and goes on with the adapter that is there.
fn packages() -> Result<()> {
    let missing: Vec<&str> = PACKAGES.into_iter().filter(|p| !installed(p)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let root_user = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|o| o.stdout.starts_with(b"0\n"));
    let apt = Command::new("apt-get").arg("--version").output().is_ok();
    if !root_user || !apt {
        eprintln!(
            "note: the GPU tests want {} (sudo apt-get install {}); going on with the adapter that is here",
            missing.join(" and "),
            missing.join(" ")
        );
        return Ok(());
    }
    eprintln!("installing {}", missing.join(", "));
    let mut update = Command::new("apt-get");
    update.args(["update", "-q"]);
    run(update)?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "-y", "-q", "--no-install-recommends"])
        .args(&missing)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(install)
}

fn test(args: &[String]) -> Result<()> {
    packages()?;
    let mut c = cargo(&["test", "--release", "--workspace"]);
    c.args(args).env("INSTA_UPDATE", "no");
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        c.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
    run(c)
}

fn golden(args: &[String]) -> Result<()> {
    let mut c = cargo(&[
        "run",
        "--quiet",
        "--release",
        "-p",
        "synfire-tests",
        "--bin",
        "golden",
        "--",
    ]);
    if args.is_empty() {
        c.args([
            "targets/ranc/golden",
            "targets/tinyodin/golden",
            "targets/odin/golden",
            "targets/loihi/golden",
            "targets/xylo-audio2/golden",
            "targets/xylo-audio2/golden/ram",
            "tests/nir/data/golden",
        ]);
    }
    c.args(args);
    run(c)
}

/// Rust files of the folders of chips and of their families: the build script reaches them by path, so `cargo fmt` does not.
fn chip_files() -> Result<Vec<PathBuf>> {
    let mut out = vec![];
    for entry in std::fs::read_dir(root().join("targets"))?.flatten() {
        let file = entry.path().join("mod.rs");
        if file.is_file() {
            out.push(file);
        }
    }
    out.sort();
    Ok(out)
}

fn format(check: bool) -> Result<()> {
    run(cargo(if check {
        &["fmt", "--all", "--", "--check"]
    } else {
        &["fmt", "--all"]
    }))?;
    let mut c = Command::new("rustfmt");
    c.args(["--edition", "2024"])
        .args(chip_files()?)
        .current_dir(root());
    if check {
        c.arg("--check");
    }
    run(c)
}

fn ci() -> Result<()> {
    test(&[])?;
    format(true)?;
    run(cargo(&[
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    let mut doc = cargo(&["doc", "--release", "--workspace", "--no-deps"]);
    // Pages of a module name its private parts, for those who read the source beside them.
    doc.env(
        "RUSTDOCFLAGS",
        "-D warnings -A rustdoc::private-intra-doc-links",
    );
    run(doc)
}
