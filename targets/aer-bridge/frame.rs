//! Frames of the bridge between a UART and the pins of a chip.
//!
//! | host to board | answer | meaning |
//! |---|---|---|
//! | `01` + 5 bytes | `81` + 1 byte | a word of SPI; the answer is what the chip sent during its last eight clocks |
//! | `02` + 3 bytes | `82` | an AER event, right-aligned; the answer comes after its acknowledge |
//! | `03` + 2 bytes | `83` | wait until no AER event has left the chip for n x 16 clocks |
//! | `04` + 1 byte | `84` | bit 0: pulse RST |
//!
//! At any time the board may send `C0`, the byte of an AER event that left the chip, and four bytes of its clock. Numbers are big-endian. The protocol is ours: the chips' repositories
//! have a test bench and no host. Unknown bytes are told from frames as early as the first one.

use crate::board::{Reading, Reply, Request};

const WORD: u8 = 0x01;
const EVENT: u8 = 0x02;
const DRAIN: u8 = 0x03;
const PINS: u8 = 0x04;
/// Set in the first byte of an answer.
const ANSWER: u8 = 0x80;
const SPIKE: u8 = 0xC0;
/// Bit of [`PINS`]: pulse RST.
const RST: u8 = 1;

/// A request as bytes. Of an event the low 24 bits are sent.
pub fn request(r: &Request) -> Vec<u8> {
    match r {
        Request::Reset => vec![PINS, RST],
        Request::Word { bytes, .. } => [&[WORD][..], bytes].concat(),
        Request::Event(word) => {
            let [.., a, b, c] = word.to_be_bytes();
            vec![EVENT, a, b, c]
        }
        Request::Drain(n) => [&[DRAIN][..], &n.to_be_bytes()].concat(),
    }
}

/// The request that bytes begin with, and its length; `Ok(None)` when they are too few, the first byte when it begins none.
pub fn read_request(bytes: &[u8]) -> Result<Option<(Request, usize)>, u8> {
    Ok(match *bytes {
        [] => None,
        [WORD, a, b, c, d, e, ..] => {
            let bytes = [a, b, c, d, e];
            let expect = None;
            Some((Request::Word { bytes, expect }, 6))
        }
        [EVENT, a, b, c, ..] => {
            let word = u32::from_be_bytes([0, a, b, c]);
            Some((Request::Event(word.into()), 4))
        }
        [DRAIN, a, b, ..] => Some((Request::Drain(u16::from_be_bytes([a, b])), 3)),
        [PINS, RST, ..] => Some((Request::Reset, 2)),
        [PINS, ..] if bytes.len() > 1 => return Err(PINS),
        [WORD..=PINS, ..] => None,
        [other, ..] => return Err(other),
    })
}

/// A reply as bytes. Of a spike the low byte is sent.
pub fn reply(r: &Reply) -> Vec<u8> {
    match r {
        Reply::Reset => vec![ANSWER | PINS],
        Reply::Word(byte) => vec![ANSWER | WORD, *byte],
        Reply::Event => vec![ANSWER | EVENT],
        Reply::Drained => vec![ANSWER | DRAIN],
        Reply::Spike { word, clock } => [&[SPIKE, *word as u8][..], &clock.to_be_bytes()].concat(),
    }
}

/// What received bytes begin with.
pub fn read_reply(bytes: &[u8]) -> Reading {
    const RESET: u8 = ANSWER | PINS;
    const WORDED: u8 = ANSWER | WORD;
    const TAKEN: u8 = ANSWER | EVENT;
    const SILENT: u8 = ANSWER | DRAIN;
    match *bytes {
        [] | [WORDED] => Reading::More,
        [RESET, ..] => Reading::Reply(Reply::Reset, 1),
        [WORDED, byte, ..] => Reading::Reply(Reply::Word(byte), 2),
        [TAKEN, ..] => Reading::Reply(Reply::Event, 1),
        [SILENT, ..] => Reading::Reply(Reply::Drained, 1),
        [SPIKE, word, a, b, c, d, ..] => {
            let clock = u32::from_be_bytes([a, b, c, d]);
            let word = word.into();
            Reading::Reply(Reply::Spike { word, clock }, 6)
        }
        [SPIKE, ..] => Reading::More,
        [other, ..] => Reading::Garbage(other),
    }
}
