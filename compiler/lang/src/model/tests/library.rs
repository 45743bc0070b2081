//! Every model of the standard library lowers, has documentation and passes the check of programs.

use super::{library, program};
use crate::{library as std_library, syntax};

#[test]
fn every_model_lowers() {
    let mut count = 0;
    for path in std_library::paths().filter(|p| !p.starts_with("std.synapses")) {
        let m = library(&path, 1e-3);
        assert!(!m.integer, "{path}");
        let given: Vec<(&str, f64)> = (m.fields.iter())
            .filter(|f| f.default.is_none())
            .map(|f| (f.name.as_str(), 0.01))
            .collect();
        let p = program(&m, &given, 1e-3, 3);
        let mut b = super::Bench::new(&p);
        for _ in 0..50 {
            b.all();
        }
        for s in &m.model.states {
            assert!(b.state(&s.name).is_finite(), "{path}: {}", s.name);
        }
        count += 1;
    }
    assert!(count >= 30, "{count}");
}

#[test]
fn every_model_is_documented() {
    for path in std_library::paths() {
        let doc = std_library::doc(&path).expect("a path of the library");
        assert!(doc.len() > 25, "{path}: {doc}");
        let lowered = match path.starts_with("std.synapses") {
            true => super::synapses::library(&path).doc,
            false => library(&path, 1e-3).doc,
        };
        assert_eq!(doc, lowered, "{path}");
    }
}

#[test]
fn texts_are_canonical() {
    for m in std_library::MODULES {
        let formatted = syntax::format(m.text).expect("it parses");
        let (is, wanted): (Vec<&str>, Vec<&str>) =
            (m.text.lines().collect(), formatted.lines().collect());
        let first = is.iter().zip(&wanted).position(|(a, b)| a != b);
        assert!(
            formatted == m.text,
            "{}: first difference in line {first:?}",
            m.file
        );
    }
}

#[test]
fn lookup_knows_names_and_refuses_others() {
    assert_eq!(
        std_library::lookup("std.neurons.Lif").map(|l| l.1),
        Some("Lif")
    );
    assert!(std_library::lookup("std.neurons.Nothing").is_none());
    assert!(std_library::lookup("std.nothing.Lif").is_none());
    assert!(std_library::lookup("Lif").is_none());
}
