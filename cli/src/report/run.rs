//! The page about a run.

use super::data;
use super::html::{Cell, cards, number, page, prose, section, sparkline, table, text};
use super::mapping;
use crate::estimates;
use crate::execute::Ran;
use crate::raster::shown_sample;
use crate::stats::Activity;
use crate::units::{
    bytes, count, large, number_of, peak_memory, percent, seconds, short, shown_in,
};
use serde_json::{Value, json};
use synfire_ir::artifact::Artifact;
use synfire_ir::program::Arithmetic;
use synfire_runtime::session::LengthReason;
use synfire_runtime::spikes::Signal;
use synfire_targets::estimate::Estimate;

/// Points of a rate line.
const BINS: usize = 60;

/// The page; `artefact` is what ran, when it was one.
pub fn run_page(ran: &Ran, activity: &[Activity], artefact: Option<&Artifact>) -> String {
    let recording = &ran.recording;
    let raster = data::raster(recording, &ran.populations);
    let signals = recording.data.signals.iter();
    let traces: Vec<Value> = signals
        .map(|s| data::traces(s, shown_sample(recording), unit_of(s, ran)))
        .collect();
    let mut sections = vec![section("facts", "Run", "", &cards(&facts(ran)))];
    if !raster.is_empty() {
        let spikes: usize = raster
            .iter()
            .filter_map(|p| p["n"].as_u64())
            .map(|n| n as usize)
            .sum();
        sections.push(section(
            "spikes",
            "Spikes",
            &raster_note(ran, spikes),
            "<div id=\"raster\" class=\"plot\"></div>\n",
        ));
    }
    sections.push(section("rates", "Rates", "", &rates(ran, activity)));
    if !traces.is_empty() {
        sections.push(section(
            "traces",
            "Recorded states",
            "",
            "<div id=\"traceplots\" class=\"plot\"></div>\n",
        ));
    }
    let estimate = artefact.and_then(|a| estimates::of_run(ran, a));
    if let Some(e) = estimate.filter(|e| !e.terms.is_empty() || e.busy_s.is_some()) {
        sections.push(section(
            "estimates",
            "Estimates for the chip",
            "Counts of this run times constants that were published for the chip; nothing here was measured on it.",
            &estimated(&e),
        ));
    }
    if let Some(a) = artefact {
        sections.extend(mapping::sections(&mapping::stored(a), a));
    }
    let data =
        json!({ "steps": recording.steps, "dt": ran.dt, "populations": raster, "traces": traces });
    let kicker = match &ran.target {
        Some(t) => format!("Run on {t}, bit for bit as the chip would"),
        None => "Run in ideal semantics".into(),
    };
    page(&ran.name, &kicker, &lead(ran), &sections, &data)
}

/// A row a term.
fn estimated(e: &Estimate) -> String {
    let mut rows: Vec<Vec<Cell>> = (e.terms.iter())
        .map(|t| {
            vec![
                text(&t.what),
                number(&short(t.count)),
                number(&short(t.each_pj)),
                number(&short(t.joule)),
                text(&t.source),
            ]
        })
        .collect();
    if let Some(joule) = e.energy_j {
        let blank = || number("");
        rows.push(vec![
            text("sum"),
            blank(),
            blank(),
            number(&short(joule)),
            text(""),
        ]);
    }
    let body = table(&["what", "count", "pJ each", "J", "source"], rows);
    format!("{body}<p>{}</p>\n", prose(&estimates::line(e)))
}

/// The unit in which a recorded state is shown; several records of one state differ in their range, `exc[0 .. 9].v`.
fn unit_of(signal: &Signal, ran: &Ran) -> Option<(f64, &'static str)> {
    let population = ran.populations.get(signal.population as usize)?;
    let variable = signal
        .name
        .rsplit('.')
        .find(|part| part.parse::<u32>().is_err())?;
    shown_in(
        *ran.dimensions
            .get(&format!("{}.{variable}", population.name))?,
    )
}

fn lead(ran: &Ran) -> String {
    let neurons: u64 = ran
        .populations
        .iter()
        .filter(|p| !p.source)
        .map(|p| u64::from(p.size))
        .sum();
    let mut words = vec![number_of(neurons, "neuron", "neurons")];
    if let Some((_, synapses)) = ran.scale {
        words.push(number_of(synapses.round() as u64, "synapse", "synapses"));
    }
    words.push(match ran.dt {
        Some(dt) => seconds(dt * f64::from(ran.recording.steps)),
        None => number_of(ran.recording.steps.into(), "step", "steps"),
    });
    words.join(" · ")
}

fn facts(ran: &Ran) -> Vec<(&'static str, String, String)> {
    let r = &ran.recording;
    let arithmetic = match ran.arithmetic {
        Arithmetic::F32 => "f32",
        Arithmetic::Fixed => "fixed point",
        Arithmetic::Integer => "chip integers",
    };
    let why = match ran.length.reason {
        LengthReason::Asked => "",
        LengthReason::Experiment => "its experiment",
        LengthReason::LastInput => "to the last input",
        LengthReason::Default => "default",
    };
    let mut list = vec![
        (
            "Engine",
            ran.engine.to_string(),
            ran.adapter.clone().unwrap_or_default(),
        ),
        ("Arithmetic", arithmetic.into(), String::new()),
        ("Steps", count(r.steps.into()), why.into()),
    ];
    if let Some(dt) = ran.dt {
        list.push(("Step", seconds(dt), String::new()));
    }
    list.push(("Seed", ran.seed.to_string(), String::new()));
    if let Some(n) = r.data.batch {
        list.push(("Batch", count(n.into()), "samples".into()));
    }
    list.push(("Build", seconds(ran.build_s), String::new()));
    list.push(("Run", seconds(r.run_s), String::new()));
    if let Some(dt) = ran.dt.filter(|dt| *dt > 0.0 && r.steps > 0) {
        list.push((
            "Real-time factor",
            short(r.run_s / (dt * f64::from(r.steps))),
            "s per s".into(),
        ));
    }
    list.push((
        "Synaptic events",
        large(r.counters.synaptic_events),
        String::new(),
    ));
    if let Some(n) = peak_memory() {
        list.push(("Peak memory", bytes(n), String::new()));
    }
    let latency = ran.shifts.iter().copied().max().unwrap_or(0);
    if latency > 0 {
        list.push((
            "Chip latency",
            number_of(latency.into(), "step", "steps"),
            "taken off".into(),
        ));
    }
    list
}

fn raster_note(ran: &Ran, spikes: usize) -> String {
    let mut words = vec![];
    if let Some(n) = ran.recording.data.batch.filter(|n| *n > 1) {
        words.push(format!(
            "Sample {} of 0 to {}.",
            shown_sample(&ran.recording),
            n - 1
        ));
    }
    let shown = ran.populations.iter().filter(|p| p.recorded).count();
    if shown > data::DRAWN {
        words.push(format!(
            "The first {} of {shown} recorded populations.",
            data::DRAWN
        ));
    }
    words.push(if spikes > data::SINGLE {
        format!("{} spikes, binned: darker is more.", count(spikes as u64))
    } else {
        format!(
            "{}, one dot each.",
            number_of(spikes as u64, "spike", "spikes")
        )
    });
    words.push("Drag to zoom, double-click to see all.".into());
    words.join(" ")
}

fn rates(ran: &Ran, activity: &[Activity]) -> String {
    let timed = ran.dt.is_some();
    let head = [
        "Population",
        "Neurons",
        "Spikes",
        if timed { "Rate (Hz)" } else { "Per step" },
        "Active",
        "CV of ISI",
        "Rate over time",
    ];
    let samples = f64::from(ran.recording.data.batch.unwrap_or(1));
    let dash = || "–".to_string();
    let mut color = 0;
    let mut rows = vec![];
    for ((p, a), k) in ran.populations.iter().zip(activity).zip(0u32..) {
        let per_step = a.spikes.map(|n| {
            n as f64 / f64::from(ran.recording.steps.max(1)) / samples / f64::from(p.size.max(1))
        });
        let rate = if timed { a.rate_hz } else { per_step };
        let name = if p.source {
            Cell(
                format!("{} <small>source</small>", super::html::escape(&p.name)),
                false,
            )
        } else {
            text(&p.name)
        };
        let line = if p.recorded && p.size > 0 {
            color += 1;
            sparkline(
                &data::rate_over_time(&ran.recording, k, p.size, BINS),
                (color - 1) % 6,
            )
        } else {
            String::new()
        };
        rows.push(vec![
            name,
            number(&count(p.size.into())),
            number(&a.spikes.map_or_else(dash, count)),
            number(&rate.map_or_else(dash, short)),
            number(&a.active.map_or_else(dash, percent)),
            number(&a.cv_isi.map_or_else(dash, |x| format!("{x:.2}"))),
            Cell(line, false),
        ]);
    }
    table(&head, rows)
}
