//! XyloAudio 3 (SYNS65302): the family's core with 992 hidden and 32 output neurons; inputs reach the first 128 hidden neurons, the last 128 reach outputs.
//!
//! Everything but its size is the family's ([`crate::xylo`]). No memory text set: the stride of its input and output banks is not known.

use crate::backend::Backend;
use crate::xylo::{Size, Xylo};

/// The chip's code.
pub static BACKEND: &dyn Backend = &XYLO;

static XYLO: Xylo = Xylo {
    id: "SYNS65302",
    model: include_str!("model.syn"),
    size: Size {
        inputs: 16,
        hidden: 992,
        outputs: 32,
        input_expansion: 128,
        output_expansion: 128,
        entries: 31_744,
        fan_out: 992,
    },
    memory: false,
    vectors: false,
};
