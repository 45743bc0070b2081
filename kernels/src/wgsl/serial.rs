//! Serial programs: their kernel and the words that it reads.
//!
//! One workgroup runs a sample. Its queue, and how often each row is due in the coming steps, lie in `acc`; the matrix in
//! `ordered`; what left, in order, in `out`, where each sample has a place of its own.

use super::image::limits::{fits, too_long};
use super::image::loops::Loops;
use super::image::pack::{push_weights, weight_kind, weight_words};
use super::image::tables::Tables;
use super::image::{layout::column_words, push_group};
use super::models::{self, step_iterations};
use super::shape::*;
use super::{ARITH, Buffer, FLOAT, Kernel, PARAM, PHILOX, UNIT, WEIGHTS, kernel};
use synfire_ir::Diagnostic;
use synfire_ir::program::{
    Discipline, GroupKind, Layout, Observable, Program, Serial, SerialEvent,
};

/// What does not change in a run of a serial program.
#[derive(Clone, Debug)]
pub struct SerialImage {
    /// Descriptors, parameters, loopbacks.
    pub tables: Vec<u32>,
    /// The matrix.
    pub matrix: Vec<u32>,
    /// Words of one sample's states.
    pub state: u32,
    /// Where the states of each group begin in them.
    pub group_state: Vec<u32>,
    /// Words of one sample's queue and due rows.
    pub acc: u32,
    /// State probes: number of the probe, and its record in `tables` (whose `P_OUT` and `P_ROW` the engine sets).
    pub probes: Vec<(usize, u32)>,
    /// Rounds of one dispatch.
    pub budget: u32,
    /// Iterations of the kernel.
    pub loops: Loops,
    /// The program's record (`V_*`), in which the engine sets `V_UNTIL` and `V_ROOM`.
    pub record: u32,
}

/// The kernel of a serial program.
pub fn serial_kernel(p: &Program, s: &Serial) -> Option<Kernel> {
    use Buffer::*;
    let m = p.model_of(s.group)?;
    Some(kernel(
        "serial",
        &[Dispatch, Tables, State, Acc, Out, Ext, Args, Ordered, Runs],
        &[
            ARITH,
            FLOAT,
            PHILOX,
            UNIT,
            PARAM,
            super::FAR,
            &WEIGHTS.replace("BUFFER", "ordered"),
            &models::serial(m),
            include_str!("text/serial.wgsl"),
        ],
    ))
}

/// An event as words (`Y_*`).
pub fn event_words(e: &SerialEvent) -> [u32; Y_WORDS as usize] {
    match *e {
        SerialEvent::Row { pre } => [EVENT_ROW | EVENT_QUEUED, pre, 0, 0, 0],
        SerialEvent::Direct {
            port,
            value,
            first,
            last,
            queued,
        } => {
            let flag = if queued { EVENT_QUEUED } else { 0 };
            let kind = EVENT_DIRECT | flag;
            [kind, u32::from(port), value as u32, first, last]
        }
        SerialEvent::Step { first, last } => [EVENT_STEP, 0, 0, first, last],
    }
}

impl SerialImage {
    /// Lays a checked serial program out.
    ///
    /// Errors: `SYN0817` when a buffer would exceed a binding, `SYN0818` when a unit's code or loopbacks take too long.
    pub fn new(p: &Program, s: &Serial) -> Result<SerialImage, Diagnostic> {
        let group = &p.groups[s.group as usize];
        let pr = &p.projections[s.matrix as usize];
        let weights = match &pr.layout {
            Layout::Dense { weights, .. } => Some(weights),
            _ => None,
        };
        let matrix = weights.map_or(0, |w| weight_words(w, pr.synapses()));
        fits("the matrix", matrix)?;
        fits("the parameters", column_words(p))?;
        let (state, group_state) = state_places(p)?;
        let rows = pr.source_range.len;
        let slots = 1 + s
            .loopback
            .iter()
            .map(|l| u32::from(l.delay))
            .max()
            .unwrap_or(0);
        let places = if s.closed_loop { s.capacity } else { 1 };
        let due = u64::from(places) + u64::from(slots) * u64::from(rows);
        let acc = fits("the queue and the rows due of one sample", due)?;
        let (budget, loops) = budget(p, s)?;
        let mut out = SerialImage {
            tables: vec![],
            matrix: vec![],
            state,
            group_state,
            acc,
            probes: vec![],
            budget,
            loops,
            record: 0,
        };
        let mut t = Tables::new();
        t.set(T_SEED_LO, p.seed as u32);
        t.set(T_SEED_HI, (p.seed >> 32) as u32);
        t.set(T_STATE_STRIDE, state);
        t.set(T_ACC_STRIDE, acc);
        let mut v = [0; V_WORDS as usize];
        v[V_GROUP as usize] = push_group(p, s.group, out.group_state[s.group as usize], &mut t);
        v[V_TSTART as usize] = pr.target_range.start;
        v[V_TLEN as usize] = pr.target_range.len;
        if let Some(w) = weights {
            v[V_WKIND as usize] = weight_kind(w).0;
            let n = pr.synapses() as usize;
            v[V_WEIGHTS as usize] = push_weights(&mut out.matrix, w, 0, n);
        }
        v[V_PORT as usize] = u32::from(pr.port);
        v[V_ROWS as usize] = rows;
        v[V_CAPACITY as usize] = s.capacity;
        v[V_CLOSED as usize] = u32::from(s.closed_loop);
        v[V_POPPED as usize] = u32::from(s.popped);
        v[V_SORTED as usize] = u32::from(s.sorted);
        v[V_PLACES as usize] = places;
        v[V_DUE as usize] = places;
        v[V_SLOTS as usize] = slots;
        (v[V_BACK as usize], v[V_BACKS as usize]) = loopbacks(s, group.size, &mut t);
        out.probes(p, &mut t, &mut v);
        let at = t.push(&v);
        t.set(T_SERIAL, at);
        out.record = at;
        fits("the tables", t.words.len() as u64)?;
        out.tables = t.words;
        Ok(out)
    }

    fn probes(&mut self, p: &Program, t: &mut Tables, v: &mut [u32]) {
        v[V_PROBES as usize] = t.words.len() as u32;
        for (k, pb) in p.probes.iter().enumerate() {
            if let Observable::State(s) = pb.what
                && pb.range.len > 0
            {
                let size = p.groups[pb.group as usize].size;
                let at = self.group_state[pb.group as usize] + u32::from(s) * size;
                let record = [at, pb.range.start, pb.range.len, pb.every, 0, 0];
                self.probes.push((k, t.push(&record)));
            }
        }
        v[V_PROBES_N as usize] = self.probes.len() as u32;
    }

    /// Initial words of one sample's states.
    pub fn initial_state(&self, p: &Program) -> Vec<u32> {
        super::image::initial_state(p, &self.group_state, self.state)
    }
}

/// Words of one sample's states, and where each group's begin.
fn state_places(p: &Program) -> Result<(u32, Vec<u32>), Diagnostic> {
    let mut at = 0u64;
    let mut out = vec![];
    for (g, group) in p.groups.iter().enumerate() {
        out.push(at.min(u64::from(NONE)) as u32);
        let states = p.model_of(g as u32).map_or(0, |m| m.states.len());
        at += u64::from(group.size) * states as u64;
    }
    Ok((fits("the states of one sample", at)?, out))
}

/// For each unit its loopbacks: where the pointers and the pairs (delay, row) lie.
fn loopbacks(s: &Serial, size: u32, t: &mut Tables) -> (u32, u32) {
    if s.loopback.is_empty() {
        return (NONE, 0);
    }
    let mut sorted = s.loopback.clone();
    sorted.sort_unstable();
    let first = |unit: u32| sorted.partition_point(|l| l.unit < unit) as u32;
    let pointers: Vec<u32> = (0..=size).map(first).collect();
    let pairs: Vec<u32> = sorted
        .iter()
        .flat_map(|l| [l.delay.into(), l.pre])
        .collect();
    (t.push(&pointers), t.push(&pairs))
}

/// Rounds of one dispatch, as many as the loops of one invocation may make; and these.
fn budget(p: &Program, s: &Serial) -> Result<(u32, Loops), Diagnostic> {
    let longest = s
        .loopback
        .iter()
        .fold(std::collections::BTreeMap::<u32, u64>::new(), |mut n, l| {
            *n.entry(l.unit).or_default() += 1;
            n
        })
        .into_values()
        .max();
    let unit = p.model_of(s.group).map_or(0, step_iterations);
    let back = longest.unwrap_or(0);
    let each = [
        ("ROUNDS", 1),
        ("PARTS", 6),
        ("FOUND", 8),
        ("RANKED", 8),
        ("BACK", back),
        ("NOISE", unit),
    ];
    let round: u64 = each.iter().map(|l| l.1).sum();
    match MAX_ITERATIONS / round {
        0 => Err(too_long(
            format!(
                "an event for a unit of `{}`",
                p.groups[s.group as usize].name
            ),
            round,
            MAX_ITERATIONS,
        )),
        n => {
            let mut loops = Loops::default();
            loops.note("serial", &each.map(|(name, k)| (name, n * k)));
            Ok((n as u32, loops))
        }
    }
}

/// The serial discipline of a program, if it has it.
pub fn discipline(p: &Program) -> Option<&Serial> {
    match &p.discipline {
        Discipline::Serial(s)
            if matches!(p.groups[s.group as usize].kind, GroupKind::Units { .. }) =>
        {
            Some(s)
        }
        _ => None,
    }
}
