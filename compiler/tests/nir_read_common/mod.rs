//! Builders of small graphs and checks of what is refused and repaired, shared by the tests of hand-built graphs.

#![allow(clippy::unwrap_used, dead_code)]

use std::collections::BTreeMap;
use synfire_compiler::nir::{Array, NirGraph, NirKind, NirModel, NirNode, NirOptions, elaborate};
use synfire_ir::{Diagnostic, Diagnostics, Severity};

pub fn array(shape: &[usize]) -> Array {
    Array::new(shape, vec![0.5; shape.iter().product()]).unwrap()
}

pub fn node(name: &str, kind: NirKind) -> NirNode {
    let path = format!("/node/nodes/{name}");
    NirNode {
        path,
        name: name.to_owned(),
        kind,
        metadata: BTreeMap::new(),
    }
}

pub fn graph(nodes: Vec<(&str, NirKind)>, edges: &[(&str, &str)]) -> NirGraph {
    let nodes = nodes
        .into_iter()
        .map(|(name, kind)| node(name, kind))
        .collect();
    let edges = edges
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect();
    NirGraph { nodes, edges }
}

pub fn input(shape: &[usize]) -> NirKind {
    NirKind::Input {
        shape: shape.to_vec(),
    }
}

pub fn output(shape: &[usize]) -> NirKind {
    NirKind::Output {
        shape: shape.to_vec(),
    }
}

pub fn linear(out: usize, inputs: usize) -> NirKind {
    NirKind::Linear {
        weight: array(&[out, inputs]),
    }
}

pub fn fire(shape: &[usize]) -> NirKind {
    NirKind::IF {
        r: array(shape),
        v_threshold: array(shape),
        v_reset: None,
    }
}

pub fn scale(shape: &[usize]) -> NirKind {
    NirKind::Scale {
        scale: array(shape),
    }
}

pub fn delay(seconds: f64) -> NirKind {
    NirKind::Delay {
        delay: Array::new(&[2], vec![seconds; 2]).unwrap(),
    }
}

pub fn leaky(shape: &[usize], field: &str, value: Array) -> NirKind {
    let mut parts =
        BTreeMap::from(["tau", "r", "v_leak", "v_threshold"].map(|f| (f, array(shape))));
    *parts.get_mut(field).unwrap() = value;
    let mut take = |f| parts.remove(f).unwrap();
    NirKind::LIF {
        tau: take("tau"),
        r: take("r"),
        v_leak: take("v_leak"),
        v_threshold: take("v_threshold"),
        v_reset: None,
    }
}

pub type Outcome = Result<(NirModel, Diagnostics), Diagnostics>;

pub fn run(graph: NirGraph) -> Outcome {
    let options = NirOptions {
        dt: Some(1e-3),
        ..NirOptions::default()
    };
    elaborate("net.nir", graph, &options)
}

pub fn run_strictly(graph: NirGraph) -> Outcome {
    let options = NirOptions {
        dt: Some(1e-3),
        strict: true,
        ..NirOptions::default()
    };
    elaborate("net.nir", graph, &options)
}

/// The only error of a graph, which must have that code, a place and a remedy.
pub fn refused(outcome: Outcome, code: &str) -> Diagnostic {
    let found = outcome.expect_err("it was accepted");
    let errors: Vec<_> = found
        .0
        .into_iter()
        .filter(|d| d.severity == Severity::Error)
        .collect();
    let [error] = errors.as_slice() else {
        panic!("{errors:#?}")
    };
    assert_eq!(error.code, code, "{error}");
    assert!(
        error
            .place
            .as_deref()
            .is_some_and(|p| p.starts_with("net.nir")),
        "{error}"
    );
    assert!(!error.hints.is_empty(), "{error}");
    error.clone()
}

/// Accepted with a warning of that code without `strict`, refused with the same code with it.
pub fn repaired(make: impl Fn() -> NirGraph, code: &str) -> NirModel {
    let (model, found) = run(make()).unwrap_or_else(|e| panic!("{e}"));
    assert!(
        found
            .0
            .iter()
            .any(|d| d.code == code && d.severity == Severity::Warning),
        "{found}"
    );
    refused(run_strictly(make()), code);
    model
}
