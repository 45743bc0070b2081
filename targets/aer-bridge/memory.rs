//! The SPI slave that both chips share: registers, neuron memory, synapse memory.
//!
//! A word is 20 bits of address and 20 bits of data. Registers can be written at any time, memories and their reads only while the gate (register 0) is closed. A memory
//! write keeps the bits of its mask. What a chip makes of its memories is [`super::Pins`]' matter.

/// Registers of the larger chip.
const REGISTERS: usize = 32;
/// Neurons, rows and columns.
pub const SIZE: usize = 256;
/// Bytes of the larger chip's neuron.
const NEURON: usize = 16;
/// 32-bit words of the synapse memory.
const WORDS: usize = 8192;

/// Everything that SPI reaches. Memories start as zeros, as those of most FPGAs do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    registers: [u32; REGISTERS],
    neurons: Vec<[u8; NEURON]>,
    synapses: Vec<[u8; 4]>,
}

/// What a word of SPI is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Register(usize, u32),
    Neuron(usize, usize),
    Synapse(usize, usize),
    Nothing,
}

/// Address, read and write bit, and data of a word.
fn access(word: u64) -> (Access, bool, bool, u32) {
    let (address, data) = ((word >> 20) as u32, word as u32 & 0xF_FFFF);
    let (reads, writes) = (address >> 19 & 1 == 1, address >> 18 & 1 == 1);
    let at = (address & 0xFFFF) as usize;
    let access = match address >> 16 & 3 {
        0 => Access::Register(at, data),
        1 => Access::Neuron(at & 0xFF, at >> 8),
        2 => Access::Synapse(at & 0x1FFF, at >> 13),
        _ => Access::Nothing,
    };
    (access, reads, writes, data)
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            registers: [0; REGISTERS],
            neurons: vec![[0; NEURON]; SIZE],
            synapses: vec![[0; 4]; WORDS],
        }
    }
}

impl Memory {
    /// Register 0: SPI reaches the memories, AER is held.
    pub fn gate(&self) -> bool {
        self.registers[0] & 1 == 1
    }

    /// A register.
    pub fn register(&self, i: usize) -> u32 {
        self.registers.get(i).copied().unwrap_or(0)
    }

    /// The bytes of a neuron, lowest first.
    pub fn neuron(&self, n: u8) -> [u8; NEURON] {
        self.neurons[usize::from(n)]
    }

    /// Replaces the bytes of a neuron.
    pub fn set_neuron(&mut self, n: u8, bytes: &[u8]) {
        for (to, from) in self.neurons[usize::from(n)].iter_mut().zip(bytes) {
            *to = *from;
        }
    }

    /// The synapse of a row onto a column: four bits.
    pub fn nibble(&self, row: u8, column: u8) -> u8 {
        let (word, byte) = place(row, column);
        self.synapses[word][byte] >> (4 * (column & 1)) & 15
    }

    /// Replaces a synapse.
    pub fn set_nibble(&mut self, row: u8, column: u8, nibble: u8) {
        let (word, byte) = place(row, column);
        let shift = 4 * (column & 1);
        let byte = &mut self.synapses[word][byte];
        *byte = *byte & !(15 << shift) | (nibble & 15) << shift;
    }

    /// A word of SPI; what the chip sends back during its last eight clocks.
    pub fn transfer(&mut self, word: u64) -> u8 {
        let (access, reads, writes, data) = access(word);
        let open = self.gate();
        let cell = match access {
            Access::Register(i, value) => {
                if let Some(r) = self.registers.get_mut(i) {
                    *r = value;
                }
                return 0;
            }
            Access::Neuron(n, b) if open => self.neurons.get_mut(n).and_then(|x| x.get_mut(b)),
            Access::Synapse(w, b) if open => self.synapses.get_mut(w).and_then(|x| x.get_mut(b)),
            _ => None,
        };
        let Some(cell) = cell else {
            return 0;
        };
        let before = *cell;
        if writes {
            let (mask, byte) = ((data >> 8) as u8, data as u8);
            *cell = byte & !mask | before & mask;
        }
        if reads { before } else { 0 }
    }
}

/// Word and byte of a synapse: word = row * 32 + column / 8, byte = column / 2 mod 4.
fn place(row: u8, column: u8) -> (usize, usize) {
    let word = usize::from(row) << 5 | usize::from(column >> 3);
    (word, usize::from(column >> 1 & 3))
}

/// The read of what a word writes, with what must come back; `None` for words that write no memory.
pub fn read_back(word: u64) -> Option<(u64, u8)> {
    let (access, _, writes, data) = access(word);
    let memory = matches!(access, Access::Neuron(..) | Access::Synapse(..));
    let whole = data >> 8 == 0;
    let address = (word >> 20) & !(1 << 18) | 1 << 19;
    (memory && writes && whole).then_some((address << 20, data as u8))
}
