//! Words of SPI, and the canonical stream of them.
//!
//! A word is a 20-bit address and 20 bits of data, sent as five bytes, most significant bit first; there is no chip select and no frame around them.
//! Writes to the memories carry a mask of bits to keep, which is 0 throughout the canonical stream.
//!
//! The order is fixed: the gate closed, the loop opened (a write to a neuron evaluates its old word and may push a bogus spike otherwise), the other registers, neurons,
//! rows, the loop as wanted, and last the gate, because the final write of a session takes effect with the next clock only. Reading is total and strict: every other
//! word, order, mask or number of words is an error that names the word. So a stream that is read is exactly what is written of the configuration that comes out.

use synfire_ir::{Diagnostic, Diagnostics};

/// Bytes of a word.
pub const BYTES: usize = 5;
/// Register: SPI takes the memories, AER is held.
pub const GATE: u8 = 0;
/// Register: local spikes do not enter the queue.
pub const OPEN_LOOP: u8 = 1;

/// A write: 20 bits of address and 20 bits of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write(u64);

impl Write {
    /// To a register.
    pub fn register(register: u8, value: u32) -> Write {
        Write::new(register.into(), value)
    }

    /// To byte `byte` of a neuron.
    pub fn neuron(neuron: u8, byte: u8, data: u8) -> Write {
        Write::new(
            0x50000 | u64::from(byte) << 8 | u64::from(neuron),
            data.into(),
        )
    }

    /// The nibbles of the columns `column` (even) and `column + 1` of a row, the first in the low bits.
    pub fn pair(row: u8, column: u8, nibbles: u8) -> Write {
        let word = u64::from(row) << 5 | u64::from(column >> 3);
        let byte = u64::from(column >> 1 & 3);
        Write::new(0x60000 | byte << 13 | word, nibbles.into())
    }

    fn new(address: u64, data: u32) -> Write {
        Write(address << 20 | u64::from(data & 0xFFFFF))
    }

    fn address(self) -> u64 {
        self.0 >> 20
    }
}

/// A stream as sent.
pub fn bytes(words: Vec<Write>) -> Vec<u8> {
    let sent = |w: Write| {
        let [_, _, _, bytes @ ..] = w.0.to_be_bytes();
        bytes
    };
    words.into_iter().flat_map(sent).collect()
}

/// What is left of a stream that is read.
pub struct Stream<'a> {
    place: &'a str,
    rest: &'a [u8],
    /// Words taken.
    at: usize,
    /// The least row that may come next.
    row: u16,
}

impl<'a> Stream<'a> {
    /// The stream `bytes` of at most `most` words up to the first register; `place` names it in messages. Memory is bounded by the longest stream, and that is
    /// tested first.
    ///
    /// Errors: `SYN0721`, as for all that follows.
    pub fn open(place: &'a str, bytes: &'a [u8], most: usize) -> Result<Self, Diagnostics> {
        let most = most * BYTES;
        if bytes.len() > most || !bytes.len().is_multiple_of(BYTES) {
            let text = format!(
                "{} bytes; a stream is a multiple of {BYTES} of at most {most}",
                bytes.len()
            );
            return Err(damaged(place, text));
        }
        let mut stream = Stream {
            place,
            rest: bytes,
            at: 0,
            row: 0,
        };
        stream.exactly(Write::register(GATE, 1))?;
        stream.exactly(Write::register(OPEN_LOOP, 1))?;
        Ok(stream)
    }

    /// The end of the stream: is the loop open?
    pub fn close(mut self) -> Result<bool, Diagnostics> {
        let open_loop = self.flag(Write::register(OPEN_LOOP, 0))?;
        self.exactly(Write::register(GATE, 0))?;
        match self.rest.len() / BYTES {
            0 => Ok(open_loop),
            more => Err(damaged(
                self.place,
                format!("{more} words after the gate was opened"),
            )),
        }
    }

    fn peek(&self) -> Option<Write> {
        let &[a, b, c, d, e] = self.rest.first_chunk()?;
        Some(Write(u64::from_be_bytes([0, 0, 0, a, b, c, d, e])))
    }

    /// What is wrong with the next word.
    pub fn wrong(&self, what: &str) -> Diagnostics {
        let found = match self.peek() {
            Some(w) => format!("word {} ({:010x}) {what}", self.at, w.0),
            None => format!("the stream ends where word {} {what}", self.at),
        };
        damaged(self.place, found)
    }

    /// Does the next word write to the address of `like`?
    pub fn writes(&self, like: Write) -> bool {
        self.peek().is_some_and(|w| w.address() == like.address())
    }

    /// Takes a word at the address of `like` whose data is at most `most`; gives its data.
    pub fn data(&mut self, like: Write, most: u32) -> Result<u32, Diagnostics> {
        let data = self.peek().filter(|w| w.address() == like.address());
        let data = data.map(|w| w.0 as u32 & 0xFFFFF).filter(|d| *d <= most);
        let Some(data) = data else {
            let what = format!("must write at most {most:#x} to {:05x}", like.address());
            return Err(self.wrong(&what));
        };
        self.rest = self.rest.get(BYTES..).unwrap_or(&[]);
        self.at += 1;
        Ok(data)
    }

    /// Takes a byte.
    pub fn byte(&mut self, like: Write) -> Result<u8, Diagnostics> {
        self.data(like, 0xFF).map(|d| d as u8)
    }

    /// Takes a register of one bit.
    pub fn flag(&mut self, like: Write) -> Result<bool, Diagnostics> {
        self.data(like, 1).map(|d| d == 1)
    }

    /// Takes this word and no other.
    pub fn exactly(&mut self, word: Write) -> Result<(), Diagnostics> {
        if self.peek() != Some(word) {
            return Err(self.wrong(&format!("must be {:010x}", word.0)));
        }
        self.data(word, u32::MAX).map(|_| ())
    }

    /// The row that the next word writes to, if it is a synapse word; rows come in order, each once.
    pub fn row(&mut self) -> Result<Option<u8>, Diagnostics> {
        let Some(address) = self.peek().map(Write::address) else {
            return Ok(None);
        };
        if address >> 15 != 0x60000 >> 15 {
            return Ok(None);
        }
        let row = (address >> 5) as u8;
        if u16::from(row) < self.row {
            return Err(self.wrong(&format!("writes row {row} after row {}", self.row - 1)));
        }
        self.row = u16::from(row) + 1;
        Ok(Some(row))
    }
}

fn damaged(place: &str, what: String) -> Diagnostics {
    Diagnostic::error("SYN0721", what)
        .at(place)
        .note("the native file is damaged or was not written for this chip")
        .note("only the canonical order of words is read, so that one configuration has one form")
        .hint("compile the network again, or copy the file again")
        .into()
}
