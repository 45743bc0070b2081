//! Ports with handlers: events one after another in the canonical order, each over all its targets at once.
//!
//! In: the events that fall due at a tile. Out: states after all handlers ran. Invariant: events are handled by (source
//! group, source, older first, projection), so that each target meets its own in that order; the targets of one run are
//! distinct and independent, so that they may be handled side by side. A handler that is a saturating sum and nothing else runs as one loop over its targets.

use super::learn::Due;
use super::pieces::{Form, Piece, part, slice};
use super::spikes::List;
use super::units::{Core, Keep, Memory, Ready};
use synfire_kernels::cpu::Words;
use synfire_kernels::cpu::deliver::{self, weigh};

/// An event of a source at a piece.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// Source group, source unit, newer later.
    key: (u32, u32, u32),
    /// Piece of the tile; pieces are in the order of projections.
    pub piece: u32,
    pub run: u32,
    pub factor: u32,
}

/// Where the sources of a piece are: group and first unit of its tile.
pub(super) type Place = (u32, u32);

/// Appends the events at `positions` of a list of runs (a unit less `base`).
pub(super) fn collect(
    out: &mut Vec<Event>,
    (index, piece): (usize, &Piece),
    (group, start): Place,
    list: &List,
    positions: std::ops::Range<usize>,
    base: u32,
) {
    for i in positions {
        let run = list.units[i] - base;
        let (source, age) = match &piece.form {
            Form::Rows(s) if !s.runs.row.is_empty() => {
                let after = s.runs.row.partition_point(|&r| r <= run);
                (after as u32 - 1, s.runs.delay[run as usize])
            }
            _ => (run, piece.least),
        };
        out.push(Event {
            key: (group, start + piece.first + source, u32::MAX - age as u32),
            piece: index as u32,
            run,
            factor: piece.payload.factor(list.payload(i)),
        });
    }
}

/// Appends what falls due of a lesson, the synapses of the k-th of them being `brought[k]`.
pub(super) fn learnt(
    out: &mut Vec<Event>,
    (index, group, step): (usize, u32, u32),
    due: &[Due],
    first: u32,
) {
    out.extend((first..).zip(due).map(|(run, d)| Event {
        key: (group, d.source, u32::MAX - (step - d.then)),
        piece: index as u32,
        run,
        factor: d.factor,
    }));
}

/// Puts events in the canonical order; equal ones keep theirs.
pub(super) fn sort(events: &mut [Event]) {
    events.sort_by_key(|e| (e.key, e.piece));
}

/// Runs the handler of one event over its targets; returns how many.
pub(super) fn handle(
    core: &mut Core,
    code: Ready<'_>,
    mem: &mut Memory<'_>,
    piece: &Piece,
    event: Event,
    args: &mut Vec<u32>,
) -> u64 {
    if let Some((state, bits)) = code.kernel.saturating_sum()
        && let Some(acc) = mem.state.get_mut(state as usize)
    {
        return saturate(core, acc, piece, event, bits);
    }
    let float = piece.fold.is_float();
    let run = event.run as usize;
    match &piece.form {
        Form::Rows(s) => {
            let range = s.synapses(run);
            let targets = &s.targets[range.clone()];
            args.resize(targets.len(), 0);
            weigh(
                core.isa,
                float,
                args,
                part(s.weights.all(), range),
                event.factor,
            );
            core.run_listed(code, mem, targets, args);
            targets.len() as u64
        }
        // Windows hold sums only, and what is learnt is handed over synapse by synapse.
        Form::Windows(_) | Form::Learnt(_) | Form::Drawn(_) | Form::Complete { .. } => 0,
        Form::Dense {
            weights,
            origin,
            columns,
            at,
            len,
        } => {
            let first = origin + run * columns;
            args.resize(*len, 0);
            let row = slice(weights, first..first + len);
            weigh(core.isa, float, args, row, event.factor);
            core.run(
                code,
                mem,
                *at..at + len,
                Words::Many(args),
                (&mut List::default(), Keep::LIST),
            );
            *len as u64
        }
        Form::Pairs {
            weights,
            origin,
            at,
        } => {
            args.resize(1, 0);
            let row = slice(weights, origin + run..origin + run + 1);
            weigh(core.isa, float, args, row, event.factor);
            core.run(
                code,
                mem,
                at + run..at + run + 1,
                Words::Many(args),
                (&mut List::default(), Keep::LIST),
            );
            1
        }
    }
}

/// Runs the handler once for each synapse (target in the tile, value), one after another; returns how many.
pub(super) fn handle_each(
    core: &mut Core,
    code: Ready<'_>,
    mem: &mut Memory<'_>,
    synapses: &[(u16, u32)],
) -> u64 {
    for &(target, value) in synapses {
        let t = target as usize;
        let nothing = &mut List::default();
        core.run(
            code,
            mem,
            t..t + 1,
            Words::Many(&[value]),
            (nothing, Keep::LIST),
        );
    }
    synapses.len() as u64
}

/// Adds one event to its targets, each sum within `bits` signed bits; returns how many.
fn saturate(core: &Core, acc: &mut [u32], piece: &Piece, event: Event, bits: u8) -> u64 {
    let run = event.run as usize;
    match &piece.form {
        Form::Rows(s) => {
            let range = s.synapses(run);
            let targets = &s.targets[range.clone()];
            let row = part(s.weights.all(), range);
            deliver::saturate(acc, targets, row, event.factor, bits);
            targets.len() as u64
        }
        // Windows hold sums only, and what learns comes by `handle_each`.
        Form::Windows(_) | Form::Learnt(_) | Form::Drawn(_) | Form::Complete { .. } => 0,
        Form::Dense {
            weights,
            origin,
            columns,
            at,
            len,
        } => {
            let first = origin + run * columns;
            let row = slice(weights, first..first + len);
            deliver::saturate_row(core.isa, &mut acc[*at..at + len], row, event.factor, bits);
            *len as u64
        }
        Form::Pairs {
            weights,
            origin,
            at,
        } => {
            let row = slice(weights, origin + run..origin + run + 1);
            let one = at + run..at + run + 1;
            deliver::saturate_row(core.isa, &mut acc[one], row, event.factor, bits);
            1
        }
    }
}
