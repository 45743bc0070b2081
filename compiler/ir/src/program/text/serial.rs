//! Text of the serial discipline.

use super::scope::Scope;
use crate::diag::Diagnostics;
use crate::program::{Loopback, Serial, SerialEvent};
use crate::text::{Names, Printer, Scanner};

pub(super) fn print(p: &mut Printer, x: &Serial, scope: &Scope) {
    p.open(format_args!(
        "serial {} matrix {} capacity {}",
        scope.groups.show(x.group),
        scope.projections.show(x.matrix),
        x.capacity
    ));
    let flags = [
        (x.closed_loop, "closed_loop"),
        (x.popped, "popped"),
        (x.sorted, "sorted"),
    ];
    flags.iter().filter(|f| f.0).for_each(|f| p.line(f.1));
    for l in &x.loopback {
        p.line(format_args!(
            "loopback {} d{} -> {}",
            l.unit, l.delay, l.pre
        ));
    }
    let ports = &scope.group(x.group).ports;
    for e in &x.tail {
        match *e {
            SerialEvent::Row { pre } => p.line(format_args!("tail row {pre}")),
            SerialEvent::Direct {
                port,
                value,
                first,
                last,
                queued,
            } => p.line(format_args!(
                "tail direct {} value {value} units {first}..={last}{}",
                ports.show(port),
                if queued { " queued" } else { "" }
            )),
            SerialEvent::Step { first, last } => {
                p.line(format_args!("tail step units {first}..={last}"))
            }
        }
    }
    p.close();
}

pub(super) fn parse(s: &mut Scanner, scope: &Scope) -> Result<Serial, Diagnostics> {
    s.keyword("serial")?;
    let group = scope.groups.read(s)?;
    s.keyword("matrix")?;
    let matrix = scope.projections.read(s)?;
    s.keyword("capacity")?;
    let mut x = Serial {
        group,
        matrix,
        capacity: s.int("a number of places")?,
        closed_loop: false,
        popped: false,
        sorted: false,
        loopback: vec![],
        tail: vec![],
    };
    s.braces(|s| {
        if s.eat_word("closed_loop") {
            x.closed_loop = true;
        } else if s.eat_word("popped") {
            x.popped = true;
        } else if s.eat_word("sorted") {
            x.sorted = true;
        } else if s.eat_word("loopback") {
            let unit = s.int("a unit")?;
            let delay = s.delay()?;
            s.mark("->")?;
            let pre = s.int("a row")?;
            x.loopback.push(Loopback { unit, delay, pre });
        } else if s.eat_word("tail") {
            x.tail.push(event(s, &scope.group(group).ports)?);
        } else {
            return Err(s.expected("`closed_loop`, `popped`, `sorted`, `loopback`, `tail` or `}`"));
        }
        Ok(())
    })?;
    Ok(x)
}

fn event(s: &mut Scanner, ports: &Names) -> Result<SerialEvent, Diagnostics> {
    if s.eat_word("row") {
        let pre = s.int("a row")?;
        return Ok(SerialEvent::Row { pre });
    }
    if s.eat_word("step") {
        let (first, last) = units(s)?;
        return Ok(SerialEvent::Step { first, last });
    }
    if !s.eat_word("direct") {
        return Err(s.expected("`row`, `direct` or `step`"));
    }
    let port = ports.read(s)?;
    s.keyword("value")?;
    let value = s.int("a value")?;
    let (first, last) = units(s)?;
    let queued = s.eat_word("queued");
    Ok(SerialEvent::Direct {
        port,
        value,
        first,
        last,
        queued,
    })
}

/// `units a..=b`.
fn units(s: &mut Scanner) -> Result<(u32, u32), Diagnostics> {
    s.keyword("units")?;
    let first = s.int("the first unit")?;
    s.mark("..")?;
    s.mark("=")?;
    Ok((first, s.int("the last unit")?))
}
