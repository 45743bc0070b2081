//! AER words of 17 bits and events of the serial program.
//!
//! | word | event |
//! |---|---|
//! | bit 16, bits 15..8 p, low byte q | single synapse from row p onto neuron q, at once |
//! | low byte 0x7F; 0xFF | time reference for all neurons; for neuron H (bits 15..8) |
//! | low byte 0x00; 0x80 | bistability of all rows; of row H |
//! | low byte 0x07 or 0x01 | spike event of row H, through the queue |
//! | low byte w s l 001 with w, s, l not all 0 | virtual event for neuron H through the queue: weight w, s inhibitory; l: a time reference |
//!
//! Other words are no events. In a program without learning an event is its weight; in one with learning it is the number that `model.syn` describes.

use super::Config;
use super::lower::{BIST, SYN};
use synfire_ir::program::SerialEvent;

/// A time reference for all neurons.
pub const TIME_REFERENCE: u64 = 0x7F;
/// The bistability event of all rows.
pub const BISTABILITY: u64 = 0x00;
/// A spike event of row 0; the row stands in bits 15..8.
pub const SPIKE: u64 = 0x07;

const SINGLE: i32 = 1 << 9;
const VIRTUAL: i32 = 2 << 9;
const TREF: i32 = 3 << 9;
const INHIBITORY: i32 = 1 << 8;

/// What a word of a row's matrix holds at (row, neuron).
pub type Matrix<'a> = &'a dyn Fn(u8, u8) -> i32;

/// The event of a word, for a program with learning or one without.
pub fn event(word: u64, learning: bool, matrix: Matrix<'_>) -> Option<SerialEvent> {
    if word >> 17 != 0 {
        return None;
    }
    let (low, high) = (word as u8, (word >> 8) as u8);
    let h = u32::from(high);
    let direct = |value: i32, first: u32, last: u32, queued: bool| SerialEvent::Direct {
        port: SYN,
        value,
        first,
        last,
        queued,
    };
    let tref = |first: u32, last: u32, queued: bool| {
        if learning {
            direct(TREF, first, last, queued)
        } else {
            // A queued time reference of one neuron meets an empty queue, in which it changes nothing but its own turn.
            SerialEvent::Step { first, last }
        }
    };
    if word >> 16 == 1 {
        let (q, held) = (u32::from(low), matrix(high, low));
        let value = if learning { SINGLE | held } else { held };
        return Some(direct(value, q, q, false));
    }
    match low {
        0x7F => Some(tref(0, 255, false)),
        0xFF => Some(tref(h, h, false)),
        0x00 | 0x80 => learning.then_some(SerialEvent::Direct {
            port: BIST,
            value: if low == 0 { 256 } else { i32::from(high) },
            first: 0,
            last: 255,
            queued: false,
        }),
        0x07 | 0x01 => Some(SerialEvent::Row { pre: h }),
        _ if low & 7 == 1 => {
            let (w, inhibits, leak) = (i32::from(low >> 5), low & 0x10 != 0, low & 0x08 != 0);
            if leak {
                return Some(tref(h, h, true));
            }
            let value = match (learning, inhibits) {
                (false, true) => -w,
                (false, false) => w,
                (true, true) => VIRTUAL | INHIBITORY | w,
                (true, false) => VIRTUAL | w,
            };
            Some(direct(value, h, h, true))
        }
        _ => None,
    }
}

/// The number of a row's spike event in a program with learning.
pub fn row_value(config: &Config, row: u8) -> i32 {
    let sign = if config.inhibits(row) { INHIBITORY } else { 0 };
    sign | i32::from(row)
}

/// The number of "nothing happens".
pub const NOTHING: i32 = 4 << 9;
