//! Words of the SPI configuration stream.
//!
//! A word is a 20-bit address and 20 bits of data, sent as five bytes, most significant bit first; there is no chip select and no frame around them.
//! Writes to the memories carry a mask of bits to keep, which is 0 throughout the canonical stream.

use super::Neuron;

/// Bytes of a word.
pub const BYTES: usize = 5;
/// Bytes of a neuron.
pub const NEURON_BYTES: u8 = 4;
/// Config register: SPI takes the memories, AER is held.
pub const GATE_ACTIVITY: u8 = 0;
/// Config register.
pub const OPEN_LOOP: u8 = 1;
/// Config register.
pub const AER_SRC_CTRL: u8 = 2;
/// Config register.
pub const MAX_NEUR: u8 = 3;

/// A write: 20 bits of address and 20 bits of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u64);

impl Word {
    /// To a config register.
    pub fn config(register: u8, value: u8) -> Word {
        Word::new(u64::from(register), value)
    }

    /// To byte `byte` (0 to 3) of a neuron.
    pub fn neuron(neuron: u8, byte: u8, data: u8) -> Word {
        Word::new(0x50000 | u64::from(byte) << 8 | u64::from(neuron), data)
    }

    /// The weights of the columns `column` (even) and `column + 1` of a row.
    pub fn weights(row: u8, column: u8, even: i8, odd: i8) -> Word {
        let word = u64::from(row) << 5 | u64::from(column >> 3);
        let byte = u64::from(column >> 1 & 3);
        let nibbles = (even as u8 & 15) | (odd as u8 & 15) << 4;
        Word::new(0x60000 | byte << 13 | word, nibbles)
    }

    fn new(address: u64, data: u8) -> Word {
        Word(address << 20 | u64::from(data))
    }

    /// As sent.
    pub fn to_bytes(self) -> [u8; BYTES] {
        let [_, _, _, bytes @ ..] = self.0.to_be_bytes();
        bytes
    }

    /// As received.
    pub fn from_bytes(bytes: [u8; BYTES]) -> Word {
        let [a, b, c, d, e] = bytes;
        Word(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
    }

    /// The data, if it is a byte with an empty mask and the address is that of `other`.
    pub fn data_at(self, other: Word) -> Option<u8> {
        (self.0 >> 8 == other.0 >> 8).then_some(self.0 as u8)
    }

    /// The row, if this writes to the synapse memory.
    pub fn row(self) -> Option<u8> {
        let address = self.0 >> 20;
        (address >> 15 == 0x60000 >> 15).then_some((address >> 5) as u8)
    }
}

/// A nibble as a signed weight.
pub fn weight(nibble: u8) -> i8 {
    ((nibble << 4) as i8) >> 4
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
