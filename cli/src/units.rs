//! Numbers, times and sizes as people write and read them.

pub use synfire_ir::numerals::{bytes, count, short};
use synfire_ir::units::Dimension;

/// Seconds in a text such as `500ms`, `0.5 s` or `2min`.
pub fn parse_duration(text: &str) -> Result<f64, String> {
    const UNITS: [(&str, f64); 8] = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("min", 60.0),
        ("s", 1.0),
        ("m", f64::NAN),
        ("h", 3600.0),
    ];
    let text = text.trim();
    let wrong = || {
        "a time is a number with its unit: 500ms, 2s, 0.1ms, 1.5min (ns, us, ms, s, min, h)"
            .to_string()
    };
    let (unit, factor) = UNITS
        .iter()
        .find(|(u, _)| text.ends_with(u))
        .ok_or_else(wrong)?;
    let number: f64 = text[..text.len() - unit.len()]
        .trim()
        .parse()
        .map_err(|_| wrong())?;
    let seconds = number * factor;
    if seconds.is_finite() && seconds > 0.0 {
        Ok(seconds)
    } else {
        Err(wrong())
    }
}

/// As [`parse_duration`], or 0.
pub fn parse_wait(text: &str) -> Result<f64, String> {
    match text.trim() {
        "0" => Ok(0.0),
        t => parse_duration(t),
    }
}

/// As [`parse_duration`]; a number without a unit is seconds, as NIR has them.
pub fn parse_step(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(s) if s.is_finite() && s > 0.0 => Ok(s),
        _ => parse_duration(text),
    }
}

/// Time between two events of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Interval {
    /// Steps, at least 1.
    Steps(u32),
    /// Seconds of simulated time.
    Seconds(f64),
}

/// `500ms`, or a number of steps.
pub fn parse_interval(text: &str) -> Result<Interval, String> {
    match text.trim().replace('_', "").parse::<u32>() {
        Ok(0) => Err("at least one step must lie between two checkpoints".into()),
        Ok(n) => Ok(Interval::Steps(n)),
        Err(_) => parse_duration(text)
            .map(Interval::Seconds)
            .map_err(|e| format!("{e}; a number without a unit is steps")),
    }
}

/// Bytes in a text such as `2GiB`, `500MB` or `1_000_000`.
pub fn parse_size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 9] = [
        ("KiB", 1024.0),
        ("MiB", 1048576.0),
        ("GiB", 1073741824.0),
        ("TiB", 1099511627776.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("B", 1.0),
    ];
    let text = text.trim();
    let unit = UNITS.iter().find(|(u, _)| text.ends_with(u));
    let (unit, factor) = unit.copied().unwrap_or(("", 1.0));
    let number = text[..text.len() - unit.len()].trim().replace('_', "");
    match number.parse::<f64>() {
        Ok(x) if x.is_finite() && x >= 0.0 => Ok((x * factor) as u64),
        _ => Err(
            "a size is a number with its unit: 2GiB, 500MB (B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)"
                .into(),
        ),
    }
}

/// `n` of a noun: `1 step`, `2 steps`, `3 synapses`; `several` is the plural.
pub fn number_of(n: u64, one: &str, several: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { several })
}

/// Seconds in the unit that suits them: `1.2 s`, `880 ms`, `42 µs`.
pub fn seconds(s: f64) -> String {
    let (factor, unit) = match s.abs() {
        x if x == 0.0 || x >= 0.9995 => (1.0, "s"),
        // A tenth of a millisecond is the field's usual step.
        x if x >= 0.9995e-4 => (1e3, "ms"),
        x if x >= 0.9995e-6 => (1e6, "µs"),
        _ => (1e9, "ns"),
    };
    format!("{} {unit}", short(s * factor))
}

/// The unit in which a dimension is shown, and how many of it an SI unit makes; `None` for those without a name.
pub fn shown_in(dimension: Dimension) -> Option<(f64, &'static str)> {
    let all = [
        (Dimension::VOLTAGE, 1e3, "mV"),
        (Dimension::CURRENT, 1e9, "nA"),
        (Dimension::CONDUCTANCE, 1e9, "nS"),
        (Dimension::TIME, 1e3, "ms"),
        (Dimension::RATE, 1.0, "Hz"),
    ];
    all.into_iter()
        .find(|u| u.0 == dimension)
        .map(|u| (u.1, u.2))
}

/// A count that may be huge, in few characters: `1,234`, `12.3 M`, `1.66 G`.
pub fn large(n: u64) -> String {
    match n as f64 {
        x if x >= 999.5e9 => format!("{} T", short(x / 1e12)),
        x if x >= 999.5e6 => format!("{} G", short(x / 1e9)),
        x if x >= 9.995e6 => format!("{} M", short(x / 1e6)),
        _ => count(n),
    }
}

/// `0.125` as `12.5 %`.
pub fn percent(x: f64) -> String {
    if x > 0.0 && x < 1e-4 {
        return "< 0.01 %".into();
    }
    format!("{} %", short(x * 100.0))
}

/// Largest memory of this process so far, in bytes, where the system tells.
pub fn peak_memory() -> Option<u64> {
    memory_of_process("VmHWM:")
}

/// Memory that this process holds now, in bytes, where the system tells.
pub fn resident_memory() -> Option<u64> {
    memory_of_process("VmRSS:")
}

/// Memory that the system has free, in bytes, where it tells.
pub fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    kibibytes(&text, "MemAvailable:")
}

fn memory_of_process(which: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&status, which)
}

/// Bytes of a line such as `VmHWM:  1234 kB`.
fn kibibytes(text: &str, which: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix(which))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, s) in [
            ("500ms", 0.5),
            ("0.5 s", 0.5),
            ("2min", 120.0),
            ("10us", 1e-5),
            ("1h", 3600.0),
            ("1e3 ns", 1e-6),
        ] {
            assert!(
                (parse_duration(text).expect(text) / s - 1.0).abs() < 1e-12,
                "{text}"
            );
        }
        for wrong in [
            "",
            "5",
            "ms",
            "-1s",
            "0s",
            "5m",
            "inf s",
            "1e400s",
            "5 parsecs",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn steps_of_nir() {
        assert_eq!(parse_step("1e-4"), Ok(1e-4));
        assert_eq!(parse_step("1ms"), Ok(1e-3));
        assert!(
            parse_step("0").is_err() && parse_step("-1").is_err() && parse_step("nan").is_err()
        );
    }

    #[test]
    fn times_take_the_unit_that_suits_them() {
        assert_eq!(
            [
                seconds(1.2),
                seconds(0.88),
                seconds(1e-4),
                seconds(4.2e-5),
                seconds(0.9999)
            ],
            ["1.2 s", "880 ms", "0.1 ms", "42 µs", "1 s"]
        );
    }
}
