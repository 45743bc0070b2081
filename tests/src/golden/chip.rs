//! A chip's golden case on the engines.

use super::Engines;
use std::collections::BTreeMap;
use std::sync::Arc;
use synfire_ir::Quiet;
use synfire_ir::program::{GroupKind, Observable, Program};
use synfire_runtime::engine::{self, Engine, Options, Record, Stimulus};
use synfire_runtime::session::native;
use synfire_targets::backend::{GoldenCase, Observed};

/// Runs the case on every engine asked for.
pub fn run(case: &GoldenCase, engines: Engines) -> Result<String, String> {
    let program = Arc::new(case.program.clone());
    let events = case.input.iter().map(|&(step, event)| (0, step, event));
    let mut input = native(events);
    input.events.retain(|e| e.step < case.steps);
    for which in engines.names() {
        let seen = observe(which, &program, &input, case.steps)?;
        (case.check)(&seen).map_err(|e| format!("{which}: {e}"))?;
    }
    Ok(String::new())
}

fn observe(
    which: &str,
    program: &Arc<Program>,
    input: &Stimulus,
    steps: u32,
) -> Result<Observed, String> {
    let mut e = engine::open(
        which,
        program.clone(),
        &Options {
            samples: 1,
            threads: 1,
            ..Options::default()
        },
    )
    .map_err(|e| format!("{which}: {e}"))?;
    let mut record = Record::default();
    e.advance(steps, input, &mut record, &Quiet)
        .map_err(|e| format!("{which}: {e}"))?;
    collect(e.as_mut(), program, record).map_err(|e| format!("{which}: {e}"))
}

fn collect(
    e: &mut dyn Engine,
    program: &Program,
    record: Record,
) -> Result<Observed, synfire_ir::Diagnostics> {
    let mut events: BTreeMap<u32, Vec<(u32, u32, u32)>> = BTreeMap::new();
    let mut traces = BTreeMap::new();
    for (k, p) in program.probes.iter().enumerate() {
        match p.what {
            Observable::Events => drop(events.insert(k as u32, vec![])),
            Observable::State(_) | Observable::Synapse { .. } => {
                let t = &record.traces[k];
                let rows = t
                    .values
                    .chunks(p.range.len.max(1) as usize)
                    .map(<[u32]>::to_vec);
                traces.insert(k as u32, t.steps.iter().copied().zip(rows).collect());
            }
        }
    }
    for s in record.spikes {
        events
            .entry(s.probe)
            .or_default()
            .push((s.step, s.unit, s.payload));
    }
    events.values_mut().for_each(|v| v.sort_unstable());
    let mut state = vec![];
    for (g, group) in program.groups.iter().enumerate() {
        let n = match &group.kind {
            GroupKind::Units { init, .. } => init.len(),
            GroupKind::External => 0,
        };
        state.push(
            (0..n as u16)
                .map(|s| e.state(g as u32, s))
                .collect::<Result<Vec<_>, _>>()?,
        );
    }
    let serial = record
        .serial
        .into_iter()
        .map(|(step, _, address)| (step, address))
        .collect();
    Ok(Observed {
        events,
        traces,
        serial,
        state,
    })
}
