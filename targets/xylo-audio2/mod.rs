//! XyloAudio 2 (SYNS61201): the family's core with 1000 hidden and 8 output neurons, any of which inputs reach and outputs listen to.
//!
//! Everything but its size is the family's ([`crate::xylo`]). It answers for the family's golden vectors, those of the older core included.

use crate::backend::Backend;
use crate::xylo::{Size, Xylo};

/// The chip's code.
pub static BACKEND: &dyn Backend = &XYLO;

static XYLO: Xylo = Xylo {
    id: "SYNS61201",
    model: include_str!("model.syn"),
    size: Size {
        inputs: 16,
        hidden: 1000,
        outputs: 8,
        input_expansion: 1000,
        output_expansion: 1000,
        entries: 32_000,
        fan_out: 64,
    },
    memory: true,
    vectors: true,
};
