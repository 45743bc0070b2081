//! What a compile report says about cores, for tables and pages.

use crate::console::Console;
use crate::table::{Side, Table};
use crate::units::{count, percent, short};
use serde_json::Value;

/// A resource of a core: its key in reports.
pub const RESOURCES: [&str; 3] = ["neurons", "axons", "synapses"];

/// One used core.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CoreUse {
    /// Chip, column, row.
    pub place: (u64, u64, u64),
    /// Use of each of [`RESOURCES`].
    pub used: [u64; 3],
    /// Neurons of each population.
    pub populations: Vec<(String, u64)>,
}

/// The mapping as a report tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapped {
    /// Used cores in order.
    pub cores: Vec<CoreUse>,
    /// Limit of each of [`RESOURCES`] in a core, where there is one.
    pub limits: [Option<u64>; 3],
    /// Cores of the chip.
    pub available: Option<u64>,
    /// Columns and rows of the chip, or as many as are used where the report does not say.
    pub mesh: [u64; 2],
    /// Columns and rows up to the last used core: what pictures show.
    pub used: [u64; 2],
}

impl Mapped {
    /// From a report (`report.json` of an artefact, or a compilation's).
    pub fn of(report: &Value) -> Mapped {
        let whole = |v: &Value| v.as_u64();
        // Absent limits come as the largest number there is.
        let limit = |key: &str| whole(&report["limits"][key]).filter(|n| *n < 1 << 53);
        let core = |c: &Value| CoreUse {
            place: (
                whole(&c["chip"]).unwrap_or(0),
                whole(&c["x"]).unwrap_or(0),
                whole(&c["y"]).unwrap_or(0),
            ),
            used: RESOURCES.map(|r| whole(&c[r]).unwrap_or(0)),
            populations: list(&c["populations"])
                .iter()
                .map(|p| {
                    (
                        p["name"].as_str().unwrap_or("").to_string(),
                        whole(&p["neurons"]).unwrap_or(0),
                    )
                })
                .collect(),
        };
        let cores: Vec<CoreUse> = list(&report["cores"]).iter().map(core).collect();
        let extent = |of: fn(&CoreUse) -> u64| cores.iter().map(of).max().map_or(1, |m| m + 1);
        let used = [extent(|c| c.place.1), extent(|c| c.place.2)];
        let mesh = [0, 1].map(|k| whole(&report["mesh"][k]).unwrap_or(0).max(used[k]));
        // Links around the edges have meaning only beside all of it.
        let whole_mesh = report["traffic"]["fabric"]["torus"] == true;
        Mapped {
            limits: RESOURCES.map(limit),
            available: whole(&report["cores_available"]).filter(|n| *n < 1 << 53),
            mesh,
            used: if whole_mesh { mesh } else { used },
            cores,
        }
    }

    /// Share of a resource that a core uses.
    pub fn share(&self, core: &CoreUse, resource: usize) -> Option<f64> {
        let limit = self.limits[resource].filter(|n| *n > 0)?;
        Some(core.used[resource] as f64 / limit as f64)
    }

    /// The resource of which a core uses most, and its share.
    pub fn binding(&self, core: &CoreUse) -> Option<(usize, f64)> {
        let all = (0..RESOURCES.len()).filter_map(|r| Some((r, self.share(core, r)?)));
        all.reduce(|a, b| if b.1 > a.1 { b } else { a })
    }

    /// Largest and mean share of a resource over the used cores.
    pub fn spread(&self, resource: usize) -> Option<(f64, f64)> {
        let shares: Vec<f64> = self
            .cores
            .iter()
            .filter_map(|c| self.share(c, resource))
            .collect();
        let most = shares.iter().copied().reduce(f64::max)?;
        Some((most, shares.iter().sum::<f64>() / shares.len() as f64))
    }

    /// Utilisation in a table: one line a resource.
    pub fn table(&self, console: &Console) -> String {
        let head = [
            ("per core", Side::Left),
            ("limit", Side::Right),
            ("fullest", Side::Right),
            ("mean", Side::Right),
            ("", Side::Left),
        ];
        let mut table = Table::new(&head);
        for (r, name) in RESOURCES.iter().enumerate() {
            let total: u64 = self.cores.iter().map(|c| c.used[r]).sum();
            let most = self.cores.iter().map(|c| c.used[r]).max().unwrap_or(0);
            match self.spread(r) {
                Some((max, mean)) => table.row([
                    name.to_string(),
                    self.limits[r].map_or(String::new(), count),
                    percent(max),
                    percent(mean),
                    bar(max, 24),
                ]),
                None => {
                    let mean = total as f64 / self.cores.len().max(1) as f64;
                    table.row([
                        name.to_string(),
                        "-".into(),
                        count(most),
                        short(mean),
                        String::new(),
                    ]);
                }
            }
        }
        table.render(console)
    }
}

/// The elements of a JSON array; none for anything else.
pub fn list(v: &Value) -> &[Value] {
    v.as_array().map_or(&[], Vec::as_slice)
}

/// A bar of `width` columns in eighths.
pub fn bar(share: f64, width: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let mut out = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        out.push(char::from_u32(0x2590 - (eighths % 8) as u32).unwrap_or(' '));
    }
    let n = out.chars().count();
    out + &"·".repeat(width - n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn absent_limits_bind_nothing() {
        let report = json!({ "mesh": [2, 1], "limits": { "neurons": 10, "axons": u64::MAX },
            "cores": [{ "chip": 0, "x": 3, "y": 0, "neurons": 5, "axons": 7, "synapses": 9, "populations": [{ "name": "a", "neurons": 5 }] }] });
        let m = Mapped::of(&report);
        assert_eq!(m.limits, [Some(10), None, None]);
        assert_eq!(m.binding(&m.cores[0]), Some((0, 0.5)));
        assert_eq!((m.mesh, m.used), ([4, 1], [4, 1]));
        assert_eq!(Mapped::of(&Value::Null).cores.len(), 0);
    }

    #[test]
    fn bars() {
        assert_eq!(bar(0.5, 4), "██··");
        assert_eq!(bar(0.28125, 4), "█▏··");
        assert_eq!(bar(7.0, 2), "██");
    }
}
