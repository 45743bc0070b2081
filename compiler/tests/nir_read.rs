//! Reading of NIR files: the five real ones against the golden runs, and every node type, storage form and quirk against
//! what the reference package says of files that it wrote (`tests/nir/make_kinds.py`).

#![allow(clippy::unwrap_used)]

use serde_json::Value as Json;
use std::path::PathBuf;
use synfire_compiler::nir::{self, NirKind, NirModel, NirOptions, TauUnit, graph::Meta, hdf5};
use synfire_ir::{Diagnostics, Severity};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/nir/data")
        .join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    let path = data(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn json(name: &str) -> Json {
    serde_json::from_slice(&bytes(name)).unwrap()
}

fn strict() -> NirOptions {
    NirOptions {
        strict: true,
        ..NirOptions::default()
    }
}

fn read(name: &str, options: &NirOptions) -> Result<(NirModel, Diagnostics), Diagnostics> {
    nir::read(name, &bytes(name), options)
}

fn open(name: &str) -> (NirModel, Diagnostics) {
    read(name, &NirOptions::default()).unwrap_or_else(|e| panic!("{name}:\n{e}"))
}

fn codes(found: &Diagnostics, severity: Severity) -> Vec<&str> {
    found
        .0
        .iter()
        .filter(|d| d.severity == severity)
        .map(|d| d.code.as_str())
        .collect()
}

const REAL: [&str; 5] = [
    "braille_noDelay_bias_zero.nir",
    "braille_noDelay_bias_zero_subgraph.nir",
    "cnn_sinabs.nir",
    "lif_norse.nir",
    "lif_rockpool.nir",
];

#[test]
fn real_files_open_and_only_the_one_with_a_batch_axis_needs_repair() {
    for name in REAL {
        let (_, found) = open(name);
        let repaired: Vec<_> = found.0.iter().filter(|d| d.code == "SYN0515").collect();
        let strictly = read(name, &strict());
        if name != "lif_rockpool.nir" {
            assert!(repaired.is_empty(), "{name}:\n{found}");
            assert!(strictly.is_ok(), "{name}:\n{}", strictly.unwrap_err());
            continue;
        }
        let [repair] = repaired.as_slice() else {
            panic!("{found}")
        };
        assert_eq!(repair.severity, Severity::Warning);
        assert_eq!(
            repair.place.as_deref(),
            Some("lif_rockpool.nir: /node/nodes/output")
        );
        assert!(
            repair.message.contains("(1, 1, 1)") && repair.message.contains("(1,)"),
            "{repair}"
        );
        assert_eq!(codes(&strictly.unwrap_err(), Severity::Error), ["SYN0515"]);
    }
}

#[test]
fn delayed_edges_and_shapes_agree_with_the_golden_runs() {
    let mut seen = 0;
    for entry in std::fs::read_dir(data("golden")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let golden = json(&format!("golden/{file}"));
        let dt = golden["dt"].as_f64();
        let options = NirOptions {
            dt,
            ..NirOptions::default()
        };
        let graph = golden["graph"].as_str().unwrap();
        let (model, _) = read(graph, &options).unwrap_or_else(|e| panic!("{graph}:\n{e}"));
        let expected: Vec<(&str, &str)> = golden["delayed_edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| (e[0].as_str().unwrap(), e[1].as_str().unwrap()))
            .collect();
        assert_eq!(model.delayed_edges(), expected, "{file}");
        assert_eq!(Some(model.dt), dt);
        let count = |shape: &[usize]| shape.iter().product::<usize>();
        let spiking: Vec<&str> = model
            .nodes
            .iter()
            .filter(|n| n.node.kind.spikes())
            .map(|n| n.node.name.as_str())
            .collect();
        let mut named: Vec<&str> = golden["events"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        named.sort_unstable();
        assert_eq!(spiking, named, "{file}");
        for (name, events) in golden["events"].as_object().unwrap() {
            let size = count(&model.node(name).unwrap().output);
            let highest = events
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e[1].as_u64().unwrap())
                .max();
            assert!(highest.is_none_or(|h| (h as usize) < size), "{file} {name}");
        }
        for (name, rows) in golden["v_after_reset"].as_object().unwrap() {
            let size = count(&model.node(name).unwrap().output);
            assert_eq!(rows[0].as_array().unwrap().len(), size, "{file} {name}");
        }
        check_order(&model);
        seen += 1;
    }
    assert_eq!(seen, 7);
}

/// Every edge that is not delayed goes forward.
fn check_order(model: &NirModel) {
    let mut position = vec![usize::MAX; model.nodes.len()];
    for (p, &n) in model.order.iter().enumerate() {
        position[n] = p;
    }
    assert!(position.iter().all(|&p| p < model.nodes.len()));
    for edge in &model.edges {
        assert!(
            edge.delayed || position[edge.from] < position[edge.to],
            "{edge:?}"
        );
    }
}

#[test]
fn the_convolutional_net_has_the_shapes_of_its_neurons() {
    let (model, _) = open("cnn_sinabs.nir");
    let shape = |name: &str| model.node(name).unwrap().output.clone();
    assert_eq!(shape("input"), [2, 34, 34]);
    assert_eq!(shape("0"), [16, 16, 16]);
    assert_eq!(shape("4"), [16, 8, 8]);
    assert_eq!(shape("7"), [8, 4, 4]);
    assert_eq!(shape("8"), [128]);
    assert_eq!(shape("output"), [10]);
    let NirKind::Conv2d(conv) = &model.node("0").unwrap().node.kind else {
        panic!()
    };
    assert_eq!(conv.weight.shape, [16, 2, 5, 5]);
}

#[test]
fn nested_and_flat_braille_nets_are_the_same_graph() {
    let (flat, _) = open("braille_noDelay_bias_zero.nir");
    let (nested, _) = open("braille_noDelay_bias_zero_subgraph.nir");
    assert_eq!(flat.nodes.len(), nested.nodes.len());
    let rename = |n: &str| {
        n.replace("lif1.w_rec", "lif1.lin")
            .replace("lif1.lif", "lif1.lif1")
    };
    let edges = |m: &NirModel, f: &dyn Fn(&str) -> String| -> Vec<(String, String, bool)> {
        let name = |i: usize| f(&m.nodes[i].node.name);
        let mut list: Vec<_> = m
            .edges
            .iter()
            .map(|e| (name(e.from), name(e.to), e.delayed))
            .collect();
        list.sort();
        list
    };
    assert_eq!(
        edges(&flat, &rename),
        edges(&nested, &|n: &str| n.to_owned())
    );
    for node in &flat.nodes {
        let other = nested.node(&rename(&node.node.name)).unwrap();
        assert_eq!(other.node.kind, node.node.kind);
        assert_eq!((&other.input, &other.output), (&node.input, &node.output));
    }
}

#[test]
fn the_time_step_is_recovered_where_all_neurons_agree() {
    for (name, dt, severity) in [
        ("braille_noDelay_bias_zero.nir", 1e-4, Severity::Note),
        ("lif_norse.nir", 1e-3, Severity::Warning),
        ("cnn_sinabs.nir", 1e-3, Severity::Note),
    ] {
        let (model, found) = open(name);
        assert_eq!(model.dt, dt, "{name}:\n{found}");
        let told = found.0.iter().find(|d| d.code == "SYN0519").unwrap();
        assert_eq!(told.severity, severity, "{told}");
        let given = NirOptions {
            dt: Some(2e-4),
            ..NirOptions::default()
        };
        assert_eq!(read(name, &given).unwrap().0.dt, 2e-4);
    }
    for bad in [0.0, -1e-3, f64::NAN, f64::INFINITY] {
        let given = NirOptions {
            dt: Some(bad),
            ..NirOptions::default()
        };
        let found = read("lif_norse.nir", &given).unwrap_err();
        assert_eq!(found.0[0].code, "SYN0519");
        assert_eq!(found.0[0].class, synfire_ir::Class::Usage);
    }
}

/// Numbers of a nested JSON list, and its shape.
fn numbers(json: &Json, shape: &mut Vec<usize>, out: &mut Vec<f64>, depth: usize) {
    match json {
        Json::Array(list) => {
            if shape.len() == depth {
                shape.push(list.len());
            }
            for item in list {
                numbers(item, shape, out, depth + 1);
            }
        }
        other => out.push(other.as_f64().unwrap()),
    }
}

fn array(json: &Json) -> (Vec<usize>, Vec<f64>) {
    let (mut shape, mut data) = (vec![], vec![]);
    numbers(json, &mut shape, &mut data, 0);
    (shape, data)
}

/// Compares every node that the reference describes; returns how many types were met.
fn compare(
    model: &NirModel,
    prefix: &str,
    known: &Json,
    types: &mut std::collections::BTreeSet<String>,
) {
    for (name, told) in known["fields"]["nodes"].as_object().unwrap() {
        let type_name = told["fields"]["type"].as_str().unwrap();
        types.insert(type_name.to_owned());
        let flat = format!("{prefix}{name}");
        if type_name == "NIRGraph" {
            compare(model, &format!("{flat}."), told, types);
            continue;
        }
        if !prefix.is_empty() && ["Input", "Output"].contains(&type_name) {
            assert!(
                model.node(&flat).is_none(),
                "{flat} should have been dropped"
            );
            continue;
        }
        let node = model.node(&flat).unwrap_or_else(|| panic!("no {flat}"));
        assert_eq!(node.node.kind.type_name(), type_name);
        for (side, shape) in [("input", &node.input), ("output", &node.output)] {
            let wanted: Vec<usize> = array(&told["shapes"][side])
                .1
                .iter()
                .map(|x| *x as usize)
                .collect();
            assert_eq!(*shape, wanted, "{flat} {side}");
        }
        for (field, found) in node.node.kind.elementwise() {
            let (shape, values) = array(&told["fields"][field]);
            for (i, value) in values.iter().enumerate() {
                // serde_json may miss the last bit of a decimal.
                let close = found
                    .at(i)
                    .is_some_and(|x| (x - value).abs() <= 1e-15 * value.abs());
                assert!(close, "{flat}.{field}[{i}]: {:?}, {value}", found.at(i));
            }
            assert_eq!(found.shape, shape, "{flat}.{field}");
        }
        let weight = match &node.node.kind {
            NirKind::Affine { weight, .. } | NirKind::Linear { weight } => Some(weight),
            NirKind::Conv1d(c) | NirKind::Conv2d(c) => Some(&c.weight),
            _ => None,
        };
        if let Some(weight) = weight {
            assert_eq!(
                (weight.shape.clone(), weight.data.clone()),
                array(&told["fields"]["weight"]),
                "{flat}"
            );
        }
    }
}

#[test]
fn every_node_type_is_read_as_the_reference_reads_it() {
    let known = json("kinds/kinds.json");
    let mut types = std::collections::BTreeSet::from(["NIRGraph".to_owned()]);
    for (name, told) in known.as_object().unwrap() {
        let file = format!("kinds/{name}.nir");
        let (model, _) = read(&file, &strict()).unwrap_or_else(|e| panic!("{file}:\n{e}"));
        assert_eq!(model.version.as_deref(), Some("1.0.8"));
        compare(&model, "", told, &mut types);
        check_order(&model);
    }
    let all: Vec<&str> = types.iter().map(String::as_str).collect();
    assert_eq!(all, nir::graph::TYPE_NAMES);
}

#[test]
fn defects_of_the_reference_are_not_copied() {
    let (model, _) = read("kinds/conv2d_odd.nir", &strict()).unwrap();
    let conv = model.node("conv").unwrap();
    assert_eq!(
        (conv.input.as_slice(), conv.output.as_slice()),
        (&[2, 8, 8][..], &[4, 6, 4][..])
    );
}

#[test]
fn metadata_is_kept_and_odd_names_are_names() {
    let (model, _) = open("kinds/nested.nir");
    assert!(model.node("größe 1.5µ").is_some());
    assert_eq!(model.delayed_edges(), [("sub.deep.lif", "sub.deep.w")]);
    let text = |key: &str| match &model.metadata[key] {
        Meta::Value(hdf5::Value::Text(t)) => t.data.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(text("author"), ["someone"]);
    let ints = |meta: &Meta| match meta {
        Meta::Value(hdf5::Value::Int(i)) => (i.data.clone(), i.dtype),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        ints(&model.metadata["epochs"]),
        (vec![12], hdf5::Dtype::Int(8))
    );
    assert_eq!(ints(&model.metadata["done"]), (vec![1], hdf5::Dtype::Bool));
    let Meta::Value(hdf5::Value::Real(rate)) = &model.metadata["rate"] else {
        panic!()
    };
    assert_eq!(rate.data, [0.5]);
    let Meta::Group(more) = &model.metadata["more"] else {
        panic!()
    };
    assert_eq!(ints(&more["list"]).0, [0, 1, 2]);
}

#[test]
fn numbers_and_strings_are_read_in_every_storage() {
    let (model, _) = open("kinds/storage.nir");
    let mut linear = 0;
    for node in &model.nodes {
        if let NirKind::Linear { weight } = &node.node.kind {
            assert_eq!(
                (weight.shape.as_slice(), weight.data.as_slice()),
                (&[2, 2][..], &[1.0, 2.0, 3.0, 4.0][..])
            );
            linear += 1;
        }
    }
    assert_eq!(linear, 20);
    let NirKind::Scale { scale } = &model.node("truth").unwrap().node.kind else {
        panic!()
    };
    assert_eq!(
        (scale.data.as_slice(), scale.dtype),
        (&[1.0, 0.0][..], hdf5::Dtype::Bool)
    );
    let dtype = |name: &str| match &model.node(name).unwrap().node.kind {
        NirKind::Linear { weight } => weight.dtype,
        other => panic!("{other:?}"),
    };
    assert_eq!(dtype("wbf2"), hdf5::Dtype::F16);
    assert_eq!(dtype("wlu8"), hdf5::Dtype::Uint(8));
}

#[test]
fn new_style_groups_are_read() {
    let (model, _) = open("kinds/modern.nir");
    assert_eq!(model.nodes.len(), 42);
    let NirKind::Scale { scale } = &model.node("n39").unwrap().node.kind else {
        panic!()
    };
    assert_eq!(scale.data, [39.0, 39.125]);
}

#[test]
fn missing_ends_are_added_as_the_reference_does() {
    let (model, found) = open("kinds/unended.nir");
    assert_eq!(model.node("input_fc").unwrap().output, [3]);
    assert_eq!(model.node("output_lif").unwrap().input, [2]);
    assert_eq!(
        codes(&found, Severity::Warning)
            .iter()
            .filter(|c| **c == "SYN0518")
            .count(),
        2
    );
}

#[test]
fn a_crooked_subgraph_is_repaired_or_refused() {
    let steps = NirOptions {
        tau_unit: TauUnit::Steps,
        dt: Some(1e-3),
        ..NirOptions::default()
    };
    let (model, found) = read("kinds/crooked.nir", &steps).unwrap();
    let NirKind::CubaLIF {
        tau_mem,
        tau_syn,
        w_in,
        v_reset,
        ..
    } = &model.node("rnn.lif").unwrap().node.kind
    else {
        panic!()
    };
    assert_eq!(
        (tau_mem.data[0], tau_syn.data[1]),
        (10.0 * 1e-3, 5.0 * 1e-3)
    );
    assert!(v_reset.is_some() && w_in.is_some());
    assert!(
        codes(&found, Severity::Warning).contains(&"SYN0512"),
        "{found}"
    );
    let refused = read("kinds/crooked.nir", &strict()).unwrap_err();
    let error = refused
        .0
        .iter()
        .find(|d| d.severity == Severity::Error)
        .unwrap();
    assert_eq!(error.code, "SYN0512");
    for part in ["`rnn`", "rnn.input", "rnn.lif", "(3,)", "(2,)"] {
        assert!(error.message.contains(part), "{error}");
    }
}

#[test]
fn honest_files_stay_far_below_the_read_budget() {
    let mut names: Vec<String> = REAL.iter().map(|n| (*n).to_owned()).collect();
    names.extend(["modern", "storage", "elementwise", "nested"].map(|n| format!("kinds/{n}.nir")));
    for name in names {
        let bytes = bytes(&name);
        let file = hdf5::File::open(&bytes).unwrap();
        visit(file.root().unwrap());
        let (used, limit) = file.bytes_read();
        assert!(
            used > 0 && used < 4 * bytes.len() as u64,
            "{name}: {used} of {limit}, {} bytes",
            bytes.len()
        );
    }
}

fn visit(group: hdf5::Group) {
    let members = group.members().unwrap();
    for (_, dataset) in members.datasets {
        dataset.read().unwrap();
    }
    for (_, group) in members.groups {
        visit(group);
    }
}
