//! Text of projections.

use super::{Scope, connector, init, parse_place, place, synapse};
use crate::diag::Diagnostics;
use crate::network::{Init, Network, Plasticity, PopId, Projection, Stage};
use crate::program::Carry;
use crate::text::{Name, Names, ORDER, Printer, Scanner, UNKNOWN, range};

/// Names of a population's ports and outputs.
fn ends(net: &Network, pop: PopId) -> (Names, Names) {
    let model = net.model_of(pop).map(|m| &m.model);
    let ports = model.iter().flat_map(|m| &m.ports);
    let outputs = model.iter().flat_map(|m| &m.outputs);
    (
        Names::of("port", ports.map(|x| x.name.as_str())),
        Names::of("output", outputs.map(|x| x.name.as_str())),
    )
}

/// `show` makes references to populations.
pub(super) fn print(
    p: &mut Printer,
    x: &Projection,
    (source, target): (PopId, PopId),
    net: &Network,
    scope: &Scope,
    show: &dyn Fn(PopId) -> String,
) {
    let carry = match x.carry {
        Carry::Events => "events".to_string(),
        Carry::Output(o) => format!("output {}", ends(net, source).1.show(o)),
    };
    p.open(format_args!(
        "projection {}: {}[{}] -> {}[{}].{} {carry}",
        Name(&x.name),
        show(source),
        range::Shown(x.source_range),
        show(target),
        range::Shown(x.target_range),
        ends(net, target).0.show(x.port),
    ));
    for stage in &x.stages {
        let rule = connector::Shown(&stage.connector, scope);
        let weight = init::Shown(&stage.weight, scope);
        p.line(format_args!("rule {rule} weight {weight}"));
    }
    p.line(format_args!("delay {}", init::Shown(&x.delay, scope)));
    if let Some(b) = &x.bias {
        p.line(format_args!("bias {}", init::Shown(b, scope)));
    }
    if x.trainable {
        p.line("trainable");
    }
    if let Some(l) = &x.plasticity {
        synapse::print_plasticity(p, l, net, scope, show);
    }
    p.close_with(place(x.span));
}

/// Reads a projection into the graph; `projection` has been read.
pub(super) fn parse(s: &mut Scanner, net: &mut Network, scope: &Scope) -> Result<(), Diagnostics> {
    let name = s.name("the name of a projection")?;
    s.mark(":")?;
    let source = population(s, net, scope)?;
    let source_range = range::read(s)?;
    s.mark("->")?;
    let target = population(s, net, scope)?;
    let target_range = range::read(s)?;
    s.mark(".")?;
    let port = ends(net, target).0.read(s)?;
    let carry = match s.eat_word("events") {
        true => Carry::Events,
        false if s.eat_word("output") => Carry::Output(ends(net, source).1.read(s)?),
        false => return Err(s.expected("`events` or `output`")),
    };
    let body = body(s, net, scope)?;
    let span = parse_place(s)?;
    let x = Projection {
        name,
        source_range,
        target_range,
        port,
        carry,
        stages: body.stages,
        delay: body.delay,
        bias: body.bias,
        trainable: body.trainable,
        plasticity: body.plasticity,
        span,
    };
    // After an error populations may be missing; the result is dropped then.
    if net.graph.contains_node(source) && net.graph.contains_node(target) {
        net.graph.add_edge(source, target, x);
    }
    Ok(())
}

/// A reference to a population that is there: an edge needs its ends.
fn population(s: &mut Scanner, net: &Network, scope: &Scope) -> Result<PopId, Diagnostics> {
    let at = s.mark_here();
    let k: u32 = scope.populations.read(s)?;
    let id = PopId::new(k as usize);
    if net.graph.contains_node(id) || s.damaged {
        return Ok(id);
    }
    Err(s
        .fault_at(at, UNKNOWN, format!("there is no population #{k}"))
        .hint("populations are counted from 0 and stand before projections")
        .into())
}

struct Body {
    stages: Vec<Stage>,
    delay: Init,
    bias: Option<Init>,
    trainable: bool,
    plasticity: Option<Plasticity>,
}

fn body(s: &mut Scanner, net: &Network, scope: &Scope) -> Result<Body, Diagnostics> {
    let (mut stages, mut delay, mut bias, mut trainable) = (vec![], None, None, false);
    let mut plasticity = None;
    s.braces(|s| {
        let at = s.mark_here();
        let mut twice = false;
        if s.eat_word("rule") {
            let connector = connector::parse(s, scope)?;
            s.keyword("weight")?;
            let weight = init::parse(s, scope)?;
            stages.push(Stage { connector, weight });
        } else if s.eat_word("delay") {
            twice = delay.replace(init::parse(s, scope)?).is_some();
        } else if s.eat_word("bias") {
            twice = bias.replace(init::parse(s, scope)?).is_some();
        } else if s.eat_word("trainable") {
            trainable = true;
        } else if s.eat_word("learns") {
            let learns = synapse::parse_plasticity(s, net, scope)?;
            twice = plasticity.replace(learns).is_some();
        } else {
            return Err(s.expected("`rule`, `delay`, `bias`, `trainable`, `learns` or `}`"));
        }
        if twice {
            return Err(s
                .fault_at(
                    at,
                    ORDER,
                    "a projection has one delay, one bias and one way to learn",
                )
                .hint("leave one of the two out")
                .into());
        }
        Ok(())
    })?;
    let Some(delay) = delay else {
        return Err(s
            .fault(ORDER, "the projection before has no delay")
            .hint("write `delay 0.0` for the same step")
            .into());
    };
    Ok(Body {
        stages,
        delay,
        bias,
        trainable,
        plasticity,
    })
}
