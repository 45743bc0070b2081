//! NIR reference runs (`euler-v1`, NumPy f64): f32 on the CPU engine event for event, fixed arithmetic equal on all engines.

use super::Engines;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synfire_compiler::nir::NirOptions;
use synfire_compiler::{fixed, frontend, ideal};
use synfire_ir::Quiet;
use synfire_ir::program::{Arithmetic, Layout, Observable, Probe, Program, Range, Weights};
use synfire_runtime::engine::{self, InputEvent, Options, Record, Stimulus};

type Events = BTreeSet<(u32, u32)>;

/// How far a membrane may be from the f64 reference, relative to the largest value met.
const TRACE_TOLERANCE: f64 = 1e-4;

/// Runs one reference run.
pub fn run(path: &Path, v: &Value, engines: Engines) -> Result<String, String> {
    let steps = v["steps"].as_u64().ok_or("it has no `steps`")? as u32;
    let mut program = program(path, v)?;
    let scale = v["input_scale"].as_f64().unwrap_or(1.0);
    let inputs: Vec<u32> = (0..program.groups.len() as u32)
        .filter(|&g| program.model_of(g).is_none())
        .collect();
    let &[input] = &inputs[..] else {
        return Err(format!("{} inputs where the form has one", inputs.len()));
    };
    scale_inputs(&mut program, input, scale);
    let stimulus = stimulus(v, input)?;
    let watched = watch(&mut program, v)?;
    let exact = play("cpu", &program, &stimulus, steps)?;
    for (probe, node) in &watched.events {
        let want: Events = pairs(&v["events"][node])?.into_iter().collect();
        same(node, &want, &exact.events[*probe as usize])?;
    }
    for (probe, node) in &watched.traces {
        close(
            node,
            &v["v_after_reset"][node],
            &exact.record.traces[*probe as usize],
            program.probes[*probe as usize].range.len,
        )?;
    }
    let whole = fixed::convert(&program).map_err(|e| e.to_string())?.program;
    let runs: Vec<Run> = engines
        .names()
        .iter()
        .map(|e| play(e, &whole, &stimulus, steps))
        .collect::<Result<_, _>>()?;
    let (mut differing, mut all) = (0, 0);
    for (probe, node) in &watched.events {
        let a = &runs[0].events[*probe as usize];
        for r in &runs[1..] {
            same(
                &format!("{node} (fixed, second engine)"),
                a,
                &r.events[*probe as usize],
            )?;
        }
        let f32s = &exact.events[*probe as usize];
        differing += a.symmetric_difference(f32s).count();
        all += f32s.len();
    }
    if runs.windows(2).any(|w| w[0].hash != w[1].hash) {
        return Err(format!(
            "fixed: states of the engines differ: {:016x} and {:016x}",
            runs[0].hash, runs[1].hash
        ));
    }
    let share = 100.0 * differing as f64 / all.max(1) as f64;
    let mut facts = format!("{all} events; fixed: {share:.2} % differ from f32");
    if engines != Engines::Cpu {
        let gpu = play("gpu", &program, &stimulus, steps)?;
        let d: usize = watched
            .events
            .iter()
            .map(|(p, _)| {
                gpu.events[*p as usize]
                    .symmetric_difference(&exact.events[*p as usize])
                    .count()
            })
            .sum();
        facts += &format!(
            ", f32 on wgpu: {:.2} %",
            100.0 * d as f64 / all.max(1) as f64
        );
    }
    Ok(facts)
}

fn program(path: &Path, v: &Value) -> Result<Program, String> {
    let graph = v["graph"].as_str().ok_or("`graph` is no file name")?;
    let beside = path.with_file_name(graph);
    let parent = path.parent().and_then(Path::parent).map(|p| p.join(graph));
    let file: PathBuf = [Some(beside), parent]
        .into_iter()
        .flatten()
        .find(|p| p.is_file())
        .ok_or_else(|| format!("`{graph}` is neither beside it nor in the parent folder"))?;
    let bytes = std::fs::read(&file).map_err(|e| format!("{graph}: {e}"))?;
    let nir = NirOptions {
        dt: v["dt"].as_f64(),
        reset: if v["reset"] == "subtract" {
            synfire_compiler::nir::Reset::Subtract
        } else {
            synfire_compiler::nir::Reset::Zero
        },
        ..NirOptions::default()
    };
    let loaded = frontend::load(
        graph,
        &bytes,
        &frontend::NoFiles,
        &frontend::LoadOptions {
            nir,
            ..Default::default()
        },
    );
    let net = loaded.network.map_err(|e| e.to_string())?;
    let lowered = ideal::lower(
        &net,
        &ideal::IdealOptions {
            seed: None,
            arithmetic: Arithmetic::F32,
            ..ideal::IdealOptions::default()
        },
    );
    Ok(lowered.map_err(|e| e.to_string())?.program)
}

/// Multiplies the weights that inputs pass through, so that a spike of height 1 stands for `scale`.
fn scale_inputs(p: &mut Program, input: u32, scale: f64) {
    if scale == 1.0 {
        return;
    }
    let k = scale as f32;
    for pr in p.projections.iter_mut().filter(|pr| pr.source == input) {
        let w = match &mut pr.layout {
            Layout::Rows(r) => &mut r.weights,
            Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => weights,
            _ => continue,
        };
        *w = match &*w {
            Weights::Uniform(b) => Weights::Uniform((f32::from_bits(*b) * k).to_bits()),
            Weights::F32(v) => Weights::F32(v.iter().map(|x| x * k).collect()),
            other => other.clone(),
        };
    }
}

fn stimulus(v: &Value, group: u32) -> Result<Stimulus, String> {
    let mut events: Vec<InputEvent> = pairs(&v["input_events"])?
        .into_iter()
        .map(|(step, unit)| InputEvent {
            step,
            sample: 0,
            group,
            unit,
            payload: 1,
        })
        .collect();
    events.sort();
    Ok(Stimulus {
        events,
        serial: vec![],
    })
}

fn pairs(v: &Value) -> Result<Vec<(u32, u32)>, String> {
    let list = v.as_array().ok_or("a list of events is missing")?;
    list.iter()
        .map(|e| Some((e.get(0)?.as_u64()? as u32, e.get(1)?.as_u64()? as u32)))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| "an event is no pair of whole numbers".into())
}

struct Watched {
    events: Vec<(u32, String)>,
    traces: Vec<(u32, String)>,
}

/// Replaces the program's probes by those that the file compares.
fn watch(p: &mut Program, v: &Value) -> Result<Watched, String> {
    let mut w = Watched {
        events: vec![],
        traces: vec![],
    };
    p.probes.clear();
    let names = |k: &str| {
        v[k].as_object()
            .map(|o| o.keys().cloned().collect::<Vec<_>>())
            .unwrap_or_default()
    };
    for (key, into) in [("events", &mut w.events), ("v_after_reset", &mut w.traces)] {
        for node in names(key) {
            let group = p
                .group(&node)
                .ok_or_else(|| format!("the network has no population `{node}`"))?;
            let what = match key {
                "events" => Observable::Events,
                _ => Observable::State(
                    p.model_of(group)
                        .and_then(|m| m.state("v"))
                        .ok_or_else(|| format!("`{node}` has no v"))?,
                ),
            };
            into.push((p.probes.len() as u32, node.clone()));
            let range = Range {
                start: 0,
                len: p.groups[group as usize].size,
            };
            p.probes.push(Probe {
                name: node,
                group,
                range,
                what,
                every: 1,
            });
        }
    }
    Ok(w)
}

struct Run {
    events: Vec<Events>,
    record: Record,
    hash: u64,
}

fn play(which: &str, p: &Program, input: &Stimulus, steps: u32) -> Result<Run, String> {
    let told = |e: synfire_ir::Diagnostics| format!("{which}: {e}");
    let mut e = engine::open(
        which,
        Arc::new(p.clone()),
        &Options {
            samples: 1,
            threads: 1,
            ..Options::default()
        },
    )
    .map_err(told)?;
    let mut record = Record::default();
    e.advance(steps, input, &mut record, &Quiet).map_err(told)?;
    let mut events = vec![Events::new(); p.probes.len()];
    for s in &record.spikes {
        events[s.probe as usize].insert((s.step, s.unit));
    }
    let hash = e.hash().map_err(told)?;
    Ok(Run {
        events,
        record,
        hash,
    })
}

fn same(node: &str, want: &Events, got: &Events) -> Result<(), String> {
    let Some(first) = want.symmetric_difference(got).next() else {
        return Ok(());
    };
    let (expected, seen) = if want.contains(first) {
        ("a spike", "none")
    } else {
        ("none", "a spike")
    };
    Err(format!(
        "{node}, step {}, neuron {}: expected {expected}, got {seen}",
        first.0, first.1
    ))
}

fn close(node: &str, want: &Value, got: &engine::Trace, units: u32) -> Result<(), String> {
    let rows = want
        .as_array()
        .ok_or_else(|| format!("{node}: v_after_reset is no list"))?;
    let largest = rows
        .iter()
        .flat_map(|r| r.as_array().into_iter().flatten())
        .filter_map(Value::as_f64)
        .fold(1e-12f64, |a, x| a.max(x.abs()));
    for (t, row) in rows.iter().enumerate() {
        for (u, x) in row.as_array().into_iter().flatten().enumerate() {
            let want = x.as_f64().unwrap_or(f64::NAN);
            let word = got
                .values
                .get(t * units as usize + u)
                .copied()
                .ok_or_else(|| format!("{node}: no membrane at step {t}"))?;
            let seen = f32::from_bits(word) as f64;
            if (seen - want).abs() > TRACE_TOLERANCE * largest {
                return Err(format!(
                    "{node}, v after step {t}, neuron {u}: expected {want}, got {seen}"
                ));
            }
        }
    }
    Ok(())
}
