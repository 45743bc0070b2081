//! Packets: what the router carries, and what enters the grid from outside.
//!
//! In the Verilog a packet is the low part of a CSRAM line, `{dx, dy, axon, tick}`, 30 bits at the default sizes, and travels in a 32-bit word. An
//! input packet enters at core (0,0), so that its offsets are absolute coordinates.

use super::{Config, layout};

/// Bits of the axon in an [`Packet::address`].
const AXON_BITS: u32 = 12;
/// Bits of each coordinate in an [`Packet::address`].
const SIDE_BITS: u32 = 10;
/// Bits of `tick` in a native word.
const TICK_BITS: u32 = 4;

/// One input packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Packet {
    /// Destination core, west to east.
    pub x: u16,
    /// Destination core, south to north.
    pub y: u16,
    /// Axon of that core.
    pub axon: u16,
    /// A packet of list k makes its axon fire in tick `k + tick`.
    pub tick: u8,
}

impl Packet {
    /// The word that carries the packet at the sizes of `config` (its Verilog widths).
    pub fn to_word(self, config: &Config) -> u32 {
        let f = layout::Fields::of(config);
        let (axon, tick, dy) = (
            u32::from(self.axon),
            u32::from(self.tick),
            u32::from(self.y),
        );
        let word = u64::from(self.x) << (f.dy + f.axon + f.tick)
            | u64::from(dy) << (f.axon + f.tick)
            | u64::from(axon) << f.tick
            | u64::from(tick);
        word as u32
    }

    /// The axon that the packet goes to, as one number whatever the sizes of the grid: x, y, axon in 10, 10 and 12 bits.
    pub fn address(self) -> u32 {
        u32::from(self.x) << (SIDE_BITS + AXON_BITS)
            | u32::from(self.y) << AXON_BITS
            | u32::from(self.axon)
    }

    /// The packet as the native event word of bindings: address and `tick`, in the same fields for every grid.
    pub fn to_native(self) -> u64 {
        u64::from(self.address()) << TICK_BITS | u64::from(self.tick)
    }

    /// The packet in a native event word; `None` for a word that is none.
    pub fn from_native(word: u64) -> Option<Packet> {
        let address = u32::try_from(word >> TICK_BITS).ok()?;
        Some(Packet {
            x: (address >> (SIDE_BITS + AXON_BITS)) as u16,
            y: (address >> AXON_BITS) as u16 & ((1 << SIDE_BITS) - 1),
            axon: address as u16 & ((1 << AXON_BITS) - 1),
            tick: word as u8 & ((1 << TICK_BITS) - 1),
        })
    }

    /// The packet in a word; `None` when bits are set above the packet or a coordinate is negative, which no input packet has.
    pub fn from_word(word: u32, config: &Config) -> Option<Packet> {
        let f = layout::Fields::of(config);
        let mut rest = u64::from(word);
        let mut take = |bits: u32| {
            let value = rest & ((1u64 << bits) - 1);
            rest >>= bits;
            value
        };
        let (tick, axon, y, x) = (take(f.tick), take(f.axon), take(f.dy), take(f.dx));
        let negative = x >> (f.dx - 1) & 1 == 1 || y >> (f.dy - 1) & 1 == 1;
        if rest != 0 || negative {
            return None;
        }
        Some(Packet {
            x: x as u16,
            y: y as u16,
            axon: axon as u16,
            tick: tick as u8,
        })
    }
}
