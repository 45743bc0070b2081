//! The canonical stream of SPI words, written and read.
//!
//! A word is a 20-bit address and 20 bits of data, sent as five bytes, most significant bit first. The order is fixed: the gate closed, the loop opened (a write to a neuron evaluates its old
//! word and may push a bogus spike otherwise), the other registers, neurons, rows, the loop as wanted, and last the gate, because the final write of a session takes effect
//! with the next clock only. Reading is total and strict: every other word, order or number of words is an error that names the word.

use super::Config;
use super::config::SIZE;
use super::word::Word;
use synfire_ir::{Diagnostic, Diagnostics};

/// Bytes of a word.
pub const BYTES: usize = 5;
/// Byte 15 of a neuron that is not configured: disabled.
const DISABLED: u8 = 0x80;
/// Words of the longest stream.
const MOST_WORDS: usize = 28 + SIZE * 16 + SIZE * SIZE / 2;

/// Registers, by the RTL's numbers.
const GATE: u8 = 0;
pub const OPEN_LOOP: u8 = 1;
pub const SYN_SIGN: u8 = 2;
const BURST_TIMEREF: u8 = 18;
/// The registers behind it: source of the output, monitor and its two addresses, synapses that are not mapped (update, propagate), learning on single synapses.
pub const REGISTERS: [u8; 7] = [19, 20, 21, 22, 23, 24, 25];

fn config_word(register: u8, value: u32) -> u64 {
    u64::from(register) << 20 | u64::from(value)
}

fn neuron_word(neuron: u8, byte: u8, data: u8) -> u64 {
    (0x50000 | u64::from(byte) << 8 | u64::from(neuron)) << 20 | u64::from(data)
}

fn pair_word(row: u8, column: u8, data: u8) -> u64 {
    let address = u64::from(column >> 1 & 3) << 13 | u64::from(row) << 5 | u64::from(column >> 3);
    (0x60000 | address) << 20 | u64::from(data)
}

/// Registers 19 to 25.
fn registers(c: &Config) -> [u32; 7] {
    [
        c.aer_src_ctrl.into(),
        c.monitor_en.into(),
        c.monitor_neur_addr.into(),
        c.monitor_syn_addr.into(),
        c.update_unmapped.into(),
        c.propagate_unmapped.into(),
        c.sdsp_on_syn_stim.into(),
    ]
}

/// The stream of a configuration: five bytes a word.
///
/// Errors: those of [`Config::validate`].
pub fn encode(config: &Config) -> Result<Vec<u8>, Diagnostics> {
    config.validate().result(())?;
    let mut words = vec![config_word(GATE, 1), config_word(OPEN_LOOP, 1)];
    let signs = (SYN_SIGN..).zip(config.syn_sign);
    words.extend(signs.map(|(r, s)| config_word(r, s.into())));
    words.push(config_word(BURST_TIMEREF, 0));
    let others = (BURST_TIMEREF + 1..).zip(registers(config));
    words.extend(others.map(|(r, v)| config_word(r, v)));
    for n in 0..=u8::MAX {
        match config.neurons.get(&n) {
            Some(w) => words.extend((0..).zip(w.bytes()).map(|(b, d)| neuron_word(n, b, d))),
            None => words.push(neuron_word(n, 15, DISABLED)),
        }
    }
    for (&r, row) in &config.rows {
        let pairs = (0..=u8::MAX).step_by(2).zip(row.chunks_exact(2));
        words.extend(pairs.map(|(c, p)| pair_word(r, c, p[0] | p[1] << 4)));
    }
    words.push(config_word(OPEN_LOOP, config.open_loop.into()));
    words.push(config_word(GATE, 0));
    let bytes = |w: u64| {
        let [_, _, _, bytes @ ..] = w.to_be_bytes();
        bytes
    };
    Ok(words.into_iter().flat_map(bytes).collect())
}

/// The configuration of a stream; `place` names it in messages.
///
/// Errors: `SYN0721` for the first word that is not as it must be, and those of [`Config::validate`].
pub fn decode(place: &str, bytes: &[u8]) -> Result<Config, Diagnostics> {
    let most = MOST_WORDS * BYTES;
    if bytes.len() > most || !bytes.len().is_multiple_of(BYTES) {
        let text = format!(
            "{} bytes; a stream is a multiple of {BYTES} of at most {most}",
            bytes.len()
        );
        return Err(damaged(place, text));
    }
    let mut s = Stream {
        place,
        rest: bytes,
        at: 0,
    };
    s.exactly(config_word(GATE, 1))?;
    s.exactly(config_word(OPEN_LOOP, 1))?;
    let mut c = Config::default();
    for (r, sign) in (SYN_SIGN..).zip(&mut c.syn_sign) {
        *sign = s.data(config_word(r, 0), 0xFFFF)? as u16;
    }
    s.exactly(config_word(BURST_TIMEREF, 0))?;
    let mut register = |r: u8, most: u64| s.data(config_word(r, 0), most);
    c.aer_src_ctrl = register(19, 1)? == 1;
    c.monitor_en = register(20, 1)? == 1;
    c.monitor_neur_addr = register(21, 255)? as u8;
    c.monitor_syn_addr = register(22, 255)? as u8;
    c.update_unmapped = register(23, 1)? == 1;
    c.propagate_unmapped = register(24, 1)? == 1;
    c.sdsp_on_syn_stim = register(25, 1)? == 1;
    for n in 0..=u8::MAX {
        if let Some(w) = s.neuron(n)? {
            c.neurons.insert(n, w);
        }
    }
    let mut next = 0;
    while let Some(r) = s.row() {
        if u16::from(r) < next {
            return Err(s.wrong(format!("writes row {r} after row {}", next - 1)));
        }
        next = u16::from(r) + 1;
        let mut row = vec![];
        for k in 0..c.columns() / 2 {
            let pair = s.data(pair_word(r, 2 * k as u8, 0), 255)? as u8;
            row.extend([pair & 15, pair >> 4]);
        }
        c.rows.insert(r, row);
    }
    c.open_loop = s.data(config_word(OPEN_LOOP, 0), 1)? == 1;
    s.exactly(config_word(GATE, 0))?;
    if !s.rest.is_empty() {
        let more = s.rest.len() / BYTES;
        return Err(damaged(
            place,
            format!("{more} words after the gate was opened"),
        ));
    }
    c.validate().result(c)
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
    fn peek(&self) -> Option<u64> {
        let &[a, b, c, d, e] = self.rest.first_chunk()?;
        Some(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
    }

    fn wrong(&self, what: String) -> Diagnostics {
        let found = match self.peek() {
            Some(w) => format!("word {} ({w:010x}) {what}", self.at),
            None => format!("the stream ends where word {} {what}", self.at),
        };
        damaged(self.place, found)
    }

    /// Takes a word at the address of `like` whose data is at most `most`; gives its data.
    fn data(&mut self, like: u64, most: u64) -> Result<u64, Diagnostics> {
        let data = self.peek().filter(|w| w >> 20 == like >> 20);
        let data = data.map(|w| w & 0xFFFFF).filter(|d| *d <= most);
        let Some(data) = data else {
            return Err(self.wrong(format!(
                "must write at most {most:#x} to {:05x}",
                like >> 20
            )));
        };
        self.rest = self.rest.get(BYTES..).unwrap_or(&[]);
        self.at += 1;
        Ok(data)
    }

    fn exactly(&mut self, word: u64) -> Result<(), Diagnostics> {
        if self.peek() != Some(word) {
            return Err(self.wrong(format!("must be {word:010x}")));
        }
        self.data(word, u64::MAX).map(|_| ())
    }

    /// The word of a neuron; `None` for one that is not configured.
    fn neuron(&mut self, n: u8) -> Result<Option<Word>, Diagnostics> {
        if self
            .peek()
            .is_some_and(|w| w >> 20 == neuron_word(n, 15, 0) >> 20)
        {
            self.exactly(neuron_word(n, 15, DISABLED))?;
            return Ok(None);
        }
        let mut bytes = [0; 16];
        for (b, byte) in (0..).zip(&mut bytes) {
            *byte = self.data(neuron_word(n, b, 0), 255)? as u8;
        }
        Ok(Some(Word(u128::from_le_bytes(bytes))))
    }

    /// The row that the next word writes to, if it is a synapse word.
    fn row(&self) -> Option<u8> {
        let address = self.peek()? >> 20;
        (address >> 15 == 0x60000 >> 15).then_some((address >> 5) as u8)
    }
}
