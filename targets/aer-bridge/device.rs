//! The board's side of the bridge: frames in, an SPI slave and an emulated chip behind them, frames out.
//!
//! While the gate is closed the memories are what the host reads and writes; when it opens, they become the emulator's program, and when it closes again the emulator's states go back
//! into them. An event that comes while the gate is closed is not acknowledged, as on the chip. Bytes that begin no frame are dropped one by one, as a bridge that waits
//! for a command does. Deliberately absent: the pulses that a write may push into the queue of a closed loop, and the time that anything takes; the clock counts what the documents give.

use super::memory::Memory;
use super::{Pins, frame, value};
use crate::board::{Behind, Device, Reply, Request};
use synfire_ir::Diagnostics;
use synfire_ir::program::Program;

/// Most bytes that wait for the rest of their frame.
const LONGEST: usize = 8;

/// See the module.
pub struct Bridged<P: 'static> {
    pins: &'static P,
    memory: Memory,
    /// What runs while the gate is open.
    program: Option<Program>,
    rest: Vec<u8>,
    clock: u32,
}

impl<P: Pins> Bridged<P> {
    /// Fresh from power-up.
    pub fn new(pins: &'static P) -> Self {
        Bridged {
            pins,
            memory: Memory::default(),
            program: None,
            rest: vec![],
            clock: 0,
        }
    }

    /// The memories as SPI reaches them.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    fn word(&mut self, word: u64, behind: &mut dyn Behind) -> Result<u8, Diagnostics> {
        let before = self.memory.gate();
        let back = self.memory.transfer(word);
        match (before, self.memory.gate()) {
            (true, false) => {
                let program = self.pins.program(&self.memory)?;
                behind.load(program.clone())?;
                self.program = Some(program);
            }
            (false, true) => {
                if let Some(program) = self.program.take() {
                    let states = behind.states(self.pins.group())?;
                    self.pins.absorb(&program, &states, &mut self.memory);
                }
            }
            _ => {}
        }
        Ok(back)
    }

    fn answer(
        &mut self,
        request: &Request,
        behind: &mut dyn Behind,
        out: &mut Vec<u8>,
    ) -> Result<(), Diagnostics> {
        let last = match request {
            Request::Reset => {
                self.clock = 0;
                Reply::Reset
            }
            Request::Word { bytes, .. } => Reply::Word(self.word(value(bytes), behind)?),
            Request::Event(word) => {
                let Some(program) = &self.program else {
                    return Ok(());
                };
                let event = self.pins.event(program, *word);
                let left = event.map_or(Ok(vec![]), |e| behind.event(e))?;
                out.extend(frame::reply(&Reply::Event));
                let each = self.pins.silence(&self.memory);
                for address in left {
                    self.clock = self.clock.wrapping_add(each);
                    let (word, clock) = (address.into(), self.clock);
                    out.extend(frame::reply(&Reply::Spike { word, clock }));
                }
                self.clock = self.clock.wrapping_add(each);
                return Ok(());
            }
            Request::Drain(n) => {
                self.clock = self.clock.wrapping_add(u32::from(*n) * super::UNIT);
                Reply::Drained
            }
        };
        out.extend(frame::reply(&last));
        Ok(())
    }
}

impl<P: Pins> Device for Bridged<P> {
    fn take(&mut self, bytes: &[u8], behind: &mut dyn Behind) -> Result<Vec<u8>, Diagnostics> {
        let mut out = vec![];
        for &byte in bytes {
            self.rest.push(byte);
            match frame::read_request(&self.rest) {
                Ok(None) => debug_assert!(self.rest.len() < LONGEST),
                Ok(Some((request, _))) => {
                    self.rest.clear();
                    self.answer(&request, behind, &mut out)?;
                }
                Err(_) => self.rest.clear(),
            }
        }
        Ok(out)
    }
}
