//! Configuration to the canonical stream of SPI words.
//!
//! The order is fixed: the gate closed, the loop opened (a write to a neuron evaluates its old word and may push a bogus spike otherwise), the other registers, neurons,
//! rows, the loop as wanted, and last the gate, because the final write of a session takes effect with the next clock only.

use super::Config;
use super::spi::{self, Word};
use synfire_ir::{Diagnostic, Diagnostics};

/// The stream of a configuration: five bytes a word.
///
/// Errors: those of [`Config::validate`].
pub fn encode(config: &Config) -> Result<Vec<u8>, Diagnostics> {
    config.validate().result(())?;
    let Some(max_neur) = config.max_neur() else {
        return Err(Diagnostic::error("SYN0614", "no number of neurons")
            .hint("configure between 1 and 256 neurons")
            .into());
    };
    let mut words = vec![
        Word::config(spi::GATE_ACTIVITY, 1),
        Word::config(spi::OPEN_LOOP, 1),
        Word::config(spi::AER_SRC_CTRL, config.aer_src_ctrl.into()),
        Word::config(spi::MAX_NEUR, max_neur),
    ];
    for (i, n) in (0..=max_neur).zip(&config.neurons) {
        let bytes = (0u8..).zip(spi::neuron_bytes(n));
        words.extend(bytes.map(|(b, data)| Word::neuron(i, b, data)));
    }
    for (&r, row) in &config.rows {
        let pairs = (0..=max_neur).step_by(2).zip(row.chunks(2));
        words.extend(pairs.map(|(column, pair)| match *pair {
            [even, odd] => Word::weights(r, column, even, odd),
            _ => Word::weights(r, column, pair.first().copied().unwrap_or(0), 0),
        }));
    }
    words.push(Word::config(spi::OPEN_LOOP, config.open_loop.into()));
    words.push(Word::config(spi::GATE_ACTIVITY, 0));
    Ok(words.into_iter().flat_map(Word::to_bytes).collect())
}
