//! Rules of the form [`LearningForm::GatedStep`], found by what the blocks of a synapse model compute.
//!
//! In: a synapse model with the values of its parameters. Out: threshold and windows as the chip's registers hold them, or every reason why there are none. Nothing is read off the text: each block is
//! run over all values that the chip's registers can have, and has to do what the chip does, so that no way of writing a rule is preferred; what differs is named by an example.

use super::reads::{Reader, reads};
use crate::plastic::Settled;
use std::ops::RangeInclusive;
use synfire_ir::mapping::Gated;
use synfire_ir::model::{Block, Ty};
use synfire_ir::synapse::{Place, Seen};
use synfire_targets::schema::LearningForm;

/// Most flags that a rule may keep.
const FLAGS: usize = 4;

/// Ranges of the chip.
struct Ranges<'a> {
    weight: [i64; 2],
    state: &'a str,
    membrane: [i64; 2],
    count: [i64; 2],
    interval: [u32; 2],
    bistable: Option<i64>,
}

/// What each state of the model is for.
struct Roles {
    /// The count of spikes.
    count: u16,
    /// Flags of the target.
    flags: Vec<u16>,
    /// The view that shows the membrane; counted after the states.
    membrane: Option<u16>,
}

/// The rule; `start` is where the membranes of the targets stand at the start. `membrane_state` says which state of the target's model a view shows.
pub(super) fn gated(
    s: &Settled,
    form: &LearningForm,
    membrane_state: &dyn Fn(u16) -> Option<String>,
    start: &[i64],
) -> Result<Gated, Vec<String>> {
    let LearningForm::GatedStep {
        weight,
        state,
        membrane,
        count,
        interval,
        bistable,
    } = form
    else {
        return Err(vec![]);
    };
    let ranges = Ranges {
        weight: weight.value,
        state,
        membrane: membrane.value,
        count: count.value,
        interval: interval.value,
        bistable: bistable.as_ref().map(|b| b.value),
    };
    let mut why = vec![];
    let roles = roles(s, &ranges, membrane_state, &mut why);
    let Some(roles) = roles.filter(|_| why.is_empty()) else {
        return Err(why);
    };
    let rule = Rule {
        s,
        ranges: &ranges,
        roles: &roles,
    };
    rule.found(start)
}

fn roles(
    s: &Settled,
    r: &Ranges,
    membrane_state: &dyn Fn(u16) -> Option<String>,
    why: &mut Vec<String>,
) -> Option<Roles> {
    let m = &s.model;
    for x in &m.modulators {
        why.push(format!(
            "it takes `{}`, and the chip has no third factor",
            x.name
        ));
    }
    let mut membrane = None;
    for (k, v) in m.views.iter().enumerate() {
        let shown = match v.seen {
            Seen::Target(state) => membrane_state(state),
            _ => None,
        };
        if shown.as_deref() == Some(r.state) {
            membrane = Some((m.states.len() + k) as u16);
        } else {
            why.push(format!(
                "it reads `{}`: the chip looks at the membrane `post.{}` of its own neurons alone",
                v.name, r.state
            ));
        }
    }
    let (mut count, mut flags) = (vec![], vec![]);
    for (k, c) in m.states.iter().enumerate().skip(1) {
        match (c.place, c.width.ty()) {
            (Place::Target, Ty::Bool) => flags.push(k as u16),
            (Place::Target, Ty::F32) => why.push(format!(
                "`{}` is a real number, and the chip counts in whole ones",
                c.name
            )),
            (Place::Target, _) => count.push(k as u16),
            (Place::Source, _) => why.push(format!(
                "`{}` is a trace of the source, and the chip keeps none",
                c.name
            )),
            (Place::Synapse, _) => why.push(format!(
                "`{}` is a state of each synapse beside the weight, and the chip keeps none",
                c.name
            )),
        }
        if c.decay.is_some() {
            why.push(format!(
                "`{}` decays exponentially, and the chip's count falls by one at intervals",
                c.name
            ));
        }
    }
    let weight = m.states.first().map(|w| w.width.ty());
    if weight == Some(Ty::F32) {
        why.push("its weights are real numbers, and the chip's change by whole ones: declare `state w: i8` over a population of the chip's own model".into());
    }
    match count.len() {
        0 => why
            .push("it keeps no count of the target's spikes, by which the chip's rule goes".into()),
        1 => {}
        n => why.push(format!(
            "it keeps {n} counts of the target's spikes; the chip has one"
        )),
    }
    let chips =
        "the chip has one for going up and one for going down, and a weight follows these alone";
    match flags.len() {
        0 => why.push(format!("it keeps no flags of the target; {chips}")),
        1..=FLAGS => {}
        n => why.push(format!("it keeps {n} flags of the target; {chips}")),
    }
    Some(Roles {
        count: count.first().copied()?,
        flags,
        membrane,
    })
}

struct Rule<'a> {
    s: &'a Settled,
    ranges: &'a Ranges<'a>,
    roles: &'a Roles,
}

/// All values of a range.
fn all([low, high]: [i64; 2]) -> RangeInclusive<i64> {
    low..=high
}

impl Rule<'_> {
    fn name(&self, state: u16) -> &str {
        let m = &self.s.model;
        let own = m.states.get(usize::from(state)).map(|c| c.name.as_str());
        own.or_else(|| m.view(state).map(|v| v.name.as_str()))
            .unwrap_or("?")
    }

    /// States other than `allowed` that a block reads.
    fn beyond(&self, block: &Block, allowed: &[u16]) -> Vec<String> {
        let read = reads(block).into_iter().filter(|k| !allowed.contains(k));
        read.map(|k| format!("`{}`", self.name(k))).collect()
    }

    /// A block run with these values of states and views.
    fn run(&self, block: &Block, values: &[(u16, i64)]) -> Reader<'_> {
        let mut reader = Reader::new(self.s);
        values.iter().for_each(|&(k, v)| reader.set(k, v));
        reader.run(block);
        reader
    }

    fn found(&self, start: &[i64]) -> Result<Gated, Vec<String>> {
        let mut why = self.shape();
        let moves = self.moves(&mut why);
        self.counts(&mut why);
        let drift = self.drift(&mut why);
        let (interval, flagging) = self.intervals(&mut why);
        let (Some(moves), Some(flagging)) = (moves, flagging) else {
            return Err(why);
        };
        if !why.is_empty() {
            return Err(why);
        }
        let mut rule = self.windows(&moves, flagging)?;
        (rule.interval, rule.drift) = (interval, drift);
        rule.count = self.s.word(self.roles.count);
        if !all(self.ranges.count).contains(&rule.count) {
            why.push(format!(
                "`{}` starts at {}",
                self.name(self.roles.count),
                rule.count
            ));
        }
        let flags = self.roles.flags.iter().enumerate();
        let first = flags.fold(0, |x, (i, &k)| x | usize::from(self.s.word(k) != 0) << i);
        for &v in start {
            let chip = rule_move(&rule, v, rule.count);
            if moves.get(first) != Some(&chip) {
                why.push(format!(
                    "at the start, with `{}` at {v} and the count at {}, it {}, and the chip {}",
                    self.ranges.state,
                    rule.count,
                    does(moves.get(first).copied().unwrap_or(0)),
                    does(chip)
                ));
                break;
            }
        }
        if why.is_empty() { Ok(rule) } else { Err(why) }
    }

    /// What the chip has no blocks for.
    fn shape(&self) -> Vec<String> {
        let m = &self.s.model;
        let mut why = vec![];
        let beside = self.beyond(&m.deliver, &[0]);
        if !beside.is_empty() {
            why.push(format!(
                "it delivers something that depends on {}: `emit w` comes first, before the weight changes",
                beside.join(", ")
            ));
        }
        for w in all(self.ranges.weight) {
            let out = self.run(&m.deliver, &[(0, w)]).emitted(&m.deliver);
            if out != Some(w) {
                why.push("it delivers something other than its weight".into());
                break;
            }
        }
        if !m.post.synapse.stores.is_empty() {
            why.push("a spike of the target changes its weights, and the chip's change at arrivals alone".into());
        }
        why
    }

    /// Steps after which every weight moves towards the nearer end; 0 for a rule whose weights change at arrivals alone.
    fn drift(&self, why: &mut Vec<String>) -> u32 {
        let mut steps = 0;
        let [low, high] = self.ranges.weight;
        let all_blocks = self.s.model.every.iter();
        for e in all_blocks.filter(|e| !e.action.synapse.stores.is_empty()) {
            let block = &e.action.synapse;
            let Some(from) = self.ranges.bistable else {
                why.push("its weights change at intervals, and the chip's at arrivals".into());
                continue;
            };
            let others = self.beyond(block, &[0]);
            let moved = |w: i64| {
                if w >= from {
                    (w + 1).min(high)
                } else {
                    (w - 1).max(low)
                }
            };
            let odd = all(self.ranges.weight)
                .map(|w| (w, self.run(block, &[(0, w)]).now(0)))
                .find(|(w, next)| *next != moved(*w));
            if !others.is_empty() {
                why.push(format!(
                    "at intervals its weights change by {}; the chip's by the weight alone",
                    others.join(", ")
                ));
            } else if let Some((w, next)) = odd {
                why.push(format!(
                    "at intervals a weight of {w} goes to {next}; the chip's to {}: from {from} on one up, below one down",
                    moved(w)
                ));
            } else if steps != 0 {
                why.push("its weights drift at two intervals; the host sends one event".into());
            }
            steps = e.period;
        }
        steps
    }

    /// For each setting of the flags: by how much an arrival moves a weight.
    fn moves(&self, why: &mut Vec<String>) -> Option<Vec<i64>> {
        let block = &self.s.model.pre.synapse;
        let allowed = [&[0], &self.roles.flags[..]].concat();
        let others = self.beyond(block, &allowed);
        if !others.is_empty() {
            why.push(format!(
                "at an arrival it looks at {}; the chip at flags that were set before it",
                others.join(", ")
            ));
            return None;
        }
        let [low, high] = self.ranges.weight;
        let after = |setting: usize, w: i64| {
            let flags = self.roles.flags.iter().enumerate();
            let mut values: Vec<(u16, i64)> = flags
                .map(|(i, &k)| (k, (setting >> i & 1) as i64))
                .collect();
            values.push((0, w));
            self.run(block, &values).now(0)
        };
        let mut moves = vec![];
        for setting in 0..1usize << self.roles.flags.len() {
            let of = |d: i64| {
                all(self.ranges.weight).all(|w| after(setting, w) == (w + d).clamp(low, high))
            };
            let Some(d) = [0, 1, -1].into_iter().find(|&d| of(d)) else {
                let odd = all(self.ranges.weight)
                    .map(|w| (w, after(setting, w)))
                    .find(|(w, n)| (n - w).abs() > 1 || !all(self.ranges.weight).contains(n));
                why.push(match odd {
                    Some((w, n)) => format!("an arrival takes a weight of {w} to {n}; the chip moves it by one between {low} and {high}"),
                    None => format!("an arrival moves some weights and leaves others; the chip moves all by one between {low} and {high}"),
                });
                return None;
            };
            moves.push(d);
        }
        Some(moves)
    }

    /// A spike of the target adds one to the count, up to its end.
    fn counts(&self, why: &mut Vec<String>) {
        let (block, c) = (&self.s.model.post.target, self.roles.count);
        let [_, high] = self.ranges.count;
        let others = self.beyond(block, &[c]);
        let odd = all(self.ranges.count)
            .map(|n| (n, self.run(block, &[(c, n)]).now(c)))
            .find(|(n, next)| *next != (n + 1).min(high));
        if !others.is_empty() || block.stores.iter().any(|x| x.0 != c) {
            why.push(format!(
                "a spike of the target does more than count up `{}`",
                self.name(c)
            ));
        } else if let Some((n, next)) = odd {
            why.push(format!(
                "a spike of the target takes `{}` from {n} to {next}; the chip counts up to {high}",
                self.name(c)
            ));
        }
    }

    /// Steps after which the count falls, and the block that sets the flags in every step.
    fn intervals(&self, why: &mut Vec<String>) -> (u32, Option<&Block>) {
        let c = self.roles.count;
        let [low, _] = self.ranges.count;
        let (mut interval, mut flagging): (u32, Option<&Block>) = (0, None);
        for e in &self.s.model.every {
            let block = &e.action.target;
            let falls = |by: i64| {
                all(self.ranges.count)
                    .all(|n| self.run(block, &[(c, n)]).now(c) == (n - by).max(low))
            };
            let sets = block.stores.iter().any(|x| self.roles.flags.contains(&x.0));
            if block.stores.iter().any(|x| x.0 == c) && !falls(0) {
                let [least, most] = self.ranges.interval;
                if sets || flagging.is_some() {
                    why.push(
                        "it looks at the count before the count falls; the chip afterwards".into(),
                    );
                } else if interval != 0 || !self.beyond(block, &[c]).is_empty() || !falls(1) {
                    why.push(format!(
                        "at intervals `{}` does something else than fall by one",
                        self.name(c)
                    ));
                } else if !(least..=most).contains(&e.period) {
                    why.push(format!(
                        "`{}` falls in every {} steps; the chip's count in every {least} to {most}",
                        self.name(c),
                        e.period
                    ));
                }
                interval = e.period;
            }
            if sets {
                if e.period != 1 || flagging.is_some() {
                    why.push("its flags are not set once in every step".into());
                }
                flagging = Some(block);
            }
        }
        if flagging.is_none() {
            why.push("its flags are not set in every step".into());
        }
        (interval, flagging)
    }

    /// Threshold and windows with which the chip moves weights just so.
    fn windows(&self, moves: &[i64], flagging: &Block) -> Result<Gated, Vec<String>> {
        let allowed = [&[self.roles.count], self.roles.membrane.as_slice()].concat();
        let others = self.beyond(flagging, &allowed);
        if !others.is_empty() {
            return Err(vec![format!(
                "its flags depend on {}; the chip's on membrane and count",
                others.join(", ")
            )]);
        }
        let moved = |v: i64, n: i64| {
            let mut values = vec![(self.roles.count, n)];
            values.extend(self.roles.membrane.map(|k| (k, v)));
            let after = self.run(flagging, &values);
            let flags = self.roles.flags.iter().enumerate();
            let setting = flags.fold(0, |x, (i, &k)| x | usize::from(after.now(k) != 0) << i);
            moves.get(setting).copied().unwrap_or(0)
        };
        let (membrane, count) = (self.ranges.membrane, self.ranges.count);
        let table: Vec<(i64, i64, i64)> = all(membrane)
            .flat_map(|v| all(count).map(move |n| (v, n)))
            .map(|(v, n)| (v, n, moved(v, n)))
            .collect();
        let of = |d: i64| table.iter().filter(move |x| x.2 == d);
        let threshold = of(1)
            .map(|x| x.0)
            .min()
            .or_else(|| of(-1).map(|x| x.0 + 1).max());
        let from = table
            .iter()
            .filter(|x| x.2 != 0)
            .map(|x| x.1)
            .min()
            .unwrap_or(0);
        let beyond = |d: i64| of(d).map(|x| x.1 + 1).max().unwrap_or(from);
        let rule = Gated {
            membrane: threshold.unwrap_or(membrane[0]),
            from,
            down: beyond(-1),
            up: beyond(1),
            ..Gated::default()
        };
        let mut why = vec![];
        for (what, value, [low, high]) in [
            ("the threshold of the membrane", rule.membrane, membrane),
            ("the end of the window for going down", rule.down, count),
            ("the end of the window for going up", rule.up, count),
        ] {
            if !(low..=high).contains(&value) {
                why.push(format!("{what} is {value}; the chip holds {low} to {high}"));
            }
        }
        if let Some(&(v, n, d)) = table.iter().find(|x| rule_move(&rule, x.0, x.1) != x.2) {
            why.push(format!(
                "with `{}` at {v} and the count at {n} an arrival {}; a chip with threshold {} and windows {}..{} (down) and {}..{} (up) {}",
                self.ranges.state, does(d), rule.membrane, rule.from, rule.down, rule.from, rule.up, does(rule_move(&rule, v, n))
            ));
        }
        if why.is_empty() { Ok(rule) } else { Err(why) }
    }
}

/// What the chip does with a weight.
fn rule_move(g: &Gated, membrane: i64, count: i64) -> i64 {
    let within = |end: i64| (g.from..end).contains(&count);
    match membrane >= g.membrane {
        true => i64::from(within(g.up)),
        false => -i64::from(within(g.down)),
    }
}

fn does(step: i64) -> &'static str {
    match step {
        1 => "raises a weight",
        -1 => "lowers a weight",
        _ => "leaves a weight",
    }
}
