//! Loihi's registers by the names of the vendor's configuration objects.
//!
//! A value can hold what the chip cannot; [`Config::validate`](super::Config::validate) finds what no core can mean, [`super::limits`] what a core has no room for. Registers that have one value in every
//! image are not held: `dendriteAccumCfg.delayBits` = 3, `cxMetaState.phase` = 2, `cxProfileCfg.bapAction` = 1, and
//! `numUpdates` = ceil(compartments / 4). Deliberately absent: bits and bytes.

mod learning;

pub use learning::*;

use serde::{Deserialize, Serialize};

/// A board.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// Used cores, ascending in (chip, core).
    pub cores: Vec<Core>,
    /// Channels of the spike generator: where each one's spikes go.
    pub channels: Vec<Vec<Destination>>,
    /// Compartments whose spikes are read back: (index into `cores`, compartment).
    pub outputs: Vec<(u32, u16)>,
}

/// A core's registers and memories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Core {
    /// Chip of the board.
    pub chip: u16,
    /// Core of the chip, 0 to 127.
    pub core: u8,
    /// Compartment profiles.
    pub cx_profile_cfg: Vec<CxProfile>,
    /// Threshold profiles.
    pub vth_profile_cfg: Vec<VthProfile>,
    /// Ends of the membrane, and noise.
    pub dendrite_shared_cfg: DendriteShared,
    /// Synapse formats; format 0 is left unused.
    pub synapse_fmt: Vec<SynapseFmt>,
    /// Learning rules.
    pub stdp_profile_cfg: Vec<StdpProfile>,
    /// Compartments.
    pub cx_cfg: Vec<Cx>,
    /// Synapse memory, in the order of the map.
    pub synapses: Vec<Synapse>,
    /// Input axons.
    pub synapse_map: Vec<MapEntry>,
    /// Output axons, ascending in the compartment that spikes.
    pub axons: Vec<(u16, Destination)>,
}

/// `cxProfileCfg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CxProfile {
    /// Decay of u, 12 bits.
    pub decay_u: u16,
    /// Decay of v, 12 bits.
    pub decay_v: u16,
    /// Steps that v stays at 0 from a spike on, 1 to 64; 1 is none.
    pub refract_delay: u8,
    /// Does noise reach the compartment?
    pub enable_noise: bool,
}

/// `vthProfileCfg.staticCfg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VthProfile {
    /// Threshold mantissa, 1 to 131071; the threshold is `vth << 6`.
    pub vth: u32,
}

/// `dendriteSharedCfg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DendriteShared {
    /// Exponent e of the upper end 2^(9 + 2e) - 1, 0 to 7.
    pub pos_vm_limit: u8,
    /// Exponent e of the lower end -(2^e) + 1, 0 to 31.
    pub neg_vm_limit: u8,
    /// Noise exponent.
    pub noise_exp0: u8,
    /// Noise offset, in units of 64.
    pub noise_mant_offset0: i8,
    /// Does noise act at the membrane (1) or at u (0)?
    pub noise_at_dend_or_vm: bool,
}

impl DendriteShared {
    /// Lower and upper end of v.
    pub fn ends(&self) -> (i32, i32) {
        let low = -(1i64 << self.neg_vm_limit.min(31)) + 1;
        let high = (1i64 << (9 + 2 * self.pos_vm_limit.min(7))) - 1;
        (low as i32, high as i32)
    }
}

/// `synapseFmt`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SynapseFmt {
    /// Weight exponent, -8 to 7.
    pub wgt_exp: i8,
    /// Field of the weight's width: 0 to 7 mean 0, 1, 2, 3, 4, 5, 6 and 8 bits.
    pub wgt_bits: u8,
    /// Field of the delay's width: 0 to 7 mean 0 to 7 bits.
    pub dly_bits: u8,
    /// Field of the tag's width, 0 to 3.
    pub tag_bits: u8,
    /// Field of the index' width: 0 to 7 mean 0, 6, 7, 8, 9, 10, 11 and 12 bits.
    pub idx_bits: u8,
    /// Sign mode: 1 mixed, 2 excitatory, 3 inhibitory; 0 in the unused format.
    pub fanout_type: u8,
    /// 0: each synapse has its index; 3: indices of a row ascend by one from 0.
    pub compression: u8,
    /// Synapses of a group, less 1.
    pub num_synapses: u8,
    /// Limit of learned weights.
    pub wgt_limit_mant: u8,
    /// Limit of learned weights.
    pub wgt_limit_exp: u8,
    /// Largest magnitude only.
    pub disc_max_wgt: u8,
    /// Does it learn?
    pub learning_cfg: u8,
    /// Profile of the learning rule.
    pub stdp_profile: u8,
    /// Always 0 here.
    pub reuse_syn_data: u8,
    /// Offset of indices.
    pub c_idx_offset: u8,
    /// Factor of indices.
    pub c_idx_mult: u8,
    /// Skipped indices.
    pub skip_bits: u8,
    /// Kind of synapse.
    pub syn_type: u8,
    /// Are delays ignored?
    pub ignore_dly: u8,
}

/// Sign mode of mixed weights.
pub const MIXED: u8 = 1;
/// Sign mode of weights that are not negative.
pub const EXCITATORY: u8 = 2;
/// Sign mode of weights that are not positive.
pub const INHIBITORY: u8 = 3;

impl SynapseFmt {
    /// Bits of a weight's magnitude.
    pub fn weight_bits(&self) -> u32 {
        if self.wgt_bits >= 7 {
            8
        } else {
            self.wgt_bits.into()
        }
    }

    /// Bits of an index.
    pub fn index_bits(&self) -> u32 {
        if self.idx_bits == 0 {
            0
        } else {
            u32::from(self.idx_bits) + 5
        }
    }

    /// Low bits of a mantissa that are always 0: 8 bits of magnitude less what the format holds, and one more in mixed mode for the sign.
    pub fn dropped(&self) -> u32 {
        8 - self.weight_bits() + u32::from(self.fanout_type == MIXED)
    }
}

/// `cxCfg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Cx {
    /// Bias mantissa, 13 bits.
    pub bias: i16,
    /// Bias exponent, 0 to 7; the bias is `bias << biasExp`.
    pub bias_exp: u8,
    /// Threshold profile.
    pub vth_profile: u8,
    /// Compartment profile.
    pub cx_profile: u8,
}

/// A synapse, written as `[CIdx, Wgt, synFmtId, Dly, Tag, LrnEn]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "SynapseFields", into = "SynapseFields")]
pub struct Synapse {
    /// Compartment, from the map entry's base on.
    pub c_idx: u16,
    /// Weight mantissa, -256 to 255.
    pub wgt: i16,
    /// Format.
    pub syn_fmt_id: u8,
    /// Steps beyond the one that every spike takes.
    pub dly: u8,
    /// Tag at the start; only learning rules see it.
    pub tag: i16,
    /// 1: it learns.
    pub lrn_en: u8,
}

type SynapseFields = (u16, i16, u8, u8, i16, u8);

impl From<SynapseFields> for Synapse {
    fn from((c_idx, wgt, syn_fmt_id, dly, tag, lrn_en): SynapseFields) -> Self {
        Synapse {
            c_idx,
            wgt,
            syn_fmt_id,
            dly,
            tag,
            lrn_en,
        }
    }
}

impl From<Synapse> for SynapseFields {
    fn from(s: Synapse) -> Self {
        (s.c_idx, s.wgt, s.syn_fmt_id, s.dly, s.tag, s.lrn_en)
    }
}

/// `synapseMap`: an input axon and its row of synapses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MapEntry {
    /// First synapse.
    pub synapse_ptr: u32,
    /// Synapses of a row.
    pub synapse_len: u32,
    /// Rows: one for each atom of a population axon.
    pub pop_size: u16,
    /// Which of the map's forms.
    pub kind: MapKind,
    /// First compartment of the row; -1: the axon is unused and delivers nothing.
    pub cx_base: i16,
    /// Bits of an atom's number in a `pop16` axon.
    pub atom_bits: u8,
}

/// Form of an input axon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MapKind {
    /// `discreteMapEntry`: one row.
    #[default]
    Discrete,
    /// `population16MapEntry`: the base is a multiple of 4.
    Pop16,
    /// `population32MapEntry`.
    Pop32,
}

/// Where a spike goes, written as `[dstChipId, dstCoreId, dstSynMapId, atom]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "(u16, u8, u16, u16)", into = "(u16, u8, u16, u16)")]
pub struct Destination {
    /// Chip.
    pub dst_chip_id: u16,
    /// Core of the chip.
    pub dst_core_id: u8,
    /// Entry of that core's synapse map.
    pub dst_syn_map_id: u16,
    /// Row of the entry (`srcRelCxId`); 0 for discrete axons.
    pub atom: u16,
}

impl From<(u16, u8, u16, u16)> for Destination {
    fn from((dst_chip_id, dst_core_id, dst_syn_map_id, atom): (u16, u8, u16, u16)) -> Self {
        Destination {
            dst_chip_id,
            dst_core_id,
            dst_syn_map_id,
            atom,
        }
    }
}

impl From<Destination> for (u16, u8, u16, u16) {
    fn from(d: Destination) -> Self {
        (d.dst_chip_id, d.dst_core_id, d.dst_syn_map_id, d.atom)
    }
}

impl Config {
    /// Index of the core (chip, core).
    pub fn core_at(&self, chip: u16, core: u8) -> Option<usize> {
        let key = |c: &Core| (c.chip, c.core);
        self.cores.binary_search_by_key(&(chip, core), key).ok()
    }

    /// The map entry that a spike reaches, and its row of synapses; `None` where it names nothing.
    pub fn row(&self, to: Destination) -> Option<(usize, &MapEntry, &[Synapse])> {
        let at = self.core_at(to.dst_chip_id, to.dst_core_id)?;
        let core = &self.cores[at];
        let entry = core.synapse_map.get(usize::from(to.dst_syn_map_id))?;
        let len = entry.synapse_len as usize;
        let first = (entry.synapse_ptr as usize).checked_add(len.checked_mul(to.atom.into())?)?;
        let row = core.synapses.get(first..first.checked_add(len)?)?;
        (to.atom < entry.pop_size).then_some((at, entry, row))
    }
}
