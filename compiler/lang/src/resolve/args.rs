//! Arguments to parameters.
//!
//! Comes in: the arguments of a call, the names they may have. Goes out: one expression for each parameter, `None` where
//! none was given. Every wrong argument is reported.

use super::{Resolver, listed, near};
use crate::syntax::tree::{Arg, Expr};
use synfire_ir::diag::{Diagnostic, Span};

impl<'a> Resolver<'a> {
    /// Sorts the arguments of `what` by its parameters `formals`, of which the first `required` must be given.
    pub(super) fn bind(
        &mut self,
        what: &str,
        args: &'a [Arg],
        formals: &[&str],
        required: usize,
        at: Span,
    ) -> Option<Vec<Option<&'a Expr>>> {
        let mut bound: Vec<Option<&'a Arg>> = vec![None; formals.len()];
        let mut ok = true;
        let mut named = false;
        for (position, arg) in args.iter().enumerate() {
            let slot = match &arg.name {
                Some(n) => {
                    named = true;
                    formals.iter().position(|f| *f == n.as_str())
                }
                None => (position < formals.len() && !named).then_some(position),
            };
            let Some(slot) = slot else {
                self.report(unexpected(what, arg, formals, named));
                ok = false;
                continue;
            };
            if let Some(first) = bound[slot].replace(arg) {
                self.report(
                    Diagnostic::error(
                        "SYN0105",
                        format!("`{}` of {what} is given twice", formals[slot]),
                    )
                    .label(arg.span, "given again")
                    .label(first.span, "given first here")
                    .hint("remove one of the two"),
                );
                ok = false;
            }
        }
        let missing: Vec<&str> = (0..required)
            .filter(|&i| bound[i].is_none())
            .map(|i| formals[i])
            .collect();
        if ok && !missing.is_empty() {
            let list = missing
                .iter()
                .map(|m| format!("`{m}`"))
                .collect::<Vec<_>>()
                .join(", ");
            self.report(
                Diagnostic::error("SYN0105", format!("{what} needs {list}"))
                    .label(at, format!("without {list}"))
                    .hint(format!("its arguments are: {}", listed(formals))),
            );
            ok = false;
        }
        ok.then(|| bound.into_iter().map(|a| a.map(|a| &a.value)).collect())
    }
}

fn unexpected(what: &str, arg: &Arg, formals: &[&str], after_named: bool) -> Diagnostic {
    let takes = if formals.is_empty() {
        "it takes no arguments".to_string()
    } else {
        format!("its arguments are: {}", listed(formals))
    };
    match &arg.name {
        Some(n) => {
            let d = Diagnostic::error("SYN0105", format!("{what} has no argument `{}`", n.text))
                .label(n.span, "unknown");
            match near(n.as_str(), formals.iter().copied()) {
                Some(near) => d.hint(format!("did you mean `{near}`?")),
                None => d.hint(takes),
            }
        }
        None if after_named => Diagnostic::error(
            "SYN0105",
            format!("{what}: an argument without name after one with a name"),
        )
        .label(arg.span, "which one is this?")
        .hint(takes),
        None => Diagnostic::error(
            "SYN0105",
            format!("{what} takes at most {} arguments", formals.len()),
        )
        .label(arg.span, "one too many")
        .hint(takes),
    }
}
