//! Convolution and pooling: from arguments and shapes to the geometry of the connector.
//!
//! Comes in: a rule, the shape before it (`[channels, rows, columns]`, or `[channels, length]` in one dimension) and what
//! is known of the shape after it. Goes out: a [`Conv2d`] or [`Pool2d`]; one dimension is one row.

use super::Resolver;
use super::rules::{Ends, Rule};
use super::value::Value;
use crate::syntax::tree::Expr;
use synfire_ir::diag::Diagnostic;
use synfire_ir::network::{Conv2d, Pool2d};

/// The convolution that a rule stands for. Its channels are the argument `channels`, else those of the target when the
/// rules behind keep channels, else `from_weights`.
pub(super) fn conv<'a>(
    r: &mut Resolver<'a>,
    rule: &Rule<'a>,
    shape: &[u32],
    later: &[Rule<'a>],
    from_weights: Option<u32>,
    ends: &Ends<'a, '_>,
) -> Option<Conv2d> {
    let input = planes(r, rule, shape, ends)?;
    let kernel = pair(r, rule, "kernel", None, 1, ends)?;
    let stride = pair(r, rule, "stride", Some([1, 1]), 1, ends)?;
    let padding = pair(r, rule, "padding", Some([0, 0]), 0, ends)?;
    let dilation = pair(r, rule, "dilation", Some([1, 1]), 1, ends)?;
    let groups = match rule.arg("groups") {
        Some(e) => r.whole(e, ends.scope, "`groups`", 1)?,
        None => 1,
    };
    let keeps = |n: &str| n.contains("pool") || n == "scale" || n == "one_to_one";
    let rank = ends.target.shape.len() == shape.len();
    let of_target = ends
        .target
        .shape
        .first()
        .copied()
        .filter(|_| rank && later.iter().all(|l| keeps(l.name)));
    let channels = match rule.arg("channels") {
        Some(e) => Some(r.whole(e, ends.scope, "`channels`", 1)?),
        None => of_target.or(from_weights),
    };
    let Some(channels) = channels else {
        r.report(
            Diagnostic::error(
                "SYN0311",
                format!("how many channels `{}` gives cannot be told", rule.name),
            )
            .label(
                rule.span,
                format!("`{}` has shape {:?}", ends.target_name, ends.target.shape),
            )
            .hint("write `channels = ...`, or give the target the shape [channels, rows, columns]"),
        );
        return None;
    };
    if input[0] % groups != 0 || channels % groups != 0 {
        r.report(
            Diagnostic::error(
                "SYN0311",
                format!(
                    "{groups} groups do not divide {} input and {channels} output channels",
                    input[0]
                ),
            )
            .label(rule.span, format!("groups = {groups}"))
            .hint("groups must divide both numbers of channels"),
        );
        return None;
    }
    let c = Conv2d {
        input,
        channels,
        kernel,
        stride,
        padding,
        dilation,
        groups,
    };
    fits(r, rule, c.output(), shape)?;
    Some(c)
}

/// The pooling that a rule stands for; without `stride` windows do not overlap.
pub(super) fn pool<'a>(
    r: &mut Resolver<'a>,
    rule: &Rule<'a>,
    shape: &[u32],
    ends: &Ends<'a, '_>,
) -> Option<Pool2d> {
    let input = planes(r, rule, shape, ends)?;
    let kernel = pair(r, rule, "kernel", None, 1, ends)?;
    let stride = pair(r, rule, "stride", Some(kernel), 1, ends)?;
    let padding = pair(r, rule, "padding", Some([0, 0]), 0, ends)?;
    let p = Pool2d {
        input,
        kernel,
        stride,
        padding,
        average: rule.name.starts_with("avg"),
    };
    fits(r, rule, p.output(), shape)?;
    Some(p)
}

/// The shape before the rule as channels, rows and columns.
fn planes<'a>(
    r: &mut Resolver<'a>,
    rule: &Rule<'a>,
    shape: &[u32],
    ends: &Ends<'a, '_>,
) -> Option<[u32; 3]> {
    let flat = rule.name.ends_with("1d");
    match (shape, flat) {
        ([c, h, w], false) => Some([*c, *h, *w]),
        ([c, l], true) => Some([*c, 1, *l]),
        _ => {
            let wanted = if flat {
                "[channels, length]"
            } else {
                "[channels, rows, columns]"
            };
            r.report(
                Diagnostic::error(
                    "SYN0311",
                    format!(
                        "`{}` works on {wanted}, but shape {shape:?} reaches it",
                        rule.name
                    ),
                )
                .label(rule.span, format!("shape {shape:?}"))
                .label(ends.span, format!("from `{}`", ends.source_name))
                .hint(format!(
                    "declare `{}` with the shape {wanted}",
                    ends.source_name
                )),
            );
            None
        }
    }
}

/// A number for both axes, or a list of two. Padding and dilation of one dimension leave the single row alone.
fn pair<'a>(
    r: &mut Resolver<'a>,
    rule: &Rule<'a>,
    name: &str,
    default: Option<[u32; 2]>,
    least: i128,
    ends: &Ends<'a, '_>,
) -> Option<[u32; 2]> {
    let neutral = if name == "padding" { 0 } else { 1 };
    let Some(e) = rule.arg(name) else {
        return default;
    };
    let flat = rule.name.ends_with("1d");
    let numbers = match r.eval(e, ends.scope)? {
        Value::List(l) => l.items.to_vec(),
        v => vec![v],
    };
    let numbers: Option<Vec<u32>> = numbers
        .iter()
        .map(|v| {
            v.whole()
                .filter(|&n| n >= least)
                .and_then(|n| u32::try_from(n).ok())
                .filter(|&n| n <= MOST)
        })
        .collect();
    match (numbers.as_deref(), flat) {
        (Some([n]), true) => Some([neutral, *n]),
        (Some([n]), false) => Some([*n, *n]),
        (Some([a, b]), false) => Some([*a, *b]),
        _ => {
            r.report(wrong_pair(rule.name, name, least, e));
            None
        }
    }
}

/// Largest kernel, stride, padding and dilation: keeps every coordinate within 32 bits.
const MOST: u32 = 1 << 15;

fn wrong_pair(rule: &str, name: &str, least: i128, e: &Expr) -> Diagnostic {
    let two = if rule.ends_with("1d") {
        ""
    } else {
        ", or a list of two"
    };
    Diagnostic::error(
        "SYN0104",
        format!("`{name}` of `{rule}` must be a whole number from {least} to {MOST}{two}"),
    )
    .label(e.span, "not that")
    .hint(format!("write `{name} = {}`", least.max(1)))
}

fn fits(r: &mut Resolver<'_>, rule: &Rule<'_>, output: [u32; 3], shape: &[u32]) -> Option<()> {
    if output.iter().all(|&d| d > 0) {
        return Some(());
    }
    r.report(
        Diagnostic::error(
            "SYN0311",
            format!(
                "the window of `{}` is larger than the shape {shape:?} that reaches it",
                rule.name
            ),
        )
        .label(rule.span, "nothing is left")
        .hint("use a smaller kernel, or more padding"),
    );
    None
}
