//! The canonical stream of SPI words ([`crate::aer_crossbar::spi`]) to a configuration.
//!
//! A nibble beyond the last neuron is an error as any other word is that `encode` does not write.

use super::config::SIZE;
use super::spi::{self, AER_SRC_CTRL, MAX_NEUR, NEURON_BYTES};
use super::{Config, Neuron};
use crate::aer_crossbar::spi::{Stream, Write};
use synfire_ir::Diagnostics;

/// Words of the longest stream: registers, neurons, all rows of a full crossbar.
const MOST_WORDS: usize = 4 + SIZE * NEURON_BYTES as usize + SIZE * SIZE / 2 + 2;

/// The configuration of a stream; `place` names it in messages.
///
/// Errors: `SYN0721` for the first word that is not as it must be.
pub fn decode(place: &str, bytes: &[u8]) -> Result<Config, Diagnostics> {
    let mut stream = Stream::open(place, bytes, MOST_WORDS)?;
    let aer_src_ctrl = stream.flag(Write::register(AER_SRC_CTRL, 0))?;
    let max_neur = stream.byte(Write::register(MAX_NEUR, 0))?;
    let mut config = Config {
        aer_src_ctrl,
        ..Config::default()
    };
    for i in 0..=max_neur {
        config.neurons.push(neuron(&mut stream, i)?);
    }
    while let Some(row) = stream.row()? {
        config
            .rows
            .insert(row, weights(&mut stream, row, max_neur)?);
    }
    config.open_loop = stream.close()?;
    Ok(config)
}

fn neuron(stream: &mut Stream, i: u8) -> Result<Neuron, Diagnostics> {
    let mut bytes = [0; NEURON_BYTES as usize];
    for (b, byte) in (0..NEURON_BYTES).zip(&mut bytes) {
        *byte = stream.byte(Write::neuron(i, b, 0))?;
    }
    Ok(spi::neuron(bytes))
}

fn weights(stream: &mut Stream, row: u8, max_neur: u8) -> Result<Vec<i8>, Diagnostics> {
    let mut weights = vec![];
    for column in (0..=max_neur).step_by(2) {
        let like = Write::pair(row, column, 0);
        // The column after the last neuron stays 0.
        let most = if column == max_neur { 15 } else { 255 };
        let data = stream.data(like, most)? as u8;
        weights.push(spi::weight(data & 15));
        if column != max_neur {
            weights.push(spi::weight(data >> 4));
        }
    }
    Ok(weights)
}
