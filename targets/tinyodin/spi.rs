//! tinyODIN's registers and the bits of its neurons and weights, in the words of [`crate::aer_crossbar::spi`].

use super::Neuron;

/// Bytes of a neuron.
pub const NEURON_BYTES: u8 = 4;
/// Config register.
pub const AER_SRC_CTRL: u8 = 2;
/// Config register.
pub const MAX_NEUR: u8 = 3;

/// A nibble as a signed weight.
pub fn weight(nibble: u8) -> i8 {
    ((nibble << 4) as i8) >> 4
}

/// The nibbles of two weights, the first in the low bits.
pub fn nibbles(even: i8, odd: i8) -> u8 {
    (even as u8 & 15) | (odd as u8 & 15) << 4
}

/// The 32-bit word of a legal neuron, lowest byte first.
pub fn neuron_bytes(n: &Neuron) -> [u8; 4] {
    let word = u32::from(n.core as u16 & 0xFFF)
        | u32::from(n.thr & 0xFFF) << 12
        | u32::from(n.leak & 0x7F) << 24
        | u32::from(n.disabled) << 31;
    word.to_le_bytes()
}

/// The neuron of a 32-bit word, lowest byte first.
pub fn neuron(bytes: [u8; 4]) -> Neuron {
    let word = u32::from_le_bytes(bytes);
    Neuron {
        core: ((word << 4) as u16 as i16) >> 4,
        thr: (word >> 12 & 0xFFF) as u16,
        leak: (word >> 24 & 0x7F) as u8,
        disabled: word >> 31 == 1,
    }
}
