//! Chips by name.
//!
//! The shipped chips come from a table that the build script writes; a user's chip is made from its texts with [`Chip::from_text`] and then is the
//! same kind of value. `chip` or `chip:dialect` goes into [`find`], a [`Target`] comes out. Deliberately absent: reading folders (the
//! caller's), and what a chip does (its module, or its `model.syn`).

use crate::backend::Backend;
use crate::own::Own;
use crate::schema::{ChipSpec, Delays, Dialect, Limits, Weights};
use std::borrow::Cow;
use std::sync::OnceLock;
use synfire_ir::diag::nearest;
use synfire_ir::{Class, Diagnostic, Diagnostics};

include!(concat!(env!("OUT_DIR"), "/chip_table.rs"));

/// The texts of one shipped chip's folder.
struct Folder {
    name: &'static str,
    toml: &'static str,
    model: &'static str,
    readme: &'static str,
    backend: Option<&'static dyn Backend>,
}

/// A chip: its description and its texts.
#[derive(Clone, Debug)]
pub struct Chip {
    /// The checked `chip.toml`.
    pub spec: ChipSpec,
    /// Text of `chip.toml`, for an artefact that carries its chip.
    pub toml: Cow<'static, str>,
    /// Text of `model.syn`: the dynamics in exact integers.
    pub model: Cow<'static, str>,
    /// Text of `README.md`.
    pub readme: Cow<'static, str>,
    /// Is it one of the shipped chips, with a module of its own?
    pub shipped: bool,
    /// The code of a chip that is described and not programmed.
    own: Option<Own>,
}

impl Chip {
    /// The chip's code: its module, or what its description stands for.
    pub fn backend(&self) -> Option<&dyn Backend> {
        if let Some(own) = &self.own {
            return Some(own);
        }
        let folder = FOLDERS.iter().find(|f| f.name == self.spec.name);
        folder.filter(|_| self.shipped)?.backend
    }

    /// A user's chip from the texts of its folder; `place` names the folder in messages.
    ///
    /// Errors: those of [`ChipSpec::parse`] and [`Own::new`].
    pub fn from_text(
        place: &str,
        toml: String,
        model: String,
        readme: String,
    ) -> Result<Chip, Diagnostics> {
        let spec = ChipSpec::parse(&format!("{place}/chip.toml"), &toml)?;
        let own = Own::new(place, &toml, &model, &spec)?;
        Ok(Chip {
            own: Some(own),
            spec,
            toml: toml.into(),
            model: model.into(),
            readme: readme.into(),
            shipped: false,
        })
    }

    /// The target that a dialect's name, or none for the default one, makes of this chip.
    ///
    /// Errors: `SYN0602` for a dialect that the chip does not have.
    pub fn target(&self, dialect: Option<&str>) -> Result<Target<'_>, Diagnostics> {
        let wanted = match dialect {
            None => self.spec.default_dialect(),
            Some(name) => self.spec.dialect(name),
        };
        if let Some(dialect) = wanted {
            return Ok(Target {
                chip: self,
                dialect,
            });
        }
        let names: Vec<&str> = self.spec.dialects.iter().map(|d| d.name.as_str()).collect();
        let wanted = dialect.unwrap_or("");
        let error = Diagnostic::error(
            "SYN0602",
            format!("the chip `{}` has no dialect `{wanted}`", self.spec.name),
        )
        .class(Class::Usage)
        .note(format!("its dialects are {}", list(&names)))
        .field("chip", &self.spec.name)
        .field("dialect", wanted);
        let hint = match nearest(wanted, names.iter().copied()) {
            Some(near) => format!("did you mean `{}:{near}`?", self.spec.name),
            None => format!("write `{}` for the default dialect", self.spec.name),
        };
        Err(error.hint(hint).into())
    }
}

/// A chip in one of its dialects: what a network is compiled for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The chip.
    pub chip: &'a Chip,
    /// The dialect.
    pub dialect: &'a Dialect,
}

impl Target<'_> {
    /// `chip:dialect`, or `chip` where the chip has one dialect only.
    pub fn name(&self) -> String {
        if self.chip.spec.dialects.len() == 1 {
            return self.chip.spec.name.clone();
        }
        format!("{}:{}", self.chip.spec.name, self.dialect.name)
    }

    /// The limits in this dialect.
    pub fn limits(&self) -> Limits {
        self.chip.spec.limits_of(self.dialect)
    }

    /// The weights in this dialect.
    pub fn weights(&self) -> &Weights {
        self.chip.spec.weights_of(self.dialect)
    }

    /// The delays in this dialect.
    pub fn delays(&self) -> &Delays {
        self.chip.spec.delays_of(self.dialect)
    }
}

/// The shipped chips that could be read, and what is wrong with the others.
fn shipped() -> &'static (Vec<Chip>, Diagnostics) {
    static CHIPS: OnceLock<(Vec<Chip>, Diagnostics)> = OnceLock::new();
    CHIPS.get_or_init(|| {
        let (mut chips, mut wrong) = (vec![], Diagnostics::new());
        for f in FOLDERS {
            match ChipSpec::parse(&format!("targets/{}/chip.toml", f.name), f.toml) {
                Ok(spec) => {
                    let (toml, model, readme) = (f.toml.into(), f.model.into(), f.readme.into());
                    chips.push(Chip {
                        spec,
                        toml,
                        model,
                        readme,
                        shipped: true,
                        own: None,
                    });
                }
                Err(d) => wrong.extend(d),
            }
        }
        (chips, wrong)
    })
}

/// The shipped chips, by name.
pub fn all() -> &'static [Chip] {
    &shipped().0
}

/// What is wrong with the descriptions of shipped chips; nothing, in a build that passed its tests.
pub fn problems() -> &'static Diagnostics {
    &shipped().1
}

/// The shipped chip and dialect that `name` (`chip` or `chip:dialect`) stands for.
///
/// Errors: `SYN0601` for an unknown chip, `SYN0602` for a dialect that the chip does not have; both suggest the nearest name.
pub fn find(name: &str) -> Result<Target<'static>, Diagnostics> {
    let (chip, dialect) = match name.split_once(':') {
        Some((chip, dialect)) => (chip, Some(dialect)),
        None => (name, None),
    };
    if let Some(found) = by_name(chip) {
        return found.target(dialect);
    }
    let names: Vec<&str> = all().iter().map(|c| c.spec.name.as_str()).collect();
    let error = Diagnostic::error("SYN0601", format!("there is no chip `{chip}`"))
        .class(Class::Usage)
        .note(format!("shipped chips are {}", list(&names)))
        .field("chip", chip);
    let hint = match nearest(chip, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "`synfire targets` lists them; a chip of your own is named by the path of its folder"
                .into()
        }
    };
    Err(error.hint(hint).into())
}

/// The shipped chip of that name; `_` may stand for `-`, so that a name can be written in a path of the language.
pub fn by_name(chip: &str) -> Option<&'static Chip> {
    let plain = |c: &str| c.replace('-', "_");
    all().iter().find(|c| plain(&c.spec.name) == plain(chip))
}

/// Names as a reader lists them.
fn list(names: &[&str]) -> String {
    names
        .iter()
        .map(|n| format!("`{n}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_is_a_chip_of_that_name() {
        assert!(problems().is_empty(), "{}", problems());
        let names: Vec<_> = all().iter().map(|c| c.spec.name.clone()).collect();
        let folders: Vec<_> = FOLDERS.iter().map(|f| f.name.to_string()).collect();
        assert_eq!(names, folders);
        for chip in all() {
            assert!(
                chip.model
                    .contains(&format!("neuron {}", chip.spec.model.neuron)),
                "{}",
                chip.spec.name
            );
            assert!(
                chip.readme.len() > 200,
                "{} has no README worth the name",
                chip.spec.name
            );
        }
    }

    #[test]
    fn every_model_is_text_of_the_language() {
        for chip in all() {
            let (_, found) = synfire_lang::syntax::parse(0, &chip.model);
            assert!(found.is_empty(), "{}: {found}", chip.spec.name);
            let canonical = synfire_lang::syntax::format(&chip.model).expect("parses");
            assert_eq!(
                canonical, chip.model,
                "{}/model.syn is not formatted",
                chip.spec.name
            );
            let names = &chip.spec.model;
            for name in [&names.axon, &names.output].into_iter().flatten() {
                assert!(chip.model.contains(&format!("neuron {name} ")), "{name}");
            }
        }
    }

    fn first(name: &str) -> Diagnostic {
        find(name).expect_err("no such target").0.remove(0)
    }

    #[test]
    fn names_and_dialects() {
        assert_eq!(find("ranc").expect("default").name(), "ranc:sim");
        assert_eq!(find("ranc:rtl").expect("rtl").dialect.name, "rtl");
        let e = first("rank");
        assert_eq!(
            (e.code.as_str(), e.hints[0].as_str()),
            ("SYN0601", "did you mean `ranc`?")
        );
        let e = first("ranc:rtk");
        assert_eq!(
            (e.code.as_str(), e.hints[0].as_str()),
            ("SYN0602", "did you mean `ranc:rtl`?")
        );
        assert_eq!(first("ranc:").code, "SYN0602");
        assert_eq!(first("").code, "SYN0601");
    }

    #[test]
    fn a_users_chip_from_text() {
        let toml = include_str!("../_template/chip.toml").replace("\"toy\"", "\"mine\"");
        let model = include_str!("../_template/model.syn");
        let mine =
            Chip::from_text("mychip", toml, model.into(), String::new()).expect("same schema");
        assert_eq!(mine.target(Some("paper")).expect("dialect").name(), "mine");
        assert!(mine.backend().is_some() && !mine.shipped);
        let e = Chip::from_text("mychip", "nmae = 1".into(), String::new(), String::new())
            .expect_err("misspelt");
        assert_eq!(e.0[0].code, "SYN0603");
        assert_eq!(e.0[0].place.as_deref(), Some("mychip/chip.toml:1:1"));
    }

    #[test]
    fn contradictions_are_all_reported() {
        let ranc = find("ranc").expect("shipped").chip;
        let text = ranc
            .toml
            .replace("default = true", "default = false")
            .replacen("min = -256", "min = 300", 1);
        let e = ChipSpec::parse("x", &text).expect_err("contradictory");
        let placed = |d: &Diagnostic| {
            d.place
                .as_deref()
                .is_some_and(|p| p.matches(':').count() == 2)
        };
        assert!(
            e.0.len() >= 2 && e.0.iter().all(|d| d.code == "SYN0604" && placed(d)),
            "{e}"
        );
    }
}
