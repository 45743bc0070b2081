//! A network as a program, with its synapses stored or drawn at each event.
//!
//! In: a network and what the command line says of arithmetic, memory and synapses. Out: what engines run. Rows are stored where
//! they fit; if they do not and those that follow from their sources would fit when they are drawn at each event, these are.

use crate::args::{ArithmeticArg, SynapsesArg};
use crate::units::{bytes, free_memory};
use synfire_compiler::ideal::{self, Ideal, IdealOptions};
use synfire_ir::network::{Network, Verified};
use synfire_ir::program::Arithmetic;
use synfire_ir::{Diagnostic, Diagnostics};
use synfire_runtime::engine::{Options, cpu};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    pub seed: Option<u64>,
    pub arithmetic: ArithmeticArg,
    pub synapses: SynapsesArg,
    pub engine: Options,
}

/// Why rows are drawn when nobody asked for it.
const SHORT: &str = "stored rows take more memory than there is";

/// Lowers a network.
///
/// Errors: those of [`ideal::lower`].
pub fn lower(net: &Verified<Network>, wish: &Wish) -> Result<Ideal, Diagnostics> {
    let arithmetic = match wish.arithmetic {
        ArithmeticArg::Fixed => Arithmetic::Fixed,
        ArithmeticArg::Auto | ArithmeticArg::F32 => Arithmetic::F32,
    };
    let with = |procedural| {
        let options = IdealOptions {
            seed: wish.seed,
            arithmetic,
            narrow: wish.arithmetic == ArithmeticArg::Auto,
            memory: free_memory(),
            procedural,
        };
        ideal::lower(net, &options)
    };
    let stored = match wish.synapses {
        SynapsesArg::Procedural => return with(Some("asked for")),
        SynapsesArg::Stored | SynapsesArg::Auto => with(None)?,
    };
    let fits = |made: &Ideal| cpu::fits(&made.program, &wish.engine).is_ok();
    let choose = wish.synapses == SynapsesArg::Auto;
    if !choose || !stored.program.may_be_procedural() || fits(&stored) {
        return Ok(stored);
    }
    let mut drawn = with(Some(SHORT))?;
    if !fits(&drawn) {
        return Ok(stored);
    }
    let of = |made: &Ideal| bytes(cpu::predicted_bytes(&made.program, &wish.engine));
    let names: Vec<&str> = (drawn.forms.iter())
        .filter(|f| f.form == "procedural")
        .map(|f| f.projection.as_str())
        .collect();
    let text = format!(
        "rows of {} projections are drawn at each event: {} in place of {}",
        names.len(),
        of(&drawn),
        of(&stored)
    );
    let told = Diagnostic::warning("SYN0847", text)
        .note(format!("these are `{}`", names.join("`, `")))
        .hint("--synapses stored refuses instead; a row that is drawn again costs more than one that is read");
    drawn.notes.push(told);
    Ok(drawn)
}
