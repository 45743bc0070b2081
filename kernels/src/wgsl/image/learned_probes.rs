//! Probes of what synapses learn, as records that a kernel reads.

use super::lesson::{Lesson, PLACES};
use super::tables::Tables;
use crate::wgsl::learn::powers_at;
use crate::wgsl::shape::*;
use synfire_ir::model::Width;
use synfire_ir::program::{Observable, Program};

/// How the words of a width are cut: see `P_WIDTH`.
fn width(w: Width) -> u32 {
    match w {
        Width::F32 => 0,
        Width::I8 => 8,
        Width::I16 => 16,
        Width::I24 => 24,
        Width::I32 | Width::U32 | Width::Bool => 32,
        Width::U8 => 64 + 8,
        Width::U16 => 64 + 16,
    }
}

/// For each probe: number of the probe, its record in `tables`, and the lesson.
pub fn probes(p: &Program, lessons: &[Lesson], tables: &mut Tables) -> Vec<(usize, u32, usize)> {
    let mut out = vec![];
    for (k, pb) in p.probes.iter().enumerate() {
        let Observable::Synapse { projection, state } = pb.what else {
            continue;
        };
        let lesson = p.plastic.iter().position(|x| x.projection == projection);
        let (Some(n), true) = (lesson, pb.range.len > 0) else {
            continue;
        };
        let (l, s) = (&lessons[n], state as usize);
        let cell = &p.synapse_models[l.synapse as usize].states[s];
        let mut words = [0; P_LEARNED as usize];
        let mut set = |at: u32, w: u32| words[at as usize] = w;
        set(P_STATE, s as u32);
        set(P_START, pb.range.start);
        set(P_LEN, pb.range.len);
        set(P_EVERY, pb.every);
        set(P_WORD, l.states[s]);
        let place = PLACES.iter().position(|x| *x == cell.place).unwrap_or(2);
        let decay = cell.decay;
        set(P_STAMP, decay.map_or(NONE, |_| l.stamps[place]));
        set(
            P_POWERS,
            tables.words[(l.at + powers_at(&p.synapse_models[l.synapse as usize], s)) as usize],
        );
        set(P_REST, decay.map_or(0, |d| d.rest));
        set(P_WIDTH, width(cell.width));
        set(P_STRIDE, l.learned.len() as u32);
        out.push((k, tables.push(&words), n));
    }
    out
}
