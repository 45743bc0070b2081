//! The networks of the simulation benchmarks by name: `cuba`, `coba:10`, `brunel`, `microcircuit:0.1,1`.
//!
//! Their texts are those of `examples/bench`. A name's numbers become parameters of the network.

use synfire_ir::{Class, Diagnostic};

/// A benchmark.
struct Shipped {
    name: &'static str,
    text: &'static str,
    /// The parameters that a name's numbers set, in order.
    scales: &'static [&'static str],
}

const ALL: [Shipped; 5] = [
    Shipped {
        name: "cuba",
        text: include_str!("../../../../examples/bench/cuba.syn"),
        scales: &["scale"],
    },
    Shipped {
        name: "coba",
        text: include_str!("../../../../examples/bench/coba.syn"),
        scales: &["scale"],
    },
    Shipped {
        name: "brunel",
        text: include_str!("../../../../examples/bench/brunel.syn"),
        scales: &["scale"],
    },
    Shipped {
        name: "brunel-stdp",
        text: include_str!("../../../../examples/bench/brunel_stdp.syn"),
        scales: &["scale"],
    },
    Shipped {
        name: "microcircuit",
        text: include_str!("../../../../examples/bench/microcircuit.syn"),
        scales: &["n", "k"],
    },
];

/// A benchmark as asked for.
#[derive(Debug)]
pub struct Chosen {
    /// Name of its file, for messages.
    pub file: String,
    /// Its text.
    pub text: &'static str,
    /// Parameters that its name sets.
    pub set: Vec<(String, String)>,
}

/// The benchmark of a name such as `microcircuit:0.1,1`; a scale that is not given is 1.
///
/// Errors: `SYN0914` no such benchmark, or numbers that it does not take.
pub fn find(asked: &str) -> Result<Chosen, Diagnostic> {
    let (name, numbers) = asked.split_once(':').unwrap_or((asked, ""));
    let Some(net) = ALL.iter().find(|n| n.name == name) else {
        return Err(wrong(format!("there is no benchmark network `{name}`")));
    };
    let given: Vec<&str> = match numbers {
        "" => vec![],
        n => n.split(',').map(str::trim).collect(),
    };
    if given.len() > net.scales.len() {
        return Err(wrong(format!(
            "`{name}` takes {} of {}, not {}",
            if net.scales.len() == 1 {
                "a scale"
            } else {
                "scales"
            },
            if net.scales.len() == 1 {
                "its size"
            } else {
                "size and in-degree"
            },
            given.len()
        )));
    }
    let mut set = vec![];
    for (parameter, text) in net.scales.iter().zip(&given) {
        match text.parse::<f64>() {
            Ok(x) if x.is_finite() && x > 0.0 => set.push(((*parameter).into(), format!("{x:?}"))),
            _ => return Err(wrong(format!("`{text}` is not a scale"))),
        }
    }
    Ok(Chosen {
        file: format!("<{name}.syn>"),
        text: net.text,
        set,
    })
}

fn wrong(message: String) -> Diagnostic {
    let names: Vec<&str> = ALL.iter().map(|n| n.name).collect();
    Diagnostic::error("SYN0914", message)
        .class(Class::Usage)
        .note("a name may carry scales: `cuba:10`, `brunel:2`, `microcircuit:0.1,1` (sizes, in-degrees)")
        .hint(format!("the networks are: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_scales() {
        let of = |asked| find(asked).expect(asked).set;
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        assert_eq!(of("cuba"), []);
        assert_eq!(of("cuba:10"), [pair("scale", "10.0")]);
        assert_eq!(
            of("microcircuit:0.1,1"),
            [pair("n", "0.1"), pair("k", "1.0")]
        );
        for asked in [
            "",
            "cubas",
            "cuba:x",
            "cuba:0",
            "cuba:1,2",
            "brunel:-1",
            "cuba:inf",
        ] {
            assert_eq!(find(asked).expect_err(asked).code, "SYN0914");
        }
    }
}
