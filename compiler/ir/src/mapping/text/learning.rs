//! Text of what learns: a block for each projection, its rule first, then its synapses.
//!
//! ```text
//! learning plastic: scale 1.0 exponent 0 {
//!   gated membrane 80 counts 1 3 6 interval 4 start 0 drift 0
//!   synapse 0 after 1 onto 2: core 0 axon 0 neuron 2
//! }
//! learning other: scale 255.0 exponent 0 {
//!   products decimate 0
//!   trace of source tau 20 adds 16 and 128
//!   term at target 5 e -3 [source 0]
//! }
//! learning third: scale 508.0 exponent 1 {
//!   errors every 4 rate 3 e -7 scale 100.0 most 127 held
//!   trace of source every 2 tau 5 adds 16 and 64
//!   given error[0] -> core 0 neuron 2 after 0
//! }
//! ```

use crate::diag::Diagnostics;
use crate::mapping::{
    Errors, Factor, Gate, Gated, Given, Learner, Learning, Mapping, Products, Rule, Term, Trace,
    UnitRef,
};
use crate::text::{F64, Name, Names, Printer, Scanner};

const GATES: [(&str, Gate); 3] = [
    ("source", Gate::Source),
    ("target", Gate::Target),
    ("interval", Gate::Interval),
];

pub(super) fn print(p: &mut Printer, l: &Learning, unit: &dyn Fn(UnitRef) -> String) {
    p.open(format_args!(
        "learning {}: scale {} exponent {}",
        Name(&l.projection),
        F64(l.scale),
        l.exponent
    ));
    match &l.rule {
        Rule::Gated(g) => p.line(format_args!(
            "gated membrane {} counts {} {} {} interval {} start {} drift {}",
            g.membrane, g.from, g.down, g.up, g.interval, g.count, g.drift
        )),
        Rule::Products(r) => products(p, r),
        Rule::Errors(r) => errors(p, r),
    }
    for g in &l.values {
        p.line(format_args!(
            "given {} -> core {} neuron {} after {}",
            unit(g.source),
            g.core,
            g.neuron,
            g.offset
        ));
    }
    for s in &l.synapses {
        p.line(format_args!(
            "synapse {} after {} onto {}: core {} axon {} neuron {}",
            s.source, s.delay, s.target, s.core, s.axon, s.neuron
        ));
    }
    p.close();
}

fn errors(p: &mut Printer, r: &Errors) {
    p.line(format_args!(
        "errors every {} rate {} e {} scale {} most {}{}",
        r.period,
        r.mantissa,
        r.exponent,
        F64(r.scale),
        r.most,
        if r.held { " held" } else { "" }
    ));
    p.line(format_args!(
        "trace of source every {} tau {} adds {} and {}",
        r.trace_period, r.trace.tau, r.trace.impulse, r.trace.part
    ));
}

fn products(p: &mut Printer, r: &Products) {
    p.line(format_args!("products decimate {}", r.decimate));
    for (side, traces) in [("source", &r.source), ("target", &r.target)] {
        for t in traces {
            p.line(format_args!(
                "trace of {side} tau {} adds {} and {}",
                t.tau, t.impulse, t.part
            ));
        }
    }
    for t in &r.terms {
        let gate = GATES.iter().find(|g| g.1 == t.gate).map_or("", |g| g.0);
        let factor = |f: &Factor| match f {
            Factor::Source(k) => format!("source {k}"),
            Factor::Target(k) => format!("target {k}"),
            Factor::Weight => "weight".into(),
            Factor::Tag => "tag".into(),
        };
        p.array(
            format_args!(
                "{} at {gate} {} e {}",
                if t.tag { "tag" } else { "term" },
                t.mantissa,
                t.exponent
            ),
            t.factors.iter().map(factor),
        );
    }
}

pub(super) fn parse(s: &mut Scanner, m: &mut Mapping, names: &Names) -> Result<(), Diagnostics> {
    let projection = s.name("the name of a projection")?;
    s.mark(":")?;
    s.keyword("scale")?;
    let scale = s.f64("a factor")?;
    s.keyword("exponent")?;
    let mut l = Learning {
        projection,
        scale,
        exponent: s.int("an exponent")?,
        rule: Rule::Products(Products::default()),
        synapses: vec![],
        values: vec![],
    };
    s.braces(|s| line(s, &mut l, names))?;
    m.learning.push(l);
    Ok(())
}

fn line(s: &mut Scanner, l: &mut Learning, names: &Names) -> Result<(), Diagnostics> {
    if s.eat_word("gated") {
        l.rule = Rule::Gated(gated(s)?);
    } else if s.eat_word("products") {
        s.keyword("decimate")?;
        l.rule = Rule::Products(Products {
            decimate: s.int("an exponent")?,
            ..Products::default()
        });
    } else if s.eat_word("errors") {
        l.rule = Rule::Errors(parse_errors(s)?);
    } else if s.eat_word("given") {
        l.values.push(given(s, names)?);
    } else if s.eat_word("synapse") {
        l.synapses.push(learner(s)?);
    } else if s.eat_word("trace") {
        s.keyword("of")?;
        let gate = gate(s)?;
        let every = match s.eat_word("every") {
            true => Some(s.int("a number of steps")?),
            false => None,
        };
        s.keyword("tau")?;
        let tau = s.int("a number of steps")?;
        s.keyword("adds")?;
        let impulse = s.int("an impulse")?;
        s.keyword("and")?;
        let part = s.int("parts of an impulse")?;
        let trace = Trace { tau, impulse, part };
        match (&mut l.rule, gate, every) {
            (Rule::Products(r), Gate::Source, None) => r.source.push(trace),
            (Rule::Products(r), Gate::Target, None) => r.target.push(trace),
            (Rule::Errors(r), Gate::Source, Some(every)) => {
                (r.trace, r.trace_period) = (trace, every);
            }
            _ => {
                return Err(s.expected(
                    "`products` before it and `source` or `target`, or `errors` and `source every`",
                ));
            }
        }
    } else if let Some(tag) = eat_term(s) {
        let term = term(s, tag)?;
        match &mut l.rule {
            Rule::Products(r) => r.terms.push(term),
            _ => return Err(s.expected("`products` before it")),
        }
    } else {
        return Err(s.expected(
            "`gated`, `products`, `errors`, `trace`, `term`, `tag`, `given`, `synapse` or `}`",
        ));
    }
    Ok(())
}

fn parse_errors(s: &mut Scanner) -> Result<Errors, Diagnostics> {
    s.keyword("every")?;
    let period = s.int("a number of steps")?;
    s.keyword("rate")?;
    let mantissa = s.int("a mantissa")?;
    s.keyword("e")?;
    let exponent = s.int("an exponent")?;
    s.keyword("scale")?;
    let scale = s.f64("a factor")?;
    s.keyword("most")?;
    Ok(Errors {
        period,
        mantissa,
        exponent,
        scale,
        most: s.int("an error")?,
        held: s.eat_word("held"),
        ..Errors::default()
    })
}

fn given(s: &mut Scanner, names: &Names) -> Result<Given, Diagnostics> {
    let source = super::parse_unit(s, names)?;
    s.mark("->")?;
    s.keyword("core")?;
    let core = s.int("the number of a core")?;
    s.keyword("neuron")?;
    let neuron = s.int("the number of a neuron")?;
    s.keyword("after")?;
    Ok(Given {
        source,
        core,
        neuron,
        offset: s.int("a number of steps")?,
    })
}

fn gated(s: &mut Scanner) -> Result<Gated, Diagnostics> {
    s.keyword("membrane")?;
    let membrane = s.int("a threshold")?;
    s.keyword("counts")?;
    let (from, down, up) = (s.int("a count")?, s.int("a count")?, s.int("a count")?);
    s.keyword("interval")?;
    let interval = s.int("a number of steps")?;
    s.keyword("start")?;
    let count = s.int("a count")?;
    s.keyword("drift")?;
    Ok(Gated {
        membrane,
        from,
        down,
        up,
        interval,
        count,
        drift: s.int("a number of steps")?,
    })
}

fn gate(s: &mut Scanner) -> Result<Gate, Diagnostics> {
    for (word, gate) in GATES {
        if s.eat_word(word) {
            return Ok(gate);
        }
    }
    Err(s.expected("`source`, `target` or `interval`"))
}

/// Is it a term of the weight, or of the tag?
fn eat_term(s: &mut Scanner) -> Option<bool> {
    match s.eat_word("term") {
        true => Some(false),
        false => s.eat_word("tag").then_some(true),
    }
}

fn term(s: &mut Scanner, tag: bool) -> Result<Term, Diagnostics> {
    s.keyword("at")?;
    let gate = gate(s)?;
    let mantissa = s.int("a mantissa")?;
    s.keyword("e")?;
    let exponent = s.int("an exponent")?;
    let mut factors = vec![];
    s.list(|s| {
        factors.push(if s.eat_word("source") {
            Factor::Source(s.int("the number of a trace")?)
        } else if s.eat_word("target") {
            Factor::Target(s.int("the number of a trace")?)
        } else {
            match s.eat_word("tag") {
                true => Factor::Tag,
                false => {
                    s.keyword("weight")?;
                    Factor::Weight
                }
            }
        });
        Ok(())
    })?;
    Ok(Term {
        tag,
        gate,
        mantissa,
        exponent,
        factors,
    })
}

fn learner(s: &mut Scanner) -> Result<Learner, Diagnostics> {
    let source = s.int("a unit")?;
    s.keyword("after")?;
    let delay = s.int("a number of steps")?;
    s.keyword("onto")?;
    let target = s.int("a unit")?;
    s.mark(":")?;
    let (core, axon) = super::axon_of_core(s)?;
    s.keyword("neuron")?;
    Ok(Learner {
        source,
        delay,
        target,
        core,
        axon,
        neuron: s.int("the number of a neuron")?,
    })
}
