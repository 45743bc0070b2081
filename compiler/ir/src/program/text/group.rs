//! Text of groups and their columns.

use super::scope::Scope;
use crate::diag::Diagnostics;
use crate::model::Ty;
use crate::program::{Column, Group, GroupKind};
use crate::text::{Name, Names, Printer, Scanner, Word};

pub(super) fn print(p: &mut Printer, g: &Group, scope: &Scope) {
    let kind = match &g.kind {
        GroupKind::External => "external".to_string(),
        GroupKind::Units { model, .. } => format!("units {}", scope.models.show(*model)),
    };
    let head = format!(
        "group {}: {kind}[{}] phase {} base {}{}",
        Name(&g.name),
        g.size,
        g.phase,
        g.base,
        if g.graded { " graded" } else { "" }
    );
    match &g.kind {
        GroupKind::External => p.line(head),
        GroupKind::Units {
            model,
            params,
            init,
        } => {
            let m = scope.model(*model);
            p.open(head);
            columns(p, "param", &m.params, &m.param_types, params);
            columns(p, "init", &m.states, &m.state_types, init);
            p.close();
        }
    }
}

fn columns(p: &mut Printer, what: &str, names: &Names, types: &[Ty], list: &[Column]) {
    for (k, c) in (0u32..).zip(list) {
        let ty = types.get(k as usize).copied();
        let head = format!("{what} {} =", names.show(k));
        match c {
            Column::Uniform(w) => p.line(format_args!("{head} {}", Word(*w, ty))),
            Column::PerUnit(v) => p.array(head, v.iter().map(|w| Word(*w, ty))),
        }
    }
}

/// Reads a group; `group` has been read.
pub(super) fn parse(s: &mut Scanner, scope: &Scope) -> Result<Group, Diagnostics> {
    let name = s.name("the name of a group")?;
    s.mark(":")?;
    let model: Option<u32> = match s.eat_word("external") {
        true => None,
        false if s.eat_word("units") => Some(scope.models.read(s)?),
        false => return Err(s.expected("`external` or `units`")),
    };
    s.mark("[")?;
    let size = s.int("a number of units")?;
    s.mark("]")?;
    s.keyword("phase")?;
    let phase = s.int("a phase")?;
    s.keyword("base")?;
    let base = s.int("a base")?;
    let graded = s.eat_word("graded");
    let kind = match model {
        None => GroupKind::External,
        Some(model) => parse_units(s, scope, model)?,
    };
    Ok(Group {
        name,
        size,
        phase,
        base,
        graded,
        kind,
    })
}

fn parse_units(s: &mut Scanner, scope: &Scope, model: u32) -> Result<GroupKind, Diagnostics> {
    let m = scope.model(model);
    let (mut params, mut init) = (vec![], vec![]);
    s.braces(|s| {
        let (list, names, types) = match s.eat_word("param") {
            true => (&mut params, &m.params, &m.param_types),
            false if s.eat_word("init") => (&mut init, &m.states, &m.state_types),
            false => return Err(s.expected("`param`, `init` or `}`")),
        };
        names.read_next(s, list.len())?;
        s.mark("=")?;
        list.push(column(s, types.get(list.len()).copied())?);
        Ok(())
    })?;
    Ok(GroupKind::Units {
        model,
        params,
        init,
    })
}

/// `0.5`, or `[0.5, 1.0]`.
pub(super) fn column(s: &mut Scanner, ty: Option<Ty>) -> Result<Column, Diagnostics> {
    if !s.at("[") {
        return Ok(Column::Uniform(s.word_of(ty, "a value or `[`")?));
    }
    let mut words: Vec<u32> = vec![];
    s.list(|s| {
        words.push(s.word_of(ty, "a value")?);
        Ok(())
    })?;
    Ok(Column::PerUnit(words.into()))
}
