//! Damaged and crafted files: always an error with a remedy, never a panic, a long wait or a large heap. One test, so
//! that the peak memory of the process is its own.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::time::{Duration, Instant};
use synfire_compiler::nir::{NirOptions, load};

const REAL: [&str; 5] = [
    "lif_norse.nir",
    "lif_rockpool.nir",
    "braille_noDelay_bias_zero.nir",
    "braille_noDelay_bias_zero_subgraph.nir",
    "cnn_sinabs.nir",
];
const FLIPS: usize = 2000;

fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/nir/data")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The generator of the golden inputs; which bits are flipped must not change from run to run.
struct Lcg(u64);

impl Lcg {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

/// Reads, and holds an error to what every error owes; returns whether the file was accepted.
fn survives(what: &str, bytes: &[u8]) -> bool {
    let start = Instant::now();
    let outcome = load("fuzz.nir", bytes, &NirOptions::default());
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "{what}: {took:?}");
    let Err(found) = outcome else { return true };
    assert!(found.has_errors(), "{what}");
    for d in &found.0 {
        assert!(
            d.code.starts_with("SYN05") && d.place.is_some(),
            "{what}: {d}"
        );
        assert!(
            d.severity != synfire_ir::Severity::Error || !d.hints.is_empty(),
            "{what}: {d}"
        );
    }
    false
}

/// Peak resident memory in MiB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

/// A superblock and nothing else, and other short beginnings.
fn stubs() -> Vec<Vec<u8>> {
    let signature = b"\x89HDF\r\n\x1a\n".to_vec();
    let mut list = vec![
        vec![],
        vec![0],
        signature.clone(),
        b"not HDF5 at all".to_vec(),
    ];
    for version in 0..4u8 {
        for fill in [0u8, 1, 8, 0xff] {
            let mut stub = signature.clone();
            stub.push(version);
            stub.resize(25, fill);
            list.push(stub.clone());
            stub.resize(200, fill);
            list.push(stub);
        }
    }
    list
}

#[test]
fn damaged_files_are_errors() {
    for (i, stub) in stubs().iter().enumerate() {
        assert!(!survives(&format!("stub {i}"), stub));
    }
    let mut random = Lcg(7);
    let mut refused = 0;
    for name in REAL {
        let whole = bytes(name);
        assert!(survives(name, &whole));
        for _ in 0..100 {
            let length = random.below(whole.len());
            survives(&format!("{name} cut at {length}"), &whole[..length]);
        }
        for _ in 0..FLIPS {
            let mut damaged = whole.clone();
            let mut what = format!("{name}, flipped");
            // Tables and headers are a small part of a file: half of the flips go near a signature.
            for _ in 0..=random.below(3) {
                let at = near_a_table(&whole, &mut random);
                let bit = random.below(8);
                damaged[at] ^= 1 << bit;
                what += &format!(" {at}.{bit}");
            }
            refused += usize::from(!survives(&what, &damaged));
        }
    }
    for name in ["kinds/modern.nir", "kinds/storage.nir", "kinds/nested.nir"] {
        let whole = bytes(name);
        for _ in 0..FLIPS / 2 {
            let mut damaged = whole.clone();
            let (at, value) = (random.below(whole.len()), random.below(256) as u8);
            damaged[at] = value;
            survives(&format!("{name}, {at} set to {value}"), &damaged);
        }
    }
    assert!(refused > FLIPS / 10, "only {refused} files were refused");
    if let Some(peak) = peak() {
        assert!(peak < 256, "{peak} MiB");
    }
}

fn near_a_table(bytes: &[u8], random: &mut Lcg) -> usize {
    let at = random.below(bytes.len());
    if random.below(2) == 0 {
        return at;
    }
    let signatures: [&[u8]; 4] = [b"TREE", b"SNOD", b"HEAP", b"GCOL"];
    let found = bytes[at..].windows(4).position(|w| signatures.contains(&w));
    found.map_or(at, |i| (at + i + random.below(96)).min(bytes.len() - 1))
}
