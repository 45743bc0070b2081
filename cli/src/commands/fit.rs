//! Does a network fit a chip, what of it is taken, which limit binds, and what would make it fit?

use crate::args::NetworkArgs;
use crate::commands::compile;
use crate::console::Console;
use crate::diagnostics;
use crate::failure::Failure;
use crate::network::Loaded;
use crate::table::{Side, Table, paragraph};
use crate::units::{count, percent};
use serde_json::{Value, json};
use synfire_compiler::CompileOptions;
use synfire_ir::{Diagnostic, Diagnostics, Severity};
use synfire_targets::Target;

/// A network on a target: the mapper's report, or why there is none.
pub struct Fit {
    target: String,
    pub result: Result<Value, Diagnostics>,
}

/// Maps the network; nothing is shown.
pub fn of(loaded: &Loaded, target: Target<'_>, network: &NetworkArgs) -> Fit {
    let quiet = Console::silent();
    let result = match compile::map(loaded, target, CompileOptions::default(), network, &quiet) {
        Ok(made) => Ok(made.report),
        Err(Failure::Wrong(d, _)) => Err(d),
        Err(_) => Err(Diagnostics::new()),
    };
    Fit {
        target: target.name(),
        result,
    }
}

/// A limit as a table shows it.
#[derive(Default)]
struct Use {
    name: String,
    used: String,
    available: String,
    share: Option<f64>,
}

impl Fit {
    pub fn json(&self, loaded: &Loaded) -> Value {
        let mut value = json!({ "target": self.target, "fits": self.result.is_ok() });
        match &self.result {
            Ok(report) => {
                for key in [
                    "cores_used",
                    "cores_available",
                    "utilisation",
                    "quantisation",
                    "resources",
                ] {
                    value[key] = report[key].clone();
                }
                value["binds"] = report["resources"][0].clone();
            }
            Err(d) => {
                value["diagnostics"] = diagnostics::all_to_json(&d.0, &loaded.sources).into();
                value["binds"] = errors(d).next().map_or(Value::Null, binds);
                let hints = errors(d).flat_map(|d| &d.hints);
                value["remedies"] = hints.map(String::as_str).collect::<Vec<_>>().into();
            }
        }
        value
    }

    fn uses(&self) -> Vec<Use> {
        let whole = |v: &Value| v.as_u64().map_or("-".into(), count);
        match &self.result {
            Ok(report) => (report["resources"].as_array().into_iter().flatten())
                .map(|r| Use {
                    name: r["resource"].as_str().unwrap_or("").replace('_', " "),
                    used: whole(&r["used"]),
                    available: whole(&r["available"]),
                    share: r["share"].as_f64(),
                })
                .collect(),
            Err(d) => (errors(d).take(1))
                .map(|first| {
                    let [limit, needed, available] =
                        ["limit", "needed", "available"].map(|k| field(first, k));
                    Use {
                        share: share(needed, available),
                        name: limit.unwrap_or("-").replace('_', " "),
                        used: shown(needed),
                        available: shown(available),
                    }
                })
                .collect(),
        }
    }
}

fn errors(d: &Diagnostics) -> impl Iterator<Item = &Diagnostic> {
    d.0.iter().filter(|d| d.severity == Severity::Error)
}

fn field<'a>(d: &'a Diagnostic, key: &str) -> Option<&'a str> {
    d.fields.iter().find(|f| f.0 == key).map(|f| f.1.as_str())
}

/// The share of a limit that is a number and is passed; a least number that is not reached has none.
fn share(needed: Option<&str>, available: Option<&str>) -> Option<f64> {
    let number = |t: Option<&str>| t?.parse::<f64>().ok();
    let (n, a) = (number(needed)?, number(available)?);
    (a > 0.0 && n > a).then(|| n / a)
}

/// Widest word of a table's cell; limits that are sentences stand in the list below.
const WIDEST: usize = 12;

fn shown(text: Option<&str>) -> String {
    let fits = text.filter(|t| t.chars().count() <= WIDEST);
    fits.map_or("-".into(), |t| t.parse().map_or(t.to_string(), count))
}

fn binds(d: &Diagnostic) -> Value {
    let [limit, needed, available] = ["limit", "needed", "available"].map(|k| field(d, k));
    json!({ "resource": limit, "used": needed, "available": available, "share": share(needed, available), "population": field(d, "population") })
}

/// One row a target and resource; the resource that binds comes first. Below: what would make a network fit where it does not.
pub fn table(fits: &[Fit], console: &Console) -> String {
    let mut table = Table::new(&[
        ("target", Side::Left),
        ("fits", Side::Left),
        ("resource", Side::Left),
        ("used", Side::Right),
        ("available", Side::Right),
        ("share", Side::Right),
    ]);
    let mut reasons: Vec<Reason<'_>> = Vec::new();
    for f in fits {
        let mut uses = f.uses();
        if uses.is_empty() {
            uses.push(Use::default());
        }
        let verdict = if f.result.is_ok() { "yes" } else { "no" };
        for (k, u) in uses.into_iter().enumerate() {
            let first = k == 0;
            let only = |text: &str| {
                if first {
                    text.to_string()
                } else {
                    String::new()
                }
            };
            table.row([
                only(&f.target),
                only(verdict),
                u.name,
                u.used,
                u.available,
                u.share.map_or("-".into(), percent),
            ]);
        }
        if let Err(d) = &f.result {
            let told = Reason::of(&f.target, d);
            match reasons.iter_mut().find(|r| r.same(&told)) {
                Some(r) => r.targets.extend(told.targets),
                None => reasons.push(told),
            }
        }
    }
    let mut out = table.render(console);
    out += &console.dim(
        "the first resource of a target binds first; of a resource of cores, the fullest core\n",
    );
    if !reasons.is_empty() {
        out.push('\n');
    }
    out.extend(reasons.iter().map(|r| r.shown(console)));
    out
}

/// Why a network does not fit the targets that refuse it in the same words: the first error, what would mend it, and whether there are more.
struct Reason<'a> {
    targets: Vec<&'a str>,
    message: String,
    hint: Option<&'a str>,
    more: usize,
}

impl<'a> Reason<'a> {
    fn of(target: &'a str, d: &'a Diagnostics) -> Self {
        let mut all = errors(d);
        let first = all.next();
        let message = first.map_or("interrupted", |d| &d.message);
        let message = message
            .strip_prefix(&format!("{target} "))
            .unwrap_or(message);
        Reason {
            targets: vec![target],
            message: message.replace(&format!("; {target} "), "; the chip "),
            hint: first.and_then(|d| d.hints.first()).map(String::as_str),
            more: all.count(),
        }
    }

    fn same(&self, other: &Reason<'_>) -> bool {
        (&self.message, self.hint, self.more) == (&other.message, other.hint, other.more)
    }

    fn shown(&self, console: &Console) -> String {
        let hint = self
            .hint
            .map_or(String::new(), |h| format!(". To fit: {h}"));
        let more = match self.more {
            0 => String::new(),
            n => format!(" (and {n} more; --target {} shows all)", self.targets[0]),
        };
        let text = format!(
            "- {}: {}{hint}{more}",
            self.targets.join(", "),
            self.message
        );
        paragraph(&text, console.width, 2)
    }
}
