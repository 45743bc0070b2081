//! Units as registers, and mappings that do not fit.

use crate::backend::{Reset, UnitDynamics};
use crate::registry::find;

fn integrate(decay: f64, threshold: i64, reset: Reset) -> UnitDynamics {
    UnitDynamics::Integrate {
        decay,
        bias: 0,
        threshold,
        reset,
        initial: 0,
        refractory: 0,
    }
}

fn backend() -> &'static dyn crate::backend::Backend {
    let chip = find("xylo-audio2").unwrap_or_else(|d| panic!("{d}")).chip;
    chip.backend().expect("a shipped chip has code")
}

#[test]
fn decays_become_shifts() {
    let b = backend();
    let lif = integrate(0.9375, 100, Reset::Subtract);
    assert_eq!(
        b.neuron("core2", &lif, (0, 0), 0),
        Ok(vec![100, 4, 1, 1, 0, 0])
    );
    assert_eq!(b.gain("core2", &lif), 1.0);
    let cuba = UnitDynamics::Current {
        keep: 0.75,
        then: Box::new(integrate(0.875, 100, Reset::Subtract)),
    };
    assert_eq!(
        b.neuron("core2", &cuba, (0, 0), 0),
        Ok(vec![100, 3, 2, 2, 0, 0])
    );
    // Over time 3 of 4 units of an arrival decay into 3 on the chip, where the unit's current sums up to 4.
    assert!((b.gain("core2", &cuba) - 4.0 / 3.0).abs() < 1e-12);
    // A constant input of the current adds up to 1 / (1 - keep) at the membrane, whatever shift its current has.
    for keep in [0.5, 0.9, 0.97] {
        let unit = UnitDynamics::Current {
            keep,
            then: Box::new(lif.clone()),
        };
        let bias = b.gain("core2", &unit) * b.constant_gain("core2", &unit);
        assert!((bias - 1.0 / (1.0 - keep)).abs() < 1e-9, "{keep}: {bias}");
    }
    assert_eq!(b.gain("core2", &lif) * b.constant_gain("core2", &lif), 1.0);
    let notes = b.differences("core2", &cuba);
    assert_eq!(notes.len(), 1, "{notes:?}");
    let odd = integrate(0.95, 100, Reset::To(0));
    assert!(
        b.differences("core2", &odd)
            .iter()
            .any(|n| n.contains("0.937500") && n.contains("0.950000"))
    );
}

#[test]
fn what_a_neuron_cannot_do() {
    let b = backend();
    let limit = |u: &UnitDynamics| b.neuron("core2", u, (0, 0), 0).expect_err("refused").limit;
    assert_eq!(limit(&integrate(0.5, 0, Reset::Subtract)), "thr");
    assert_eq!(limit(&integrate(0.5, 40_000, Reset::Subtract)), "thr");
    assert_eq!(limit(&integrate(0.5, 5, Reset::To(2))), "reset");
    assert_eq!(limit(&integrate(1.5, 5, Reset::To(0))), "dm");
    let own = |model: &str, fields: &[(&str, f64)], v: i64| UnitDynamics::Own {
        model: model.into(),
        fields: fields.iter().map(|f| (f.0.into(), f.1)).collect(),
        states: vec![("v".into(), v)],
    };
    let good = [
        ("thr", 200.0),
        ("dm", 3.0),
        ("d1", 2.0),
        ("d2", 4.0),
        ("bias", -7.0),
        ("core1", 0.0),
    ];
    assert_eq!(
        b.neuron("core2", &own("Xylo", &good, 0), (0, 0), 0),
        Ok(vec![200, 3, 2, 4, -7, 31])
    );
    assert_eq!(
        b.neuron("core2", &own("XyloOut", &good, 0), (0, 0), 0),
        Ok(vec![200, 3, 2, 0, -7, 1])
    );
    assert_eq!(limit(&own("Xylo", &good, 5)), "v");
    assert_eq!(limit(&own("XyloAny", &good, 0)), "model");
    assert_eq!(limit(&own("Xylo", &[("thr", 1.5)], 0)), "thr");
    let late = b
        .neuron("core2", &own("Xylo", &good, 0), (0, 0), 2)
        .expect_err("a bias cannot wait");
    assert_eq!(late.limit, "bias");
    // A unit that only comes near the network may start with what its bias has brought, unless that makes it spike.
    let biased = |bias: i64| UnitDynamics::Integrate {
        decay: 0.875,
        bias,
        threshold: 100,
        reset: Reset::Subtract,
        initial: 0,
        refractory: 0,
    };
    let head = |bias: i64, shift: u32| b.head_start("core2", &biased(bias), shift);
    assert!(b.neuron("core2", &biased(40), (0, 0), 2).is_ok());
    // 40, then 40 - 40 >> 3 + 40; down: -40, then -40 + 5 - 40.
    assert_eq!([head(40, 1), head(40, 2), head(-40, 2)], [0.4, 0.75, -0.75]);
    assert_eq!(head(40, 0), 0.0);
    let spikes = b.neuron("core2", &biased(40), (0, 0), 3);
    assert_eq!(spikes.expect_err("75 - 9 + 40 >= 100").limit, "bias");
    let old = b
        .neuron("core1", &own("Xylo", &good, 0), (0, 0), 0)
        .expect_err("no biases");
    assert!(old.limit == "bias" || old.limit == "core1");
}
