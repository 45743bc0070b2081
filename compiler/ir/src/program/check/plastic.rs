//! Are synapse models well typed, and do plastic projections fit their model and the program?

use super::code::{Names, well_typed};
use super::{MAX_DELAY, bad, inside};
use crate::diag::Diagnostics;
use crate::model::{Block, Op, Ty};
use crate::program::{Carry, Column, Discipline, Modulation, Plastic, Program};
use crate::synapse::{Action, Place, Seen, Synapse};

pub(super) fn check(p: &Program, out: &mut Diagnostics) {
    for (i, m) in p.synapse_models.iter().enumerate() {
        synapse(m, &format!("synapse model {i} `{}`", m.name), out);
    }
    if !p.plastic.is_empty() && p.discipline != Discipline::Stepped {
        bad(
            out,
            "program",
            "plastic projections in a serial program".into(),
        );
    }
    let ascend = |w: &[Plastic]| w[0].projection < w[1].projection;
    if !p.plastic.windows(2).all(ascend) {
        bad(
            out,
            "program",
            "plastic projections are not in order".into(),
        );
    }
    let mut base = 0u64;
    for x in &p.plastic {
        plastic(p, x, base, out);
        let pr = p.projections.get(x.projection as usize);
        base = base.saturating_add(pr.map_or(0, |pr| pr.synapses()));
    }
    if base > u32::MAX as u64 {
        let most = u32::MAX;
        bad(
            out,
            "program",
            format!("{base} plastic synapses; an engine numbers at most {most}"),
        );
    }
}

/// Number of elements of a state of a plastic projection to `target`.
pub(super) fn observed(p: &Program, projection: u32, state: u16, target: u32) -> Option<u32> {
    let (_, m) = p.plastic_of(projection)?;
    let pr = p.projections.get(projection as usize)?;
    let place = m.states.get(state as usize)?.place;
    (pr.target == target).then(|| u32::try_from(pr.elements(place)).unwrap_or(u32::MAX))
}

/// What a block of a synapse model may do.
struct Scope<'a> {
    m: &'a Synapse,
    /// Whose states may be stored.
    place: Place,
    arg: Option<Ty>,
    /// May it see units and modulators?
    late: bool,
    /// May it see sums over synapses?
    totals: bool,
}

impl Scope<'_> {
    fn sees(&self, place: Place) -> bool {
        self.place == Place::Synapse || self.place == place
    }

    fn view(&self, k: u16) -> Option<Ty> {
        let v = self.m.view(k).filter(|_| self.late)?;
        let seen = match v.seen {
            Seen::Source(_) => self.sees(Place::Source),
            Seen::Target(_) => self.sees(Place::Target),
            Seen::Total(_) => self.totals && self.sees(Place::Target),
        };
        seen.then_some(v.ty)
    }
}

impl Names for Scope<'_> {
    fn leaf(&self, op: &Op) -> Option<Ty> {
        match *op {
            Op::Param(k) => self.m.params.get(k as usize).map(|p| p.ty),
            Op::State(k) => match self.m.states.get(k as usize) {
                Some(cell) => self.sees(cell.place).then(|| cell.width.ty()),
                None => self.view(k),
            },
            Op::Port(k) => {
                let there = self.m.modulators.get(k as usize);
                let open = self.late && self.place != Place::Source;
                there.filter(|_| open).map(|x| x.ty)
            }
            Op::Arg => self.arg.filter(|_| self.place != Place::Source),
            Op::Step => Some(Ty::I32),
            Op::Index => (self.place == Place::Synapse).then_some(Ty::I32),
            Op::Rand { .. } => (self.place == Place::Synapse).then_some(Ty::U32),
            _ => None,
        }
    }
    fn stored(&self, state: u16) -> Option<Ty> {
        let cell = self.m.states.get(state as usize)?;
        (self.late && cell.place == self.place).then(|| cell.width.ty())
    }
}

fn synapse(m: &Synapse, at: &str, out: &mut Diagnostics) {
    states(m, at, out);
    let early = Scope {
        m,
        place: Place::Synapse,
        arg: None,
        late: false,
        totals: false,
    };
    well_typed(&early, &m.deliver, at, out);
    let emitted = (m.deliver.emit).and_then(|v| m.deliver.insts.get(v as usize));
    if !emitted.is_some_and(|i| matches!(i.ty, Ty::F32 | Ty::I32)) {
        bad(out, at, "what it delivers is no F32 and no I32".into());
    }
    let (sources, targets) = ([Place::Source], [Place::Target]);
    action(
        m,
        &m.pre,
        &sources,
        (None, false),
        &format!("{at}, pre"),
        out,
    );
    action(
        m,
        &m.post,
        &targets,
        (None, false),
        &format!("{at}, post"),
        out,
    );
    for x in &m.modulators {
        let at = format!("{at}, modulator `{}`", x.name);
        if !matches!(x.ty, Ty::F32 | Ty::I32) {
            bad(out, &at, "its type cannot accumulate".into());
        }
        action(m, &x.action, &targets, (Some(x.ty), false), &at, out);
    }
    for e in &m.every {
        let at = format!("{at}, every {}", e.period);
        if e.period == 0 {
            bad(out, &at, "an interval of no steps".into());
        }
        let both = [Place::Source, Place::Target];
        action(m, &e.action, &both, (None, true), &at, out);
    }
}

fn states(m: &Synapse, at: &str, out: &mut Diagnostics) {
    let weight = m.states.first();
    if !weight.is_some_and(|w| w.place == Place::Synapse && w.width.ty() != Ty::Bool) {
        bad(out, at, "the first state is not a weight".into());
    }
    if m.states.len() + m.views.len() > u16::MAX as usize {
        bad(out, at, "too many states".into());
    }
    for s in &m.states {
        let ty = s.width.ty();
        if s.decay.is_some() && !matches!(ty, Ty::F32 | Ty::I32) {
            bad(out, at, format!("state `{}` cannot decay", s.name));
        }
    }
    for v in &m.views {
        if let Seen::Total(k) = v.seen {
            let summed = m
                .states
                .get(k as usize)
                .filter(|s| s.place == Place::Synapse && s.width.ty() == v.ty && v.ty != Ty::Bool);
            if summed.is_none() {
                bad(out, at, format!("view `{}` cannot be summed", v.name));
            }
        }
    }
}

fn action(
    m: &Synapse,
    a: &Action,
    sides: &[Place],
    (arg, totals): (Option<Ty>, bool),
    at: &str,
    out: &mut Diagnostics,
) {
    let all = [
        (Place::Synapse, &a.synapse),
        (Place::Source, &a.source),
        (Place::Target, &a.target),
    ];
    for (place, block) in all {
        if place != Place::Synapse && !sides.contains(&place) && *block != Block::default() {
            bad(out, at, format!("a block for {place:?} has no place here"));
        }
        if block.emit.is_some() {
            bad(out, at, "only `deliver` emits".into());
        }
        let scope = Scope {
            m,
            place,
            arg,
            late: true,
            totals,
        };
        well_typed(&scope, block, at, out);
    }
}

fn plastic(p: &Program, x: &Plastic, base: u64, out: &mut Diagnostics) {
    let at = format!("plastic projection {}", x.projection);
    let (Some(pr), Some(m)) = (
        p.projections.get(x.projection as usize),
        p.synapse_models.get(x.synapse as usize),
    ) else {
        return bad(out, &at, "projection or synapse model is not there".into());
    };
    if pr.carry != Carry::Events {
        bad(out, &at, "it carries no events".into());
    }
    if x.base as u64 != base {
        let found = x.base;
        bad(
            out,
            &at,
            format!("base is {found}, the ones before it have {base} synapses"),
        );
    }
    let port = p
        .model_of(pr.target)
        .and_then(|t| t.ports.get(pr.port as usize));
    let delivered = (m.deliver.emit).and_then(|v| m.deliver.insts.get(v as usize));
    if delivered.map(|i| i.ty) != port.map(|x| x.ty) {
        bad(
            out,
            &at,
            "what the synapse delivers is not of the port's type".into(),
        );
    }
    if x.post_delay > MAX_DELAY {
        let steps = x.post_delay;
        bad(
            out,
            &at,
            format!("events of targets take {steps} steps to reach it"),
        );
    }
    values(x, m, pr, &at, out);
    for v in &m.views {
        let seen = match v.seen {
            Seen::Source(s) => Some((pr.source, s)),
            Seen::Target(s) => Some((pr.target, s)),
            Seen::Total(_) => None,
        };
        let Some((group, s)) = seen else { continue };
        let state = p.model_of(group).and_then(|m| m.states.get(s as usize));
        if state.map(|s| s.width.ty()) != Some(v.ty) {
            bad(out, &at, format!("view `{}` shows no such state", v.name));
        }
    }
    for y in &x.modulators {
        modulation(p, y, m, pr.target_range.len, &at, out);
    }
}

fn values(
    x: &Plastic,
    m: &Synapse,
    pr: &crate::program::Projection,
    at: &str,
    out: &mut Diagnostics,
) {
    if x.params.len() != m.params.len() {
        let (found, want) = (x.params.len(), m.params.len());
        bad(out, at, format!("{found} parameters, the model has {want}"));
    }
    let truth = |w: &u32, ty| ty != Ty::Bool || *w < 2;
    if !(x.params.iter().zip(&m.params)).all(|(w, p)| truth(w, p.ty)) {
        bad(out, at, "a parameter is no truth value".into());
    }
    if x.init.len() + 1 != m.states.len() {
        let (found, want) = (x.init.len(), m.states.len());
        bad(
            out,
            at,
            format!("{found} columns for {want} states and the weight among them"),
        );
    }
    for (c, s) in x.init.iter().zip(m.states.iter().skip(1)) {
        let n = pr.elements(s.place);
        let fits = match c {
            Column::Uniform(w) => truth(w, s.width.ty()),
            Column::PerUnit(v) => v.len() as u64 == n && v.iter().all(|w| truth(w, s.width.ty())),
        };
        if !fits {
            let name = &s.name;
            bad(
                out,
                at,
                format!("the column of `{name}` does not fit its {n} elements"),
            );
        }
    }
}

fn modulation(
    p: &Program,
    y: &Modulation,
    m: &Synapse,
    targets: u32,
    at: &str,
    out: &mut Diagnostics,
) {
    let (Some(port), Some(g)) = (
        m.modulators.get(y.port as usize),
        p.groups.get(y.source as usize),
    ) else {
        return bad(out, at, "a modulator or its source is not there".into());
    };
    let at = format!("{at}, modulator `{}`", port.name);
    if !inside(y.range, g.size) || (y.each && y.range.len != targets) {
        bad(out, &at, "its range does not fit".into());
    }
    if y.delay > MAX_DELAY {
        bad(out, &at, format!("a delay of {} steps", y.delay));
    }
    match y.carry {
        Carry::Events if g.graded && port.ty != Ty::F32 => {
            bad(out, &at, "float payloads for an integer modulator".into());
        }
        Carry::Events => {}
        Carry::Output(o) => {
            let from = p.model_of(y.source).and_then(|m| {
                let state = m.outputs.get(o as usize)?.state;
                Some(m.states.get(state as usize)?.width.ty())
            });
            if from != Some(port.ty) {
                bad(out, &at, "the source has no such output of its type".into());
            }
        }
    }
}
