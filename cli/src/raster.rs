//! A raster plot in the terminal: braille dots for spikes, block characters for the rate, a time axis.
//!
//! A long run of busy neurons would be a solid block: then the last part of it is drawn, as the axis says.
//!
//! Every recorded population has a label and lines of its own, at most [`LINES`] in all. A dot row stands for one neuron, or
//! for several where there are too many; of a population so active that all dots would be set, every n-th neuron is drawn,
//! and the label says so.

use crate::console::Console;
use crate::table::shorten;
use crate::units::{count, short};
use synfire_runtime::session::Recording;
use synfire_runtime::spikes::{NamedSpike, Population};

/// Most lines of a plot, its axis included.
const LINES: usize = 24;
/// Widest label.
const LABEL: usize = 16;
/// Share of dots that may be set before neurons are left out.
const FULL: f64 = 0.3;
/// Spikes of a neuron in a dot's width up to which a run is drawn whole.
const CROWDED: f64 = 0.12;
/// Colours of populations in turn, as codes of the terminal's palette.
const COLORS: [&str; 6] = ["36", "33", "35", "32", "34", "31"];

/// A population with its lines.
struct Band<'a> {
    population: &'a Population,
    spikes: Vec<&'a NamedSpike>,
    /// Lines of braille.
    lines: usize,
    /// A line for the rate?
    rate: bool,
}

/// The plot of one sample of a recording (the first with spikes); empty when nothing was recorded.
pub fn draw(
    recording: &Recording,
    populations: &[Population],
    dt: Option<f64>,
    console: &Console,
) -> String {
    let mut bands: Vec<Band<'_>> = bands(recording, populations);
    if bands.is_empty() || recording.steps == 0 {
        return String::new();
    }
    let most = LINES - 2 - usize::from(recording.data.batch.is_some());
    let left_out = bands.len().saturating_sub(most);
    if left_out > 0 {
        bands.truncate(most - 1);
    }
    share_lines(&mut bands, most - usize::from(left_out > 0));
    // The second line of a label is a size, or "1 in 1,000".
    let words = |b: &Band<'_>| b.population.name.chars().count().max(10);
    let label = bands.iter().map(words).max().unwrap_or(0).min(LABEL);
    let width = console.width.saturating_sub(label + 2).max(10);
    let steps = window(&bands, recording.steps, width);
    let from = recording.steps - steps;
    for band in &mut bands {
        let first = band.spikes.partition_point(|s| s.step < from);
        band.spikes.drain(..first);
    }
    let plot = Plot {
        from,
        steps,
        dt,
        label,
        width,
        console,
    };
    let mut out = String::new();
    for (k, band) in bands.iter().enumerate() {
        out += &plot.band(band, COLORS[k % COLORS.len()]);
    }
    if left_out > 0 {
        out += &console.dim(&format!(
            "{:>label$}   {} more populations\n",
            "",
            left_out + 1
        ));
    }
    out += &plot.axis();
    if let Some(n) = recording.data.batch.filter(|n| *n > 1) {
        let line = format!(
            "{:>label$}  sample {} of 0 .. {}\n",
            "",
            shown_sample(recording),
            n - 1
        );
        out += &console.dim(&line);
    }
    out
}

/// Steps at the end of the run that are drawn: all, unless the busiest population would fill its dots.
fn window(bands: &[Band<'_>], steps: u32, width: usize) -> u32 {
    let rate =
        |b: &Band<'_>| b.spikes.len() as f64 / f64::from(b.population.size) / f64::from(steps);
    let busiest = bands.iter().map(rate).fold(0.0, f64::max);
    let dots = 2.0 * width as f64;
    // Below one step a dot there is nothing to gain.
    let good = (CROWDED * dots / busiest).max(dots);
    if f64::from(steps) <= 2.0 * good {
        return steps;
    }
    let round = nice(good);
    let round = if round > good {
        nice(round / 2.6)
    } else {
        round
    };
    (round as u32).clamp(1, steps)
}

/// The sample that is drawn: the first that has spikes.
pub fn shown_sample(recording: &Recording) -> u32 {
    recording.data.spikes.first().map_or(0, |s| s.sample)
}

fn bands<'a>(recording: &'a Recording, populations: &'a [Population]) -> Vec<Band<'a>> {
    let mut of: Vec<Vec<&NamedSpike>> = vec![vec![]; populations.len()];
    let sample = shown_sample(recording);
    for s in recording.data.spikes.iter().filter(|s| s.sample == sample) {
        if let Some(list) = of.get_mut(s.population as usize) {
            list.push(s);
        }
    }
    let recorded = populations
        .iter()
        .zip(of)
        .filter(|(p, _)| p.recorded && p.size > 0);
    recorded
        .map(|(population, spikes)| Band {
            population,
            spikes,
            lines: 1,
            rate: false,
        })
        .collect()
}

/// Gives every band one of `lines`, then rate lines where there is room for all, then the rest to those with most neurons to show.
fn share_lines(bands: &mut [Band<'_>], lines: usize) {
    let mut left = lines.saturating_sub(bands.len());
    let crowd = |b: &Band<'_>| b.population.size > 8;
    let rates = bands.iter().filter(|b| crowd(b)).count();
    if rates > 0 && left >= rates + bands.len() {
        bands
            .iter_mut()
            .filter(|b| crowd(b))
            .for_each(|b| b.rate = true);
        left -= rates;
    }
    let room = |b: &Band<'_>| (b.population.size as usize).div_ceil(4).min(8);
    while left > 0 {
        // Neurons a line, on a scale that does not starve small populations.
        let need = |b: &Band<'_>| (f64::from(b.population.size)).sqrt() / b.lines as f64;
        let next = bands
            .iter_mut()
            .filter(|b| b.lines < room(b))
            .reduce(|a, b| if need(b) > need(a) { b } else { a });
        let Some(band) = next else { break };
        band.lines += 1;
        left -= 1;
    }
}

struct Plot<'a> {
    /// First step drawn.
    from: u32,
    /// Steps drawn.
    steps: u32,
    dt: Option<f64>,
    /// Columns of the labels.
    label: usize,
    /// Columns of the plot.
    width: usize,
    console: &'a Console,
}

impl Plot<'_> {
    /// The dot column (two a character) of a step.
    fn column(&self, step: u32) -> usize {
        let columns = 2 * self.width as u64;
        (u64::from(step.saturating_sub(self.from)) * columns / u64::from(self.steps))
            .min(columns - 1) as usize
    }

    fn band(&self, band: &Band<'_>, color: &str) -> String {
        let (cells, drawn) = self.dots(band);
        let size = band.population.size;
        let second = match drawn {
            n if n < size => format!("1 in {}", count(u64::from(size.div_ceil(n.max(1))))),
            _ => count(u64::from(size)),
        };
        let mut out = String::new();
        for (line, row) in cells.iter().enumerate() {
            let label = match line {
                0 => self.console.bold(&format!(
                    "{:>1$}",
                    shorten(&band.population.name, self.label),
                    self.label
                )),
                1 => self
                    .console
                    .dim(&format!("{:>1$}", shorten(&second, self.label), self.label)),
                _ => " ".repeat(self.label),
            };
            let text: String = row
                .iter()
                .map(|bits| {
                    if *bits == 0 {
                        ' '
                    } else {
                        char::from_u32(0x2800 + u32::from(*bits)).unwrap_or(' ')
                    }
                })
                .collect();
            out += &format!(
                "{label} {}{}\n",
                self.console.dim("│"),
                self.console.paint(color, text.trim_end())
            );
        }
        if band.rate {
            out += &self.rate(band, color);
        }
        out
    }

    /// Braille cells of each line, and how many neurons are drawn.
    fn dots(&self, band: &Band<'_>) -> (Vec<Vec<u8>>, u32) {
        let rows = (band.lines * 4).min(band.population.size as usize);
        let size = u64::from(band.population.size);
        let row_of = |neuron: u32| (u64::from(neuron) * rows as u64 / size) as usize;
        let first_of = |row: usize| (row as u64 * size).div_ceil(rows as u64) as u32;
        let mut per_row = (size as usize).div_ceil(rows) as u32;
        loop {
            let mut cells = vec![vec![0u8; self.width]; band.lines];
            let mut set = 0usize;
            for s in &band.spikes {
                let row = row_of(s.neuron);
                if s.neuron - first_of(row) >= per_row {
                    continue;
                }
                let column = self.column(s.step);
                let bit = dot(column % 2, row % 4);
                let cell = &mut cells[row / 4][column / 2];
                set += usize::from(*cell & bit == 0);
                *cell |= bit;
            }
            if per_row == 1 || set as f64 <= FULL * (rows * 2 * self.width) as f64 {
                let drawn = (u64::from(per_row) * rows as u64).min(size) as u32;
                return (cells, drawn);
            }
            per_row = (per_row / 2).max(1);
        }
    }

    /// The rate over time as a line of blocks, scaled to its peak.
    fn rate(&self, band: &Band<'_>, color: &str) -> String {
        let mut bins = vec![0u32; self.width];
        band.spikes
            .iter()
            .for_each(|s| bins[self.column(s.step) / 2] += 1);
        let steps_of = |k: usize| {
            let edge = |k: usize| (k as u64 * u64::from(self.steps)).div_ceil(self.width as u64);
            (edge(k + 1) - edge(k)) as f64
        };
        let rate = |k: usize| {
            if steps_of(k) > 0.0 {
                f64::from(bins[k]) / steps_of(k) / f64::from(band.population.size)
            } else {
                0.0
            }
        };
        // A column without a step of its own (fewer steps than columns) shows the one before.
        let mut rates: Vec<f64> = (0..self.width).map(rate).collect();
        for k in 1..rates.len() {
            if steps_of(k) == 0.0 {
                rates[k] = rates[k - 1];
            }
        }
        let peak = rates.iter().copied().fold(0.0, f64::max);
        let block = |x: &f64| match peak {
            p if p > 0.0 && *x > 0.0 => {
                char::from_u32(0x2580 + ((x / p * 8.0).ceil() as u32).clamp(1, 8)).unwrap_or(' ')
            }
            _ => ' ',
        };
        let text: String = rates.iter().map(block).collect();
        let top = match self.dt {
            Some(dt) => format!("≤ {} Hz", short(peak / dt)),
            None => format!("≤ {}/step", short(peak)),
        };
        let label = self
            .console
            .dim(&format!("{:>1$}", shorten(&top, self.label), self.label));
        format!(
            "{label} {}{}\n",
            self.console.dim("│"),
            self.console.paint(&format!("2;{color}"), text.trim_end())
        )
    }

    /// The time axis: a line with ticks, and their times.
    fn axis(&self) -> String {
        let end = f64::from(self.from) + f64::from(self.steps);
        let (factor, unit) = match self.dt {
            None => (1.0, "steps"),
            Some(dt) => match end * dt {
                t if t >= 10.0 => (dt, "s"),
                t if t >= 1e-3 => (dt * 1e3, "ms"),
                _ => (dt * 1e6, "us"),
            },
        };
        let (from, to) = (f64::from(self.from) * factor, end * factor);
        let every = nice((to - from) / (self.width as f64 / 12.0).clamp(2.0, 8.0));
        let mut line: Vec<char> = vec!['─'; self.width];
        let mut text: Vec<char> = vec![' '; self.width + 1];
        let first = (from / every - 1e-6).ceil();
        let last = (to / every + 1e-6).floor();
        for k in 0..=(last - first).max(0.0) as u32 {
            let t = (first + f64::from(k)) * every;
            let at = ((t - from) / (to - from) * self.width as f64).round() as usize;
            if (1..self.width).contains(&at) {
                line[at] = '┬';
            }
            let ends = first + f64::from(k) == last;
            let time = trimmed(t);
            let words = if ends { format!("{time} {unit}") } else { time };
            let n = words.chars().count();
            let start = (at + 1)
                .saturating_sub(n / 2)
                .min(text.len().saturating_sub(n));
            words
                .chars()
                .zip(&mut text[start..])
                .for_each(|(c, slot)| *slot = c);
        }
        let (line, text): (String, String) =
            (line.into_iter().collect(), text.into_iter().collect());
        let pad = " ".repeat(self.label);
        self.console.dim(&format!("{pad} └{line}"))
            + "\n"
            + &self.console.dim(&format!("{pad} {}", text.trim_end()))
            + "\n"
    }
}

/// A tick's time without trailing zeros or the noise of its last bits.
fn trimmed(t: f64) -> String {
    let text = format!("{t:.6}");
    text.trim_end_matches('0').trim_end_matches('.').into()
}

/// The bit of a braille character for the dot at `column` (0, 1) and `row` (0 to 3).
fn dot(column: usize, row: usize) -> u8 {
    const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    BITS[column][row]
}

/// The next of 1, 2, 5, 10, 20, ... from `x` on.
fn nice(x: f64) -> f64 {
    let power = 10f64.powf(x.max(1e-12).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= x * (1.0 - 1e-9))
        .unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;
    use synfire_runtime::spikes::SpikeData;

    fn population(name: &str, size: u32) -> Population {
        Population {
            name: name.into(),
            size,
            recorded: true,
            ..Population::default()
        }
    }

    fn drawn(populations: &[Population], spikes: Vec<NamedSpike>, steps: u32) -> String {
        let cli = Cli::parse_from(["synfire", "--color", "never", "devices"]);
        assert!(matches!(cli.command, Command::Devices));
        let recording = Recording {
            steps,
            data: SpikeData {
                spikes,
                ..SpikeData::default()
            },
            ..Recording::default()
        };
        draw(
            &recording,
            populations,
            Some(1e-3),
            &Console::new(&cli.common),
        )
    }

    #[test]
    fn plots_keep_to_their_size() {
        let many: Vec<_> = (0..60)
            .map(|k| population(&format!("a.long.name.of.{k}"), 1000 + k))
            .collect();
        let few = [population("a", 3), population("b", 50_000)];
        let every = |n: u32, of: u32| NamedSpike {
            step: n % 997,
            population: n % of,
            neuron: n % 3,
            value: 1.0,
            ..NamedSpike::default()
        };
        for (populations, steps) in [
            (&many[..], 1000),
            (&few[..], 1000),
            (&few[..1], 1),
            (&few[..], 7),
        ] {
            let n = populations.len() as u32;
            let mut spikes: Vec<_> = (0..5000)
                .map(|k| every(k, n))
                .filter(|s| s.step < steps)
                .collect();
            spikes.sort_by_key(|s| s.key());
            let text = drawn(populations, spikes, steps);
            assert!(text.lines().count() <= LINES, "{text}");
            assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
        }
        assert_eq!(drawn(&[], vec![], 10), "");
    }

    #[test]
    fn a_busy_run_shows_its_end() {
        let spikes = (0..100_000).map(|step| NamedSpike {
            step,
            value: 1.0,
            ..NamedSpike::default()
        });
        let text = drawn(&[population("a", 1)], spikes.collect(), 100_000);
        assert!(text.contains("100 s") && !text.contains(" 0 "), "{text}");
    }
}
