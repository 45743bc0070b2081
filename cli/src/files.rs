//! Reading and writing files. An output appears whole or not at all.

use crate::interrupt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Largest file that is read, in bytes.
const LARGEST: u64 = 8 << 30;

/// Is it `-`: standard input or output?
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How messages call a path.
pub fn shown(path: &Path) -> String {
    if is_standard(path) {
        "<stdin>".into()
    } else {
        path.display().to_string()
    }
}

/// The bytes of a file, or of standard input for `-`.
///
/// Errors: `SYN0912`, of the class that leads to exit status 4.
pub fn read(path: &Path) -> Result<Vec<u8>, Diagnostics> {
    let mut bytes = vec![];
    let done = if is_standard(path) {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|f| match f.metadata() {
            Ok(m) if m.is_dir() => Err(io::Error::other("it is a folder")),
            _ => f.take(LARGEST + 1).read_to_end(&mut bytes),
        })
    };
    match done {
        Ok(_) if bytes.len() as u64 > LARGEST => {
            Err(unreadable(path, "it is larger than 8 GiB").into())
        }
        Ok(_) => Ok(bytes),
        Err(e) => Err(unreadable(path, &plain(&e)).into()),
    }
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    let error = Diagnostic::error(
        "SYN0912",
        format!("`{}` cannot be read: {why}", shown(path)),
    )
    .class(Class::Device);
    match similar(path) {
        Some(near) => error.hint(format!("did you mean `{}`?", near.display())),
        None => error.hint("check the path and its permissions"),
    }
}

/// A file in the same folder whose name is nearly this one.
fn similar(path: &Path) -> Option<PathBuf> {
    if path.exists() || is_standard(path) {
        return None;
    }
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let wanted = path.file_name()?.to_str()?;
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .take(4096)
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let near = synfire_ir::diag::nearest(wanted, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near))
}

/// An error of the system without its number.
fn plain(e: &io::Error) -> String {
    let text = e.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}

/// Writes a file as a whole: to a temporary file beside it, which then takes its name. Devices and pipes are written directly.
///
/// Errors: `SYN0913`, of the class that leads to exit status 4.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Diagnostics> {
    // A link keeps pointing to the file that it names.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let done = match fs::metadata(path) {
        Ok(m) if !m.is_file() && !m.is_dir() => fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut f| f.write_all(bytes)),
        Ok(m) if m.is_dir() => Err(io::Error::other("it is a folder")),
        _ => replace(path, bytes),
    };
    done.map_err(|e| {
        Diagnostic::error(
            "SYN0913",
            format!("`{}` cannot be written: {}", path.display(), plain(&e)),
        )
        .class(Class::Device)
        .hint(
            "check that the folder exists, that you may write there, and that the disk is not full",
        )
        .into()
    })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("it names no file"))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    interrupt::begin(&temporary);
    let done = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        if let Ok(old) = fs::metadata(path) {
            fs::set_permissions(&temporary, old.permissions())?;
        }
        fs::rename(&temporary, path)
    })();
    if done.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    interrupt::done(&temporary);
    done
}

/// Makes a folder and those above it.
///
/// Errors: as [`write()`].
pub fn make_folder(path: &Path) -> Result<(), Diagnostics> {
    fs::create_dir_all(path).map_err(|e| {
        Diagnostic::error(
            "SYN0913",
            format!(
                "the folder `{}` cannot be made: {}",
                path.display(),
                plain(&e)
            ),
        )
        .class(Class::Device)
        .hint("check that you may write there")
        .into()
    })
}
