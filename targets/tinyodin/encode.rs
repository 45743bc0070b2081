//! Configuration to the canonical stream of SPI words ([`crate::aer_crossbar::spi`]).

use super::Config;
use super::spi::{AER_SRC_CTRL, MAX_NEUR, neuron_bytes, nibbles};
use crate::aer_crossbar::spi::{self, GATE, OPEN_LOOP, Write};
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
        Write::register(GATE, 1),
        Write::register(OPEN_LOOP, 1),
        Write::register(AER_SRC_CTRL, config.aer_src_ctrl.into()),
        Write::register(MAX_NEUR, max_neur.into()),
    ];
    for (i, n) in (0..=max_neur).zip(&config.neurons) {
        let bytes = (0u8..).zip(neuron_bytes(n));
        words.extend(bytes.map(|(b, data)| Write::neuron(i, b, data)));
    }
    for (&r, row) in &config.rows {
        let pairs = (0..=max_neur).step_by(2).zip(row.chunks(2));
        words.extend(pairs.map(|(column, pair)| match *pair {
            [even, odd] => Write::pair(r, column, nibbles(even, odd)),
            _ => Write::pair(r, column, nibbles(pair.first().copied().unwrap_or(0), 0)),
        }));
    }
    words.push(Write::register(OPEN_LOOP, config.open_loop.into()));
    words.push(Write::register(GATE, 0));
    Ok(spi::bytes(words))
}
