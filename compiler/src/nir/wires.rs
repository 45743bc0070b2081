//! Projections of a lowered NIR graph.
//!
//! In: the populations that [`super::lower`](mod@super::lower) made and the part that each node plays. Out: for each
//! population one projection a way from another one, walked back through the linear nodes and folded Delays between
//! them. Invariant: the constant part of what a population gets is on exactly one of its projections.

use super::ShapedNode;
use super::graph::{Array, Dtype, NirKind};
use super::linear::{Rule, constant, is_biased, rule, size};
use super::lower::{Lowering, neuron_kind};
use super::report::code;
use super::roles::{MAX_CONSTANTS, Role};
use super::time::delay_steps;
use synfire_ir::Diagnostic;
use synfire_ir::network::{Connector, Init, Network, PopId, Population, Projection, Stage};
use synfire_ir::program::{Carry, MAX_DELAY, Range};

/// A way from a population to the node that is being fed.
struct Way {
    /// The node at which the way has arrived, walking back.
    at: usize,
    /// Linear nodes on it, the last first.
    linear: Vec<usize>,
    /// Steps.
    delay: u64,
}

/// What a projection is beside its ends.
struct Wiring {
    carry: Carry,
    stages: Vec<Stage>,
    delay: Init,
    bias: Option<Init>,
}

impl Lowering<'_, '_> {
    /// All projections onto the population of a node.
    pub(super) fn arrivals(&mut self, node: usize) {
        let Some(target) = self.pops.get(node).copied().flatten() else {
            return;
        };
        let Some(shaped) = self.nir.nodes.get(node) else {
            return;
        };
        match (self.roles.of(node), &shaped.node.kind) {
            (Role::Source, _) => {}
            (Role::Held, NirKind::Delay { delay }) => self.delayed(node, target, delay),
            (Role::Held, NirKind::Output { .. }) | (Role::Neuron, _) => {
                self.feed(node, target, &[])
            }
            _ => self.held_linear(node, target, shaped),
        }
    }

    /// A linear node that is held gives its own result, bias included. Constants that arrive are gathered before it, as
    /// following them through it may be what was too much.
    fn held_linear(&mut self, node: usize, target: PopId, shaped: &ShapedNode) {
        let arriving = self.roles.constant_into(node, size(&shaped.input));
        if arriving.is_empty() {
            self.feed(node, target, &[node]);
            return;
        }
        let gather = self.gather(shaped);
        self.feed(node, gather, &[]);
        let bias = self.settle(node, "bias of", shaped, &[]);
        let stages = self.stages(&[node]);
        let wiring = Wiring {
            carry: Carry::Output(0),
            stages,
            delay: Init::Const(0.0),
            bias,
        };
        self.connect(shaped.node.name.clone(), gather, target, wiring);
    }

    /// A relay before a node that is itself a population.
    fn gather(&mut self, shaped: &ShapedNode) -> PopId {
        let mut name = format!("{}.in", shaped.node.name);
        while !self.names.insert(name.clone()) {
            name.push('_');
        }
        self.relay(&name, &shaped.input)
    }

    /// Projections along all ways to `node`; `own` is the node itself when its rule is the last of each.
    fn feed(&mut self, node: usize, target: PopId, own: &[usize]) {
        let bias = self.bias(node, own);
        let mut first = bias;
        for edge in self.roles.edges_into(node).to_vec() {
            let delay = u64::from(edge.delayed);
            let mut open = vec![Way {
                at: edge.from,
                linear: own.to_vec(),
                delay,
            }];
            while let Some(mut way) = open.pop() {
                match self.roles.of(way.at) {
                    Role::Linear | Role::Folded(_) => {
                        match self.roles.of(way.at) {
                            Role::Folded(steps) => {
                                way.delay = way.delay.saturating_add(u64::from(steps))
                            }
                            _ => way.linear.push(way.at),
                        }
                        let before = self.roles.edges_into(way.at);
                        for (k, edge) in before.iter().enumerate().rev() {
                            let linear = if k == 0 {
                                std::mem::take(&mut way.linear)
                            } else {
                                way.linear.clone()
                            };
                            let delay = way.delay.saturating_add(u64::from(edge.delayed));
                            open.push(Way {
                                at: edge.from,
                                linear,
                                delay,
                            });
                        }
                    }
                    _ => self.project(way, node, target, first.take()),
                }
            }
        }
    }

    /// The constant part of what a population gets: biases on the way, through the linear nodes behind them.
    fn bias(&mut self, node: usize, own: &[usize]) -> Option<Init> {
        let shaped = self.nir.nodes.get(node)?;
        let arriving = self.roles.constant_into(node, size(&shaped.input));
        if own.is_empty() {
            return self.spread(node, "bias into", arriving);
        }
        self.settle(node, "bias into", shaped, &arriving)
    }

    /// The constant part of what a linear node gives, as a value of a projection.
    fn settle(
        &mut self,
        node: usize,
        what: &'static str,
        shaped: &ShapedNode,
        arriving: &[f64],
    ) -> Option<Init> {
        let values = size(&shaped.output) as u64;
        if is_biased(shaped) && values > MAX_CONSTANTS {
            let text = format!(
                "the bias of `{}` would be {values} numbers",
                shaped.node.name
            );
            let finding = Diagnostic::error(code::LIMIT, text);
            let hint = format!(
                "at most {MAX_CONSTANTS} are possible: split the layer or set its bias to zero"
            );
            self.report.push(&shaped.node.path, finding.hint(hint));
            return None;
        }
        let given = constant(shaped, arriving);
        self.spread(node, what, given)
    }

    fn spread(&mut self, node: usize, what: &'static str, values: Vec<f64>) -> Option<Init> {
        values.iter().find(|x| **x != 0.0)?;
        let array = Array {
            shape: vec![values.len()],
            data: values,
            dtype: Dtype::F64,
        };
        Some(self.value(node, what, &array))
    }

    fn project(&mut self, way: Way, node: usize, target: PopId, bias: Option<Init>) {
        let nir = self.nir;
        let source = self.pops.get(way.at).copied().flatten();
        let (Some(source), Some(from)) = (source, nir.nodes.get(way.at)) else {
            return;
        };
        let carry = carry(&from.node.kind, self.roles.of(way.at));
        let path: Vec<usize> = way.linear.into_iter().rev().collect();
        let stages = self.stages(&path);
        let named: Vec<&str> = path
            .iter()
            .filter_map(|&n| nir.nodes.get(n))
            .map(|n| n.node.name.as_str())
            .collect();
        let name = match named.as_slice() {
            [] => format!(
                "{} -> {}",
                from.node.name,
                nir.nodes.get(node).map_or("", |n| n.node.name.as_str())
            ),
            [only] => (*only).to_owned(),
            [first, .., last] => format!("{first}..{last}"),
        };
        if way.delay > u64::from(MAX_DELAY) {
            self.too_long(node, way.delay as f64);
            return;
        }
        let delay = Init::Const(way.delay as f64);
        self.connect(
            name,
            source,
            target,
            Wiring {
                carry,
                stages,
                delay,
                bias,
            },
        );
    }

    fn stages(&mut self, path: &[usize]) -> Vec<Stage> {
        let moving: Vec<usize> = path
            .iter()
            .copied()
            .filter(|&n| {
                self.node(n)
                    .is_some_and(|n| !matches!(n.node.kind, NirKind::Flatten { .. }))
            })
            .collect();
        let chain = moving.len() > 1;
        let mut stages = Vec::new();
        for index in moving {
            let Some(shaped) = self.nir.nodes.get(index) else {
                continue;
            };
            let Some(Rule { connector, weight }) = rule(shaped, chain) else {
                continue;
            };
            let weight = match weight {
                None => Init::Const(1.0),
                Some((field, array)) if array.data.len() == 1 => self.value(index, field, &array),
                Some((field, array)) => Init::Array(self.array(index, field, &array)),
            };
            stages.push(Stage { connector, weight });
        }
        if stages.is_empty() {
            stages.push(Stage {
                connector: Connector::OneToOne,
                weight: Init::Const(1.0),
            });
        }
        stages
    }

    /// A Delay that is held: what arrives is gathered, then passed on after the time of each element.
    fn delayed(&mut self, node: usize, target: PopId, delay: &Array) {
        let Some(shaped) = self.nir.nodes.get(node) else {
            return;
        };
        let steps: Option<Vec<f64>> = delay
            .data
            .iter()
            .map(|&d| delay_steps(d, self.nir.dt).map(f64::from))
            .collect();
        let Some(steps) = steps.filter(|s| s.iter().all(|s| *s <= f64::from(MAX_DELAY))) else {
            let longest = delay.data.iter().fold(0.0, |a: f64, b| a.max(*b)) / self.nir.dt;
            self.too_long(node, longest);
            return;
        };
        let source = self.gather(shaped);
        self.feed(node, source, &[]);
        let array = Array {
            shape: delay.shape.clone(),
            data: steps,
            dtype: Dtype::F64,
        };
        let delay = self.value(node, "delay in steps", &array);
        let stages = self.stages(&[]);
        let name = shaped.node.name.clone();
        let carry = Carry::Output(0);
        self.connect(
            name,
            source,
            target,
            Wiring {
                carry,
                stages,
                delay,
                bias: None,
            },
        );
    }

    fn too_long(&mut self, node: usize, steps: f64) {
        let Some(shaped) = self.nir.nodes.get(node) else {
            return;
        };
        let text = format!(
            "a delay of {steps} steps before or in `{}`",
            shaped.node.name
        );
        let finding = Diagnostic::error(code::DELAY, text).hint(format!(
            "at most {MAX_DELAY} steps are possible: choose a longer step than {} s",
            self.nir.dt
        ));
        self.report.push(&shaped.node.path, finding);
    }

    fn connect(&mut self, name: String, source: PopId, target: PopId, wiring: Wiring) {
        let whole = |net: &Network, pop: PopId| {
            let len = net.graph.node_weight(pop).map_or(0, Population::size);
            Range {
                start: 0,
                len: u32::try_from(len).unwrap_or(u32::MAX),
            }
        };
        let (source_range, target_range) = (whole(&self.net, source), whole(&self.net, target));
        let mut fresh = name.clone();
        let mut count = 2;
        while !self.projections.insert(fresh.clone()) {
            fresh = format!("{name}_{count}");
            count += 1;
        }
        let Wiring {
            carry,
            stages,
            delay,
            bias,
        } = wiring;
        let projection = Projection {
            name: fresh,
            source_range,
            target_range,
            port: 0,
            carry,
            stages,
            delay,
            bias,
            trainable: false,
            plasticity: None,
            span: None,
        };
        self.net.graph.add_edge(source, target, projection);
    }
}

fn carry(kind: &NirKind, role: Role) -> Carry {
    match (role, neuron_kind(kind)) {
        (Role::Source, _) => Carry::Events,
        (Role::Neuron, Some(kind)) if kind.spikes() => Carry::Events,
        _ => Carry::Output(0),
    }
}
