//! Recordings in a form that a page's script draws quickly and that stays small.
//!
//! Few spikes go in one by one: steps as differences, neurons as they are, as variable-length integers in base64. Many are
//! binned: a grid of counts for each population, one byte a cell. Traces are thinned to the lowest and highest value of
//! each stretch, so that no spike of a membrane is lost to the eye.

use crate::raster::shown_sample;
use serde_json::{Value, json};
use synfire_runtime::session::Recording;
use synfire_runtime::spikes::{NamedSpike, Population, Signal};

/// Spikes that go in one by one.
pub const SINGLE: usize = 150_000;
/// Columns of a grid.
const COLUMNS: u64 = 1200;
/// Rows of all grids together, and of one at most.
const ROWS: u64 = 600;
/// Points of a thinned trace.
const POINTS: usize = 2400;
/// Traces of one signal.
const TRACES: usize = 8;
/// Populations drawn.
pub const DRAWN: usize = 40;

/// The raster of the first sample with spikes: one entry for each recorded population.
pub fn raster(recording: &Recording, populations: &[Population]) -> Vec<Value> {
    let sample = shown_sample(recording);
    let end = recording
        .data
        .spikes
        .partition_point(|s| s.sample <= sample);
    let spikes = &recording.data.spikes[..end];
    let mut of: Vec<Vec<&NamedSpike>> = vec![vec![]; populations.len()];
    for s in spikes {
        if let Some(list) = of.get_mut(s.population as usize) {
            list.push(s);
        }
    }
    let shown: Vec<_> = populations
        .iter()
        .zip(&of)
        .filter(|(p, _)| p.recorded && p.size > 0)
        .take(DRAWN)
        .collect();
    let total: usize = shown.iter().map(|(_, l)| l.len()).sum();
    let roots: f64 = shown.iter().map(|(p, _)| f64::from(p.size).sqrt()).sum();
    let entry = |(p, list): &(&Population, &Vec<&NamedSpike>)| {
        let mut value =
            json!({ "name": p.name, "size": p.size, "source": p.source, "n": list.len() });
        if total <= SINGLE {
            value["spikes"] = base64(&single(list)).into();
        } else {
            let rows = ((f64::from(p.size).sqrt() / roots * ROWS as f64) as u64)
                .clamp(4, ROWS)
                .min(u64::from(p.size));
            let columns = COLUMNS.min(u64::from(recording.steps));
            let (grid, most) = grid(
                list,
                u64::from(recording.steps),
                u64::from(p.size),
                columns,
                rows,
            );
            value["grid"] = base64(&grid).into();
            value["columns"] = columns.into();
            value["rows"] = rows.into();
            value["most"] = most.into();
        }
        value
    };
    shown.iter().map(entry).collect()
}

fn single(spikes: &[&NamedSpike]) -> Vec<u8> {
    let mut out = vec![];
    let mut last = 0;
    for s in spikes {
        varint(&mut out, s.step - last);
        varint(&mut out, s.neuron);
        last = s.step;
    }
    out
}

fn varint(out: &mut Vec<u8>, mut n: u32) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Counts of spikes in `columns` x `rows` cells, on a scale of 0 to 255, and the largest count.
fn grid(spikes: &[&NamedSpike], steps: u64, size: u64, columns: u64, rows: u64) -> (Vec<u8>, u32) {
    let mut counts = vec![0u32; (columns * rows) as usize];
    for s in spikes {
        let column = (u64::from(s.step) * columns / steps).min(columns - 1);
        let row = (u64::from(s.neuron) * rows / size).min(rows - 1);
        counts[(row * columns + column) as usize] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let shade = |n: &u32| {
        if *n == 0 {
            0
        } else {
            (u64::from(*n) * 255 / u64::from(most)).max(1) as u8
        }
    };
    (counts.iter().map(shade).collect(), most)
}

/// Rate of a population over `bins` equal stretches of the run, in spikes a neuron and step, mean over samples.
pub fn rate_over_time(recording: &Recording, population: u32, size: u32, bins: usize) -> Vec<f64> {
    let bins = bins.min(recording.steps as usize).max(1);
    let mut counts = vec![0u64; bins];
    for s in recording
        .data
        .spikes
        .iter()
        .filter(|s| s.population == population)
    {
        let k = u64::from(s.step) * bins as u64 / u64::from(recording.steps.max(1));
        counts[(k as usize).min(bins - 1)] += 1;
    }
    let samples = f64::from(recording.data.batch.unwrap_or(1));
    let width = f64::from(recording.steps) / bins as f64;
    counts
        .iter()
        .map(|n| *n as f64 / (width * samples * f64::from(size.max(1))))
        .collect()
}

/// A recorded state of sample `sample`: up to [`TRACES`] units, evenly chosen.
/// `unit` is what the values are shown in: a factor and a name.
pub fn traces(signal: &Signal, sample: u32, unit: Option<(f64, &str)>) -> Value {
    let factor = unit.map_or(1.0, |u| u.0);
    let width = signal.elements as usize;
    let chosen: Vec<usize> = match width {
        w if w <= TRACES => (0..w).collect(),
        w => (0..TRACES).map(|k| k * w / TRACES).collect(),
    };
    let values = signal
        .values
        .get(sample as usize)
        .map_or(&[][..], Vec::as_slice);
    let trace = |&e: &usize| {
        let column: Vec<f32> = values
            .iter()
            .skip(e)
            .step_by(width.max(1))
            .copied()
            .collect();
        let (at, y) = thin(&column);
        let steps: Vec<u8> = at
            .iter()
            .flat_map(|i| signal.steps.get(*i).copied().unwrap_or(0).to_le_bytes())
            .collect();
        let y: Vec<u8> = y
            .iter()
            .flat_map(|x| ((f64::from(*x) * factor) as f32).to_le_bytes())
            .collect();
        json!({ "unit": signal.first as usize + e, "steps": base64(&steps), "values": base64(&y) })
    };
    json!({ "name": signal.name, "unit": unit.map_or("", |u| u.1), "units": signal.elements, "lines": chosen.iter().map(trace).collect::<Vec<_>>() })
}

/// Indices and values that keep the lowest and highest of each stretch, in order.
fn thin(values: &[f32]) -> (Vec<usize>, Vec<f32>) {
    if values.len() <= POINTS {
        return ((0..values.len()).collect(), values.to_vec());
    }
    let stretches = POINTS / 2;
    let mut at = Vec::with_capacity(POINTS);
    for k in 0..stretches {
        let range = k * values.len() / stretches..(k + 1) * values.len() / stretches;
        let by = |a: &usize, b: &usize| values[*a].total_cmp(&values[*b]);
        if let (Some(low), Some(high)) = (range.clone().min_by(by), range.max_by(by)) {
            at.push(low.min(high));
            if low != high {
                at.push(low.max(high));
            }
        }
    }
    let y = at.iter().map(|i| values[*i]).collect();
    (at, y)
}

/// RFC 4648 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for k in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * k) & 63) as usize];
            out.push(if k <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_standard() {
        let of = |t: &str| base64(t.as_bytes());
        assert_eq!(
            [of(""), of("f"), of("fo"), of("foo"), of("foob")],
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }

    #[test]
    fn a_thinned_trace_keeps_its_extremes() {
        let mut values = vec![0.0f32; 100_000];
        values[54_321] = 9.0;
        let (at, y) = thin(&values);
        assert!(at.len() <= POINTS && at.is_sorted());
        assert!(y.contains(&9.0));
    }

    #[test]
    fn grids_and_single_spikes() {
        let at = |step, neuron| NamedSpike {
            step,
            neuron,
            value: 1.0,
            ..NamedSpike::default()
        };
        let list = [at(0, 0), at(3, 300), at(3, 300)];
        let refs: Vec<&NamedSpike> = list.iter().collect();
        assert_eq!(single(&refs), [0, 0, 3, 0xac, 2, 0, 0xac, 2]);
        assert_eq!(grid(&refs, 4, 400, 2, 2), (vec![127, 0, 0, 255], 2));
    }
}
