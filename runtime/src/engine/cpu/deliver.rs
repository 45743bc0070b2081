//! Delivery of what is due at a port without handler: the pieces of a tile into its accumulators.
//!
//! In: a piece, and the events (or analog values) that fall due. Out: the accumulator, and how many synapses were walked.
//! Invariant: float sums take events by source, then older first, then their own order.

use super::pieces::{Form, Payload, Piece, part, slice};
use super::rows::{Places, Sparse, Windows};
use super::spikes::{Calendar, History, List};
use std::ops::Range;
use synfire_kernels::cpu::Isa;
use synfire_kernels::cpu::deliver::{
    Fold, add_bits, add_bytes, add_emitted, add_pairs, add_repeated, add_row, count_nonzero,
    scatter,
};

/// Enters what a tile of sources emitted in `step` into the calendar of a piece.
pub(super) fn enter(piece: &Piece, list: &List, step: u32, calendar: &mut Calendar) {
    let range = list.within(piece.first, piece.count);
    let units = &list.units[range.clone()];
    for (k, unit) in range.zip(units) {
        let source = unit - piece.first;
        let mut put = |run: u32, delay: u16| {
            let due = calendar.due(step.wrapping_add(delay as u32));
            due.units.push(run);
            due.payloads.extend(list.payloads.get(k));
        };
        match &piece.form {
            Form::Rows(Sparse { runs, .. }) | Form::Windows(Windows { runs, .. }) => {
                runs.of(source).for_each(|r| put(r as u32, runs.delay[r]))
            }
            _ => put(source, piece.least),
        }
    }
}

/// Combines the events at `positions` of the list into the accumulator; a run of the piece is a unit less `base`.
pub(super) fn events(
    isa: Isa,
    piece: &Piece,
    acc: &mut [u32],
    list: &List,
    positions: Range<usize>,
    base: u32,
) -> u64 {
    let factor = |i: usize| piece.payload.factor(list.payload(i));
    let events = (positions.clone()).map(|i| ((list.units[i] - base) as usize, factor(i)));
    match &piece.form {
        Form::Rows(s) => {
            let rows = events.map(|(run, x)| (s.synapses(run), x));
            scatter(piece.fold, acc, &s.targets, s.weights.all(), rows)
        }
        Form::Windows(w) => {
            let mut walked = 0;
            let stretches = events.map(|(run, x)| {
                let (range, first, count) = w.stretch(run);
                walked += count;
                (run, range, first, x)
            });
            match &w.places {
                Places::Bits { words, weight } => {
                    add_bits(isa, piece.fold, acc, (words, weight), stretches)
                }
                Places::Bytes(weights) => add_bytes(isa, acc, weights, stretches),
            }
            walked
        }
        Form::Dense {
            weights,
            origin,
            columns,
            at,
            len,
        } => {
            let mut walked = 0;
            let all = slice(weights, 0..weights.count().unwrap_or(0));
            for (source, x) in events {
                let first = origin + source * columns;
                let row = part(all, first..first + len);
                add_row(isa, piece.fold, &mut acc[*at..at + len], row, x);
                walked += *len as u64;
            }
            walked
        }
        Form::Complete {
            weight,
            own,
            at,
            len,
        } => {
            let targets = *at..*at + *len;
            let own = own.map(|o| (o, targets.clone()));
            let own = |source: usize| {
                let (o, targets) = own.as_ref()?;
                let t = usize::try_from(source as i64 + o).ok()?;
                targets.contains(&t).then_some(t)
            };
            let units = list.units[positions.clone()].iter();
            let own = units.map(|u| own((u - base) as usize));
            let factors = positions.map(factor);
            complete(isa, (piece.fold, *weight), acc, targets, own.zip(factors))
        }
        Form::Pairs {
            weights,
            origin,
            at,
        } => {
            let mut walked = 0;
            for (source, x) in events {
                let a = &mut acc[at + source];
                *a = piece.fold.apply(*a, x, weights.bits(origin + source));
                walked += 1;
            }
            walked
        }
        // The worker lets lessons and procedural rows deliver themselves.
        Form::Learnt(_) | Form::Drawn(_) => 0,
    }
}

/// Combines events over one weight into the targets of a range, each but into its own target: (own target, factor). Equal
/// addends commute, so that events of one factor are added together, and what a target has from itself is put right.
fn complete(
    isa: Isa,
    (fold, weight): (Fold, u32),
    acc: &mut [u32],
    targets: Range<usize>,
    events: impl Iterator<Item = (Option<usize>, u32)>,
) -> u64 {
    let mut walked = 0;
    let mut events = events.peekable();
    // Own targets of the events at hand, with what they held before.
    let mut own: Vec<(usize, u32)> = vec![];
    while let Some((first, x)) = events.next() {
        own.clear();
        own.extend(first.map(|t| (t, acc[t])));
        let mut n = 1u32;
        while let Some((t, _)) = events.next_if(|e| e.1 == x) {
            own.extend(t.map(|t| (t, acc[t])));
            n += 1;
        }
        let v = fold.product(x, weight);
        add_repeated(isa, fold, &mut acc[targets.clone()], v, n);
        own.sort_unstable_by_key(|o| o.0);
        for same in own.chunk_by(|a, b| a.0 == b.0) {
            let (t, before) = same[0];
            acc[t] = before;
            add_repeated(isa, fold, &mut acc[t..t + 1], v, n - same.len() as u32);
        }
        walked += n as u64 * targets.len() as u64 - own.len() as u64;
    }
    walked
}

/// Combines emissions that are kept as a word for each unit; only for pairs.
pub(super) fn emitted(isa: Isa, piece: &Piece, acc: &mut [u32], list: &List) -> u64 {
    let Form::Pairs {
        weights,
        origin,
        at,
    } = &piece.form
    else {
        return 0;
    };
    let (first, n) = (piece.first as usize, piece.count as usize);
    let x = &list.dense[first..first + n];
    let convert = piece.payload == Payload::ToFloat;
    let row = slice(weights, *origin..origin + n);
    add_emitted(isa, piece.fold, convert, &mut acc[*at..at + n], row, x);
    let mut walked = 0;
    match n == list.dense.len() {
        true => walked = list.count,
        false => count_nonzero(isa, x, &mut walked),
    }
    walked
}

/// Runs that fall due, in the order that the port needs.
pub(super) fn settle(fold: Fold, due: &mut List) {
    if fold == Fold::AddF32 {
        due.sort();
    }
}

/// Combines the analog values that fall due in `step`.
pub(super) fn analog(
    isa: Isa,
    piece: &Piece,
    acc: &mut [u32],
    from: &History,
    column: usize,
    step: u32,
) {
    let first = piece.first as usize;
    let value = |source: usize, delay: u16| {
        let then = step.checked_sub(delay as u32)?;
        Some(from.analog(column, then)[first + source])
    };
    match &piece.form {
        Form::Rows(s) => {
            let rows = (0..piece.count).flat_map(|source| {
                s.runs.of(source).filter_map(move |run| {
                    Some((s.synapses(run), value(source as usize, s.runs.delay[run])?))
                })
            });
            scatter(piece.fold, acc, &s.targets, s.weights.all(), rows);
        }
        // Analog values go over stored synapses alone, and teach nothing.
        Form::Windows(_) | Form::Learnt(_) | Form::Drawn(_) | Form::Complete { .. } => {}
        Form::Dense {
            weights,
            origin,
            columns,
            at,
            len,
        } => {
            let all = slice(weights, 0..weights.count().unwrap_or(0));
            for source in 0..piece.count as usize {
                let first = origin + source * columns;
                if let Some(x) = value(source, piece.least) {
                    let row = part(all, first..first + len);
                    add_row(isa, piece.fold, &mut acc[*at..at + len], row, x);
                }
            }
        }
        Form::Pairs {
            weights,
            origin,
            at,
        } => {
            let n = piece.count as usize;
            if let Some(then) = step.checked_sub(piece.least as u32) {
                let x = &from.analog(column, then)[first..first + n];
                let row = slice(weights, *origin..origin + n);
                add_pairs(isa, piece.fold, &mut acc[*at..at + n], row, x);
            }
        }
    }
}
