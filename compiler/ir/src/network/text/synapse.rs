//! Text of synapse models, and of what makes a projection learn.

use super::model::{Lists, Parts, parse_dimension, print_dimensions};
use super::{Scope, host};
use crate::diag::Diagnostics;
use crate::network::{Modulation, Network, Plasticity, PopId, SynapseModel};
use crate::program::Carry;
use crate::text::{
    F64, Name, Names, Printer, Quoted, Scanner, parse_synapse, print_synapse, range,
};

fn parts(m: &SynapseModel) -> Parts {
    let x = &m.synapse;
    Parts::new(
        x.params.iter().map(|x| x.name.as_str()),
        x.states.iter().map(|x| x.name.as_str()),
        ("modulator", x.modulators.iter().map(|x| x.name.as_str())),
    )
}

pub(super) fn print(p: &mut Printer, m: &SynapseModel) {
    let mut parts = parts(m);
    p.open("plastic");
    if !m.doc.is_empty() {
        p.line(format_args!("doc {}", Quoted(&m.doc)));
    }
    if m.integer {
        p.line("integer");
    }
    print_synapse(p, &m.synapse);
    parts.print_fields(p, &m.fields);
    parts.print_columns(p, &m.columns, &m.init);
    let shown = |e| host::Shown(e, &parts.fields);
    for (left, rest) in &m.decays {
        p.line(format_args!("decay {} rest {}", shown(left), shown(rest)));
    }
    for e in &m.periods {
        p.line(format_args!("period {}", shown(e)));
    }
    print_dimensions(p, "state_dimension", &parts.states, &m.state_dimensions);
    let modulators = &m.modulator_dimensions;
    print_dimensions(p, "modulator_dimension", &parts.ports, modulators);
    p.close();
}

/// Reads a synapse model; `plastic` has been read.
pub(super) fn parse(s: &mut Scanner) -> Result<SynapseModel, Diagnostics> {
    let mut m = SynapseModel::default();
    let mut names = parts(&m);
    s.braces(|s| {
        if s.eat_word("doc") {
            m.doc = s.name("a text in quotes")?;
        } else if s.eat_word("integer") {
            m.integer = true;
        } else if s.word_is("synapse") {
            m.synapse = parse_synapse(s)?;
            let fields = std::mem::replace(&mut names.fields, Names::new("field"));
            names = Parts {
                fields,
                ..parts(&m)
            };
        } else {
            part(s, &mut m, &mut names)?;
        }
        Ok(())
    })?;
    Ok(m)
}

fn part(s: &mut Scanner, m: &mut SynapseModel, parts: &mut Parts) -> Result<(), Diagnostics> {
    let mut lists = Lists {
        fields: &mut m.fields,
        columns: &mut m.columns,
        init: &mut m.init,
        state_dimensions: &mut m.state_dimensions,
    };
    if lists.parse(s, parts)? {
        return Ok(());
    }
    if s.eat_word("decay") {
        let left = host::parse(s, &parts.fields)?;
        s.keyword("rest")?;
        m.decays.push((left, host::parse(s, &parts.fields)?));
    } else if s.eat_word("period") {
        m.periods.push(host::parse(s, &parts.fields)?);
    } else if s.eat_word("modulator_dimension") {
        parse_dimension(s, &parts.ports, &mut m.modulator_dimensions)?;
    } else {
        return Err(s.expected(
            "`doc`, `integer`, `synapse`, `field`, `column`, `init`, `decay`, `period`, `state_dimension`, `modulator_dimension` or `}`",
        ));
    }
    Ok(())
}

/// Names of a synapse model's modulators and fields.
fn names(net: &Network, model: u32) -> Names {
    let m = net.synapses.get(model as usize);
    let modulators = m.iter().flat_map(|m| &m.synapse.modulators);
    Names::of("modulator", modulators.map(|x| x.name.as_str()))
}

fn outputs(net: &Network, pop: PopId) -> Names {
    let m = net.model_of(pop).map(|m| &m.model);
    let outputs = m.iter().flat_map(|m| &m.outputs);
    Names::of("output", outputs.map(|x| x.name.as_str()))
}

/// Appends how a projection learns; `show` makes references to populations.
pub(super) fn print_plasticity(
    p: &mut Printer,
    x: &Plasticity,
    net: &Network,
    scope: &Scope,
    show: &dyn Fn(PopId) -> String,
) {
    let modulators = names(net, x.model);
    let weights = if x.weights { " weights" } else { "" };
    let dendritic = match x.dendritic {
        0 => String::new(),
        d => format!(" dendritic d{d}"),
    };
    p.open(format_args!(
        "learns {}{weights}{dendritic}",
        scope.synapses.show(x.model)
    ));
    for (name, v) in &x.values {
        p.line(format_args!("set {} = {}", Name(name), F64(*v)));
    }
    for m in &x.modulators {
        let carry = match m.carry {
            Carry::Events => "events".to_string(),
            Carry::Output(o) => format!("output {}", outputs(net, m.pop).show(o)),
        };
        p.line(format_args!(
            "modulate {}: {}[{}] {carry} {}",
            modulators.show(m.port),
            show(m.pop),
            range::Shown(m.range),
            if m.each { "each" } else { "all" },
        ));
    }
    p.close();
}

/// Reads how a projection learns; `learns` has been read.
pub(super) fn parse_plasticity(
    s: &mut Scanner,
    net: &Network,
    scope: &Scope,
) -> Result<Plasticity, Diagnostics> {
    let model = scope.synapses.read(s)?;
    let modulators_of = names(net, model);
    let weights = s.eat_word("weights");
    let dendritic = match s.eat_word("dendritic") {
        true => s.delay()?,
        false => 0,
    };
    let (mut values, mut modulators) = (vec![], vec![]);
    s.braces(|s| {
        if s.eat_word("set") {
            let name = s.name("the name of a field")?;
            s.mark("=")?;
            values.push((name, s.f64("a value")?));
        } else if s.eat_word("modulate") {
            modulators.push(modulation(s, net, scope, &modulators_of)?);
        } else {
            return Err(s.expected("`set`, `modulate` or `}`"));
        }
        Ok(())
    })?;
    Ok(Plasticity {
        model,
        values,
        weights,
        dendritic,
        modulators,
    })
}

fn modulation(
    s: &mut Scanner,
    net: &Network,
    scope: &Scope,
    modulators: &Names,
) -> Result<Modulation, Diagnostics> {
    let port = modulators.read(s)?;
    s.mark(":")?;
    let pop: u32 = scope.populations.read(s)?;
    let pop = PopId::new(pop as usize);
    let range = range::read(s)?;
    let carry = match s.eat_word("events") {
        true => Carry::Events,
        false if s.eat_word("output") => Carry::Output(outputs(net, pop).read(s)?),
        false => return Err(s.expected("`events` or `output`")),
    };
    let each = s.each_or_all()?;
    Ok(Modulation {
        port,
        pop,
        range,
        carry,
        each,
    })
}
