//! What the form of a `chip.toml` cannot say: contradictions between its values.
//!
//! Takes a parsed [`ChipSpec`] and its text, gives a `SYN0604` with line and column for every contradiction; finds all of them in one pass.

use super::place::{Found, Key};
use super::{ChipSpec, Delays, LearningForm, Topology, Weights};
use std::collections::BTreeSet;
use synfire_ir::Diagnostics;

/// Most cores of a mesh.
const CORES: u64 = 1 << 24;

impl ChipSpec {
    /// Everything in this description that contradicts itself; `place` names it in messages, `text` is what it was read from.
    pub fn check(&self, place: &str, text: &str) -> Diagnostics {
        let mut found = Found::new(place, text);
        let word = |s: &str| {
            !s.is_empty()
                && s.chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        if !word(&self.name) {
            found.add(
                &["name".into()],
                format!("the name `{}` is no word", self.name),
                "use lower-case letters, digits and `_`",
            );
        }
        self.check_dialects(&mut found, word);
        check_weights(&mut found, &[], &self.weights);
        check_delays(&mut found, &[], &self.delays);
        for (i, d) in self.dialects.iter().enumerate() {
            let at = ["dialects".into(), i.into()];
            if let Some(w) = &d.weights {
                check_weights(&mut found, &at, w);
            }
            if let Some(w) = &d.delays {
                check_delays(&mut found, &at, w);
            }
        }
        self.check_topology(&mut found);
        self.check_tables(&mut found);
        self.check_learning(&mut found);
        found.done()
    }

    fn check_topology(&self, found: &mut Found) {
        let Topology::Mesh {
            x,
            y,
            resizable,
            levels,
            dead_cores,
            dead_links,
            ..
        } = &self.topology
        else {
            return;
        };
        let at = |key: &'static str| [Key::from("topology"), key.into()];
        let size = (x.value, y.value);
        if size.0 == 0 || size.1 == 0 || size.0 as u64 * size.1 as u64 > CORES {
            found.add(
                &at("x"),
                format!("a mesh of {} x {} cores", size.0, size.1),
                "give 1 to 16,777,216 cores in all",
            );
        }
        if *resizable && !levels.is_empty() {
            found.add(
                &at("levels"),
                "a mesh of any size has blocks of a fixed one".into(),
                "leave out `resizable` or `levels`",
            );
        }
        let mut inner = (1, 1);
        for (i, l) in levels.iter().enumerate() {
            let key =
                |k: &'static str| [Key::from("topology"), "levels".into(), i.into(), k.into()];
            let fits = |n: u32, inner: u32, all: u32| {
                n > 0 && n.is_multiple_of(inner) && all.is_multiple_of(n)
            };
            if !fits(l.x, inner.0, size.0) || !fits(l.y, inner.1, size.1) {
                found.add(
                    &key("x"),
                    format!(
                        "`{}` has {} x {} cores, in a mesh of {} x {} and around blocks of {} x {}",
                        l.name, l.x, l.y, size.0, size.1, inner.0, inner.1
                    ),
                    "a block is a whole number of the blocks inside it, and the mesh a whole number of blocks",
                );
                break;
            }
            inner = (l.x, l.y);
            if l.hop
                .as_ref()
                .is_some_and(|h| !(h.value > 0.0 && h.value <= 1e6))
            {
                found.add(
                    &key("hop"),
                    format!(
                        "a link across the border of `{}` costs no sensible number of links",
                        l.name
                    ),
                    "give a number above 0, at most a million",
                );
            }
            if l.shared && i > 0 {
                found.add(
                    &key("shared"),
                    format!("`{}` shares a router, and so do blocks inside it", l.name),
                    "let the innermost level alone be shared",
                );
            }
        }
        let outside = |a: u32, b: u32| a >= size.0 || b >= size.1;
        for (i, d) in dead_cores
            .iter()
            .enumerate()
            .filter(|d| outside(d.1[0], d.1[1]))
        {
            found.add(
                &[Key::from("topology"), "dead_cores".into(), i.into()],
                format!("the dead core ({}, {}) lies outside the mesh", d[0], d[1]),
                "give column and row, counted from 0",
            );
        }
        let wrong = |d: &[u32; 4]| outside(d[0], d[1]) || outside(d[2], d[3]);
        for (i, d) in dead_links.iter().enumerate().filter(|d| wrong(d.1)) {
            found.add(
                &[Key::from("topology"), "dead_links".into(), i.into()],
                format!(
                    "the dead link from ({}, {}) to ({}, {}) leads outside the mesh",
                    d[0], d[1], d[2], d[3]
                ),
                "give column and row of both ends, counted from 0",
            );
        }
    }

    fn check_dialects(&self, found: &mut Found, word: impl Fn(&str) -> bool) {
        let defaults = self.dialects.iter().filter(|d| d.default).count();
        if defaults != 1 {
            found.add(
                &["dialects".into()],
                format!(
                    "{defaults} of the {} dialects say `default = true`",
                    self.dialects.len()
                ),
                "exactly one dialect is the default; a chip without variants has one dialect",
            );
        }
        let mut seen = BTreeSet::new();
        for (i, d) in self.dialects.iter().enumerate() {
            let at = ["dialects".into(), i.into(), "name".into()];
            if !word(&d.name) {
                found.add(
                    &at,
                    format!("the dialect name `{}` is no word", d.name),
                    "use lower-case letters, digits and `_`",
                );
            }
            if !seen.insert(&d.name) {
                found.add(
                    &at,
                    format!("the dialect `{}` stands twice", d.name),
                    "give each dialect one table",
                );
            }
        }
    }

    fn check_tables(&self, found: &mut Found) {
        for (i, f) in self.formats.iter().enumerate() {
            let at = ["formats".into(), i.into(), "bits".into()];
            if !(1..=64).contains(&f.bits) || f.fraction > f.bits {
                found.add(
                    &at,
                    format!(
                        "format `{}` has {} bits, {} of them a fraction",
                        f.name, f.bits, f.fraction
                    ),
                    "1 to 64 bits, the fraction within them",
                );
            }
            self.check_names(
                found,
                &at[..2],
                &format!("format `{}`", f.name),
                &f.dialects,
            );
        }
        let mut seen = BTreeSet::new();
        for (i, p) in self.parameters.iter().enumerate() {
            let at = |key: &'static str| [Key::from("parameters"), i.into(), key.into()];
            let what = format!("parameter `{}`", p.name);
            if p.min > p.max {
                found.add(
                    &at("min"),
                    format!("{what} has min {} above max {}", p.min, p.max),
                    "exchange them",
                );
            } else if !fits(p.bits, p.min, p.max) {
                found.add(
                    &at("bits"),
                    format!(
                        "{what} has the range {}..{}, which {} bits cannot hold",
                        p.min, p.max, p.bits
                    ),
                    "correct `bits` or the range",
                );
            }
            if p.default < p.min || p.default > p.max {
                found.add(
                    &at("default"),
                    format!(
                        "{what} has the default {}, outside {}..{}",
                        p.default, p.min, p.max
                    ),
                    "give a default inside the range",
                );
            }
            self.check_names(found, &at("dialects"), &what, &p.dialects);
            for d in self
                .dialects
                .iter()
                .filter(|d| p.dialects.is_empty() || p.dialects.contains(&d.name))
            {
                if !seen.insert((p.name.as_str(), d.name.as_str())) {
                    found.add(
                        &at("name"),
                        format!("{what} stands twice for dialect `{}`", d.name),
                        "give each dialect one range",
                    );
                }
            }
        }
        for (i, n) in self.native.iter().enumerate() {
            let at = ["native".into(), i.into(), "dialects".into()];
            self.check_names(
                found,
                &at,
                &format!("native form `{}`", n.name),
                &n.dialects,
            );
        }
    }

    fn check_learning(&self, found: &mut Found) {
        for (i, l) in self.learning.iter().enumerate() {
            let at = |key: &'static str| [Key::from("learning"), i.into(), key.into()];
            let what = format!("the rule `{}`", l.name);
            self.check_names(found, &at("dialects"), &what, &l.dialects);
            let (sound, hint) = match &l.form {
                LearningForm::GatedStep {
                    weight,
                    membrane,
                    count,
                    interval,
                    bistable,
                    ..
                } => {
                    let inside = |b: i64| weight.value[0] < b && b <= weight.value[1];
                    let small = |[a, b]: [i64; 2]| (0..=4096).contains(&b.saturating_sub(a));
                    let steps = interval.value[0] >= 1 && interval.value[0] <= interval.value[1];
                    let all = [weight, membrane, count].map(|r| small(r.value));
                    (
                        all == [true; 3]
                            && steps
                            && bistable.as_ref().is_none_or(|b| inside(b.value)),
                        "give ranges of at most 4,097 values, the smaller end first, intervals of at least one step, and a `bistable` weight within the range",
                    )
                }
                LearningForm::Products {
                    mantissa,
                    exponent,
                    decimate,
                    scale,
                    bits,
                    trace,
                    ..
                } => {
                    let order = mantissa.value[0] < mantissa.value[1]
                        && exponent.value[0] <= exponent.value[1]
                        && scale.value[0] <= scale.value[1];
                    let small = decimate.value <= 31
                        && scale.value[1] <= 30
                        && exponent.value.iter().all(|e| e.abs() <= 64)
                        && bits.value.iter().all(|b| (1..=32).contains(b));
                    (
                        order && small && trace.value > 0,
                        "give ranges with the smaller end first, intervals of at most 2^31 steps, exponents of weights of at most 30, and factors of 1 to 32 bits",
                    )
                }
                LearningForm::Errors {
                    period,
                    trace_period,
                    trace,
                    part,
                    error,
                    error_scale,
                    mantissa,
                    exponent,
                    shift,
                    weight,
                    scale,
                } => {
                    let order = mantissa.value[0] < mantissa.value[1]
                        && exponent.value[0] <= exponent.value[1]
                        && scale.value[0] <= scale.value[1];
                    let small = scale.value[1] <= 30
                        && shift.value <= 30
                        && exponent.value.iter().all(|e| e.abs() <= 64);
                    let some = [period, trace_period, trace, part].map(|x| x.value > 0);
                    let real = error_scale.value > 0.0 && error_scale.value.is_finite();
                    (
                        order
                            && small
                            && some == [true; 4]
                            && real
                            && error.value > 0
                            && weight.value > 0,
                        "give ranges with the smaller end first, positive periods, traces, errors and weights, and exponents of weights of at most 30",
                    )
                }
            };
            if !sound {
                found.add(
                    &at("form"),
                    format!("{what} has a range that is empty or too large"),
                    hint,
                );
            }
        }
    }

    fn check_names(&self, found: &mut Found, at: &[Key], what: &str, names: &[String]) {
        for name in names.iter().filter(|n| self.dialect(n).is_none()) {
            found.add(
                at,
                format!("{what} names the dialect `{name}`, which this chip does not have"),
                "name one of `dialects`",
            );
        }
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

/// The keys `of`, then two more.
fn under<'a>(of: &[Key<'a>], table: &'a str, key: &'a str) -> Vec<Key<'a>> {
    of.iter()
        .copied()
        .chain([table.into(), key.into()])
        .collect()
}

fn check_weights(found: &mut Found, of: &[Key], w: &Weights) {
    let at = "weights";
    if w.min.value > w.max.value {
        found.add(
            &under(of, at, "min"),
            format!(
                "{at}.min {} lies above {at}.max {}",
                w.min.value, w.max.value
            ),
            "exchange them",
        );
    } else if !fits(w.bits.value, w.min.value, w.max.value) {
        found.add(
            &under(of, at, "bits"),
            format!(
                "{at}: {} bits cannot hold {}..{}",
                w.bits.value, w.min.value, w.max.value
            ),
            "correct `bits` or the range",
        );
    }
    if let Some(e) = w.exponent.as_ref().filter(|e| e.value[0] > e.value[1]) {
        found.add(
            &under(of, at, "exponent"),
            format!("{at}.exponent runs from {} to {}", e.value[0], e.value[1]),
            "put the smaller end first",
        );
    }
}

fn check_delays(found: &mut Found, of: &[Key], d: &Delays) {
    let at = "delays";
    if d.min.value > d.max.value {
        found.add(
            &under(of, at, "min"),
            format!(
                "{at}.min {} lies above {at}.max {}",
                d.min.value, d.max.value
            ),
            "exchange them",
        );
    }
}
