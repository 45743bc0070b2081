//! What an engine holds between two steps, in no engine's own form.
//!
//! In: [`Engine::save`](super::Engine::save). Out: [`Engine::restore`](super::Engine::restore) on an engine of the same
//! program and batch, of either kind and with any number of threads, which then goes on as the first one would have.
//! Accumulators are empty between steps, so that states, what is still under way, and counters are all there is.
//! Deliberately absent: files (the session's).

use super::Counters;
use std::collections::BTreeMap;
use synfire_ir::Diagnostic;
use synfire_ir::program::{Carry, Discipline, GroupKind, Plastic, Program};
use synfire_ir::synapse::Place;

/// An emission whose delays have not all passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Emission {
    /// Step in which it left.
    pub step: u32,
    /// Group.
    pub group: u32,
    /// Unit of the group.
    pub unit: u32,
    /// Payload (bits).
    pub payload: u32,
}

/// Values of an analog output after a step that is still read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The step.
    pub step: u32,
    /// Group.
    pub group: u32,
    /// The state behind the output.
    pub state: u16,
    /// A word for each unit.
    pub values: Vec<u32>,
}

/// What a plastic projection has learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// `[state][element]` as last stored; elements of the state's place.
    pub states: Vec<Vec<u32>>,
    /// `[place][element]`: step of the last store to a decaying state; rows, targets, synapses.
    pub stamps: [Vec<u32>; 3],
}

/// One sample of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleState {
    /// `[group][state][unit]`.
    pub states: Vec<Vec<Vec<u32>>>,
    /// By step, group, unit; several of one external unit in their order.
    pub events: Vec<Emission>,
    /// By step, group, state.
    pub analog: Vec<Shown>,
    /// Rows that hosts of serial programs will send: (step, row), sorted.
    pub due: Vec<(u32, u32)>,
    /// One for each plastic projection, in the order of `Program::plastic`.
    pub learnt: Vec<Learnt>,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Number of the next step.
    pub now: u32,
    /// Counters so far.
    pub counters: Counters,
    /// Most that the units of each group have sent in one step: sums of floats on GPUs are scaled by it.
    pub loads: Vec<f64>,
    /// One for each sample.
    pub samples: Vec<SampleState>,
}

/// How long what groups send is under way, in steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// For each group the longest delay of its events.
    pub events: Vec<u16>,
    /// The longest delay of each analog output that is read: (group, state).
    pub analog: BTreeMap<(u32, u16), u16>,
}

impl Reach {
    /// The reach of a checked program; a serial one has none (its host's is in [`SampleState::due`]).
    pub fn of(p: &Program) -> Reach {
        let mut out = Reach {
            events: vec![0; p.groups.len()],
            analog: BTreeMap::new(),
        };
        if !matches!(p.discipline, Discipline::Stepped) {
            return out;
        }
        let projections =
            (p.projections.iter()).filter_map(|pr| Some((pr.source, pr.carry, pr.delays()?.1)));
        let back = p.plastic.iter().filter_map(|x| {
            let pr = p.projections.get(x.projection as usize)?;
            Some((pr.target, Carry::Events, x.post_delay))
        });
        let modulations = p.plastic.iter().flat_map(|x| &x.modulators);
        let modulations = modulations.map(|m| (m.source, m.carry, m.delay));
        for (source, carry, longest) in projections.chain(modulations).chain(back) {
            let slot = match carry {
                Carry::Events => out.events.get_mut(source as usize),
                Carry::Output(o) => {
                    let output = p.model_of(source).and_then(|m| m.outputs.get(o as usize));
                    output.map(|o| out.analog.entry((source, o.state)).or_default())
                }
            };
            if let Some(slot) = slot {
                *slot = longest.max(*slot);
            }
        }
        out
    }

    /// Is an emission of `group` in `step` still under way before step `now`?
    pub fn keeps(&self, group: u32, step: u32, now: u32) -> bool {
        let reach = self.events.get(group as usize).copied().unwrap_or(0);
        step < now && now - step <= u32::from(reach)
    }
}

impl Snapshot {
    /// Does it fit a program and a batch? What it holds may come from outside, so that everything is looked at once.
    ///
    /// Errors: `SYN0840`.
    pub fn check(&self, p: &Program, samples: u32) -> Result<(), Diagnostic> {
        let wrong = |what: String| Err(foreign(what));
        if self.samples.len() != samples as usize {
            let n = self.samples.len();
            return wrong(format!("it holds {n} samples, the run has {samples}"));
        }
        let groups = p.groups.len();
        if self.counters.spikes.len() != groups || self.loads.len() != groups {
            let n = self.counters.spikes.len();
            return wrong(format!("it counts {n} groups, the program has {groups}"));
        }
        if self.loads.iter().any(|x| !x.is_finite() || *x < 0.0) {
            return wrong("a load is not a number".into());
        }
        let reach = Reach::of(p);
        for s in &self.samples {
            s.check(p, &reach, self.now).or_else(&wrong)?;
        }
        Ok(())
    }
}

impl SampleState {
    fn check(&self, p: &Program, reach: &Reach, now: u32) -> Result<(), String> {
        if self.states.len() != p.groups.len() {
            return Err(format!("states of {} groups", self.states.len()));
        }
        for (g, (group, states)) in p.groups.iter().zip(&self.states).enumerate() {
            let wanted = p.model_of(g as u32).map_or(0, |m| m.states.len());
            let units = group.size as usize;
            if states.len() != wanted || states.iter().any(|s| s.len() != units) {
                return Err(format!("the states of `{}` have another shape", group.name));
            }
        }
        let known = |e: &Emission| {
            let size = p.groups.get(e.group as usize).map_or(0, |g| g.size);
            e.unit < size && reach.keeps(e.group, e.step, now)
        };
        let once = |a: &Emission, b: &Emission| {
            let external = matches!(p.groups[a.group as usize].kind, GroupKind::External);
            let (a, b) = ((a.step, a.group, a.unit), (b.step, b.group, b.unit));
            a < b || (external && a == b)
        };
        if !self.events.iter().all(known) || !self.events.is_sorted_by(once) {
            return Err("events that are not under way".into());
        }
        self.check_analog(p, reach, now)?;
        self.check_learnt(p, now)?;
        self.check_due(p, now)
    }

    fn check_learnt(&self, p: &Program, now: u32) -> Result<(), String> {
        let places = [Place::Source, Place::Target, Place::Synapse];
        let good = |(x, l): (&Plastic, &Learnt)| {
            let (Some(pr), Some(m)) = (
                p.projections.get(x.projection as usize),
                p.synapse_models.get(x.synapse as usize),
            ) else {
                return false;
            };
            let long = |words: &[u32], place| words.len() as u64 == pr.elements(place);
            let mut states = m.states.iter().zip(&l.states);
            l.states.len() == m.states.len()
                && states.all(|(c, words)| long(words, c.place))
                && places.iter().zip(&l.stamps).all(|(p, s)| long(s, *p))
                && l.stamps.iter().flatten().all(|s| *s <= now)
        };
        match self.learnt.len() == p.plastic.len() && p.plastic.iter().zip(&self.learnt).all(good) {
            true => Ok(()),
            false => Err("what synapses have learned has another shape".into()),
        }
    }

    /// Every value that is still to be read must be there.
    fn check_analog(&self, p: &Program, reach: &Reach, now: u32) -> Result<(), String> {
        let key = |s: &Shown| (s.step, s.group, s.state);
        if !self.analog.is_sorted_by(|a, b| key(a) < key(b)) {
            return Err("analog values out of order".into());
        }
        let mut wanted = 0u64;
        for (&(group, _), &longest) in &reach.analog {
            if p.groups[group as usize].size > 0 {
                wanted += u64::from(now.min(longest.into()));
            }
        }
        let good = |s: &Shown| {
            let longest = reach.analog.get(&(s.group, s.state));
            let size = p.groups.get(s.group as usize).map_or(0, |g| g.size);
            let under_way = longest.is_some_and(|&l| s.step < now && now - s.step <= u32::from(l));
            under_way && size > 0 && s.values.len() == size as usize
        };
        if self.analog.len() as u64 != wanted || !self.analog.iter().all(good) {
            return Err("analog values that are not read".into());
        }
        Ok(())
    }

    fn check_due(&self, p: &Program, now: u32) -> Result<(), String> {
        let (rows, longest) = match &p.discipline {
            Discipline::Stepped => (0, 0),
            Discipline::Serial(s) => {
                let matrix = p.projections.get(s.matrix as usize);
                let longest = s.loopback.iter().map(|l| l.delay).max();
                (
                    matrix.map_or(0, |m| m.source_range.len),
                    longest.unwrap_or(0),
                )
            }
        };
        let good = |&(step, row): &(u32, u32)| {
            row < rows && step >= now && step - now < u32::from(longest).max(1)
        };
        match self.due.is_sorted() && self.due.iter().all(good) {
            true => Ok(()),
            false => Err("rows that no host sends".into()),
        }
    }
}

fn foreign(what: String) -> Diagnostic {
    Diagnostic::error(
        "SYN0840",
        format!("the saved state does not belong to this program: {what}"),
    )
    .note("a state fits only the program and the batch that it was saved from")
    .hint("resume with the network, the options and the inputs of the run that wrote it")
}
