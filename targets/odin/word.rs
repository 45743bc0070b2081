//! The word of one neuron: 128 bits, whose parts have other places in the two kinds of neurons.
//!
//! Bit 0 tells the kinds apart. Names and places are those of the RTL (lif_neuron.v, izh_neuron.v); signed parts are two's complement. Parts that a kind does not have read as 0.

/// A named part of a word: name, lowest bit, width, signed.
type Part = (&'static str, u8, u8, bool);

/// The 128 bits of a neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Word(pub u128);

/// Parts of both kinds.
const COMMON: [Part; 2] = [("lif", 0, 1, false), ("disabled", 127, 1, false)];

/// Leaky integrate-and-fire.
const LIF: [Part; 12] = [
    ("leak_str", 1, 7, false),
    ("leak_en", 8, 1, false),
    ("thr", 9, 8, false),
    ("ca_en", 17, 1, false),
    ("thetamem", 18, 8, false),
    ("theta1", 26, 3, false),
    ("theta2", 29, 3, false),
    ("theta3", 32, 3, false),
    ("ca_leak", 35, 5, false),
    ("core", 70, 8, false),
    ("ca", 78, 3, false),
    ("ca_cnt", 81, 5, false),
];

/// The phenomenological neuron.
const IZH: [Part; 52] = [
    ("leak_str", 1, 7, false),
    ("leak_en", 8, 1, false),
    ("fi_sel", 9, 3, false),
    ("spk_ref", 12, 3, false),
    ("isi_ref", 15, 3, false),
    ("reson_sharp_en", 18, 1, false),
    ("thr", 19, 3, false),
    ("rfr", 22, 3, false),
    ("dapdel", 25, 3, false),
    ("spklat_en", 28, 1, false),
    ("dap_en", 29, 1, false),
    ("stim_thr", 30, 3, false),
    ("phasic_en", 33, 1, false),
    ("mixed_en", 34, 1, false),
    ("class2_en", 35, 1, false),
    ("neg_en", 36, 1, false),
    ("rebound_en", 37, 1, false),
    ("inhin_en", 38, 1, false),
    ("bist_en", 39, 1, false),
    ("reson_en", 40, 1, false),
    ("thrvar_en", 41, 1, false),
    ("thr_sel_of", 42, 1, false),
    ("thrleak", 43, 4, false),
    ("acc_en", 47, 1, false),
    ("ca_en", 48, 1, false),
    ("thetamem", 49, 3, false),
    ("theta1", 52, 3, false),
    ("theta2", 55, 3, false),
    ("theta3", 58, 3, false),
    ("ca_leak", 61, 5, false),
    ("burst_incr", 66, 1, false),
    ("reson_sharp_amt", 67, 3, false),
    ("inacc", 70, 11, false),
    ("refrac", 81, 1, false),
    ("core", 82, 4, true),
    ("dapcnt", 86, 3, false),
    ("stim", 89, 4, true),
    ("stim_tmp", 93, 4, true),
    ("phasic_lock", 97, 1, false),
    ("mixed_lock", 98, 1, false),
    ("spk_done", 99, 1, false),
    ("stim0", 100, 2, false),
    ("inhexc", 102, 2, false),
    ("bist_lock", 104, 1, false),
    ("inhin_lock", 105, 1, false),
    ("rsign", 106, 2, false),
    ("thrmod", 108, 4, false),
    ("thrleak_cnt", 112, 4, false),
    ("ca", 116, 3, false),
    ("ca_cnt", 119, 5, false),
    ("burst_lock", 124, 1, false),
    ("unused", 125, 2, false),
];

impl Word {
    /// A neuron that nothing configures: disabled, everything else 0.
    pub const UNUSED: Word = Word(1 << 127);

    fn part(self, name: &str) -> Option<Part> {
        let own: &[Part] = if self.0 & 1 == 1 { &LIF } else { &IZH };
        COMMON.iter().chain(own).find(|p| p.0 == name).copied()
    }

    /// The part of that name, 0 where this kind has none.
    pub fn get(self, name: &str) -> i64 {
        let Some((_, low, bits, signed)) = self.part(name) else {
            return 0;
        };
        let raw = (self.0 >> low) as i64 & ((1 << bits) - 1);
        if signed && raw >> (bits - 1) == 1 {
            raw - (1 << bits)
        } else {
            raw
        }
    }

    /// This word with another value of a part (its low bits); as it is where this kind has no such part.
    pub fn with(self, name: &str, value: i64) -> Word {
        let Some((_, low, bits, _)) = self.part(name) else {
            return self;
        };
        let mask = (1u128 << bits) - 1;
        Word(self.0 & !(mask << low) | (value as u128 & mask) << low)
    }

    /// Largest value of an unsigned part.
    pub fn most(self, name: &str) -> i64 {
        self.part(name).map_or(0, |p| (1 << p.2) - 1)
    }

    /// Lowest byte first.
    pub fn bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }
}
