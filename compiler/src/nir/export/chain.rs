//! A projection as a chain of linear nodes.
//!
//! In: a projection between two exported populations. Out: nodes and edges between theirs: a Delay, then a node a rule, with Flatten
//! where a matrix meets an image. A rule that NIR has no node for (pairs, draws, slices of populations) becomes the matrix of its synapses.
//! Deliberately absent: delays that differ between synapses, which NIR cannot say.

use super::super::graph::{Array, Conv, Dtype, NirKind, Padding, Pool};
use super::Export;
use std::collections::BTreeMap;
use synfire_ir::Diagnostic;
use synfire_ir::network::{ArrayData, Connector, Conv2d, Init, PopId, ProjId, Projection, Stage};
use synfire_ir::program::Range;

/// Most elements of a matrix that stands for the synapses of a rule.
const MOST_ELEMENTS: usize = 1 << 26;

impl Export<'_> {
    pub(super) fn projection(&mut self, id: ProjId, parts: &BTreeMap<PopId, usize>) {
        let net = self.net;
        let (Some(p), Some((a, b))) = (net.graph.edge_weight(id), net.graph.edge_endpoints(id))
        else {
            return;
        };
        if p.plasticity.is_some() {
            let learns = unsaid(p, "its synapses learn".into());
            return self.errors.push(learns);
        }
        let Some(delay) = self.delay(p, a, b, parts) else {
            return;
        };
        let (Some(from), Some(to)) = (self.pops.get(&a), self.pops.get(&b)) else {
            return;
        };
        let (mut at, end) = (from.name.clone(), to.name.clone());
        let (shape, target) = (from.shape.clone(), to.shape.clone());
        let nodes = match self.nodes(id, p, &shape, &target) {
            Ok(nodes) => nodes,
            Err(d) => return self.errors.push(d),
        };
        let mut chain = vec![];
        if delay > 0 {
            let seconds = delay as f64 * net.dt.unwrap_or(1.0);
            chain.push(NirKind::Delay {
                delay: full(&shape, seconds),
            });
        }
        chain.extend(nodes);
        let direct = (at.clone(), end.clone());
        if chain.is_empty() && self.graph.edges.contains(&direct) {
            chain.push(NirKind::Scale {
                scale: full(&shape, 1.0),
            });
        }
        for kind in chain {
            let name = self.name(&p.name);
            self.push(name.clone(), kind);
            self.graph.edges.push((at, name.clone()));
            at = name;
        }
        self.graph.edges.push((at, end));
    }

    /// Steps of a Delay node; one step of a loop's delay is the loop's own.
    fn delay(
        &mut self,
        p: &Projection,
        a: PopId,
        b: PopId,
        parts: &BTreeMap<PopId, usize>,
    ) -> Option<u64> {
        let steps = match p.delay {
            Init::Const(d) => d as u64,
            _ => {
                self.errors.push(
                    Diagnostic::error(
                        "SYN0527",
                        format!("`{}` has delays of its own for its synapses", p.name),
                    )
                    .at(p.name.clone())
                    .note("a delay of NIR belongs to an element of a layer, not to a synapse")
                    .hint("give the connection one delay, or split it into one for each delay"),
                );
                return None;
            }
        };
        let inside = parts.get(&a) == parts.get(&b);
        Some(if inside && steps == 1 { 0 } else { steps })
    }

    /// The linear nodes of a projection.
    fn nodes(
        &self,
        id: ProjId,
        p: &Projection,
        from: &[usize],
        to: &[usize],
    ) -> Result<Vec<NirKind>, Diagnostic> {
        let whole = |r: &Range, shape: &[usize]| {
            r.start == 0 && r.len as usize == shape.iter().product::<usize>()
        };
        let mut nodes = vec![];
        let mut now = from.to_vec();
        let said = whole(&p.source_range, from)
            && whole(&p.target_range, to)
            && p.stages
                .iter()
                .all(|s| self.stage(s, &mut now, &mut nodes).is_some());
        if !said {
            nodes.clear();
            now = from.to_vec();
            flatten(&mut now, &mut nodes);
            let weight = self.matrix(id, p, &now, to)?;
            now = vec![weight.shape[0]];
            nodes.push(NirKind::Linear { weight });
        }
        if to.len() == 1 {
            flatten(&mut now, &mut nodes);
        }
        if now != to {
            return Err(unsaid(
                p,
                format!("it gives shape {now:?}, and its target has {to:?}"),
            ));
        }
        if let Some(bias) = &p.bias {
            self.bias(p, bias, &now, &mut nodes)?;
        }
        Ok(nodes)
    }

    /// Appends the node of a rule; `None` when NIR has none for it.
    fn stage(&self, stage: &Stage, now: &mut Vec<usize>, nodes: &mut Vec<NirKind>) -> Option<()> {
        match &stage.connector {
            Connector::OneToOne | Connector::Scale => {
                if stage.weight == Init::Const(1.0) {
                    return Some(());
                }
                let mut scale = self.array(&stage.weight, now.iter().product())?;
                scale.shape = now.clone();
                nodes.push(NirKind::Scale { scale });
            }
            Connector::Dense => {
                flatten(now, nodes);
                let columns = now.iter().product::<usize>();
                let Init::Array(a) = stage.weight else {
                    return None;
                };
                let count = self.net.arrays.get(a as usize)?.count();
                let mut weight = self.array(&stage.weight, count)?;
                if columns == 0 || count % columns != 0 {
                    return None;
                }
                weight.shape = vec![count / columns, columns];
                *now = vec![count / columns];
                nodes.push(NirKind::Linear { weight });
            }
            Connector::Conv2d(c) => return self.window(c, &stage.weight, now, nodes),
            Connector::Pool2d(c) => {
                if *now != c.input.map(|n| n as usize) {
                    return None;
                }
                let pair = |p: [u32; 2]| p.map(|n| n as usize).to_vec();
                let pool = Pool {
                    kernel_size: pair(c.kernel),
                    stride: pair(c.stride),
                    padding: pair(c.padding),
                };
                nodes.push(if c.average {
                    NirKind::AvgPool2d(pool)
                } else {
                    NirKind::SumPool2d(pool)
                });
                *now = c.output().map(|n| n as usize).to_vec();
                match stage.weight {
                    Init::Const(1.0) => {}
                    Init::Const(factor) => nodes.push(NirKind::Scale {
                        scale: full(now, factor),
                    }),
                    _ => return None,
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn window(
        &self,
        c: &Conv2d,
        weight: &Init,
        now: &mut Vec<usize>,
        nodes: &mut Vec<NirKind>,
    ) -> Option<()> {
        let [out, per_group, rows, columns] = c.weight_shape().map(|n| n as usize);
        let mut weight = self.array(weight, out * per_group * rows * columns)?;
        if c.is_matrix() {
            flatten(now, nodes);
            if *now != [per_group] {
                return None;
            }
            weight.shape = vec![out, per_group];
            *now = vec![out];
            nodes.push(NirKind::Linear { weight });
            return Some(());
        }
        let input = c.input.map(|n| n as usize);
        let output = c.output().map(|n| n as usize);
        let line = *now == [input[0], input[2]] && input[1] == 1 && rows == 1 && c.padding[0] == 0;
        let axes = |p: [u32; 2]| {
            let p = p.map(|n| n as usize);
            if line { vec![p[1]] } else { p.to_vec() }
        };
        let bias = Array {
            shape: vec![out],
            data: vec![0.0; out],
            dtype: weight.dtype,
        };
        let mut conv = Conv {
            input_shape: Some(axes([c.input[1], c.input[2]])),
            weight,
            stride: axes(c.stride),
            padding: Padding::Zeros(axes(c.padding)),
            dilation: axes(c.dilation),
            groups: c.groups as usize,
            bias,
        };
        if line {
            conv.weight.shape = vec![out, per_group, columns];
            nodes.push(NirKind::Conv1d(conv));
            *now = vec![output[0], output[2]];
        } else if *now == input {
            conv.weight.shape = vec![out, per_group, rows, columns];
            nodes.push(NirKind::Conv2d(conv));
            *now = output.to_vec();
        } else {
            return None;
        }
        Some(())
    }

    /// All synapses of a projection as a matrix `[targets, sources]` over the whole populations.
    fn matrix(
        &self,
        id: ProjId,
        p: &Projection,
        from: &[usize],
        to: &[usize],
    ) -> Result<Array, Diagnostic> {
        let (columns, rows) = (from.iter().product(), to.iter().product::<usize>());
        let count = rows.checked_mul(columns).filter(|&n| n <= MOST_ELEMENTS);
        let Some(count) = count else {
            return Err(unsaid(
                p,
                format!(
                    "as a matrix it has {rows} by {columns} elements, more than {MOST_ELEMENTS}"
                ),
            ));
        };
        let mut data = vec![0.0; count];
        let targets = Range {
            start: 0,
            len: p.target_range.len,
        };
        let (row, column) = (p.target_range.start as usize, p.source_range.start as usize);
        self.net.visit(id, self.seed, targets, |s| {
            let at = (row + s.target as usize) * columns + column + s.source as usize;
            if let Some(x) = data.get_mut(at) {
                *x += s.weight;
            }
        });
        Ok(Array {
            shape: vec![rows, columns],
            data,
            dtype: Dtype::F64,
        })
    }

    /// Puts a constant for each target into the last node, or behind it.
    fn bias(
        &self,
        p: &Projection,
        bias: &Init,
        now: &[usize],
        nodes: &mut Vec<NirKind>,
    ) -> Result<(), Diagnostic> {
        let size: usize = now.iter().product();
        let no = || unsaid(p, "its bias is drawn, or not one value a target".into());
        let mut bias = self.array(bias, size).ok_or_else(no)?;
        match nodes.last_mut() {
            Some(NirKind::Linear { weight }) => {
                bias.shape = vec![size];
                let weight = std::mem::replace(weight, full(&[], 0.0));
                nodes.pop();
                nodes.push(NirKind::Affine { weight, bias });
            }
            Some(NirKind::Conv1d(conv) | NirKind::Conv2d(conv)) => {
                let channels = conv.bias.data.len().max(1);
                let each = size / channels;
                let same = (0..channels).all(|k| {
                    let of = bias.data.get(k * each..(k + 1) * each).unwrap_or(&[]);
                    of.iter().all(|x| Some(x) == of.first())
                });
                if !same {
                    return Err(unsaid(p, "its bias differs within a channel".into()));
                }
                conv.bias.data = bias.data.iter().step_by(each.max(1)).copied().collect();
            }
            _ if now.len() == 1 && size * size <= MOST_ELEMENTS => {
                let mut weight = full(&[size, size], 0.0);
                (0..size).for_each(|i| weight.data[i * size + i] = 1.0);
                bias.shape = vec![size];
                nodes.push(NirKind::Affine { weight, bias });
            }
            _ => {
                return Err(unsaid(
                    p,
                    "it has a bias behind a rule that takes none".into(),
                ));
            }
        }
        Ok(())
    }

    /// So many values; `None` when they are drawn or of another number.
    fn array(&self, value: &Init, count: usize) -> Option<Array> {
        let (data, dtype) = match value {
            Init::Const(c) => (vec![*c; count], Dtype::F64),
            Init::Array(a) => {
                let array = self.net.arrays.get(*a as usize)?;
                let dtype = match array.data {
                    ArrayData::F32(_) => Dtype::F32,
                    _ => Dtype::F64,
                };
                let data = match array.count() {
                    1 => vec![array.get(0); count],
                    n if n == count => (0..n).map(|i| array.get(i)).collect(),
                    _ => return None,
                };
                (data, dtype)
            }
            Init::Draw(_) => return None,
        };
        Some(Array {
            shape: vec![count],
            data,
            dtype,
        })
    }
}

fn full(shape: &[usize], value: f64) -> Array {
    Array {
        shape: shape.to_vec(),
        data: vec![value; shape.iter().product()],
        dtype: Dtype::F64,
    }
}

/// Makes an image a row of numbers.
fn flatten(now: &mut Vec<usize>, nodes: &mut Vec<NirKind>) {
    if now.len() > 1 {
        nodes.push(NirKind::Flatten {
            input_type: Some(now.clone()),
            start_dim: 0,
            end_dim: -1,
        });
        *now = vec![now.iter().product()];
    }
}

fn unsaid(p: &Projection, why: String) -> Diagnostic {
    Diagnostic::error(
        "SYN0527",
        format!("`{}` cannot be said in NIR: {why}", p.name),
    )
    .at(p.name.clone())
    .note("NIR has matrices, convolutions, pooling, factors and Flatten between its layers")
    .hint("write the connection with these rules, or keep the network in our language")
}
