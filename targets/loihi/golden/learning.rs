//! Vectors of lava's fixed-point LearningDense: traces of given spikes on both sides, a rule, weights and tags after each epoch.
//!
//! The targets of such a vector are spikes from outside. Here they are compartments that a channel of their own drives over the threshold, so that the whole path of a learning core is run.

use super::super::config::*;
use super::super::learning::{DRAWS, Y1};
use super::super::lower::{Arithmetic, Lowered};
use super::lava::truncated;
use super::{bits, channel, prepared, word};
use crate::backend::{GoldenCase, NativeInput, Observed};
use crate::golden::Difference;
use serde::Deserialize;
use serde_json::Value;
use synfire_ir::program::{Observable, Probe, Range};

#[derive(Deserialize)]
struct Vector {
    id: String,
    n_post: usize,
    n_pre: usize,
    steps: u32,
    t_epoch: u8,
    sign_mode: String,
    rules: Vec<(Target, Vec<Given>)>,
    decimate: u8,
    weights: Vec<Vec<i32>>,
    tag_1: Vec<Vec<i16>>,
    tag_2: Vec<Vec<u8>>,
    x_tau: [u16; 2],
    y_tau: [u16; 3],
    x_impulse: [f64; 2],
    y_impulse: [f64; 3],
    pre: Vec<Vec<u8>>,
    post: Vec<Vec<u8>>,
    draws: Draws,
    expected: Vec<Epoch>,
}

#[derive(Deserialize)]
struct Given {
    dependency: Gate,
    mant: i8,
    exp7: u8,
    factors: Vec<GivenFactor>,
}

#[derive(Deserialize)]
struct GivenFactor {
    var: String,
    #[serde(rename = "const")]
    constant: Option<i16>,
    sgn: bool,
}

#[derive(Deserialize)]
struct Draws {
    x_decay: Vec<f64>,
    x_impulse: Vec<i32>,
    y_decay: Vec<f64>,
    y_impulse: Vec<i32>,
    syn: Vec<f64>,
}

#[derive(Deserialize)]
struct Epoch {
    step: u32,
    /// `[target][source]`.
    w: Vec<Vec<i32>>,
    tag_1: Vec<Vec<i32>>,
    x1: Vec<i32>,
    y1: Vec<i32>,
}

/// Probes of w, tag, x1 and y1, after those of every run.
const PROBES: u32 = 3;
/// Mantissa and format of the channel that makes a compartment spike, whatever the learning synapses (at most 256 each) bring.
const DRIVE: i16 = 255;
const DRIVE_EXP: i8 = 5;
const VTH: u32 = 4000;

pub(super) fn case(vector: &Value) -> Result<GoldenCase, String> {
    let v = Vector::deserialize(vector).map_err(|e| e.to_string())?;
    if v.steps > super::MOST_STEPS || v.n_pre > 12 {
        return Err(format!("{} steps, {} sources", v.steps, v.n_pre));
    }
    let config = configuration(&v)?;
    let mut lowered = prepared(&config, Arithmetic::Lava, true)?;
    let mut input = vec![];
    let trains = v.pre.iter().chain(&v.post).enumerate();
    for (c, train) in trains {
        let spikes = (0u32..).zip(train).filter(|s| *s.1 != 0);
        input.extend(spikes.map(|s| channel(s.0, c)));
    }
    draws(&v, &lowered, &mut input)?;
    input.sort_by_key(|e| e.0);
    probes(&v, &mut lowered)?;
    let (pre, post) = (v.n_pre, v.n_post);
    let expected = v.expected;
    Ok(GoldenCase {
        name: v.id,
        program: lowered.program,
        input,
        steps: v.steps,
        check: Box::new(move |seen| compare(&expected, (pre, post), seen)),
    })
}

/// The draws that each step of the program takes.
fn draws(v: &Vector, lowered: &Lowered, input: &mut Vec<(u32, NativeInput)>) -> Result<(), String> {
    let group = lowered.sets.first().ok_or("nothing learns")?.draws;
    let d = &v.draws;
    let missing = || "too few draws".to_string();
    let float = |list: &[f64], k: u32| {
        list.get(k as usize)
            .map(|&x| bits(x, 31))
            .ok_or_else(missing)
    };
    let whole = |list: &[i32], k: u32| list.get(k as usize).copied().ok_or_else(missing);
    for t in 1..=v.steps {
        // Lists advance before the targets' spikes and again after them.
        let (spike, end) = (2 * t - 1, 2 * t);
        let mut words = [0; DRAWS.len()];
        words[4] = whole(&d.y_impulse, spike)?;
        if t.is_multiple_of(v.t_epoch.max(1).into()) {
            words[0] = float(&d.x_decay, end)?;
            words[1] = whole(&d.x_impulse, end)?;
            words[2] = float(&d.y_decay, end)?;
            words[3] = whole(&d.y_impulse, end)?;
            words[5] = float(&d.syn, t / u32::from(v.t_epoch.max(1)))?;
        }
        let all = (0u32..).zip(words);
        input.extend(all.map(|(unit, w)| (t - 1, word(group, unit, w))));
    }
    Ok(())
}

fn probes(v: &Vector, lowered: &mut Lowered) -> Result<(), String> {
    let set = lowered.sets.first().ok_or("nothing learns")?;
    let &projection = set.projections.first().ok_or("nothing learns")?;
    let synapse = |state: u16| Observable::Synapse { projection, state };
    let synapses = v.n_pre * v.n_post;
    let all = [
        ("w", lowered.compartments, synapses, synapse(0)),
        ("tag", lowered.compartments, synapses, synapse(1)),
        ("x1", set.axons, v.n_pre, Observable::State(0)),
        ("y1", lowered.compartments, v.n_post, synapse(Y1)),
    ];
    for (name, group, len, what) in all {
        lowered.program.probes.push(Probe {
            name: name.into(),
            group,
            range: Range {
                start: 0,
                len: len as u32,
            },
            what,
            every: 1,
        });
    }
    Ok(())
}

fn compare(expected: &[Epoch], (pre, post): (usize, usize), seen: &Observed) -> Result<(), String> {
    for e in expected {
        let of = |k: u32| -> Vec<i32> {
            let trace = seen.traces.get(&(PROBES + k)).map_or(&[][..], |t| t);
            let words = trace.iter().find(|t| t.0 + 1 == e.step);
            words.map_or(vec![], |t| t.1.iter().map(|&w| w as i32).collect())
        };
        // The program has a matrix by source, then by target.
        let by_source = |m: &[Vec<i32>]| -> Vec<i32> {
            let at = |j: usize, i: usize| m.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0);
            (0..pre)
                .flat_map(|j| (0..post).map(move |i| at(j, i)))
                .collect()
        };
        let all = [
            ("weights", by_source(&e.w), of(0)),
            ("tags", by_source(&e.tag_1), of(1)),
            ("x1", e.x1.clone(), of(2)),
            ("y1", e.y1.clone(), of(3)),
        ];
        for (name, wanted, got) in all {
            let place = || format!("{name} after step {}", e.step);
            if let Some(d) = Difference::between(place, &wanted, &got) {
                return Err(d.to_string());
            }
        }
    }
    Ok(())
}

fn rule(v: &Vector) -> Result<SumOfProducts, String> {
    let trace = |tau: u16, impulse: f64| Trace {
        tau,
        impulse_int: impulse.floor() as u8,
        impulse_frac: ((impulse - impulse.floor()) * 256.0).round_ties_even() as u16,
    };
    let mut products = vec![];
    for (target, list) in &v.rules {
        for p in list {
            let mut factors = vec![];
            for f in &p.factors {
                let var = Variable::deserialize(Value::String(f.var.to_lowercase()));
                factors.push(Factor {
                    var: var.map_err(|e| e.to_string())?,
                    add: f.constant.unwrap_or(0),
                    sgn: f.sgn,
                });
            }
            products.push(Product {
                target: *target,
                gate: p.dependency,
                mant: p.mant,
                exp7: p.exp7,
                factors,
            });
        }
    }
    Ok(SumOfProducts {
        t_epoch: v.t_epoch,
        decimate: v.decimate,
        x: [0, 1].map(|q| trace(v.x_tau[q], v.x_impulse[q])),
        y: [0, 1, 2].map(|q| trace(v.y_tau[q], v.y_impulse[q])),
        products,
    })
}

fn configuration(v: &Vector) -> Result<Config, String> {
    let mode = match v.sign_mode.as_str() {
        "MIXED" => MIXED,
        "EXCITATORY" => EXCITATORY,
        "INHIBITORY" => INHIBITORY,
        other => return Err(format!("sign_mode `{other}`")),
    };
    let format = SynapseFmt {
        wgt_bits: 7,
        dly_bits: 7,
        tag_bits: 3,
        idx_bits: 7,
        fanout_type: mode,
        num_synapses: 63,
        ..SynapseFmt::default()
    };
    let learning = SynapseFmt {
        learning_cfg: 1,
        ..format
    };
    let drive = SynapseFmt {
        wgt_exp: DRIVE_EXP,
        fanout_type: EXCITATORY,
        ..format
    };
    let mut core = Core {
        cx_profile_cfg: vec![CxProfile {
            decay_u: 4095,
            decay_v: 4095,
            refract_delay: 1,
            enable_noise: false,
        }],
        vth_profile_cfg: vec![VthProfile { vth: VTH }],
        dendrite_shared_cfg: DendriteShared {
            pos_vm_limit: 7,
            neg_vm_limit: 23,
            ..DendriteShared::default()
        },
        synapse_fmt: vec![SynapseFmt::default(), learning, drive],
        stdp_profile_cfg: vec![StdpProfile::SumOfProducts(rule(v)?)],
        cx_cfg: vec![Cx::default(); v.n_post],
        ..Core::default()
    };
    let mut entry = |row: Vec<Synapse>| {
        core.synapse_map.push(MapEntry {
            synapse_ptr: core.synapses.len() as u32,
            synapse_len: row.len() as u32,
            pop_size: 1,
            ..MapEntry::default()
        });
        core.synapses.extend(row);
    };
    let short = || "a matrix has too few entries".to_string();
    for j in 0..v.n_pre {
        let mut row = vec![];
        for i in 0..v.n_post {
            row.push(Synapse {
                c_idx: i as u16,
                wgt: truncated(
                    *v.weights.get(i).and_then(|r| r.get(j)).ok_or_else(short)?,
                    mode,
                    format.dropped(),
                ),
                syn_fmt_id: 1,
                dly: *v.tag_2.get(i).and_then(|r| r.get(j)).ok_or_else(short)?,
                tag: *v.tag_1.get(i).and_then(|r| r.get(j)).ok_or_else(short)?,
                lrn_en: 1,
            });
        }
        entry(row);
    }
    for i in 0..v.n_post {
        entry(vec![Synapse {
            c_idx: i as u16,
            wgt: DRIVE,
            syn_fmt_id: 2,
            dly: 0,
            tag: 0,
            lrn_en: 0,
        }]);
    }
    let to = |axon: usize| Destination {
        dst_syn_map_id: axon as u16,
        ..Destination::default()
    };
    Ok(Config {
        channels: (0..v.n_pre + v.n_post).map(|a| vec![to(a)]).collect(),
        cores: vec![core],
        outputs: vec![],
    })
}
