//! Targets by name or by the folder of a user's own chip.

use crate::files;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use synfire_ir::artifact::{Artifact, SectionKind};
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::{Chip, Target};

/// The user's own chips that this command has read.
static OWN: Mutex<Vec<&'static Chip>> = Mutex::new(vec![]);

/// A chip that lives as long as the process: there are few of them.
fn kept(chip: Chip) -> &'static Chip {
    let chip: &'static Chip = Box::leak(Box::new(chip));
    OWN.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(chip);
    chip
}

/// Text of `model.syn` of a chip that this command has read, for `use targets.NAME.Neuron`.
pub fn own_model(name: &str) -> Option<String> {
    let own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let plain = |n: &str| n.replace('-', "_");
    let found = own.iter().find(|c| plain(&c.spec.name) == plain(name));
    found.map(|c| c.model.to_string())
}

/// The chip and dialect that an artefact is for: a shipped one, or the user's own that it carries.
///
/// Errors: of class input, for a chip that this build does not have or a description that it cannot read.
pub fn of(artefact: &Artifact) -> Result<Target<'static>, Diagnostics> {
    let h = &artefact.header;
    let carried = |name: &str| {
        let section = artefact.section(SectionKind::Chip, name)?;
        Some(String::from_utf8_lossy(&section.bytes).into_owned())
    };
    let found = match (carried("chip.toml"), carried("model.syn")) {
        (Some(toml), Some(model)) => {
            let chip = Chip::from_text("(in the artefact)", toml, model, String::new())?;
            kept(chip).target(Some(&h.dialect))
        }
        _ => synfire_targets::find(&format!("{}:{}", h.target, h.dialect)),
    };
    found.map_err(|mut wrong| {
        wrong.0.iter_mut().for_each(|d| d.class = Class::Input);
        wrong
    })
}

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
    Ok(kept(chip))
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
