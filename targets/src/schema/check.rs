//! What the form of a `chip.toml` cannot say: contradictions between its values.
//!
//! Takes a parsed [`ChipSpec`], gives a `SYN0604` for every contradiction; finds all of them in one pass.

use super::{ChipSpec, Delays, Weights};
use std::collections::BTreeSet;
use synfire_ir::{Diagnostic, Diagnostics};

impl ChipSpec {
    /// Everything in this description that contradicts itself; `place` names it in messages.
    pub fn check(&self, place: &str) -> Diagnostics {
        let mut found = Found {
            place,
            list: Diagnostics::new(),
        };
        let word = |s: &str| {
            !s.is_empty()
                && s.chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        if !word(&self.name) {
            found.add(
                format!("the name `{}` is no word", self.name),
                "use lower-case letters, digits and `_`",
            );
        }
        self.check_dialects(&mut found, word);
        check_weights(&mut found, "weights", &self.weights);
        check_delays(&mut found, "delays", &self.delays);
        for d in &self.dialects {
            if let Some(w) = &d.weights {
                check_weights(&mut found, &format!("dialects.{}.weights", d.name), w);
            }
            if let Some(w) = &d.delays {
                check_delays(&mut found, &format!("dialects.{}.delays", d.name), w);
            }
        }
        self.check_tables(&mut found);
        found.list
    }

    fn check_dialects(&self, found: &mut Found, word: impl Fn(&str) -> bool) {
        let defaults = self.dialects.iter().filter(|d| d.default).count();
        if defaults != 1 {
            found.add(
                format!(
                    "{defaults} of the {} dialects say `default = true`",
                    self.dialects.len()
                ),
                "exactly one dialect is the default; a chip without variants has one dialect",
            );
        }
        let mut seen = BTreeSet::new();
        for d in &self.dialects {
            if !word(&d.name) {
                found.add(
                    format!("the dialect name `{}` is no word", d.name),
                    "use lower-case letters, digits and `_`",
                );
            }
            if !seen.insert(&d.name) {
                found.add(
                    format!("the dialect `{}` stands twice", d.name),
                    "give each dialect one table",
                );
            }
        }
    }

    fn check_tables(&self, found: &mut Found) {
        for f in &self.formats {
            if !(1..=64).contains(&f.bits) || f.fraction > f.bits {
                found.add(
                    format!(
                        "format `{}` has {} bits, {} of them a fraction",
                        f.name, f.bits, f.fraction
                    ),
                    "1 to 64 bits, the fraction within them",
                );
            }
            self.check_names(found, &format!("format `{}`", f.name), &f.dialects);
        }
        let mut seen = BTreeSet::new();
        for p in &self.parameters {
            let what = format!("parameter `{}`", p.name);
            if p.min > p.max {
                found.add(
                    format!("{what} has min {} above max {}", p.min, p.max),
                    "exchange them",
                );
            } else if !fits(p.bits, p.min, p.max) {
                found.add(
                    format!(
                        "{what} has the range {}..{}, which {} bits cannot hold",
                        p.min, p.max, p.bits
                    ),
                    "correct `bits` or the range",
                );
            }
            if p.default < p.min || p.default > p.max {
                found.add(
                    format!(
                        "{what} has the default {}, outside {}..{}",
                        p.default, p.min, p.max
                    ),
                    "give a default inside the range",
                );
            }
            self.check_names(found, &what, &p.dialects);
            for d in self
                .dialects
                .iter()
                .filter(|d| p.dialects.is_empty() || p.dialects.contains(&d.name))
            {
                if !seen.insert((p.name.as_str(), d.name.as_str())) {
                    found.add(
                        format!("{what} stands twice for dialect `{}`", d.name),
                        "give each dialect one range",
                    );
                }
            }
        }
        for n in &self.native {
            self.check_names(found, &format!("native form `{}`", n.name), &n.dialects);
        }
    }

    fn check_names(&self, found: &mut Found, what: &str, names: &[String]) {
        for name in names.iter().filter(|n| self.dialect(n).is_none()) {
            found.add(
                format!("{what} names the dialect `{name}`, which this chip does not have"),
                "name one of `dialects`",
            );
        }
    }
}

/// Diagnostics under way.
struct Found<'a> {
    place: &'a str,
    list: Diagnostics,
}

impl Found<'_> {
    fn add(&mut self, message: String, hint: &str) {
        let d = Diagnostic::error("SYN0604", message).at(self.place);
        self.list
            .push(d.note("the chip description contradicts itself").hint(hint));
    }
}

/// Do `bits` bits, with or without a sign, hold both ends?
fn fits(bits: u32, min: i64, max: i64) -> bool {
    if bits == 0 || bits > 64 {
        return false;
    }
    let (min, max) = (i128::from(min), i128::from(max));
    if min < 0 {
        min >= -(1 << (bits - 1)) && max < (1 << (bits - 1))
    } else {
        max < (1 << bits)
    }
}

fn check_weights(found: &mut Found, at: &str, w: &Weights) {
    if w.min.value > w.max.value {
        found.add(
            format!(
                "{at}.min {} lies above {at}.max {}",
                w.min.value, w.max.value
            ),
            "exchange them",
        );
    } else if !fits(w.bits.value, w.min.value, w.max.value) {
        found.add(
            format!(
                "{at}: {} bits cannot hold {}..{}",
                w.bits.value, w.min.value, w.max.value
            ),
            "correct `bits` or the range",
        );
    }
    if let Some(e) = w.exponent.as_ref().filter(|e| e.value[0] > e.value[1]) {
        found.add(
            format!("{at}.exponent runs from {} to {}", e.value[0], e.value[1]),
            "put the smaller end first",
        );
    }
}

fn check_delays(found: &mut Found, at: &str, d: &Delays) {
    if d.min.value > d.max.value {
        found.add(
            format!(
                "{at}.min {} lies above {at}.max {}",
                d.min.value, d.max.value
            ),
            "exchange them",
        );
    }
}
