//! A projection as a `connect` of the text: its ends, its rules, its fields.
//!
//! In: a projection whose populations have their names. Out: one statement. What has no form in the text (drawn synapses, what learns, a window
//! over another shape) becomes an error of the writer, and the statement is of no use then.

use super::{Writer, braced, list};
use synfire_ir::Diagnostic;
use synfire_ir::network::{Connector, Conv2d, Init, PopId, Projection, Stage};
use synfire_ir::program::Carry;
use synfire_ir::units::Dimension;

impl Writer<'_> {
    /// The `connect` of a projection from `a` to `b`.
    pub(super) fn projection(&mut self, a: PopId, b: PopId, p: &Projection) -> String {
        let net = self.net;
        if p.plasticity.is_some() {
            self.refuse(p, "learns");
        }
        let name = self.name(&p.name, "wires");
        let mut from = self.part(a, &p.source_range);
        if let (Carry::Output(k), Some(m)) = (p.carry, net.model_of(a))
            && let Some(output) = m.model.outputs.get(k as usize)
        {
            from = format!("{from}.{}", output.name);
        }
        let model = net.model_of(b);
        let port = model.and_then(|m| m.model.ports.get(p.port as usize));
        let dimension = model.and_then(|m| m.port_dimensions.get(p.port as usize));
        let dimension = dimension.copied().unwrap_or(Dimension::NONE);
        let to = format!(
            "{}.{}",
            self.part(b, &p.target_range),
            port.map_or("", |q| &q.name)
        );
        let last = p.stages.len().saturating_sub(1);
        let rules: Vec<String> = p
            .stages
            .iter()
            .enumerate()
            .map(|(k, s)| {
                let dimension = if k == last {
                    dimension
                } else {
                    Dimension::NONE
                };
                self.rule(s, k < last, dimension, p)
            })
            .collect();
        let mut fields = vec![];
        if let [stage] = p.stages.as_slice()
            && !matches!(stage.connector, Connector::Conv2d(_) | Connector::Pool2d(_))
        {
            let (sign, text) = self.value(&stage.weight, dimension, &p.name);
            fields.push(format!("weight {sign} {text}"));
        }
        if p.delay != Init::Const(0.0) {
            fields.push(self.delay(p));
        }
        if let Some(bias) = &p.bias {
            let (sign, text) = self.value(bias, dimension, &p.name);
            fields.push(format!("bias {sign} {text}"));
        }
        let fields = braced(&fields);
        format!(
            "connect {name}: {from} -> {to} : {}{fields}",
            rules.join(" | ")
        )
    }

    fn refuse(&mut self, p: &Projection, what: &str) {
        self.errors.push(
            Diagnostic::error("SYN0142", format!("`{}` {what}", p.name))
                .at(p.name.clone())
                .note("only networks with stored weights and delays are written as text")
                .hint("keep the text that the network came from"),
        );
    }

    fn delay(&mut self, p: &Projection) -> String {
        let dt = self.net.dt.unwrap_or(1.0);
        match &p.delay {
            Init::Const(d) => format!("delay = {} s", d * dt),
            Init::Array(a) => format!("delay = load(data, {:?}) * {dt} s", self.key(*a)),
            Init::Draw(_) => {
                self.refuse(p, "draws its delays in steps");
                String::new()
            }
        }
    }

    /// One rule. In a chain a rule carries its own weight.
    fn rule(&mut self, s: &Stage, inner: bool, unit: Dimension, p: &Projection) -> String {
        let chained = p.stages.len() > 1;
        let mut args = vec![];
        let name = match &s.connector {
            Connector::AllToAll { self_connections } => {
                args.extend((!self_connections).then(|| "self = false".to_string()));
                "all_to_all"
            }
            Connector::OneToOne => "one_to_one",
            Connector::Dense => "dense",
            Connector::Scale => "scale",
            // A matrix behind another rule.
            Connector::Conv2d(c) if chained && c.is_matrix() => "dense",
            Connector::Conv2d(c) => {
                args = window(c.kernel, c.stride, c.padding);
                if c.dilation != [1, 1] {
                    args.push(format!("dilation = [{}]", list(&c.dilation)));
                }
                if c.groups != 1 {
                    args.push(format!("groups = {}", c.groups));
                }
                args.push(format!("channels = {}", c.channels));
                self.fits(c, p);
                "conv2d"
            }
            Connector::Pool2d(c) => {
                args = window(c.kernel, c.stride, c.padding);
                if c.average {
                    "avg_pool2d"
                } else {
                    "sum_pool2d"
                }
            }
            Connector::List { pre, post } => {
                args.push(format!("load(data, {:?})", self.key(*pre)));
                args.push(format!("load(data, {:?})", self.key(*post)));
                "list"
            }
            _ => {
                self.refuse(p, "draws its synapses");
                ""
            }
        };
        let own = chained || matches!(s.connector, Connector::Conv2d(_));
        let plain = matches!(s.connector, Connector::Pool2d(_)) && s.weight == Init::Const(1.0);
        if own && !plain {
            let unit = if inner { Dimension::NONE } else { unit };
            let (_, text) = self.value(&s.weight, unit, &p.name);
            args.push(format!("weight = {text}"));
        }
        if args.is_empty() {
            name.into()
        } else {
            format!("{name}({})", args.join(", "))
        }
    }

    /// A window slides over an image: its source must have that shape in the text.
    fn fits(&mut self, c: &Conv2d, p: &Projection) {
        let first = p.stages.first().map(|s| &s.connector);
        let is_first = matches!(first, Some(Connector::Conv2d(f)) if f == c);
        let source = self.net.projections().find(|q| std::ptr::eq(q.3, p));
        let shape = source
            .and_then(|q| self.net.graph.node_weight(q.1))
            .map(|n| &n.shape);
        if is_first && shape.is_some_and(|s| s.as_slice() != c.input) {
            self.errors.push(
                Diagnostic::error(
                    "SYN0142",
                    format!(
                        "`{}` slides a window over {:?}, its source has {shape:?}",
                        p.name, c.input
                    ),
                )
                .at(p.name.clone())
                .hint("keep the file that the network came from"),
            );
        }
    }
}

fn window(kernel: [u32; 2], stride: [u32; 2], padding: [u32; 2]) -> Vec<String> {
    let mut args = vec![
        format!("kernel = [{}]", list(&kernel)),
        format!("stride = [{}]", list(&stride)),
    ];
    if padding != [0, 0] {
        args.push(format!("padding = [{}]", list(&padding)));
    }
    args
}
