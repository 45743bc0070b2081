//! AER words of ten bits and events of the serial program.
//!
//! | word | event |
//! |---|---|
//! | bit 8, low byte 255 | time reference for neurons 0 to MAX_NEUR |
//! | bit 8, low byte n | time reference for neuron n |
//! | bit 9 alone, `w << 4 | n` with w not 0 | virtual event: weight w (4 bits, signed) for neuron n (0 to 15), through the queue |
//! | bit 9 alone, w = 0 | spike event of row n |
//! | neither, low byte p | spike event of row p |
//!
//! An event for one neuron beyond MAX_NEUR would act on memory that the configuration does not write, whose content is unknown: it is no event of the
//! configured chip. Row addresses beyond MAX_NEUR are; rows that are not written are zeros.

use super::config::{SIZE, WEIGHTS};
use super::lower::SYN;
use super::spi::weight;
use synfire_ir::program::SerialEvent;

/// A time reference for all neurons.
pub const TIME_REFERENCE: u64 = 0x1FF;

/// The event of a word for a chip with `neurons` configured neurons; `None` for words beyond ten bits and neurons beyond the configured ones.
pub fn event(word: u64, neurons: u32) -> Option<SerialEvent> {
    let low = (word & 0xFF) as u8;
    let one = |n: u8| (u32::from(n) < neurons).then_some(u32::from(n));
    match word >> 8 {
        0 => Some(SerialEvent::Row { pre: low.into() }),
        1 | 3 if low == 0xFF => Some(SerialEvent::Step {
            first: 0,
            last: neurons.checked_sub(1)?,
        }),
        1 | 3 => one(low).map(|n| SerialEvent::Step { first: n, last: n }),
        2 if low < 16 => Some(SerialEvent::Row { pre: low.into() }),
        2 => one(low & 15).map(|n| SerialEvent::Direct {
            port: SYN,
            value: weight(low >> 4).into(),
            first: n,
            last: n,
            queued: true,
        }),
        _ => None,
    }
}

/// The word of an event; `None` for events that the chip does not have.
pub fn word(event: &SerialEvent, neurons: u32) -> Option<u64> {
    match *event {
        SerialEvent::Row { pre } => ((pre as usize) < SIZE).then_some(pre.into()),
        SerialEvent::Step { first: 0, last } if last.checked_add(1)? == neurons => {
            Some(TIME_REFERENCE)
        }
        SerialEvent::Step { first, last } => {
            (first == last && first < 255).then_some(0x100 | u64::from(first))
        }
        SerialEvent::Direct {
            port: SYN,
            value,
            first,
            last,
            queued: true,
        } if first == last && first < 16 => {
            let w = i8::try_from(value).ok()?;
            let legal = w != 0 && WEIGHTS.contains(&w);
            legal.then_some(0x200 | u64::from(w as u8 & 15) << 4 | u64::from(first))
        }
        SerialEvent::Direct { .. } => None,
    }
}
