//! The bridge between a host and the pins of the chips with SPI for their configuration and AER for their events.
//!
//! [`frame`](self) turns requests and replies into bytes and back, [`Bridge`] is the host's side and [`Bridged`] the board's side of the conversation; what differs between the
//! chips is [`Pins`]. Everything is a pure function between bytes and meanings. Deliberately absent: the UART itself, and the pulses on the pins.

mod device;
mod frame;
mod memory;
#[cfg(test)]
mod tests;

pub use device::Bridged;
pub use frame::{read_reply, read_request, reply, request};
pub use memory::{Memory, SIZE};

use crate::aer_crossbar::spi::BYTES;
use crate::backend::{Flow, NativeInput};
use crate::board::{Board, Device, Loading, Reading, Request};
use synfire_ir::Diagnostics;
use synfire_ir::artifact::Section;
use synfire_ir::program::Program;

/// Clocks of a unit of [`Request::Drain`].
const UNIT: u32 = 16;
/// Of the words that write a memory one in so many is read back, and the last.
const SAMPLE: usize = 16;

/// What a chip has beside the bridge.
pub trait Pins: Sync {
    /// Name of the native section with the words of SPI; the section is checked.
    ///
    /// Errors: those of the chip's decoder.
    fn words<'a>(&self, sections: &[&'a Section]) -> Result<&'a [u8], Diagnostics>;

    /// Clocks in which the chip may work on one event without a sign, at most.
    fn silence(&self, memory: &Memory) -> u32;

    /// What the memories mean.
    ///
    /// Errors: those of a configuration that the chip cannot have.
    fn program(&self, memory: &Memory) -> Result<Program, Diagnostics>;

    /// An AER event as the program takes it; `None` for a word that is none.
    fn event(&self, program: &Program, word: u64) -> Option<NativeInput>;

    /// Group of the program whose states [`Pins::absorb`] takes.
    fn group(&self) -> u32;

    /// Puts the states of a run (`[state][unit]`) back into the memories, where the host can read them.
    fn absorb(&self, program: &Program, states: &[Vec<u32>], memory: &mut Memory);
}

/// The board of a chip with these pins.
pub struct Bridge<P: 'static>(pub &'static P);

impl<P: Pins> Board for Bridge<P> {
    fn loading(&self, sections: &[&Section]) -> Result<Loading, Diagnostics> {
        let stream = self.0.words(sections)?;
        let words: Vec<[u8; BYTES]> = stream
            .chunks_exact(BYTES)
            .filter_map(|c| c.try_into().ok())
            .collect();
        let mut memory = Memory::default();
        words.iter().for_each(|w| {
            memory.transfer(value(w));
        });
        // The last two words hand the chip over to its events; memories can be read until then.
        let (writes, last) = words.split_at(words.len().saturating_sub(2));
        let ask = |bytes: [u8; BYTES], expect| Request::Word { bytes, expect };
        let mut requests: Vec<Request> = writes.iter().map(|w| ask(*w, None)).collect();
        let reads: Vec<(u64, u8)> = writes
            .iter()
            .filter_map(|w| memory::read_back(value(w)))
            .collect();
        let end = reads.len().saturating_sub(1);
        let sampled = (0..)
            .zip(&reads)
            .filter(|(i, _)| i % SAMPLE == 0 || *i == end);
        requests.extend(sampled.map(|(_, (word, byte))| ask(bytes(*word), Some(*byte))));
        requests.extend(last.iter().map(|w| ask(*w, None)));
        let clocks = self.0.silence(&memory);
        let drain = u16::try_from(clocks.div_ceil(UNIT)).unwrap_or(u16::MAX);
        Ok(Loading {
            requests,
            drain: Request::Drain(drain),
        })
    }

    fn frame(&self, request: &Request) -> Vec<u8> {
        frame::request(request)
    }

    fn read(&self, received: &[u8]) -> Reading {
        read_reply(received)
    }

    fn device(&self) -> Box<dyn Device> {
        Box::new(Bridged::new(self.0))
    }
}

/// Microseconds of a step without a duration.
const STEP: f64 = 1000.0;

/// The images, and `events.aer`: a line `delay_us hexaddr` for each event, the delay counted from the event before (the first from the start). Events of one step have no time between them:
/// whoever plays the file waits for silence after each.
pub fn flow(run: &Flow<'_>) -> Vec<(String, Vec<u8>)> {
    let step = run.dt.map_or(STEP, |dt| dt * 1e6);
    let mut text = String::new();
    let mut before = 0;
    for &(at, word) in run.events {
        let delay =
            (f64::from(at) * step).round() as u64 - (f64::from(before) * step).round() as u64;
        text += &format!("{delay} {word:x}\n");
        before = at;
    }
    let mut files = run.images();
    files.push(("events.aer".into(), text.into_bytes()));
    files
}

/// The number of a word's bytes.
fn value(bytes: &[u8; BYTES]) -> u64 {
    bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b))
}

/// The bytes of a word's number.
fn bytes(word: u64) -> [u8; BYTES] {
    let [_, _, _, bytes @ ..] = word.to_be_bytes();
    bytes
}
