//! Targets by name or by the folder of a user's own chip.

use crate::files;
use std::path::Path;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::{Chip, Target};

/// A chip that lives as long as the process: there are few of them.
fn own(folder: &Path) -> Result<&'static Chip, Diagnostics> {
    let text = |file: &str, must: bool| -> Result<String, Diagnostics> {
        let path = folder.join(file);
        if !must && !path.exists() {
            return Ok(String::new());
        }
        String::from_utf8(files::read(&path)?).map_err(|_| {
            Diagnostic::error("SYN0603", "the file is not UTF-8 text")
                .at(path.display().to_string())
                .hint("save it as UTF-8")
                .into()
        })
    };
    let chip = Chip::from_text(
        &folder.display().to_string(),
        text("chip.toml", true)?,
        text("model.syn", true)?,
        text("README.md", false)?,
    )?;
    Ok(Box::leak(Box::new(chip)))
}

/// The target that `name` stands for: `chip`, `chip:dialect`, or a path (with a separator in it) to a chip folder.
///
/// Errors: of class usage for names, of class device for folders that cannot be read.
pub fn find(name: &str) -> Result<Target<'static>, Diagnostics> {
    let looks_like_path = name.contains(['/', '\\']) || name.starts_with('.');
    if !looks_like_path {
        return synfire_targets::find(name);
    }
    // A path may hold a colon itself; a dialect stands after the last one.
    let (folder, dialect) = match name.rsplit_once(':') {
        Some((folder, dialect)) if !Path::new(name).is_dir() && !dialect.contains(['/', '\\']) => {
            (folder, Some(dialect))
        }
        _ => (name, None),
    };
    if !Path::new(folder).is_dir() {
        return Err(Diagnostic::error("SYN0601", format!("there is no chip folder `{folder}`"))
            .class(Class::Usage)
            .hint("a chip folder holds chip.toml and model.syn; `synfire targets` lists the shipped chips")
            .into());
    }
    own(Path::new(folder))?.target(dialect)
}

/// The targets of a `--target`: none, one, or with `all` every dialect of every shipped chip.
///
/// Errors: those of [`find`].
pub fn chosen(name: Option<&str>) -> Result<Vec<Target<'static>>, Diagnostics> {
    Ok(match name {
        None => vec![],
        Some("all") => {
            let dialects = |c: &'static Chip| {
                let names = c.spec.dialects.iter();
                names.filter_map(|d| c.target(Some(&d.name)).ok())
            };
            synfire_targets::all().iter().flat_map(dialects).collect()
        }
        Some(name) => vec![find(name)?],
    })
}
