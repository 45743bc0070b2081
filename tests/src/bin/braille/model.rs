//! The small model of a chip that a network was compiled for: the network's own values, and the chip's from its native file.

use super::layers::*;
use synfire_compiler::Compiled;
use synfire_compiler::dynamics::{Dynamics, characterise, evaluate};
use synfire_ir::network::{Network, PopId, Verified};
use synfire_ir::program::Range;
use synfire_targets::{loihi, xylo};

/// From sources to targets, in the network's units.
type Exact = Vec<Vec<f64>>;

/// What the network has, layer by layer.
struct Given<'a> {
    net: &'a Verified<Network>,
    /// Hidden, output.
    units: Vec<PopId>,
    /// Input, recurrent, readout, as they reach a current.
    matrices: Vec<Exact>,
    /// Constant input of each unit as it reaches a current.
    biases: Vec<Vec<f64>>,
}

impl Given<'_> {
    fn dynamics(&self, k: usize, u: usize) -> Dynamics {
        let m = self.net.model_of(self.units[k]).expect("neurons");
        let values = evaluate(self.net, self.units[k], m, self.net.seed_or_default());
        characterise(m, &values, u).unwrap_or_else(|e| panic!("{e}"))
    }

    fn size(&self, k: usize) -> usize {
        self.net.graph[self.units[k]].size() as usize
    }

    /// A layer with scale `s`; `registers`: threshold, biases.
    fn layer(&self, k: usize, s: f64, decays: Decays, registers: (f64, &[f64])) -> Layer {
        let (d, n) = (self.dynamics(k, 0), self.size(k));
        let keep = d.current.expect("CubaLIF");
        // What a constant input of the current comes to in the end.
        let constant = |b: f64| b / (1.0 - keep) * s;
        Layer {
            keep: (keep, d.decay),
            decays,
            threshold: (d.threshold * s, registers.0),
            bias: (0..n)
                .map(|u| (constant(self.biases[k][u]), registers.1[u]))
                .collect(),
            limit: 1,
            late: 0,
            current: vec![0.0; n],
            membrane: vec![0.0; n],
        }
    }
}

/// Weights and biases as they reach a current, in the network's units.
fn given(net: &Verified<Network>) -> Given<'_> {
    let pops = net.populations().map(|(id, _)| id);
    let units = pops.filter(|&p| net.model_of(p).is_some()).collect();
    let mut given = Given {
        net,
        units,
        matrices: vec![],
        biases: vec![],
    };
    let sizes: Vec<usize> = (0..given.units.len()).map(|k| given.size(k)).collect();
    let mut biases: Vec<Vec<f64>> = sizes.iter().map(|&n| vec![0.0; n]).collect();
    let seed = net.seed_or_default();
    for (from, to) in [(None, 0), (Some(0), 0), (Some(0), 1)] {
        let source = from.map(|k: usize| given.units[k]);
        let rows = from.map_or(CHANNELS, |k| sizes[k]);
        let mut m = vec![vec![0.0; sizes[to]]; rows];
        for (id, a, b, x) in net.projections() {
            let input = net.model_of(a).is_none();
            if b != given.units[to] || (from.is_none() != input) || source.is_some_and(|s| s != a) {
                continue;
            }
            let len = x.target_range.len;
            net.visit(id, seed, Range { start: 0, len }, |s| {
                let s0 = (x.source_range.start + s.source) as usize;
                let t0 = (x.target_range.start + s.target) as usize;
                m[s0][t0] += s.weight * given.dynamics(to, t0).gain[x.port as usize];
            });
            if let Some(v) = &x.bias {
                for (u, b) in net.elements(v, len, seed, "").iter().enumerate() {
                    biases[to][u] += b * given.dynamics(to, u).gain[x.port as usize];
                }
            }
        }
        given.matrices.push(m);
    }
    for (k, b) in biases.iter_mut().enumerate() {
        for (u, b) in b.iter_mut().enumerate() {
            *b += given.dynamics(k, u).bias;
        }
    }
    given.biases = biases;
    given
}

/// A matrix with exact weights times `factor`, and nothing of the chip yet.
fn matrix(exact: &Exact, factor: f64) -> Matrix {
    let row = |r: &Vec<f64>| r.iter().map(|w| (w * factor, 0.0)).collect();
    exact.iter().map(row).collect()
}

/// Chip integers for 1 of the network's units, of layer `k`.
fn scale(given: &Given, compiled: &Compiled, k: usize) -> f64 {
    let name = &given.net.graph[given.units[k]].name;
    let scales = compiled.report["quantisation"]["scales"].as_array();
    let entry = scales.into_iter().flatten().find(|s| s[0] == name.as_str());
    entry.expect("every layer")[1].as_f64().expect("a factor")
}

/// The model of what was compiled for one of the two families.
pub fn model(net: &Verified<Network>, compiled: &Compiled) -> Model {
    let given = given(net);
    let late = |k: usize| {
        let name = &net.graph[given.units[k]].name;
        let all = compiled.artifact.bindings.populations.iter();
        let of = all.filter(|p| p.name == *name).map(|p| p.shift);
        of.max().expect("bound")
    };
    let file = compiled.artifact.native().next().expect("a native file");
    let mut made = match file.name.as_str() {
        loihi::SECTION => of_loihi(&given, compiled, &file.bytes),
        _ => of_xylo(&given, compiled, &file.bytes),
    };
    (made.hidden.late, made.output.late) = (late(0), late(1));
    made
}

fn of_xylo(given: &Given, compiled: &Compiled, bytes: &[u8]) -> Model {
    let file = xylo::native::decode(xylo::SECTION, bytes);
    let chip = file.unwrap_or_else(|e| panic!("{e}")).net;
    let layer = |k: usize, limit: u32| {
        let regs = if k == 0 { &chip.hidden } else { &chip.readout };
        let decays = Decays::Shifts(regs.dash_syn[0][0], regs.dash_mem[0]);
        let bias: Vec<f64> = (0..given.size(k))
            .map(|u| {
                if chip.has_bias {
                    regs.bias[u].into()
                } else {
                    0.0
                }
            })
            .collect();
        let made = given.layer(
            k,
            scale(given, compiled, k),
            decays,
            (regs.threshold[0].into(), &bias),
        );
        Layer { limit, ..made }
    };
    let (hidden, output) = (layer(0, 31), layer(1, 1));
    // What makes up for the part that arrivals lose in the step in which they come.
    let gain = |l: &Layer, s: f64| match l.decays {
        Decays::Shifts(i, _) => s * (1.0 - left(i)) / (left(i) * (1.0 - l.keep.0)),
        Decays::Parts(..) => s,
    };
    let (h, o) = (
        gain(&hidden, scale(given, compiled, 0)),
        gain(&output, scale(given, compiled, 1)),
    );
    let matrix = |k: usize, lists: &[Vec<(u16, u8, i8)>], shift: u8, factor: f64| {
        let mut out = matrix(&given.matrices[k], factor);
        for (row, list) in out.iter_mut().zip(lists) {
            for &(t, _, w) in list {
                row[t as usize].1 = f64::from(i32::from(w) << shift);
            }
        }
        out
    };
    Model {
        input: matrix(0, &chip.synapses_in, chip.weight_shift_in, h),
        recurrent: matrix(1, &chip.synapses_rec, chip.weight_shift_rec, h),
        readout: matrix(2, &chip.synapses_out, chip.weight_shift_out, o),
        hidden,
        output,
    }
}

fn of_loihi(given: &Given, compiled: &Compiled, bytes: &[u8]) -> Model {
    let config = loihi::decode(loihi::SECTION, bytes).unwrap_or_else(|e| panic!("{e}"));
    let b = &compiled.artifact.bindings;
    let number = |k: usize| {
        let name = &given.net.graph[given.units[k]].name;
        let at = b.populations.iter().position(|p| p.name == *name);
        at.expect("bound") as u32
    };
    // (core, compartment) of each unit.
    let place = |k: usize| -> Vec<(u32, u32)> {
        let mut all: Vec<_> = b.symbols.iter().filter(|s| s.pop == number(k)).collect();
        all.sort_by_key(|s| s.unit);
        all.iter().map(|s| (s.core, s.slot)).collect()
    };
    let places = [place(0), place(1)];
    // The chip's units are 64 of a weight's: thresholds are mantissas.
    let s = |k: usize| scale(given, compiled, k);
    let layer = |k: usize| {
        let registers = |u: usize| {
            let (core, cx) = places[k][u];
            let core = &config.cores[core as usize];
            let cx = core.cx_cfg[cx as usize];
            let profile = core.cx_profile_cfg[usize::from(cx.cx_profile)];
            let vth = core.vth_profile_cfg[usize::from(cx.vth_profile)].vth;
            let bias = f64::from(i32::from(cx.bias) << cx.bias_exp);
            (profile, f64::from(vth) * 64.0, bias)
        };
        let (profile, vth, _) = registers(0);
        let decays = Decays::Parts(4095 - profile.decay_u, 4096 - profile.decay_v);
        let bias: Vec<f64> = (0..given.size(k)).map(|u| registers(u).2).collect();
        given.layer(k, 64.0 * s(k), decays, (vth, &bias))
    };
    let (hidden, output) = (layer(0), layer(1));
    let unit =
        |k: usize, at: (usize, u32)| places[k].iter().position(|p| *p == (at.0 as u32, at.1));
    let reach = |to: loihi::Destination, k: usize| -> Vec<(usize, f64)> {
        let (core, entry, row) = config.row(to).expect("a row");
        let formats = &config.cores[core].synapse_fmt;
        let weight = |s: &loihi::Synapse| {
            let exponent = i32::from(formats[usize::from(s.syn_fmt_id)].wgt_exp);
            (f64::from(s.wgt) * 2f64.powi(exponent)).floor() * 64.0
        };
        row.iter()
            .filter_map(|s| {
                let cx = entry.cx_base.max(0) as u32 + u32::from(s.c_idx);
                Some((unit(k, (core, cx))?, weight(s)))
            })
            .collect()
    };
    let fill = |m: &mut Matrix, from: usize, to: loihi::Destination, k: usize| {
        for (t, w) in reach(to, k) {
            m[from][t].1 += w;
        }
    };
    let mut input = matrix(&given.matrices[0], 64.0 * s(0));
    let mut recurrent = matrix(&given.matrices[1], 64.0 * s(0));
    let mut readout = matrix(&given.matrices[2], 64.0 * s(1));
    let source = number_of_input(compiled);
    for i in b.inputs.iter().filter(|i| i.pop == source) {
        for &to in &config.channels[i.word as usize] {
            fill(&mut input, i.unit as usize, to, 0);
        }
    }
    for (core, c) in config.cores.iter().enumerate() {
        for &(cx, to) in &c.axons {
            if let Some(from) = unit(0, (core, cx.into())) {
                fill(&mut recurrent, from, to, 0);
                fill(&mut readout, from, to, 1);
            }
        }
    }
    Model {
        input,
        recurrent,
        readout,
        hidden,
        output,
    }
}

fn number_of_input(compiled: &Compiled) -> u32 {
    let all = &compiled.artifact.bindings.populations;
    all.iter().position(|p| p.input).expect("an input") as u32
}
