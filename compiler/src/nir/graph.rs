//! A NIR graph as typed data, as the file has it: nested, unshaped, unchecked.
//!
//! In: nothing; these are plain types, which [`super::parse`] fills and tests build by hand. Out: what
//! [`super::flatten`] takes. Absent fields stay `None` so that an export can leave them out again. Invariant: none
//! beyond the types; lengths, names and edges are checked downstream.

pub use super::hdf5::{Array, Dtype, IntArray, TextArray, Value};
use std::collections::BTreeMap;

/// A node or a whole subgraph, with its place in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct NirNode {
    /// Path in the file, e.g. `/node/nodes/lif1/nodes/lif`.
    pub path: String,
    /// Name in its graph; after flattening the names of all levels joined by ".".
    pub name: String,
    /// Type and parameters.
    pub kind: NirKind,
    /// The node's `metadata` group, and fields that its type does not have.
    pub metadata: Metadata,
}

/// Free-form data that is kept but never needed to run a graph.
pub type Metadata = BTreeMap<String, Meta>;

/// One entry of [`Metadata`].
#[derive(Clone, Debug, PartialEq)]
pub enum Meta {
    /// A dataset.
    Value(Value),
    /// A group.
    Group(Metadata),
}

/// A graph: named nodes and directed edges between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NirGraph {
    /// Nodes in byte order of their names (the file stores no other order).
    pub nodes: Vec<NirNode>,
    /// Edges as (source name, destination name), in the order of the file.
    pub edges: Vec<(String, String)>,
}

/// Padding of a convolution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Padding {
    /// As many zeros as make the output as long as the input (stride 1 only).
    Same,
    /// None.
    Valid,
    /// That many zeros before and after, one number for all axes or one for each.
    Zeros(Vec<usize>),
}

/// Parameters of `Conv1d` and `Conv2d` (cross-correlation, PyTorch convention). Lists hold one number for all axes or
/// one for each.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Lengths of the spatial axes of the input, if the file says.
    pub input_shape: Option<Vec<usize>>,
    /// (out channels, in channels / groups, kernel axes...).
    pub weight: Array,
    /// Step of the window, at least 1.
    pub stride: Vec<usize>,
    /// Zeros around the input.
    pub padding: Padding,
    /// Distance of the taps, at least 1.
    pub dilation: Vec<usize>,
    /// Number of channel groups, at least 1.
    pub groups: usize,
    /// (out channels).
    pub bias: Array,
}

/// Parameters of `SumPool2d` and `AvgPool2d`. Lists hold one number for both axes or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Window (height, width).
    pub kernel_size: Vec<usize>,
    /// Step of the window, at least 1.
    pub stride: Vec<usize>,
    /// Zeros around the input.
    pub padding: Vec<usize>,
}

/// The 19 node types of NIR 1.0.8 (`nir.md` section 3 gives the equations). Arrays "of the node" have the node's
/// shape; one element stands for all.
#[derive(Clone, Debug, PartialEq)]
pub enum NirKind {
    /// Entry of a graph.
    Input {
        /// Shape of the data.
        shape: Vec<usize>,
    },
    /// Exit of a graph.
    Output {
        /// Shape of the data.
        shape: Vec<usize>,
    },
    /// y = W x + b.
    Affine {
        /// (..., out, in).
        weight: Array,
        /// (out).
        bias: Array,
    },
    /// y = W x.
    Linear {
        /// (..., out, in).
        weight: Array,
    },
    /// y = s x, element by element.
    Scale {
        /// Of the node.
        scale: Array,
    },
    /// Convolution over one axis: (C, L) to (C', L').
    Conv1d(Conv),
    /// Convolution over two axes: (C, H, W) to (C', H', W').
    Conv2d(Conv),
    /// Sum over a window: (C, H, W) to (C, H', W').
    SumPool2d(Pool),
    /// Mean over a window, padding counted: (C, H, W) to (C, H', W').
    AvgPool2d(Pool),
    /// Reshape, row-major; axes `start_dim..=end_dim` become one.
    Flatten {
        /// Shape of the input, if the file says.
        input_type: Option<Vec<usize>>,
        /// First axis; negative counts from the end.
        start_dim: i64,
        /// Last axis; negative counts from the end.
        end_dim: i64,
    },
    /// y(t) = x(t - delay).
    Delay {
        /// Of the node, s or steps.
        delay: Array,
    },
    /// y = 1 where x > threshold, else 0.
    Threshold {
        /// Of the node.
        threshold: Array,
    },
    /// dv/dt = r x.
    I {
        /// Of the node.
        r: Array,
    },
    /// Leaky integrator.
    LI {
        /// Of the node, s or steps.
        tau: Array,
        /// Of the node.
        r: Array,
        /// Of the node.
        v_leak: Array,
    },
    /// Integrate and fire.
    IF {
        /// Of the node.
        r: Array,
        /// Of the node.
        v_threshold: Array,
        /// Of the node; absent means 0.
        v_reset: Option<Array>,
    },
    /// Leaky integrate and fire.
    LIF {
        /// Of the node, s or steps.
        tau: Array,
        /// Of the node.
        r: Array,
        /// Of the node.
        v_leak: Array,
        /// Of the node.
        v_threshold: Array,
        /// Of the node; absent means 0.
        v_reset: Option<Array>,
    },
    /// Leaky integrator with a current.
    CubaLI {
        /// Of the node, s or steps.
        tau_syn: Array,
        /// Of the node, s or steps.
        tau_mem: Array,
        /// Of the node.
        r: Array,
        /// Of the node.
        v_leak: Array,
        /// Of the node; absent means 1.
        w_in: Option<Array>,
    },
    /// Leaky integrate and fire with a current.
    CubaLIF {
        /// Of the node, s or steps.
        tau_syn: Array,
        /// Of the node, s or steps.
        tau_mem: Array,
        /// Of the node.
        r: Array,
        /// Of the node.
        v_leak: Array,
        /// Of the node.
        v_threshold: Array,
        /// Of the node; absent means 0.
        v_reset: Option<Array>,
        /// Of the node; absent means 1.
        w_in: Option<Array>,
    },
    /// A graph inside the graph.
    Graph(NirGraph),
}

/// Names of all node types, as the field `type` has them.
pub const TYPE_NAMES: [&str; 19] = [
    "Affine",
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "CubaLI",
    "CubaLIF",
    "Delay",
    "Flatten",
    "I",
    "IF",
    "Input",
    "LI",
    "LIF",
    "Linear",
    "NIRGraph",
    "Output",
    "Scale",
    "SumPool2d",
    "Threshold",
];

impl NirKind {
    /// The name of the type as the field `type` has it.
    pub fn type_name(&self) -> &'static str {
        match self {
            NirKind::Input { .. } => "Input",
            NirKind::Output { .. } => "Output",
            NirKind::Affine { .. } => "Affine",
            NirKind::Linear { .. } => "Linear",
            NirKind::Scale { .. } => "Scale",
            NirKind::Conv1d(_) => "Conv1d",
            NirKind::Conv2d(_) => "Conv2d",
            NirKind::SumPool2d(_) => "SumPool2d",
            NirKind::AvgPool2d(_) => "AvgPool2d",
            NirKind::Flatten { .. } => "Flatten",
            NirKind::Delay { .. } => "Delay",
            NirKind::Threshold { .. } => "Threshold",
            NirKind::I { .. } => "I",
            NirKind::LI { .. } => "LI",
            NirKind::IF { .. } => "IF",
            NirKind::LIF { .. } => "LIF",
            NirKind::CubaLI { .. } => "CubaLI",
            NirKind::CubaLIF { .. } => "CubaLIF",
            NirKind::Graph(_) => "NIRGraph",
        }
    }

    /// Does the node emit spikes from a membrane that it resets?
    pub fn spikes(&self) -> bool {
        matches!(
            self,
            NirKind::IF { .. } | NirKind::LIF { .. } | NirKind::CubaLIF { .. }
        )
    }

    /// Parameters that have the node's own shape, with their field names. Empty for types of other kinds.
    pub fn elementwise(&self) -> Vec<(&'static str, &Array)> {
        let mut list = Vec::new();
        match self {
            NirKind::Scale { scale } => list.push(("scale", scale)),
            NirKind::Delay { delay } => list.push(("delay", delay)),
            NirKind::Threshold { threshold } => list.push(("threshold", threshold)),
            NirKind::I { r } => list.push(("r", r)),
            NirKind::LI { tau, r, v_leak } => {
                list.extend([("tau", tau), ("r", r), ("v_leak", v_leak)]);
            }
            NirKind::IF {
                r,
                v_threshold,
                v_reset,
            } => {
                list.extend([("r", r), ("v_threshold", v_threshold)]);
                list.extend(v_reset.as_ref().map(|a| ("v_reset", a)));
            }
            NirKind::LIF {
                tau,
                r,
                v_leak,
                v_threshold,
                v_reset,
            } => {
                list.extend([("tau", tau), ("r", r), ("v_leak", v_leak)]);
                list.push(("v_threshold", v_threshold));
                list.extend(v_reset.as_ref().map(|a| ("v_reset", a)));
            }
            NirKind::CubaLI {
                tau_syn,
                tau_mem,
                r,
                v_leak,
                w_in,
            } => {
                list.extend([("tau_syn", tau_syn), ("tau_mem", tau_mem)]);
                list.extend([("r", r), ("v_leak", v_leak)]);
                list.extend(w_in.as_ref().map(|a| ("w_in", a)));
            }
            NirKind::CubaLIF {
                tau_syn,
                tau_mem,
                r,
                v_leak,
                v_threshold,
                v_reset,
                w_in,
            } => {
                list.extend([("tau_syn", tau_syn), ("tau_mem", tau_mem), ("r", r)]);
                list.extend([("v_leak", v_leak), ("v_threshold", v_threshold)]);
                list.extend(v_reset.as_ref().map(|a| ("v_reset", a)));
                list.extend(w_in.as_ref().map(|a| ("w_in", a)));
            }
            _ => {}
        }
        list
    }

    /// Parameters that are times (tau and delay), for a change of unit.
    pub fn times_mut(&mut self) -> Vec<&mut Array> {
        match self {
            NirKind::Delay { delay } => vec![delay],
            NirKind::LI { tau, .. } | NirKind::LIF { tau, .. } => vec![tau],
            NirKind::CubaLI {
                tau_syn, tau_mem, ..
            }
            | NirKind::CubaLIF {
                tau_syn, tau_mem, ..
            } => vec![tau_syn, tau_mem],
            _ => vec![],
        }
    }

    /// Time constants with their field names (not delays).
    pub fn time_constants(&self) -> Vec<(&'static str, &Array)> {
        let mut list = self.elementwise();
        list.retain(|(name, _)| name.starts_with("tau"));
        list
    }
}

/// A shape as text, e.g. `(2, 34, 34)`, `(38,)`, `()`.
pub fn shape_text(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        many => {
            let axes: Vec<String> = many.iter().map(usize::to_string).collect();
            format!("({})", axes.join(", "))
        }
    }
}
