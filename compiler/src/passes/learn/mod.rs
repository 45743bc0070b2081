//! `learn`: which rule of the chip the synapses of a projection follow.
//!
//! In: a network and what `chip.toml` says of the chip's own learning. Out: a [`Wanted`] for each projection that learns, which the quantiser gives a scale and [`finish`] its places in the
//! mapping. A rule is recognised by what its blocks compute, whatever it is called; one that no form of the chip matches is refused with everything that stands in its way. Deliberately absent:
//! registers, which are the chip's own code's.

mod ends;
mod errors;
mod gated;
mod places;
mod products;
mod reads;
mod rounding;
mod tags;

pub use places::finish;

use crate::dynamics::evaluate;
use crate::passes::ChipNetwork;
use crate::plastic::{Settled, about, settle};
use errors::Driven;
use products::Normal;
use rounding::Rounded;
use serde_json::{Value, json};
use synfire_ir::mapping::{Gated, Learning, Mapping, Rule};
use synfire_ir::network::{Network, NeuronModel, PopId, PopKind, ProjId, Projection, Verified};
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::Target;
use synfire_targets::schema::{self, LearningForm};

/// A projection that is to learn on the chip.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The projection.
    pub edge: ProjId,
    /// Its name.
    pub name: String,
    /// Its target.
    pub target: PopId,
    /// Weight that synapses start with whose network gives none.
    pub start: Option<f64>,
    /// The chip's name of its rule.
    pub rule: String,
    form: Form,
    spec: LearningForm,
    /// Weights that the chip can hold in it, in units of 2 to the exponent.
    pub range: [i64; 2],
}

#[derive(Clone, Debug)]
enum Form {
    Gated(Gated),
    Products(Normal),
    Errors(Driven),
}

/// What the quantiser made of the weights of a projection that learns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scaled {
    /// Chip integers for 1 of the network's units; 0 while no synapse is known.
    pub scale: f64,
    /// Weights are multiples of 2 to this.
    pub exponent: u32,
}

impl Wanted {
    /// The rule in the chip's numbers.
    pub fn text(&self) -> String {
        match &self.form {
            Form::Gated(g) => format!("{g:?}"),
            Form::Products(p) => p.summary(),
            Form::Errors(d) => d.summary(),
        }
    }

    /// The exponent of its weights, the least with which the largest one fits; `scale`: chip integers for 1 of the network's units.
    pub fn exponent(&self, scale: f64) -> u32 {
        let (LearningForm::Products {
            weight,
            scale: range,
            ..
        }
        | LearningForm::Errors {
            weight,
            scale: range,
            ..
        }) = &self.spec
        else {
            return 0;
        };
        let [least, most] = range.value;
        let top = |e: &u32| self.most() * scale <= weight.value as f64 * f64::from(*e).exp2() + 0.5;
        (least..=most).find(top).unwrap_or(most)
    }

    /// The largest weight that it may reach in the network's units, where the rule says so.
    pub fn most(&self) -> f64 {
        match &self.form {
            Form::Gated(_) => 0.0,
            Form::Products(p) => p.high.unwrap_or(0.0),
            Form::Errors(d) => d.high,
        }
    }

    /// The chip's integer for the largest weight that it may reach, at the least exponent.
    pub fn full(&self) -> f64 {
        let least = match &self.spec {
            LearningForm::GatedStep { .. } => 0,
            LearningForm::Products { scale, .. } | LearningForm::Errors { scale, .. } => {
                scale.value[0]
            }
        };
        self.range[1] as f64 * f64::from(least).exp2()
    }

    /// Its registers, with what was rounded. `unit`: one of the weight's integers in the network's units; `late`: steps by which its neurons run late.
    ///
    /// Errors: what the registers cannot hold.
    fn registers(&self, unit: f64, late: u32) -> Result<(Rule, Vec<Rounded>), Vec<String>> {
        let (rule, rounded, interval) = match &self.form {
            Form::Gated(g) => return Ok((Rule::Gated(*g), vec![])),
            Form::Products(n) => {
                let (p, told) = n.rounded(&self.spec, unit)?;
                let interval = 1 << p.decimate.min(31);
                (Rule::Products(p), told, interval)
            }
            Form::Errors(d) => {
                let (e, told) = d.registers(&self.spec, unit)?;
                (Rule::Errors(e), told, d.period())
            }
        };
        match late % interval.max(1) {
            0 => Ok((rule, rounded)),
            _ => Err(vec![format!(
                "its neurons run {late} steps late, and its interval of {interval} steps begins with the chip's first step"
            )]),
        }
    }

    /// Must one of the network's units be one of the chip's?
    pub fn whole(&self) -> bool {
        match &self.form {
            Form::Gated(_) => true,
            Form::Products(p) => p.whole,
            Form::Errors(_) => false,
        }
    }
}

/// What learns in a network, and warnings of what the chip does otherwise.
///
/// Errors: `SYN0644` for each projection whose rule the chip cannot follow, with every reason.
pub fn wanted(
    net: &Verified<Network>,
    target: &Target,
    seed: u64,
) -> Result<(Vec<Wanted>, Diagnostics), Diagnostics> {
    let (mut out, mut warnings) = (Diagnostics::new(), Diagnostics::new());
    let mut found: Vec<Wanted> = vec![];
    for (edge, _, b, wires) in net.projections() {
        let Some(x) = &wires.plasticity else { continue };
        let Some(s) = settle(net, wires, x, &mut out) else {
            continue;
        };
        let case = Case {
            net,
            target,
            wires,
            post: b,
            s: &s,
            seed,
        };
        match case.rule() {
            Ok((spec, form, range)) => {
                let start = (!x.weights).then(|| s.word(0) as f64);
                found.push(Wanted {
                    edge,
                    name: wires.name.clone(),
                    target: b,
                    start,
                    rule: spec.name.clone(),
                    spec: spec.form.clone(),
                    form,
                    range,
                });
                if !spec.differs.is_empty() {
                    warnings.push(differs(wires, target, spec));
                }
            }
            Err(why) => out.push(case.refusal(why)),
        }
    }
    shared(net, &found, target, &mut out);
    out.result((found, warnings))
}

fn differs(wires: &Projection, target: &Target, spec: &schema::Learning) -> Diagnostic {
    let text = format!(
        "the synapses of `{}` learn by {} of {}, which is not quite their rule",
        wires.name,
        spec.name,
        target.name()
    );
    let d = Diagnostic::warning("SYN0647", text).at(wires.name.clone());
    let d = spec.differs.iter().fold(d, |d, s| d.note(s));
    d.hint("`synfire compare` shows what it does to the spikes")
}

/// A chip that knows one rule a neuron is given one.
fn shared(net: &Network, found: &[Wanted], target: &Target, out: &mut Diagnostics) {
    for (k, b) in found.iter().enumerate() {
        let clash = found[..k].iter().find(|a| {
            let (Form::Gated(x), Form::Gated(y)) = (&a.form, &b.form) else {
                return false;
            };
            let (p, q) = (
                &net.graph[a.edge].target_range,
                &net.graph[b.edge].target_range,
            );
            let overlap =
                p.start < q.start.saturating_add(q.len) && q.start < p.start.saturating_add(p.len);
            a.target == b.target && overlap && x != y
        });
        if let Some(a) = clash {
            let wires = &net.graph[b.edge];
            let text = format!(
                "`{}` and `{}` learn onto the same neurons by different rules",
                a.name, b.name
            );
            out.push(
                about(wires, "SYN0644", text)
                    .class(Class::Fit)
                    .note(format!(
                        "a neuron of {} has one set of registers for {}",
                        target.name(),
                        b.rule
                    ))
                    .hint(
                        "give both connects the same parameters, or each a population of its own",
                    ),
            );
        }
    }
}

/// A projection that learns.
struct Case<'a> {
    net: &'a Verified<Network>,
    target: &'a Target<'a>,
    wires: &'a Projection,
    post: PopId,
    s: &'a Settled,
    seed: u64,
}

impl<'a> Case<'a> {
    /// The first rule of the chip that does what the model does.
    fn rule(&self) -> Result<(&'a schema::Learning, Form, [i64; 2]), Vec<String>> {
        let spec = &self.target.chip.spec;
        let mut why = vec![];
        let coded = self.target.chip.shipped;
        if !coded && !spec.learning.is_empty() {
            why.push("a chip that is described in texts alone has no code that writes rules into its registers".into());
        }
        for rule in spec.learning_of(self.target.dialect).filter(|_| coded) {
            match self.form(&rule.form) {
                Ok((form, range)) => return Ok((rule, form, range)),
                Err(reasons) => {
                    why.extend(reasons.into_iter().map(|r| format!("{}: {r}", rule.name)))
                }
            }
        }
        for rule in &spec.learning {
            if let Some(d) = rule
                .dialects
                .first()
                .filter(|_| !rule.dialects.contains(&self.target.dialect.name))
            {
                why.push(format!("the dialect `{d}` has {} besides", rule.name));
            }
        }
        if why.is_empty() {
            why.push("its synapses do not change by themselves".into());
        }
        Err(why)
    }

    fn form(&self, form: &LearningForm) -> Result<(Form, [i64; 2]), Vec<String>> {
        match form {
            LearningForm::GatedStep { weight, .. } => {
                let own = self.own();
                let state = |k: u16| Some(own?.model.states.get(usize::from(k))?.name.clone());
                let rule = gated::gated(self.s, form, &state, &self.starts(own, form))?;
                Ok((Form::Gated(rule), weight.value))
            }
            LearningForm::Products { weight, .. } => {
                let rule = products::products(self.s, form)?;
                Ok((Form::Products(rule), [0, weight.value]))
            }
            LearningForm::Errors { weight, .. } => {
                let rule = errors::driven(self.net, self.wires, self.s, form)?;
                Ok((Form::Errors(rule), [-weight.value, weight.value]))
            }
        }
    }

    /// The target's model, if it is the chip's own.
    fn own(&self) -> Option<&'a NeuronModel> {
        let PopKind::Neurons { model, .. } = &self.net.graph[self.post].kind else {
            return None;
        };
        let m = self.net.models.get(*model as usize)?;
        self.target.chip.spec.is_own(&m.model.name).then_some(m)
    }

    /// Where the membranes of the targets start, each value once.
    fn starts(&self, own: Option<&NeuronModel>, form: &LearningForm) -> Vec<i64> {
        let (Some(m), LearningForm::GatedStep { state, .. }) = (own, form) else {
            return vec![];
        };
        let Some(k) = m.model.state(state) else {
            return vec![];
        };
        let values = evaluate(self.net, self.post, m, self.seed);
        let r = &self.wires.target_range;
        let mut all: Vec<i64> = (r.start..r.start.saturating_add(r.len))
            .map(|u| values.initial(usize::from(k), u as usize) as i64)
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn refusal(&self, why: Vec<String>) -> Diagnostic {
        let text = format!(
            "the synapses of `{}` learn by `{}`, which {} cannot follow",
            self.wires.name,
            self.s.model.name,
            self.target.name()
        );
        let d = about(self.wires, "SYN0644", text).class(Class::Fit);
        let d = why.iter().fold(d, |d, w| d.note(w));
        d.hint("learn with `synfire run`, save the weights, and compile the network with them (`weight = load(...)`)")
            .field("limit", "learning")
            .field("target", self.target.name())
    }
}

/// A rule in the chip's registers.
#[derive(Clone, Debug)]
pub struct Set {
    /// The rule.
    pub rule: Rule,
    /// Its numbers, as they are and as they were rounded.
    pub rounded: Vec<Rounded>,
}

/// Every rule in the chip's registers, now that the scale of its weights is known.
///
/// Errors: `SYN0644` with each number that the registers cannot hold, and for intervals of neurons that run late.
pub fn set(
    net: &Network,
    wanted: &[Wanted],
    chip: &ChipNetwork,
    target: &Target,
    warnings: &mut Diagnostics,
) -> Result<Vec<Set>, Diagnostics> {
    let (mut out, mut sets) = (Diagnostics::new(), vec![]);
    for (w, scaled) in wanted.iter().zip(&chip.learning) {
        let unit = f64::from(1u32 << scaled.exponent.min(30)) / scaled.scale.max(f64::MIN_POSITIVE);
        let (rule, rounded) = match w.registers(unit, shift(net, chip, w.target)) {
            Ok(found) => found,
            Err(why) => {
                let text = format!(
                    "the rule of `{}` does not fit the registers of {} of {}",
                    w.name,
                    w.rule,
                    target.name()
                );
                let d = about(&net.graph[w.edge], "SYN0644", text).class(Class::Fit);
                let d = why.iter().fold(d, |d, s| d.note(s));
                out.push(d.hint("change the rate or the time constants, or balance the paths of the network").field("limit", "learning"));
                continue;
            }
        };
        if let Some(d) = inexact(w, scaled, &rounded, target) {
            warnings.push(d);
        }
        sets.push(Set { rule, rounded });
    }
    out.result(sets)
}

/// What rounding did to a rule.
fn inexact(
    w: &Wanted,
    scaled: &Scaled,
    rounded: &[Rounded],
    target: &Target,
) -> Option<Diagnostic> {
    let off = |r: &&Rounded| (r.got - r.wanted).abs() > 1e-3 * r.wanted.abs();
    let mut notes: Vec<String> = rounded
        .iter()
        .filter(off)
        .map(|r| format!("{}: {:.4e} in place of {:.4e}", r.what, r.got, r.wanted))
        .collect();
    let (top, end) = (
        w.most() * scaled.scale,
        w.range[1] as f64 * f64::from(1u32 << scaled.exponent.min(30)),
    );
    if !matches!(w.form, Form::Gated(_)) && (top - end).abs() > 0.5 {
        let wanted = if top > 0.0 {
            format!("{:.4e}", w.most())
        } else {
            "no end".into()
        };
        notes.push(format!(
            "the largest weight: {:.4e} in place of {wanted}",
            end / scaled.scale
        ));
    }
    let text = match notes.is_empty() {
        true => format!("the weights of `{}` keep another range in", w.name),
        false => format!("the numbers of `{}` are rounded for", w.name),
    };
    if let Form::Products(p) = &w.form {
        notes.extend(p.range.iter().cloned());
    }
    let text = format!("{text} {} of {}", w.rule, target.name());
    let d = Diagnostic::warning("SYN0648", text).at(w.name.clone());
    let d = notes.iter().fold(d, |d, n| d.note(n));
    let hint = "`synfire compare` shows what it does to the spikes; whole numbers in the chip's units need no rounding";
    (!notes.is_empty()).then(|| d.hint(hint))
}

/// Steps by which a population runs late.
fn shift(net: &Network, chip: &ChipNetwork, id: PopId) -> u32 {
    let at = net.populations().position(|x| x.0 == id);
    at.and_then(|k| chip.populations.get(k))
        .map_or(0, |p| p.shift)
}

/// What learns, for people and programs.
pub fn report(mapping: &Mapping, wanted: &[Wanted], sets: &[Set]) -> Value {
    let one = |((l, w), s): ((&Learning, &Wanted), &Set)| {
        let rounded = s
            .rounded
            .iter()
            .map(|r| json!({"what": r.what, "wanted": r.wanted, "got": r.got}));
        json!({
            "projection": l.projection, "rule": w.rule, "synapses": l.synapses.len(), "scale": l.scale, "exponent": l.exponent,
            "registers": serde_json::to_value(&l.rule).unwrap_or_default(), "rounded": rounded.collect::<Vec<_>>(),
        })
    };
    mapping
        .learning
        .iter()
        .zip(wanted)
        .zip(sets)
        .map(one)
        .collect()
}
