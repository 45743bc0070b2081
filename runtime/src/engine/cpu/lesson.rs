//! Plastic projections as this engine learns them: the rows of a projection onto one tile, with the way back from targets.
//!
//! In: a plastic projection and a tile of its targets. Out: a [`Lesson`], shared by all samples: rows by (source, delay) with u16
//! targets, for each target its synapses as (row, place in the row) of 16 bits each, and the rules as kernels. With a
//! weight of 32 bits a synapse takes 10 bytes.
//!
//! Which models are learned here is [`learns`]; programs with others run unit by unit (`engine::plain`). Deliberately absent:
//! modulators, rules at intervals, views, states of single synapses beside the weight, and random rules.

use super::pieces::Payload;
use synfire_ir::eval::{Powers, kept};
use synfire_ir::model::{Block, Combine, Model, Op, Ty, Width};
use synfire_ir::program::{Carry, Column, Discipline, Layout, Plastic, Program, Projection, Rows};
use synfire_ir::synapse::{Action, Place, Synapse};
use synfire_kernels::cpu::deliver::Fold;
use synfire_kernels::cpu::{Fixed, Kernel, lower};

/// A tile of sources: (tile, number of its first unit in the source group).
pub(super) type FromTile = (usize, u32);

/// A rule: vector code on synapses, then plain code on the row or the target.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub synapses: Kernel,
    pub end: Block,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Lesson {
    /// Index into the program's plastic projections.
    pub plastic: usize,
    pub tile: usize,
    pub port: u16,
    pub fold: Fold,
    pub payload: Payload,
    pub from: Vec<FromTile>,
    /// First source, as a unit of the group.
    pub first: u32,
    /// Different delays, the longest first.
    pub delays: Vec<u16>,
    /// Runs of source `i` are `row[i]..row[i + 1]`, with these delays.
    row: std::sync::Arc<[u32]>,
    delay: Vec<u16>,
    /// Synapses of a run in this tile.
    pub start: Vec<u32>,
    /// Targets within the tile.
    pub targets: Vec<u16>,
    /// The tile's part of the target range: first unit of the tile, how many, and number of the first in the range.
    pub part: (u32, u32, u32),
    /// Synapses of target `t` of the part: `back[back_start[t]..back_start[t + 1]]`, as (run, place in the run).
    pub back_start: Vec<u32>,
    pub back: Vec<(u16, u16)>,
    pub pre: Rule,
    pub post: Rule,
    /// For each state of the model its tables, if it decays.
    pub powers: Vec<Option<Powers>>,
}

/// Most runs of a projection, and most synapses of a run in a tile.
const MOST: usize = 1 << 16;

/// Does this engine learn all that the program learns?
pub(in crate::engine) fn learns(p: &Program) -> bool {
    let stepped = p.discipline == Discipline::Stepped;
    p.plastic.iter().all(|x| stepped && known(p, x).is_some())
}

/// The rows and the model of a plastic projection that is learned here.
fn known<'p>(p: &'p Program, x: &Plastic) -> Option<(&'p Projection, &'p Rows, &'p Synapse)> {
    let pr = p.projections.get(x.projection as usize)?;
    let m = p.synapse_models.get(x.synapse as usize)?;
    let (Layout::Rows(rows), Carry::Events) = (&pr.layout, pr.carry) else {
        return None;
    };
    let target = p.model_of(pr.target)?;
    let port = target.ports.get(pr.port as usize)?;
    let sums = !matches!(port.combine, Combine::Max) && target.handler(pr.port).is_none();
    let plain = m.modulators.is_empty() && m.every.is_empty() && m.views.is_empty();
    let width = m.states.first()?.width;
    let wide = matches!(width, Width::F32 | Width::I32) && width.ty() == port.ty;
    let alone = |k: &synfire_ir::synapse::Cell| k.place != Place::Synapse;
    let simple = m.states.iter().skip(1).all(alone) && m.delivers_weight() && wide;
    let local = |b: &Block| {
        !b.insts
            .iter()
            .any(|i| matches!(i.op, Op::Index | Op::Rand { .. } | Op::Port(_)))
    };
    let rules = [&m.pre, &m.post];
    let rules = rules
        .iter()
        .all(|a: &&Action| local(&a.synapse) && local(&a.source) && local(&a.target));
    let near = pr.delays().is_none_or(|d| d.0 >= 1 && d.1 <= 1024);
    // What comes before it at a port of floats must come at the beginning of a step too.
    let before = p.projections[..x.projection as usize].iter();
    let mut before = before.filter(|b| (b.target, b.port) == (pr.target, pr.port));
    let early = |b: &Projection| b.carry == Carry::Events && b.delays().is_none_or(|d| d.0 >= 1);
    let first = port.ty != Ty::F32 || before.all(early);
    let few = rows.runs.len() <= MOST && rows.runs.iter().all(|r| (r.len as usize) < MOST);
    (sums && plain && simple && rules && near && few && first).then_some((pr, rows, m))
}

impl Lesson {
    /// What a tile's units learn of a plastic projection; `None` if its targets lie elsewhere.
    pub fn new(
        p: &Program,
        plastic: usize,
        (tile, start, len): (usize, u32, u32),
        (fold, payload): (Fold, Payload),
        from: Vec<FromTile>,
    ) -> Option<Lesson> {
        let x = &p.plastic[plastic];
        let (pr, rows, m) = known(p, x)?;
        let low = start.max(pr.target_range.start);
        let end = (start + len).min(pr.target_range.start + pr.target_range.len);
        if low >= end {
            return None;
        }
        let of = |unit: u32| unit - pr.target_range.start;
        let mut out = Lesson {
            plastic,
            tile,
            port: pr.port,
            fold,
            payload,
            from,
            first: pr.source_range.start,
            delays: vec![],
            row: rows.row.clone(),
            delay: rows.runs.iter().map(|r| r.delay).collect(),
            start: vec![0],
            targets: vec![],
            part: (low - start, end - low, of(low)),
            back_start: vec![],
            back: vec![],
            pre: rule(m, x, &m.pre, &m.pre.source),
            post: rule(m, x, &m.post, &m.post.target),
            powers: (m.states.iter())
                .map(|c| Some(Powers::new(c.decay?.factor, c.width.ty())))
                .collect(),
        };
        for run in 0..rows.runs.len() {
            let inside = within(rows, run, (of(low), of(end)));
            let shift = low - start;
            let places = rows.targets[inside]
                .iter()
                .map(|t| (t - of(low) + shift) as u16);
            out.targets.extend(places);
            out.start.push(out.targets.len() as u32);
        }
        out.targets.shrink_to_fit();
        // Runs without synapses beyond the delays of the others hear nothing.
        let (least, most) = pr.delays().unwrap_or((1, 0));
        let heard = |d: &&u16| (least..=most).contains(*d);
        out.delays = out.delay.iter().filter(heard).copied().collect();
        out.delays.sort_unstable_by(|a, b| b.cmp(a));
        out.delays.dedup();
        out.index();
        Some(out)
    }

    /// Fills in the way back.
    fn index(&mut self) {
        let n = self.part.1 as usize;
        let place = |t: u16| (t as u32 - self.part.0) as usize;
        let mut start = vec![0u32; n + 1];
        self.targets.iter().for_each(|&t| start[place(t) + 1] += 1);
        for k in 0..n {
            start[k + 1] += start[k];
        }
        let mut next = start.clone();
        let mut back = vec![(0, 0); self.targets.len()];
        for (run, w) in self.start.windows(2).enumerate() {
            for k in w[0]..w[1] {
                let at = &mut next[place(self.targets[k as usize])];
                back[*at as usize] = (run as u16, (k - w[0]) as u16);
                *at += 1;
            }
        }
        self.back_start = start;
        self.back = back;
    }

    /// The run of a source (counted from the range's start) with a delay.
    pub fn run(&self, source: u32, delay: u16) -> Option<u32> {
        let first = *self.row.get(source as usize)?;
        let end = *self.row.get(source as usize + 1)?;
        let runs = &self.delay[first as usize..end as usize];
        let k = runs.binary_search(&delay).ok()?;
        Some(first + k as u32)
    }

    pub fn runs(&self) -> usize {
        self.delay.len()
    }

    pub fn least(&self) -> u16 {
        self.delays.last().copied().unwrap_or(1)
    }
}

/// Synapses of a run whose targets lie in `low..end` of the target range.
pub(super) fn within(rows: &Rows, run: usize, (low, end): (u32, u32)) -> std::ops::Range<usize> {
    let first = rows.runs[run].start as usize;
    let t = &rows.targets[first..first + rows.runs[run].len as usize];
    let from = t.partition_point(|&t| t < low);
    let to = from + t[from..].partition_point(|&t| t < end);
    first + from..first + to
}

fn rule(m: &Synapse, x: &Plastic, action: &Action, end: &Block) -> Rule {
    let fixed = Fixed {
        params: x.params.iter().map(|&w| Some(w)).collect(),
        states: vec![None; m.states.len()],
    };
    Rule {
        synapses: lower(&Model::default(), &action.synapse, &fixed),
        end: end.clone(),
    }
}

/// The initial word of element `i` of state `k` after the weight.
pub(super) fn initial(x: &Plastic, m: &Synapse, k: usize, i: usize) -> u32 {
    let column: Option<&Column> = x.init.get(k - 1);
    kept(column.map_or(0, |c| c.get(i)), m.states[k].width)
}
