//! A NIR graph as the bytes of an HDF5 file, in the layout of the `nir` package.
//!
//! In: a [`NirGraph`]. Out: bytes that `nir.read` and [`super::read`] take: `/version`, `/node` and below it a group a node with a dataset a
//! field. Numbers keep their type, but for half precision, which widens. Invariant: the bytes depend on the graph alone.
//! Deliberately absent: compression, and bool metadata as an enumeration (they become whole numbers).

use super::graph::{Array, Conv, Dtype, Meta, Metadata, NirGraph, NirKind, Padding, Pool, Value};
use hdf5_pure::{DatasetBuilder, FileBuilder, GroupBuilder};
use synfire_ir::Diagnostic;

/// Version of NIR's own package whose layout this is.
const VERSION: &str = "1.0.8";

/// What a field holds.
enum Data<'a> {
    Real(&'a Array),
    Whole(Vec<i64>),
    One(i64),
    Text(&'a str),
}

/// The file.
///
/// Errors: `SYN0524` when the graph does not fit in the format, `SYN0525` for a name with a "/", which would be a path there.
pub fn write(graph: &NirGraph) -> Result<Vec<u8>, Diagnostic> {
    let mut file = FileBuilder::new();
    file.create_dataset("version")
        .with_vlen_strings(&[VERSION])
        .with_shape(&[]);
    let mut root = file.create_group("node");
    write_graph(&mut root, graph)?;
    file.add_group(root.finish());
    file.finish().map_err(|e| {
        Diagnostic::error("SYN0524", format!("the graph cannot be written: {e}"))
            .note("it goes into one HDF5 file in the layout of NIR")
            .hint("give its populations and projections shorter names, or split it")
    })
}

fn write_graph(group: &mut GroupBuilder, graph: &NirGraph) -> Result<(), Diagnostic> {
    text(group.create_dataset("type"), "NIRGraph");
    let ends: Vec<&str> = graph
        .edges
        .iter()
        .flat_map(|(a, b)| [a.as_str(), b.as_str()])
        .collect();
    let edges = group.create_dataset("edges");
    // As the reference writer has it: no edges are an empty array of numbers.
    if ends.is_empty() {
        edges.with_f64_data(&[]).with_shape(&[0]);
    } else {
        edges
            .with_vlen_strings(&ends)
            .with_shape(&[graph.edges.len() as u64, 2]);
    }
    let mut nodes = group.create_group("nodes");
    for node in &graph.nodes {
        if node.name.contains('/') || node.name.is_empty() {
            return Err(Diagnostic::error(
                "SYN0525",
                format!("`{}` cannot name a node of a NIR file", node.name),
            )
            .note("a \"/\" is a step in a path there, and a name has at least one character")
            .hint("rename it"));
        }
        let mut own = nodes.create_group(&node.name);
        match &node.kind {
            NirKind::Graph(inner) => write_graph(&mut own, inner)?,
            kind => {
                text(own.create_dataset("type"), kind.type_name());
                fields(kind, &mut |name, data| {
                    field(own.create_dataset(name), data)
                });
            }
        }
        metadata(&mut own, &node.metadata);
        nodes.add_group(own.finish());
    }
    group.add_group(nodes.finish());
    Ok(())
}

fn text(set: &mut DatasetBuilder, value: &str) {
    set.with_vlen_strings(&[value]).with_shape(&[]);
}

fn field(set: &mut DatasetBuilder, data: Data) {
    match data {
        Data::Real(array) => real(set, array),
        Data::Whole(list) => {
            set.with_i64_data(&list).with_shape(&[list.len() as u64]);
        }
        Data::One(n) => {
            set.with_i64_data(&[n]).with_shape(&[]);
        }
        Data::Text(value) => text(set, value),
    }
}

fn real(set: &mut DatasetBuilder, array: &Array) {
    let shape: Vec<u64> = array.shape.iter().map(|&d| d as u64).collect();
    match array.dtype {
        Dtype::F16 | Dtype::F32 => {
            let narrow: Vec<f32> = array.data.iter().map(|&x| x as f32).collect();
            set.with_f32_data(&narrow).with_shape(&shape);
        }
        Dtype::F64 => {
            set.with_f64_data(&array.data).with_shape(&shape);
        }
        Dtype::Int(_) | Dtype::Uint(_) | Dtype::Bool => {
            let whole: Vec<i64> = array.data.iter().map(|&x| x as i64).collect();
            set.with_i64_data(&whole).with_shape(&shape);
        }
    }
}

fn whole(list: &[usize]) -> Data<'static> {
    Data::Whole(list.iter().map(|&n| n as i64).collect())
}

/// Calls `f` with each dataset of the node, in the order of NIR's constructors.
fn fields<'a>(kind: &'a NirKind, f: &mut dyn FnMut(&str, Data<'a>)) {
    match kind {
        NirKind::Input { shape } | NirKind::Output { shape } => f("shape", whole(shape)),
        NirKind::Affine { weight, bias } => {
            f("weight", Data::Real(weight));
            f("bias", Data::Real(bias));
        }
        NirKind::Conv1d(conv) | NirKind::Conv2d(conv) => convolution(conv, f),
        NirKind::SumPool2d(pool) | NirKind::AvgPool2d(pool) => pooling(pool, f),
        NirKind::Flatten {
            input_type,
            start_dim,
            end_dim,
        } => {
            if let Some(shape) = input_type {
                f("input_type", whole(shape));
            }
            f("start_dim", Data::One(*start_dim));
            f("end_dim", Data::One(*end_dim));
        }
        NirKind::Linear { weight } => f("weight", Data::Real(weight)),
        NirKind::Scale { scale } => f("scale", Data::Real(scale)),
        NirKind::Delay { delay } => f("delay", Data::Real(delay)),
        _ => kind
            .elementwise()
            .into_iter()
            .for_each(|(name, array)| f(name, Data::Real(array))),
    }
}

fn convolution<'a>(conv: &'a Conv, f: &mut dyn FnMut(&str, Data<'a>)) {
    let axes = conv.weight.shape.len().saturating_sub(2);
    // One axis is a number, two are a pair.
    let steps = |list: &[usize]| match (axes, list) {
        (1, [one]) => Data::One(*one as i64),
        _ => whole(list),
    };
    if let Some(shape) = &conv.input_shape {
        f("input_shape", steps(shape));
    }
    f("weight", Data::Real(&conv.weight));
    f("stride", steps(&conv.stride));
    match &conv.padding {
        Padding::Same => f("padding", Data::Text("same")),
        Padding::Valid => f("padding", Data::Text("valid")),
        Padding::Zeros(list) => f("padding", steps(list)),
    }
    f("dilation", steps(&conv.dilation));
    f("groups", Data::One(conv.groups as i64));
    f("bias", Data::Real(&conv.bias));
}

fn pooling<'a>(pool: &'a Pool, f: &mut dyn FnMut(&str, Data<'a>)) {
    f("kernel_size", whole(&pool.kernel_size));
    f("stride", whole(&pool.stride));
    f("padding", whole(&pool.padding));
}

fn metadata(group: &mut GroupBuilder, data: &Metadata) {
    if data.is_empty() {
        return;
    }
    let mut own = group.create_group("metadata");
    entries(&mut own, data);
    group.add_group(own.finish());
}

fn entries(group: &mut GroupBuilder, data: &Metadata) {
    for (name, entry) in data
        .iter()
        .filter(|(n, _)| !n.contains('/') && !n.is_empty())
    {
        match entry {
            Meta::Group(inner) => {
                let mut own = group.create_group(name);
                entries(&mut own, inner);
                group.add_group(own.finish());
            }
            Meta::Value(Value::Real(array)) => real(group.create_dataset(name), array),
            Meta::Value(Value::Int(array)) => {
                let shape: Vec<u64> = array.shape.iter().map(|&d| d as u64).collect();
                group
                    .create_dataset(name)
                    .with_i64_data(&array.data)
                    .with_shape(&shape);
            }
            Meta::Value(Value::Text(array)) => {
                let shape: Vec<u64> = array.shape.iter().map(|&d| d as u64).collect();
                let list: Vec<&str> = array.data.iter().map(String::as_str).collect();
                group
                    .create_dataset(name)
                    .with_vlen_strings(&list)
                    .with_shape(&shape);
            }
        }
    }
}
