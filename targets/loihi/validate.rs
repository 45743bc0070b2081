//! What no core can mean: values beyond their bits, and names of what is not there.
//!
//! A configuration goes in, everything wrong with it comes out. How many there may be of each thing is [`super::limits`]' matter.

use super::config::*;
use crate::report::Report;
use synfire_ir::{Diagnostic, Diagnostics};

/// Cores of a chip.
pub(super) const CORES: u8 = 128;
/// Largest threshold mantissa: 17 bits.
pub(super) const MAX_VTH: u32 = 131_071;
/// Biases: 13 bits, two's complement.
pub(super) const BIASES: (i64, i64) = (-4096, 4095);
/// Largest bias exponent.
pub(super) const MAX_BIAS_EXP: u8 = 7;
/// Largest decay: 12 bits.
pub(super) const MAX_DECAY: u16 = 4095;
/// Largest refractory time.
pub(super) const MAX_REFRACT: u8 = 64;
/// Largest delay of a synapse, beyond the step that every spike takes.
pub(super) const MAX_DLY: u8 = 62;
/// Largest noise exponent: the noise stays within 32 bits.
const MAX_NOISE_EXP: u8 = 23;

impl Config {
    /// Everything that no core can mean.
    ///
    /// Errors: `SYN0610` for a value beyond its bits, `SYN0611` for what names something that is not there, `SYN0616` for lists out of order.
    pub fn validate(&self) -> Diagnostics {
        let mut report = Report::new();
        let ascend = |w: &[Core]| (w[0].chip, w[0].core) < (w[1].chip, w[1].core);
        if !self.cores.windows(2).all(ascend) {
            report.add("cores", || {
                Diagnostic::error("SYN0616", "cores do not ascend in (chip, core)")
                    .note("every core stands once, so that one configuration has one form")
                    .hint("sort them")
            });
        }
        for (k, c) in self.cores.iter().enumerate() {
            core(k, c, &mut report);
            for &(source, to) in &c.axons {
                if usize::from(source) >= c.cx_cfg.len() {
                    report.add("axons", || {
                        names(format!("core {k}: an axon of compartment {source}"))
                    });
                }
                self.destination(&format!("core {k}"), to, &mut report);
            }
            if !c.axons.is_sorted() {
                report.add("axon order", || {
                    Diagnostic::error("SYN0616", format!("core {k}: output axons do not ascend"))
                        .note("they ascend in the compartment, then in where they lead")
                        .hint("sort them")
                });
            }
        }
        for (k, list) in self.channels.iter().enumerate() {
            for &to in list {
                self.destination(&format!("channel {k}"), to, &mut report);
            }
        }
        for &(c, cx) in &self.outputs {
            let core = self.cores.get(c as usize);
            if core.is_none_or(|c| usize::from(cx) >= c.cx_cfg.len()) {
                report.add("outputs", || {
                    names(format!("the output of compartment {cx} of core {c}"))
                });
            }
        }
        report.finish()
    }

    fn destination(&self, from: &str, to: Destination, report: &mut Report) {
        let Some((at, entry, row)) = self.row(to) else {
            report.add("destinations", || {
                names(format!("{from}: the destination {to:?}"))
            });
            return;
        };
        let Ok(base) = usize::try_from(entry.cx_base) else {
            return;
        };
        let n = self.cores[at].cx_cfg.len();
        if let Some(s) = row.iter().find(|s| base + usize::from(s.c_idx) >= n) {
            let cx = base + usize::from(s.c_idx);
            report.add("targets", || {
                names(format!("a synapse onto compartment {cx} of core {at}"))
            });
        }
    }
}

fn core(k: usize, c: &Core, report: &mut Report) {
    let mut held = |what: &'static str, value: i64, (low, high): (i64, i64)| {
        if !(low..=high).contains(&value) {
            report.add(what, || out_of_range(k, what, value, low, high));
        }
    };
    held("core", c.core.into(), (0, i64::from(CORES) - 1));
    let d = &c.dendrite_shared_cfg;
    held("posVmLimit", d.pos_vm_limit.into(), (0, 7));
    held("negVmLimit", d.neg_vm_limit.into(), (0, 31));
    held("noiseExp0", d.noise_exp0.into(), (0, MAX_NOISE_EXP.into()));
    held("noiseMantOffset0", d.noise_mant_offset0.into(), (-64, 63));
    for p in &c.cx_profile_cfg {
        held("decayU", p.decay_u.into(), (0, MAX_DECAY.into()));
        held("decayV", p.decay_v.into(), (0, MAX_DECAY.into()));
        held(
            "refractDelay",
            p.refract_delay.into(),
            (1, MAX_REFRACT.into()),
        );
    }
    for v in &c.vth_profile_cfg {
        held("vth", v.vth.into(), (1, MAX_VTH.into()));
    }
    for x in &c.cx_cfg {
        held("bias", x.bias.into(), BIASES);
        held("biasExp", x.bias_exp.into(), (0, MAX_BIAS_EXP.into()));
    }
    for (i, f) in c.synapse_fmt.iter().enumerate() {
        held("wgtExp", f.wgt_exp.into(), (-8, 7));
        held("wgtBits", f.wgt_bits.into(), (0, 7));
        held("dlyBits", f.dly_bits.into(), (0, 7));
        held("tagBits", f.tag_bits.into(), (0, 3));
        held("idxBits", f.idx_bits.into(), (0, 7));
        let modes = if i == 0 { (0, 0) } else { (1, 3) };
        held("fanoutType", f.fanout_type.into(), modes);
        held("compression", i64::from(f.compression % 3), (0, 0));
        held("numSynapses", f.num_synapses.into(), (0, 63));
    }
    for (i, x) in c.cx_cfg.iter().enumerate() {
        let there = usize::from(x.vth_profile) < c.vth_profile_cfg.len()
            && usize::from(x.cx_profile) < c.cx_profile_cfg.len();
        if !there {
            report.add("profiles", || {
                names(format!("core {k}: a profile of compartment {i}"))
            });
        }
    }
    synapses(k, c, report);
    map(k, c, report);
}

fn synapses(k: usize, c: &Core, report: &mut Report) {
    for s in &c.synapses {
        let id = usize::from(s.syn_fmt_id);
        let Some(f) = c.synapse_fmt.get(id).filter(|_| id > 0) else {
            report.add("formats", || {
                names(format!("core {k}: the synapse format {id}"))
            });
            continue;
        };
        let sign = match f.fanout_type {
            EXCITATORY => (0, 255),
            INHIBITORY => (-255, 0),
            _ => (-256, 255),
        };
        let (wgt, low) = (i64::from(s.wgt), f.dropped());
        if !(sign.0..=sign.1).contains(&wgt) {
            report.add("Wgt", || out_of_range(k, "Wgt", wgt, sign.0, sign.1));
        } else if wgt.unsigned_abs() >> low << low != wgt.unsigned_abs() {
            report.add("Wgt bits", || {
                let text = format!("core {k}: Wgt is {wgt}, its format keeps multiples of {}", 1 << low);
                Diagnostic::error("SYN0610", text)
                    .note("a format with fewer bits, or with both signs, drops the low bits of a mantissa")
                    .hint("round the weight, or take a wider format")
                    .field("register", "Wgt")
            });
        }
        let most = (1i64 << f.dly_bits) - 1;
        if i64::from(s.dly) > most.min(MAX_DLY.into()) {
            let most = most.min(MAX_DLY.into());
            report.add("Dly", || out_of_range(k, "Dly", s.dly.into(), 0, most));
        }
        if s.lrn_en > 1 {
            report.add("LrnEn", || out_of_range(k, "LrnEn", s.lrn_en.into(), 0, 1));
        }
    }
}

fn map(k: usize, c: &Core, report: &mut Report) {
    for (i, e) in c.synapse_map.iter().enumerate() {
        let end = u64::from(e.synapse_len) * u64::from(e.pop_size) + u64::from(e.synapse_ptr);
        if end > c.synapses.len() as u64 || e.pop_size == 0 {
            report.add("map", || {
                names(format!("core {k}: the synapses of map entry {i}"))
            });
            continue;
        }
        let aligned = e.kind != MapKind::Pop16 || e.cx_base < 0 || e.cx_base % 4 == 0;
        if e.cx_base < -1 || !aligned || (e.kind == MapKind::Discrete && e.pop_size != 1) {
            report.add("map form", || {
                let text = format!("core {k}: map entry {i} has the base {} and {} rows", e.cx_base, e.pop_size);
                Diagnostic::error("SYN0610", text)
                    .note("a discrete axon has one row; a pop16 axon's base is a multiple of 4; -1 marks an unused axon")
                    .hint("compile the network again")
            });
        }
        twice(k, i, c, e, report);
    }
}

/// A synapse that stands twice in one row: emulators and chip differ in what becomes of it.
fn twice(k: usize, i: usize, c: &Core, e: &MapEntry, report: &mut Report) {
    let first = e.synapse_ptr as usize;
    let rows = &c.synapses[first..first + e.synapse_len as usize * usize::from(e.pop_size)];
    for row in rows.chunks(e.synapse_len.max(1) as usize) {
        let mut keys: Vec<(u16, u8)> = row.iter().map(|s| (s.c_idx, s.dly)).collect();
        keys.sort_unstable();
        if let Some(w) = keys.windows(2).find(|w| w[0] == w[1]) {
            let cx = w[0].0;
            report.add("twice", || {
                let text =
                    format!("core {k}: map entry {i} has two synapses onto index {cx} in one row");
                Diagnostic::error("SYN0616", text)
                    .note("the public emulator keeps only one of two such synapses")
                    .hint("add their weights up")
            });
        }
    }
}

fn out_of_range(k: usize, what: &str, value: i64, low: i64, high: i64) -> Diagnostic {
    Diagnostic::error(
        "SYN0610",
        format!("core {k}: {what} is {value}, it holds {low}..={high}"),
    )
    .note("the register has no more bits")
    .hint("compile the network again; a file that was changed by hand must keep the chip's ranges")
    .field("register", what)
}

fn names(what: String) -> Diagnostic {
    Diagnostic::error("SYN0611", format!("{what}: this is not there"))
        .note("profiles, formats, map entries and compartments are named by their index")
        .hint("compile the network again")
}
