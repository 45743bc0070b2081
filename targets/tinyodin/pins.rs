//! tinyODIN behind the bridge: what its memories mean, and its events.

use super::Config;
use super::spi::{AER_SRC_CTRL, MAX_NEUR, neuron, neuron_bytes, weight};
use super::{NEURONS, POTENTIAL, SECTION, decode, event, lower};
use crate::aer_bridge::{Memory, Pins};
use crate::aer_crossbar::spi::OPEN_LOOP;
use crate::backend::NativeInput;
use synfire_ir::Diagnostics;
use synfire_ir::artifact::Section;
use synfire_ir::program::Program;

/// The chip's pins.
pub static PINS: TinyOdinPins = TinyOdinPins;

/// See [`PINS`].
pub struct TinyOdinPins;

/// Places in the queue: in a closed loop each may hold an event that sets off none.
const QUEUE: u32 = 128;

/// The configuration that the memories hold.
fn config(memory: &Memory) -> Config {
    let last = memory.register(usize::from(MAX_NEUR)) as u8;
    let flag = |r: u8| memory.register(usize::from(r)) & 1 == 1;
    let mut config = Config {
        open_loop: flag(OPEN_LOOP),
        aer_src_ctrl: flag(AER_SRC_CTRL),
        ..Config::default()
    };
    for n in 0..=last {
        let [a, b, c, d, ..] = memory.neuron(n);
        config.neurons.push(neuron([a, b, c, d]));
    }
    for r in 0..=u8::MAX {
        let row: Vec<i8> = (0..=last).map(|c| weight(memory.nibble(r, c))).collect();
        if row.iter().any(|w| *w != 0) {
            config.rows.insert(r, row);
        }
    }
    config
}

impl Pins for TinyOdinPins {
    fn words<'a>(&self, sections: &[&'a Section]) -> Result<&'a [u8], Diagnostics> {
        let words = super::backend::IMAGE.only(sections)?;
        decode(SECTION, words)?;
        Ok(words)
    }

    fn silence(&self, memory: &Memory) -> u32 {
        // An event visits every neuron once, two clocks each, and eight more.
        let event = 2 * (memory.register(usize::from(MAX_NEUR)) + 1) + 8;
        let open = memory.register(usize::from(OPEN_LOOP)) & 1 == 1;
        event * if open { 2 } else { QUEUE }
    }

    fn program(&self, memory: &Memory) -> Result<Program, Diagnostics> {
        lower(&config(memory))
    }

    fn event(&self, program: &Program, word: u64) -> Option<NativeInput> {
        let neurons = program.groups.get(NEURONS as usize)?.size;
        event(word, neurons).map(NativeInput::Serial)
    }

    fn group(&self) -> u32 {
        NEURONS
    }

    fn absorb(&self, _: &Program, states: &[Vec<u32>], memory: &mut Memory) {
        let potentials = states.get(usize::from(POTENTIAL));
        for (n, &v) in (0..=u8::MAX).zip(potentials.into_iter().flatten()) {
            let [a, b, c, d, ..] = memory.neuron(n);
            let mut now = neuron([a, b, c, d]);
            now.core = v as i16;
            let bytes = neuron_bytes(&now);
            memory.set_neuron(n, &bytes);
        }
    }
}
