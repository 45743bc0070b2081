//! Round trips, messages and hostile files.

use super::*;

fn populations() -> Vec<Population> {
    let input = |name: &str, size, graded| Population {
        name: name.into(),
        size,
        input: true,
        source: true,
        graded,
        recorded: true,
    };
    vec![
        input("x", 4, false),
        input("a,\"b", 2, false),
        input("sig", 3, true),
        Population {
            name: "exc".into(),
            size: 10,
            recorded: true,
            ..Population::default()
        },
    ]
}

fn spike(sample: u32, step: u32, population: u32, neuron: u32, value: f64) -> NamedSpike {
    NamedSpike {
        sample,
        step,
        population,
        neuron,
        value,
    }
}

fn csv(text: &str) -> Result<SpikeData, Diagnostics> {
    read("f.csv", text.as_bytes(), &populations())
}

#[test]
fn csv_reads_any_order_and_quoting() {
    let d =
        csv("\u{feff}step,population,neuron\r\n5,x,3\r\n\n2,\"a,\"\"b\",1\n2,x,0").expect("sound");
    assert_eq!(
        d.spikes,
        [
            spike(0, 2, 0, 0, 1.0),
            spike(0, 2, 1, 1, 1.0),
            spike(0, 5, 0, 3, 1.0)
        ]
    );
    assert_eq!((d.batch, d.last_step()), (None, Some(5)));
    let d = csv("sample,step,population,neuron,value\n2,1,x,0,-3\n").expect("a batch");
    assert_eq!((d.batch, d.spikes[0]), (Some(3), spike(2, 1, 0, 0, -3.0)));
    assert_eq!(
        csv("sample,step,population,neuron\n")
            .expect("empty batch")
            .batch,
        Some(1)
    );
}

#[test]
fn errors_name_the_line() {
    let e = csv("step,population,neuron\n1,x,0\n1,y,0\n1,x,4\n1,exc,0\n-1,x,0\n1,x\n1,x,0.5\n")
        .expect_err("six wrong rows");
    let found: Vec<_> =
        e.0.iter()
            .map(|d| (d.code.as_str(), d.place.as_deref().unwrap_or("")))
            .collect();
    assert_eq!(
        found,
        [
            ("SYN0903", "f.csv:3"),
            ("SYN0904", "f.csv:4"),
            ("SYN0905", "f.csv:5"),
            ("SYN0902", "f.csv:6"),
            ("SYN0902", "f.csv:7"),
            ("SYN0902", "f.csv:8")
        ]
    );
    assert!(e.0.iter().all(|d| !d.hints.is_empty()));
    assert_eq!(e.0[0].hints, ["did you mean `x`?"]);
    let many = format!("step,population,neuron\n{}", "1,nobody,0\n".repeat(100));
    let e = csv(&many).expect_err("a hundred wrong rows");
    assert_eq!(e.0.len(), LISTED + 1);
    assert!(e.0[LISTED].message.starts_with("92 more"), "{e}");
    for (text, code) in [
        ("", "SYN0901"),
        ("step,pop,neuron\n", "SYN0901"),
        ("step,neuron\n", "SYN0901"),
        ("step,population,neuron,value\n1,x,0,0.5\n", "SYN0902"),
    ] {
        assert_eq!(csv(text).expect_err(text).0[0].code, code, "{text:?}");
    }
    assert_eq!(
        read("f", b"\x93NUMPY\xff", &populations())
            .expect_err("no text")
            .0[0]
            .notes
            .len(),
        1
    );
}

fn sample_data() -> SpikeData {
    let signal = Signal {
        name: "sig".into(),
        population: 2,
        first: 0,
        elements: 3,
        steps: vec![0, 2],
        values: vec![vec![0.5, 0.0, -1.0, 2.0, 0.0, 0.25], vec![1.0; 6]],
    };
    SpikeData {
        spikes: vec![spike(0, 2, 0, 0, 1.0), spike(1, 0, 1, 1, 2.0)],
        signals: vec![signal],
        batch: Some(2),
    }
}

#[test]
fn npz_round_trip_is_exact_and_repeatable() {
    let data = sample_data();
    let bytes = write_npz(&data, &populations()).expect("writable");
    assert_eq!(bytes, write_npz(&data, &populations()).expect("writable"));
    assert_eq!(
        read("f.npz", &bytes, &populations()).expect("readable"),
        data
    );
    assert_eq!(
        write_csv(&data, &populations()).expect_err("a signal").0[0].code,
        "SYN0908"
    );
}

#[test]
fn csv_round_trip() {
    let data = SpikeData {
        signals: vec![],
        ..sample_data()
    };
    let text = write_csv(&data, &populations()).expect("writable");
    assert_eq!(
        String::from_utf8_lossy(&text),
        "sample,step,population,neuron,value\n0,2,x,0,1\n1,0,\"a,\"\"b\",1,2\n"
    );
    assert_eq!(read("f", &text, &populations()).expect("readable"), data);
}

#[test]
fn traces_of_other_populations_are_passed_over() {
    let trace = Signal {
        name: "exc.v".into(),
        population: 3,
        elements: 1,
        steps: vec![0],
        values: vec![vec![1.0]],
        ..Signal::default()
    };
    let data = SpikeData {
        spikes: vec![spike(0, 1, 0, 1, 1.0)],
        signals: vec![trace],
        batch: None,
    };
    let back = read(
        "f",
        &write_npz(&data, &populations()).expect("writable"),
        &populations(),
    )
    .expect("readable");
    assert_eq!((back.spikes, back.signals.len()), (data.spikes, 0));
}

#[test]
fn merging_gives_plain_parts_to_every_sample() {
    let mut a = SpikeData {
        signals: vec![],
        ..sample_data()
    };
    let plain = SpikeData {
        spikes: vec![spike(0, 7, 0, 2, 1.0)],
        ..SpikeData::default()
    };
    a.merge(plain).expect("mergeable");
    let seven: Vec<_> = a
        .spikes
        .iter()
        .filter(|s| s.step == 7)
        .map(|s| s.sample)
        .collect();
    assert_eq!((seven, a.batch), (vec![0, 1], Some(2)));
    assert!(
        a.merge(SpikeData {
            batch: Some(3),
            ..SpikeData::default()
        })
        .is_err()
    );
}

#[test]
fn damaged_archives_are_diagnosed() {
    let bytes = write_npz(&sample_data(), &populations()).expect("writable");
    for cut in (0..bytes.len()).step_by(7) {
        let _ = read("f", &bytes[..cut], &populations());
    }
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = bytes.clone();
            bad[at] ^= flip;
            if let Err(e) = read("f", &bad, &populations()) {
                assert!(e.has_errors());
            }
        }
    }
}

#[test]
fn headers_of_arrays_that_lie() {
    let data = npy::file("<u4", &[2], [0u8; 8].into_iter());
    assert!(npy::Npy::parse(data.clone()).is_ok());
    let lie = |from: &str, to: &str| {
        let text: Vec<u8> = data.clone();
        let at = text
            .windows(from.len())
            .position(|w| w == from.as_bytes())
            .expect("there");
        let mut out = text[..at].to_vec();
        out.extend(to.as_bytes());
        out.extend(&text[at + from.len()..]);
        npy::Npy::parse(out)
    };
    for (from, to) in [
        ("(2,)", "(9,)"),
        ("<u4", "|O8"),
        ("<u4", "<U0"),
        ("(2,)", "(2 )"),
    ] {
        assert!(lie(from, to).is_err() || to == "(2 )", "{to}");
    }
    let huge = npy::file("<u4", &[usize::MAX, 2], std::iter::empty());
    assert!(npy::Npy::parse(huge).is_err());
}

#[test]
fn events_of_a_feed() {
    let of = |t: &str| read_events(t.as_bytes());
    assert_eq!(
        of("step,neuron\n3,1\n\n4,0"),
        Ok(vec![(3, 1, 1.0), (4, 0, 1.0)])
    );
    assert_eq!(
        of("step,population,neuron,value\n3,x,1,0.5\n"),
        Ok(vec![(3, 1, 0.5)])
    );
    for wrong in [
        "",
        "a,b\n",
        "sample,step,neuron\n",
        "step,population,neuron\n1,x,0\n1,y,0\n",
        "step,neuron\n1\n",
        "step,neuron\n1,-1\n",
    ] {
        assert!(of(wrong).is_err(), "{wrong:?}");
    }
    let data = SpikeData {
        spikes: vec![spike(0, 2, 0, 3, 2.0)],
        ..SpikeData::default()
    };
    let bytes = write_npz(&data, &populations()).expect("writable");
    assert_eq!(read_events(&bytes), Ok(vec![(2, 3, 2.0)]));
}
