//! The neurons of a chip's `model.syn` as step code, for `lower` of its configurations.
//!
//! A chip's text is part of this crate and has no lets, no time step and no reals; what a configuration fixes for all neurons (the width of
//! a register, say) becomes a constant of the code. Deliberately absent: values of parameters (they are columns that the chip's configuration
//! fills, by their names through [`group`]).

use std::collections::BTreeMap;
use synfire_ir::model::{Block, BlockBuilder, Model, Op, Value};
use synfire_ir::program::{Column, GroupKind};
use synfire_ir::{Diagnostic, Diagnostics};
use synfire_lang::model::{ModelContext, lower_neuron};
use synfire_lang::syntax::{parse, tree};

/// Neuron `name` of a chip's text. Its parameters are those of the text in their order, without those of `fixed`, which are constants.
///
/// Errors: those of the language, and `SYN0608` when the text has no such neuron or a name of `fixed` is no parameter of it.
pub fn neuron(text: &str, name: &str, fixed: &[(&str, i64)]) -> Result<Model, Diagnostics> {
    let (file, mut found) = parse(0, text);
    let neuron = file.items.iter().find_map(|item| match item {
        tree::Item::Neuron(n) if &*n.name.text == name => Some(n),
        _ => None,
    });
    let neuron = neuron.ok_or_else(|| missing(&format!("a neuron `{name}`")))?;
    let context = ModelContext {
        name,
        dt: None,
        lets: &BTreeMap::new(),
    };
    let Some(lowered) = lower_neuron(neuron, &context, &mut found) else {
        return Err(found);
    };
    let mut model = lowered.model;
    for (parameter, value) in fixed {
        let at = model
            .param(parameter)
            .ok_or_else(|| missing(&format!("a parameter `{parameter}` of `{name}`")))?;
        fix(&mut model, at, *value as u32);
    }
    Ok(model)
}

/// `size` units of a model, which has number `index` in its program. `value(name, unit)` gives a parameter or an initial state, 0 where it gives none.
pub fn group(
    model: &Model,
    index: u32,
    size: usize,
    value: &dyn Fn(&str, usize) -> Option<i64>,
) -> GroupKind {
    let column = |name: &str| {
        let words = (0..size).map(|u| value(name, u).unwrap_or(0) as u32);
        Column::from_words(words.collect())
    };
    GroupKind::Units {
        model: index,
        params: model.params.iter().map(|p| column(&p.name)).collect(),
        init: model.states.iter().map(|s| column(&s.name)).collect(),
    }
}

fn missing(what: &str) -> Diagnostics {
    Diagnostic::error("SYN0608", format!("the chip's `model.syn` lacks {what}"))
        .note("the chip's configuration is lowered to the neurons of this text")
        .hint("give the neuron and its parameters the names that the chip's folder uses")
        .into()
}

/// Makes parameter `at` the constant `bits` and takes its column away.
fn fix(model: &mut Model, at: u16, bits: u32) {
    model.params.remove(at.into());
    fix_block(&mut model.step, at, bits);
    for handler in &mut model.handlers {
        fix_block(&mut handler.block, at, bits);
    }
}

fn fix_block(block: &mut Block, at: u16, bits: u32) {
    let mut b = BlockBuilder::new();
    let mut new: Vec<Value> = Vec::with_capacity(block.insts.len());
    for inst in &block.insts {
        let op = match inst.op {
            Op::Param(p) if p == at => Op::Const(bits),
            Op::Param(p) if p > at => Op::Param(p - 1),
            op => op.map(|v| new[v as usize]),
        };
        new.push(b.push(op, inst.ty));
    }
    for &(state, v) in &block.stores {
        b.store(state, new[v as usize]);
    }
    if let Some(v) = block.emit {
        b.emit(new[v as usize]);
    }
    *block = b.finish();
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "neuron N(thr: i32, width: int = 32) {
  state v: i32
  input syn: i32
  on step {
    v = wrap(v + syn, width)
    if v >= thr { emit 1; v = 0 }
  }
}
";

    #[test]
    fn a_fixed_parameter_is_no_column() {
        let m = neuron(TEXT, "N", &[("width", 9)]).unwrap();
        assert_eq!(m.params.len(), 1);
        assert_eq!(m.params[0].name, "thr");
        let reads_params = m.step.insts.iter().filter_map(|i| match i.op {
            Op::Param(p) => Some(p),
            _ => None,
        });
        assert_eq!(reads_params.collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn columns_by_their_names() {
        let m = neuron(TEXT, "N", &[("width", 9)]).unwrap();
        let value = |name: &str, u: usize| (name == "thr").then_some(u as i64 - 1);
        let GroupKind::Units { params, init, .. } = group(&m, 0, 3, &value) else {
            panic!("units")
        };
        let thr: Vec<u32> = (0..3).map(|u| params[0].get(u)).collect();
        assert_eq!(thr, [u32::MAX, 0, 1]);
        assert_eq!(init, [Column::Uniform(0)]);
    }

    #[test]
    fn what_the_text_lacks_is_named() {
        let none = neuron(TEXT, "M", &[]).unwrap_err().to_string();
        assert!(none.contains("`M`"), "{none}");
        let none = neuron(TEXT, "N", &[("depth", 1)]).unwrap_err().to_string();
        assert!(none.contains("`depth`"), "{none}");
    }
}
