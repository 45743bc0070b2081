//! The real `synfire` binary, built once in the profile of the running test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this crate lies in the workspace")
        .to_path_buf()
}

/// Path of the binary.
pub fn synfire() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let here = std::env::current_exe().expect("a running test has a path");
        let deps = here.parent().expect("a binary lies in a folder");
        let folder = if deps.ends_with("deps") {
            deps.parent().expect("deps lies in the profile's folder")
        } else {
            deps
        };
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build
            .args(["build", "--quiet", "-p", "synfire"])
            .current_dir(root());
        if folder.ends_with("release") {
            build.arg("--release");
        }
        build.env(
            "CARGO_TARGET_DIR",
            folder
                .parent()
                .expect("a profile lies in the target folder"),
        );
        let status = build.status().expect("cargo can be started");
        assert!(status.success(), "the binary does not build");
        folder.join("synfire")
    })
}

/// Runs the binary in `dir` and gives what it printed.
pub fn run(dir: &Path, args: &[&str]) -> Output {
    command(dir, args)
        .output()
        .expect("the binary can be started")
}

/// The binary with arguments, without colours, in `dir`.
pub fn command(dir: &Path, args: &[&str]) -> Command {
    let mut c = Command::new(synfire());
    c.args(args)
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG")
        .env("COLUMNS", "80");
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        c.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
    c
}
