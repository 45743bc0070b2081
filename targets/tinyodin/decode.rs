//! The canonical stream of SPI words to a configuration.
//!
//! Total and strict: any other word, order, mask, number of words or nibble beyond the last neuron is an error that names the word. So a stream that is read is
//! exactly what `encode` writes of the configuration that comes out. Memory is bounded by the longest stream, and that is tested first.

use super::config::SIZE;
use super::spi::{self, BYTES, NEURON_BYTES, Word};
use super::{Config, Neuron};
use synfire_ir::{Diagnostic, Diagnostics};

/// Words of the longest stream: registers, neurons, all rows of a full crossbar.
const MOST_WORDS: usize = 4 + SIZE * NEURON_BYTES as usize + SIZE * SIZE / 2 + 2;

/// The configuration of a stream; `place` names it in messages.
///
/// Errors: `SYN0721` for the first word that is not as it must be.
pub fn decode(place: &str, bytes: &[u8]) -> Result<Config, Diagnostics> {
    let most = MOST_WORDS * BYTES;
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
    };
    stream.exactly(Word::config(spi::GATE_ACTIVITY, 1))?;
    stream.exactly(Word::config(spi::OPEN_LOOP, 1))?;
    let aer_src_ctrl = stream.flag(Word::config(spi::AER_SRC_CTRL, 0))?;
    let max_neur = stream.data(Word::config(spi::MAX_NEUR, 0))?;
    let mut config = Config {
        aer_src_ctrl,
        ..Config::default()
    };
    for i in 0..=max_neur {
        config.neurons.push(stream.neuron(i)?);
    }
    let mut next = 0;
    while let Some(row) = stream.row() {
        if u16::from(row) < next {
            return Err(stream.wrong(format!("writes row {row} after row {}", next - 1)));
        }
        next = u16::from(row) + 1;
        config.rows.insert(row, stream.weights(row, max_neur)?);
    }
    config.open_loop = stream.flag(Word::config(spi::OPEN_LOOP, 0))?;
    stream.exactly(Word::config(spi::GATE_ACTIVITY, 0))?;
    match stream.rest.len() / BYTES {
        0 => Ok(config),
        more => Err(damaged(
            place,
            format!("{more} words after the gate was opened"),
        )),
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

/// What is left of a stream.
struct Stream<'a> {
    place: &'a str,
    rest: &'a [u8],
    /// Words taken.
    at: usize,
}

impl Stream<'_> {
    fn peek(&self) -> Option<Word> {
        self.rest.first_chunk().map(|&b| Word::from_bytes(b))
    }

    fn wrong(&self, what: String) -> Diagnostics {
        let found = match self.peek() {
            Some(w) => format!("word {} ({:010x}) {what}", self.at, w.0),
            None => format!("the stream ends where word {} {what}", self.at),
        };
        damaged(self.place, found)
    }

    /// Takes a word at the address of `like`; gives its data.
    fn data(&mut self, like: Word) -> Result<u8, Diagnostics> {
        let data = self.peek().and_then(|w| w.data_at(like));
        let Some(data) = data else {
            return Err(self.wrong(format!("must write one byte to {:05x}", like.0 >> 20)));
        };
        self.rest = self.rest.get(BYTES..).unwrap_or(&[]);
        self.at += 1;
        Ok(data)
    }

    fn flag(&mut self, like: Word) -> Result<bool, Diagnostics> {
        if self.peek().is_some_and(|w| w.0 > like.0 + 1) {
            return Err(self.wrong(format!("must be {:010x} or that plus 1", like.0)));
        }
        self.data(like).map(|d| d == 1)
    }

    fn exactly(&mut self, word: Word) -> Result<(), Diagnostics> {
        if self.peek() != Some(word) {
            return Err(self.wrong(format!("must be {:010x}", word.0)));
        }
        self.data(word).map(|_| ())
    }

    fn neuron(&mut self, i: u8) -> Result<Neuron, Diagnostics> {
        let mut bytes = [0; NEURON_BYTES as usize];
        for (b, byte) in (0..NEURON_BYTES).zip(&mut bytes) {
            *byte = self.data(Word::neuron(i, b, 0))?;
        }
        Ok(spi::neuron(bytes))
    }

    /// The row that the next word writes to, if it is a synapse word.
    fn row(&self) -> Option<u8> {
        self.peek()?.row()
    }

    fn weights(&mut self, row: u8, max_neur: u8) -> Result<Vec<i8>, Diagnostics> {
        let mut weights = vec![];
        for column in (0..=max_neur).step_by(2) {
            let like = Word::weights(row, column, 0, 0);
            if column == max_neur && self.peek().is_some_and(|w| w.0 & 0xF0 != 0) {
                let what = format!("must leave the column after neuron {max_neur} at 0");
                return Err(self.wrong(what));
            }
            let data = self.data(like)?;
            weights.push(spi::weight(data & 15));
            if column != max_neur {
                weights.push(spi::weight(data >> 4));
            }
        }
        Ok(weights)
    }
}
