//! ODIN's stream of SPI words, written and read: the form is that of [`crate::aer_crossbar::spi`]. A neuron that is not configured takes one word, which disables it.

use super::Config;
use super::config::SIZE;
use super::word::Word;
use crate::aer_crossbar::spi::{self, GATE, OPEN_LOOP, Stream, Write};
use synfire_ir::Diagnostics;

/// Byte 15 of a neuron that is not configured: disabled.
const DISABLED: u8 = 0x80;
/// Words of the longest stream.
const MOST_WORDS: usize = 28 + SIZE * 16 + SIZE * SIZE / 2;

/// Registers, by the RTL's numbers.
pub const SYN_SIGN: u8 = 2;
const BURST_TIMEREF: u8 = 18;
/// The registers behind it: source of the output, monitor and its two addresses, synapses that are not mapped (update, propagate), learning on single synapses.
pub const REGISTERS: [u8; 7] = [19, 20, 21, 22, 23, 24, 25];

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
    let mut words = vec![Write::register(GATE, 1), Write::register(OPEN_LOOP, 1)];
    let signs = (SYN_SIGN..).zip(config.syn_sign);
    words.extend(signs.map(|(r, s)| Write::register(r, s.into())));
    words.push(Write::register(BURST_TIMEREF, 0));
    let others = (BURST_TIMEREF + 1..).zip(registers(config));
    words.extend(others.map(|(r, v)| Write::register(r, v)));
    for n in 0..=u8::MAX {
        match config.neurons.get(&n) {
            Some(w) => words.extend((0..).zip(w.bytes()).map(|(b, d)| Write::neuron(n, b, d))),
            None => words.push(Write::neuron(n, 15, DISABLED)),
        }
    }
    for (&r, row) in &config.rows {
        let pairs = (0..=u8::MAX).step_by(2).zip(row.chunks_exact(2));
        words.extend(pairs.map(|(c, p)| Write::pair(r, c, p[0] | p[1] << 4)));
    }
    words.push(Write::register(OPEN_LOOP, config.open_loop.into()));
    words.push(Write::register(GATE, 0));
    Ok(spi::bytes(words))
}

/// The configuration of a stream; `place` names it in messages.
///
/// Errors: `SYN0721` for the first word that is not as it must be, and those of [`Config::validate`].
pub fn decode(place: &str, bytes: &[u8]) -> Result<Config, Diagnostics> {
    let mut s = Stream::open(place, bytes, MOST_WORDS)?;
    let mut c = Config::default();
    for (r, sign) in (SYN_SIGN..).zip(&mut c.syn_sign) {
        *sign = s.data(Write::register(r, 0), 0xFFFF)? as u16;
    }
    s.exactly(Write::register(BURST_TIMEREF, 0))?;
    c.aer_src_ctrl = s.flag(Write::register(19, 0))?;
    c.monitor_en = s.flag(Write::register(20, 0))?;
    c.monitor_neur_addr = s.byte(Write::register(21, 0))?;
    c.monitor_syn_addr = s.byte(Write::register(22, 0))?;
    c.update_unmapped = s.flag(Write::register(23, 0))?;
    c.propagate_unmapped = s.flag(Write::register(24, 0))?;
    c.sdsp_on_syn_stim = s.flag(Write::register(25, 0))?;
    for n in 0..=u8::MAX {
        if let Some(w) = neuron(&mut s, n)? {
            c.neurons.insert(n, w);
        }
    }
    while let Some(r) = s.row()? {
        let mut row = vec![];
        for k in 0..c.columns() / 2 {
            let pair = s.byte(Write::pair(r, 2 * k as u8, 0))?;
            row.extend([pair & 15, pair >> 4]);
        }
        c.rows.insert(r, row);
    }
    c.open_loop = s.close()?;
    c.validate().result(c)
}

/// The word of a neuron; `None` for one that is not configured.
fn neuron(s: &mut Stream, n: u8) -> Result<Option<Word>, Diagnostics> {
    if s.writes(Write::neuron(n, 15, 0)) {
        s.exactly(Write::neuron(n, 15, DISABLED))?;
        return Ok(None);
    }
    let mut bytes = [0; 16];
    for (b, byte) in (0..).zip(&mut bytes) {
        *byte = s.byte(Write::neuron(n, b, 0))?;
    }
    Ok(Some(Word(u128::from_le_bytes(bytes))))
}
