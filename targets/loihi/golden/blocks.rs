//! Vectors of nengo-loihi's emulator: blocks of compartments, each one core, with the synapse objects that lead to them.

mod pes;

use super::super::config::*;
use super::super::lower::Arithmetic;
use super::{Expected, channel, compare, prepared};
use crate::backend::{GoldenCase, NativeInput};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Vector {
    id: String,
    steps: u32,
    blocks: Vec<Block>,
    inputs: Vec<Input>,
    #[serde(default)]
    noise_raw: Vec<Vec<i32>>,
    /// By step and "block,synapse".
    #[serde(default)]
    pes_errors: BTreeMap<String, BTreeMap<String, Vec<i32>>>,
    #[serde(default)]
    round_draws: Vec<Vec<f64>>,
    expected: Seen,
}

#[derive(Deserialize)]
struct Block {
    n: usize,
    decay_u: Vec<u16>,
    decay_v: Vec<u16>,
    refract_delay: Vec<u8>,
    vth_man: Vec<u32>,
    bias_man: Vec<i16>,
    bias_exp: Vec<u8>,
    vmin_exp: u8,
    vmax_exp: u8,
    noise: Noise,
    synapses: Vec<Rows>,
    axons: Vec<AxonSet>,
}

#[derive(Deserialize)]
struct Noise {
    enable: Vec<u8>,
    exp: u8,
    offset: i8,
    at_membrane: u8,
}

#[derive(Deserialize)]
struct Rows {
    n_axons: usize,
    weight_exp: i8,
    weight_bits: u8,
    fanout_type: u8,
    shift_bits: u32,
    pop_type: u8,
    axon_bases: Option<Vec<i16>>,
    axon_to_weight: Option<Vec<usize>>,
    weights: Vec<Vec<Vec<i16>>>,
    indices: Vec<Vec<Vec<u16>>>,
    learning: Option<Learning>,
}

#[derive(Deserialize)]
struct Learning {
    tau: u16,
    mag: f64,
    train_epoch: u8,
    learn_epoch: u8,
    lr_int: i8,
    lr_exp: i8,
}

#[derive(Deserialize)]
struct AxonSet {
    target: (usize, usize),
    map: Option<Vec<i32>>,
    atoms: Option<Vec<u16>>,
}

#[derive(Deserialize)]
struct Input {
    n: usize,
    axons: Vec<AxonSet>,
    spikes: BTreeMap<String, Vec<usize>>,
}

#[derive(Deserialize)]
struct Seen {
    u: Vec<Vec<Vec<i32>>>,
    v: Vec<Vec<Vec<i32>>>,
    spikes: Vec<Vec<Vec<u32>>>,
    #[serde(default)]
    weights: BTreeMap<String, BTreeMap<String, Vec<Vec<i32>>>>,
}

pub(super) fn case(vector: &Value) -> Result<GoldenCase, String> {
    let v = Vector::deserialize(vector).map_err(|e| e.to_string())?;
    if v.steps > super::MOST_STEPS {
        return Err(format!("{} steps", v.steps));
    }
    let config = configuration(&v)?;
    let mut lowered = prepared(&config, Arithmetic::Nengo, true)?;
    let mut input = spikes(&v)?;
    if let Some(group) = lowered.noise {
        for (step, row) in (0u32..).zip(&v.noise_raw) {
            input.extend(
                (0u32..)
                    .zip(row)
                    .map(|(unit, &x)| (step, super::word(group, unit, x))),
            );
        }
    }
    let learned = pes::prepare(&v, &config, &mut lowered, &mut input)?;
    input.sort_by_key(|e| e.0);
    let expected = v.expected.on_all(&lowered.first);
    Ok(GoldenCase {
        name: v.id,
        program: lowered.program,
        input,
        steps: v.steps,
        check: Box::new(move |seen| {
            compare(&expected, seen)?;
            pes::compare(&learned, seen)
        }),
    })
}

/// Spikes stamped t arrive in step t + 1 (from 1), which is step t of the program (from 0).
fn spikes(v: &Vector) -> Result<Vec<(u32, NativeInput)>, String> {
    let mut out = vec![];
    let mut first = 0;
    for i in &v.inputs {
        for (stamp, units) in &i.spikes {
            let stamp: u32 = stamp.parse().map_err(|e| format!("stamp `{stamp}`: {e}"))?;
            out.extend(units.iter().map(|&u| channel(stamp, first + u)));
        }
        first += i.n;
    }
    Ok(out)
}

impl Seen {
    /// Blocks one after another.
    fn on_all(&self, first: &[u32]) -> Expected {
        let joined = |t: &Vec<Vec<Vec<i32>>>| t.iter().map(|s| s.concat()).collect();
        let step = |s: &Vec<Vec<u32>>| {
            let of =
                |(list, &f): (&Vec<u32>, &u32)| list.iter().map(move |i| f + i).collect::<Vec<_>>();
            s.iter().zip(first).flat_map(of).collect()
        };
        Expected {
            u: joined(&self.u),
            v: joined(&self.v),
            spikes: self.spikes.iter().map(step).collect(),
        }
    }
}

/// Index of a value in a list of profiles, which gets it if it is new.
fn profile<T: PartialEq>(list: &mut Vec<T>, value: T) -> Result<u8, String> {
    let at = list.iter().position(|p| *p == value);
    let at = at.unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    });
    u8::try_from(at).map_err(|e| e.to_string())
}

/// One core a block.
fn configuration(v: &Vector) -> Result<Config, String> {
    let mut config = Config::default();
    let mut entries = vec![];
    for (k, b) in v.blocks.iter().enumerate() {
        let mut core = block(b)?;
        core.core = u8::try_from(k).map_err(|e| e.to_string())?;
        let mut first = vec![];
        for (i, rows) in b.synapses.iter().enumerate() {
            first.push(core.synapse_map.len());
            synapses(rows, i, &mut core)?;
        }
        entries.push(first);
        config.cores.push(core);
    }
    let reach = |a: &AxonSet, i: usize| -> Result<Option<Destination>, String> {
        let (block, synapse) = a.target;
        let first = entries.get(block).and_then(|e: &Vec<usize>| e.get(synapse));
        let first = first.ok_or("an axon leads nowhere")?;
        let axon = match &a.map {
            Some(m) => *m.get(i).ok_or("a map is too short")?,
            None => i as i32,
        };
        let atom = match &a.atoms {
            Some(list) => *list.get(i).ok_or("a list of atoms is too short")?,
            None => 0,
        };
        let to = |axon: usize| Destination {
            dst_chip_id: 0,
            dst_core_id: block as u8,
            dst_syn_map_id: (first + axon) as u16,
            atom,
        };
        Ok(usize::try_from(axon).ok().map(to))
    };
    for (k, b) in v.blocks.iter().enumerate() {
        for i in 0..b.n {
            for a in &b.axons {
                let to = reach(a, i)?;
                config.cores[k].axons.extend(to.map(|d| (i as u16, d)));
            }
        }
        config.cores[k].axons.sort_unstable();
    }
    for input in &v.inputs {
        for i in 0..input.n {
            let all: Result<Vec<_>, _> = input.axons.iter().map(|a| reach(a, i)).collect();
            config.channels.push(all?.into_iter().flatten().collect());
        }
    }
    Ok(config)
}

fn block(b: &Block) -> Result<Core, String> {
    let mut core = Core {
        dendrite_shared_cfg: DendriteShared {
            pos_vm_limit: b.vmax_exp,
            neg_vm_limit: b.vmin_exp,
            noise_exp0: b.noise.exp,
            noise_mant_offset0: b.noise.offset,
            noise_at_dend_or_vm: b.noise.at_membrane != 0,
        },
        synapse_fmt: vec![SynapseFmt::default()],
        ..Core::default()
    };
    let short = || {
        format!(
            "a list of a block has no entry for each of its {} compartments",
            b.n
        )
    };
    for i in 0..b.n {
        let cx = CxProfile {
            decay_u: *b.decay_u.get(i).ok_or_else(short)?,
            decay_v: *b.decay_v.get(i).ok_or_else(short)?,
            refract_delay: *b.refract_delay.get(i).ok_or_else(short)?,
            enable_noise: *b.noise.enable.get(i).ok_or_else(short)? != 0,
        };
        let vth = *b.vth_man.get(i).ok_or_else(short)?;
        core.cx_cfg.push(Cx {
            bias: *b.bias_man.get(i).ok_or_else(short)?,
            bias_exp: *b.bias_exp.get(i).ok_or_else(short)?,
            vth_profile: profile(&mut core.vth_profile_cfg, VthProfile { vth })?,
            cx_profile: profile(&mut core.cx_profile_cfg, cx)?,
        });
    }
    Ok(core)
}

/// The map entries of a synapse object, and its rows in the synapse memory.
fn synapses(r: &Rows, index: usize, core: &mut Core) -> Result<(), String> {
    let learns = u8::from(r.learning.is_some());
    let format = SynapseFmt {
        learning_cfg: learns,
        stdp_profile: core.stdp_profile_cfg.len() as u8,
        wgt_exp: r.weight_exp,
        wgt_bits: r.weight_bits,
        fanout_type: r.fanout_type,
        idx_bits: 7,
        num_synapses: 63,
        ..SynapseFmt::default()
    };
    if format.dropped() != r.shift_bits {
        return Err(format!("synapse {index}: shift_bits is {}", r.shift_bits));
    }
    if let Some(l) = &r.learning {
        core.stdp_profile_cfg.push(StdpProfile::Pes(pes::rule(l)?));
    }
    let id = u8::try_from(core.synapse_fmt.len()).map_err(|e| e.to_string())?;
    core.synapse_fmt.push(format);
    let mut starts = vec![];
    for (weights, indices) in r.weights.iter().zip(&r.indices) {
        let len = weights.first().map_or(0, Vec::len);
        starts.push((core.synapses.len() as u32, len as u32, weights.len() as u16));
        for (w, ix) in weights.iter().zip(indices) {
            if w.len() != len || ix.len() != len {
                return Err(format!(
                    "synapse {index}: rows of one axon differ in length"
                ));
            }
            core.synapses
                .extend(w.iter().zip(ix).map(|(&wgt, &c_idx)| Synapse {
                    c_idx,
                    wgt,
                    syn_fmt_id: id,
                    dly: 0,
                    tag: 0,
                    lrn_en: learns,
                }));
        }
    }
    for a in 0..r.n_axons {
        let row = match &r.axon_to_weight {
            Some(map) => *map.get(a).ok_or("axon_to_weight is too short")?,
            None => a,
        };
        let base = match &r.axon_bases {
            Some(list) => *list.get(a).ok_or("axon_bases is too short")?,
            None => 0,
        };
        let &(synapse_ptr, synapse_len, pop_size) = starts.get(row).ok_or("a row is missing")?;
        core.synapse_map.push(MapEntry {
            synapse_ptr,
            synapse_len,
            pop_size,
            kind: match r.pop_type {
                16 => MapKind::Pop16,
                32 => MapKind::Pop32,
                _ => MapKind::Discrete,
            },
            cx_base: base.max(-1),
            atom_bits: 0,
        });
    }
    Ok(())
}
