//! ODIN behind the bridge: what its memories mean, and its events.

use super::lower::{self, NEURONS, must_learn};
use super::spi::{REGISTERS, SYN_SIGN};
use super::{Config, SECTION, Word, decode, event};
use crate::aer_bridge::{Memory, Pins};
use crate::aer_crossbar::spi::OPEN_LOOP;
use crate::backend::NativeInput;
use synfire_ir::Diagnostics;
use synfire_ir::artifact::Section;
use synfire_ir::model::Model;
use synfire_ir::program::Program;

/// The chip's pins.
pub static PINS: OdinPins = OdinPins;

/// See [`PINS`].
pub struct OdinPins;

/// Places in the queue: in a closed loop each may hold an event that sets off none.
const QUEUE: u32 = 32;
/// Clocks of an event: it visits all 256 neurons, two clocks each, and eight more.
const EVENT: u32 = 520;

/// The configuration that the memories hold. A neuron whose word is that of an unused one is none.
fn config(memory: &Memory) -> Config {
    let register = |i: u8| memory.register(usize::from(i));
    let [source, monitor, neuron, synapse, update, propagate, stim] = REGISTERS.map(register);
    let mut c = Config {
        open_loop: register(OPEN_LOOP) & 1 == 1,
        aer_src_ctrl: source & 1 == 1,
        monitor_en: monitor & 1 == 1,
        monitor_neur_addr: neuron as u8,
        monitor_syn_addr: synapse as u8,
        update_unmapped: update & 1 == 1,
        propagate_unmapped: propagate & 1 == 1,
        sdsp_on_syn_stim: stim & 1 == 1,
        ..Config::default()
    };
    for (r, sign) in (SYN_SIGN..).zip(&mut c.syn_sign) {
        *sign = register(r) as u16;
    }
    for n in 0..=u8::MAX {
        let word = Word(u128::from_le_bytes(memory.neuron(n)));
        if word != Word::UNUSED {
            c.neurons.insert(n, word);
        }
    }
    let columns = c.columns();
    for r in 0..=u8::MAX {
        let row: Vec<u8> = (0..=u8::MAX).map(|q| memory.nibble(r, q)).collect();
        if row.iter().any(|w| *w != 0) {
            c.rows.insert(r, row.into_iter().take(columns).collect());
        }
    }
    c
}

/// The value of a state of neuron `n` after a run; `states` are `[state][unit]`.
fn state(model: &Model, states: &[Vec<u32>], name: &str, n: u8) -> Option<u32> {
    let state = model.state(name)?;
    states.get(usize::from(state))?.get(usize::from(n)).copied()
}

/// The word of neuron `n` after a run, which had `word` before.
pub fn word_after(model: &Model, states: &[Vec<u32>], n: u8, word: Word) -> Word {
    let value = |name: &str| state(model, states, name, n).map(|w| i64::from(w as i32));
    let names = model.states.iter().map(|s| s.name.as_str());
    names.fold(word, |word, name| match value(name) {
        // The neuron without learning calls its potential `v`.
        Some(v) => word.with(if name == "v" { "core" } else { name }, v),
        None => word,
    })
}

/// The synapse from row `row` onto neuron `n` after a run; `None` in a program without learning.
pub fn nibble_after(model: &Model, states: &[Vec<u32>], row: u8, n: u8) -> Option<u8> {
    let word = state(model, states, &format!("m{}", row >> 3), n)?;
    Some((word >> (4 * (row & 7))) as u8 & 15)
}

impl Pins for OdinPins {
    fn words<'a>(&self, sections: &[&'a Section]) -> Result<&'a [u8], Diagnostics> {
        let words = super::backend::IMAGE.only(sections)?;
        decode(SECTION, words)?;
        Ok(words)
    }

    fn silence(&self, memory: &Memory) -> u32 {
        let open = memory.register(usize::from(OPEN_LOOP)) & 1 == 1;
        EVENT * if open { 2 } else { QUEUE }
    }

    fn program(&self, memory: &Memory) -> Result<Program, Diagnostics> {
        let config = config(memory);
        lower::lower(&config, must_learn(&config))
    }

    fn event(&self, program: &Program, word: u64) -> Option<NativeInput> {
        let matrix = |r, n| lower::at(program, r, n);
        event(word, lower::learns(program), &matrix).map(NativeInput::Serial)
    }

    fn group(&self) -> u32 {
        NEURONS
    }

    fn absorb(&self, program: &Program, states: &[Vec<u32>], memory: &mut Memory) {
        let Some(model) = program.models.first() else {
            return;
        };
        for n in 0..=u8::MAX {
            let word = Word(u128::from_le_bytes(memory.neuron(n)));
            if word == Word::UNUSED {
                continue;
            }
            memory.set_neuron(n, &word_after(model, states, n, word).bytes());
            for r in 0..=u8::MAX {
                if let Some(nibble) = nibble_after(model, states, r, n) {
                    memory.set_nibble(r, n, nibble);
                }
            }
        }
    }
}
