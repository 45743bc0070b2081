//! The artefact's file: what is written reads back, the same bytes every time, and no damage goes unseen.

use crate::arbitrary::{Tape, tape};
use proptest::prelude::*;
use synfire_ir::artifact::*;

fn artifact(t: &mut Tape) -> Artifact {
    let header = Header {
        network: t.name(),
        target: t.name(),
        dialect: t.name(),
        target_version: t.word(),
        compiler: t.name(),
        source_hash: t.word(),
        options: t.list(3, |t| (t.name(), t.name())),
        seed: t.long(),
        dt: t.flip().then(|| t.real()),
        run: t.flip().then(|| t.word()),
    };
    let sections = t.list(4, |t| Section {
        kind: t.pick(&[SectionKind::Native, SectionKind::Report, SectionKind::Chip]),
        name: t.name(),
        bytes: t.list(60, |t| t.word() as u8),
    });
    Artifact {
        header,
        bindings: bindings(t),
        learning: t.list(2, learning),
        sections,
    }
}

fn learning(t: &mut Tape) -> BoundLearning {
    let n = t.below(4);
    let list = |t: &mut Tape| (0..n).map(|_| t.index()).collect();
    BoundLearning {
        projection: t.name(),
        scale: 0.25 + f64::from(t.below(9)),
        source: list(t),
        target: list(t),
        delay: list(t),
        place: (0..n).map(|_| t.long()).collect(),
        values: BoundValues {
            words: (0..u64::from(t.below(4))).collect(),
            scale: f64::from(t.below(9)),
            low: -(t.below(9) as i32),
            high: t.below(9) as i32,
            held: t.flip(),
        },
        every: t.list(2, |t| BoundEvery {
            steps: 1 + t.below(9),
            first: t.word(),
            word: t.long(),
        }),
    }
}

fn bindings(t: &mut Tape) -> Bindings {
    let populations: Vec<BoundPopulation> = (0..1 + t.below(3))
        .map(|_| BoundPopulation {
            name: t.name(),
            size: 1 + t.below(9),
            shift: t.word(),
            input: t.flip(),
            recorded: t.flip(),
        })
        .collect();
    let unit = |t: &mut Tape| {
        let pop = t.below(populations.len() as u32);
        (pop, t.below(populations[pop as usize].size))
    };
    let inputs = t.list(5, |t| {
        let (pop, unit) = unit(t);
        BoundInput {
            pop,
            unit,
            offset: t.word(),
            word: t.long(),
        }
    });
    let outputs = t.list(5, |t| {
        let (pop, unit) = unit(t);
        let word = t.long();
        BoundOutput { word, pop, unit }
    });
    let symbols = t.list(5, |t| {
        let (pop, unit) = unit(t);
        Symbol {
            pop,
            unit,
            core: t.word(),
            slot: t.word(),
        }
    });
    let feeds = t.list(5, |t| {
        let (pop, unit) = unit(t);
        (pop, t.word(), unit)
    });
    Bindings {
        inputs,
        outputs,
        loopbacks: t.list(3, |t| BoundLoopback {
            out: t.long(),
            delay: 1 + t.below(9) as u16,
            word: t.long(),
        }),
        tail: t.list(3, Tape::long),
        feeds,
        symbols,
        populations,
    }
}

proptest! {
    #![proptest_config(crate::cases(600))]

    #[test]
    fn what_is_written_reads_back(words in tape(400)) {
        let a = artifact(&mut Tape::new(words));
        let bytes = a.to_bytes().expect("it is small");
        prop_assert_eq!(&bytes, &a.clone().to_bytes().expect("it is small"));
        let back = Artifact::from_bytes("a.synx", &bytes).unwrap_or_else(|d| panic!("{d}"));
        prop_assert_eq!(&back, &a);
        prop_assert_eq!(back.to_bytes().expect("it is small"), bytes);
    }

    #[test]
    fn no_bytes_make_it_panic(words in tape(300), bytes in prop::collection::vec(any::<u8>(), 0..80), at: u16) {
        let _ = Artifact::from_bytes("a", &bytes);
        let mut whole = artifact(&mut Tape::new(words)).to_bytes().expect("it is small");
        let at = at as usize % whole.len();
        let changed = whole[at..].iter().zip(&bytes).any(|(a, b)| a != b);
        whole[at..].iter_mut().zip(&bytes).for_each(|(a, b)| *a = *b);
        prop_assert_eq!(Artifact::from_bytes("a", &whole).is_err(), changed);
    }
}

fn sample() -> Artifact {
    let words = |k: u32| synfire_ir::rng::word(9, 1, 0, 0, 0, k);
    artifact(&mut Tape::new((0..400).map(words).collect()))
}

#[test]
fn every_truncation_is_found() {
    let bytes = sample().to_bytes().expect("it is small");
    for end in 0..bytes.len() {
        let d = Artifact::from_bytes("a", &bytes[..end]).expect_err("it is cut");
        assert!(d.0.iter().all(|d| !d.hints.is_empty()), "{d}");
    }
    for more in 1..40 {
        let longer = [&bytes[..], &vec![0; more]].concat();
        assert!(Artifact::from_bytes("a", &longer).is_err());
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let mut bytes = sample().to_bytes().expect("it is small");
    for k in 0..bytes.len() * 8 {
        bytes[k / 8] ^= 1 << (k % 8);
        assert!(Artifact::from_bytes("a", &bytes).is_err(), "bit {k}");
        bytes[k / 8] ^= 1 << (k % 8);
    }
}

#[test]
fn a_thousand_damages_of_several_places_are_found() {
    let bytes = sample().to_bytes().expect("it is small");
    let mut t = Tape::new(
        (0..9000u32)
            .map(|k| synfire_ir::rng::word(4, 1, 0, 0, 0, k))
            .collect(),
    );
    for _ in 0..1000 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + t.below(4) {
            let k = t.below(damaged.len() as u32) as usize;
            damaged[k] ^= 1 + t.below(255) as u8;
        }
        if t.flip() {
            damaged.truncate(t.below(bytes.len() as u32) as usize);
        }
        if damaged != bytes {
            assert!(Artifact::from_bytes("a", &damaged).is_err());
        }
    }
}

#[test]
fn bindings_that_name_nothing_are_found() {
    let mut wrong: Vec<Artifact> = vec![];
    let mut add = |f: fn(&mut Bindings)| {
        let mut a = Artifact {
            header: Header::default(),
            bindings: Bindings::default(),
            learning: vec![],
            sections: vec![],
        };
        a.bindings.populations.push(BoundPopulation {
            name: "p".into(),
            size: 2,
            shift: 0,
            input: true,
            recorded: true,
        });
        f(&mut a.bindings);
        wrong.push(a);
    };
    add(|b| {
        b.inputs.push(BoundInput {
            pop: 0,
            unit: 2,
            offset: 0,
            word: 0,
        })
    });
    add(|b| {
        b.inputs.push(BoundInput {
            pop: 1,
            unit: 0,
            offset: 0,
            word: 0,
        })
    });
    add(|b| {
        b.outputs.push(BoundOutput {
            word: 0,
            pop: 0,
            unit: u32::MAX,
        })
    });
    add(|b| {
        b.symbols.push(Symbol {
            pop: u32::MAX,
            unit: 0,
            core: 0,
            slot: 0,
        })
    });
    add(|b| b.feeds.push((0, 7, 2)));
    add(|b| {
        b.loopbacks.push(BoundLoopback {
            out: 0,
            delay: 0,
            word: 0,
        })
    });
    for a in wrong {
        let bytes = a.to_bytes().expect("it is small");
        let d = Artifact::from_bytes("a", &bytes).expect_err("bindings are wrong");
        assert!(d.to_string().contains("SYN0701"), "{d}");
    }
}

#[test]
fn errors() {
    let bytes = sample().to_bytes().expect("it is small");
    let said = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut b = bytes.clone();
        change(&mut b);
        Artifact::from_bytes("net.synx", &b)
            .expect_err("damaged")
            .to_string()
    };
    let all = [
        said(&|b| b.clear()),
        said(&|b| b[0] = b'X'),
        said(&|b| b.truncate(9)),
        said(&|b| b[4] = 2),
        said(&|b| b[6] = 1),
        said(&|b| b[11] = 0xff),
        said(&|b| b[12] ^= 1),
        said(&|b| b[20] ^= 1),
        said(&|b| b.truncate(b.len() - 1)),
        said(&|b| b.push(0)),
        said(&|b| *b.last_mut().expect("not empty") ^= 1),
    ]
    .join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let mut a = sample();
    a.bindings.populations[0].name = "n".repeat((16 << 20) - 600);
    let bytes = a.to_bytes().expect("just small enough");
    assert_eq!(
        Artifact::from_bytes("a", &bytes).expect("as it was written"),
        a
    );
    a.bindings.populations[0].name = "n".repeat(16 << 20);
    let d = a.to_bytes().expect_err("too large").to_string();
    assert!(d.contains("SYN0702") && d.contains("16 MiB"), "{d}");
    let mut a = sample();
    a.header.options = vec![("o".repeat(4 << 20), String::new())];
    let d = a.to_bytes().expect_err("too large").to_string();
    assert!(d.contains("SYN0702") && d.contains("4 MiB"), "{d}");
}

/// The file of format 1, byte for byte: what was written once must be readable for ever.
#[test]
fn golden_format_1() {
    let a = golden();
    let bytes = a.to_bytes().expect("it is small");
    let hex: Vec<String> = bytes
        .chunks(24)
        .map(|line| line.iter().map(|b| format!("{b:02x}")).collect())
        .collect();
    assert_eq!(FORMAT, 1, "a new format needs a golden file of its own");
    let kept: String = include_str!("golden/format-1.hex")
        .split_whitespace()
        .collect();
    assert_eq!(kept, hex.concat(), "{}", hex.join("\n"));
    assert_eq!(Artifact::from_bytes("golden", &bytes).expect("sound"), a);
}

fn golden() -> Artifact {
    let population = |name: &str, size, shift, input| BoundPopulation {
        name: name.into(),
        size,
        shift,
        input,
        recorded: !input,
    };
    Artifact {
        learning: vec![],
        header: Header {
            network: "toy".into(),
            target: "chip".into(),
            dialect: "std".into(),
            target_version: 3,
            compiler: "0.1.0".into(),
            source_hash: 0xdead_beef,
            options: vec![("seed".into(), "7".into())],
            seed: u64::MAX,
            dt: Some(1e-3),
            run: Some(1000),
        },
        bindings: Bindings {
            populations: vec![
                population("in", 2, 0, true),
                population("exc", 300, 1, false),
            ],
            inputs: vec![BoundInput {
                pop: 0,
                unit: 1,
                offset: 2,
                word: 0x1_0000_0000,
            }],
            outputs: vec![BoundOutput {
                word: 77,
                pop: 1,
                unit: 299,
            }],
            loopbacks: vec![BoundLoopback {
                out: 250,
                delay: 251,
                word: 65_536,
            }],
            tail: vec![0, u64::MAX],
            feeds: vec![(0, 5, 1)],
            symbols: vec![Symbol {
                pop: 1,
                unit: 299,
                core: 0,
                slot: 43,
            }],
        },
        sections: vec![
            Section {
                kind: SectionKind::Native,
                name: "core0.bin".into(),
                bytes: (0..=255).collect(),
            },
            Section {
                kind: SectionKind::Report,
                name: "report.json".into(),
                bytes: b"{}".to_vec(),
            },
            Section {
                kind: SectionKind::Chip,
                name: "chip.toml".into(),
                bytes: vec![],
            },
        ],
    }
}
