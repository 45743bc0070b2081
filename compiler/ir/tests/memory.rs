//! What hostile artefacts and texts may cost: no more than their own size justifies, far below what they state.
//!
//! A process of its own, since the measure is the peak of the whole process.

#![cfg(target_os = "linux")]

use synfire_ir::artifact::Artifact;
use synfire_ir::{mapping, network, program};

/// Peak of resident memory so far, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .expect("every process has a peak");
    let number = line.split_whitespace().nth(1).expect("a number of KiB");
    number.parse().expect("a number of KiB")
}

/// CRC-32 (IEEE), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |c, b| {
        (0..8).fold(c ^ *b as u32, |c, _| {
            (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg())
        })
    })
}

/// A number as bincode writes it.
fn number(n: u64) -> Vec<u8> {
    match n {
        0..=250 => vec![n as u8],
        _ => [&[253], &n.to_le_bytes()[..]].concat(),
    }
}

/// A file with this table, sound as far as checksums go.
fn file(table: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut out = b"SYNX\x01\0\0\0".to_vec();
    out.extend((table.len() as u32).to_le_bytes());
    out.extend(crc(table).to_le_bytes());
    out.extend(table);
    out.extend(rest);
    out
}

/// A header up to its options: four empty strings, two numbers.
const START: [u8; 6] = [0; 6];
/// No options, seed 0, no dt, no run.
const END: [u8; 4] = [0; 4];

/// A file whose only section is bindings of these bytes.
fn with_bindings(body: &[u8]) -> Vec<u8> {
    let mut table = [&START[..], &END, &[1, 1, 0, 0]].concat();
    table.extend(number(body.len() as u64));
    table.extend([252]);
    table.extend(crc(body).to_le_bytes());
    file(&table, body)
}

/// Calls `f` with files that claim far more than they hold, one at a time.
fn claims(mut f: impl FnMut(Vec<u8>)) {
    f(file(&[], &[]));
    f(file(&[253; 9], &[]));
    f(file(&[0; 25], &[]));
    // An over-long number: 9 bytes for 0.
    f(file(
        &[&[253], &[0; 8][..], &START[1..], &END, &[0]].concat(),
        &[],
    ));
    for n in [
        u64::MAX,
        1 << 60,
        1 << 40,
        1 << 32,
        (64 << 20) / 24,
        1 << 24,
    ] {
        // A string, the options, the sections, each list of the bindings: all of them claim `n` elements.
        f(file(&number(n), &[]));
        f(file(&[&START[..], &number(n)].concat(), &[]));
        f(file(&[&START[..], &END, &number(n)].concat(), &[]));
        for empty in 0..7 {
            f(with_bindings(&[vec![0; empty], number(n)].concat()));
            f(with_bindings(
                &[vec![0; empty], number(n), vec![0; 1 << 20]].concat(),
            ));
        }
        // Lengths and offsets of a section beyond the file.
        let entry = [&START[..], &END, &[1, 0, 0], &number(n), &number(n), &[0]].concat();
        f(file(&entry, &[]));
        let entry = [&START[..], &END, &[1, 0, 0, 0], &number(n), &[0]].concat();
        f(file(&entry, &[]));
    }
}

/// Calls `f` with files of as many smallest elements as may be, all of them there.
fn full(mut f: impl FnMut(&str, Vec<u8>)) {
    let many = (4 << 20) - 40;
    let options = [
        &START[..],
        &number(many / 2),
        &vec![0; many as usize],
        &END[1..],
        &[0],
    ]
    .concat();
    f("options", file(&options, &[]));
    let sections = [&START[..], &END, &number(many / 5), &vec![0; many as usize]].concat();
    f("sections", file(&sections, &[]));
    let many = (16 << 20) - 40;
    for (empty, each) in [(0, 5), (1, 4), (2, 3), (3, 3), (4, 1), (5, 3), (6, 4)] {
        let n = many / each;
        let rest = vec![0; (n * each) as usize + 6 - empty];
        let body = [vec![0; empty], number(n), rest].concat();
        f("bindings", with_bindings(&body));
    }
}

fn texts() -> Vec<String> {
    let program = |rest: &str| format!("program p: f32 seed 1 {rest}");
    let model = "model M { param p: f32 state v: f32 port i: f32 sum step { } }";
    let most = u32::MAX;
    vec![
        program(&format!("{model} group a: units M[{most}] phase 0 base 0 {{ param p = 0.0 init v = 0.0 }}")),
        program(&format!(
            "{model} group a: units M[{most}] phase 0 base 0 {{ param p = 0.0 init v = 0.0 }}
             projection p: a[0..{most}] -> a[0..{most}].i events dense d1 uniform 1.0
             projection q: a[0..{most}] -> a[0..{most}].i events rows uniform 1.0 {{ 0: d1 [0] }}
             projection r: a[0..{most}] -> a[0..{most}].i events raw {{ row [{most}] runs [d1 {most} {most}] targets [{most}] weights f32 [1.0] }}"
        )),
        format!("network n array w f64 shape [{most}, {most}] [] population a[{most}]: events"),
        format!("mapping m onto c dialect d mesh {most} {most} population p: {most} shift 0 core {most}: chip 0 at 0, 0 {{ }}"),
        program(&"a".repeat(8 << 20)),
        program(&"\"".repeat(8 << 20)),
        program(&"{[(".repeat(2 << 20)),
        program(&"group\n".repeat(1 << 20)),
        "network n neuron { model M { step { } } column #0 = ".to_string() + &"neg(".repeat(1 << 20),
    ]
}

#[test]
fn nothing_costs_more_than_its_size_justifies() {
    let before = peak();
    claims(|bytes| {
        let shown = bytes[..bytes.len().min(60)].to_vec();
        assert!(
            Artifact::from_bytes("hostile", &bytes).is_err(),
            "{shown:x?}"
        );
    });
    let claimed = peak() - before;
    texts().iter().for_each(|t| read_text(t));
    let read = peak() - before;
    let mut most = 0;
    full(|what, bytes| {
        let result = Artifact::from_bytes("hostile", &bytes);
        most = peak() - before;
        println!(
            "{what}: {} bytes, {most} KiB, read: {}",
            bytes.len(),
            result.is_ok()
        );
    });
    println!("KiB: {claimed} for claims, {read} with texts, {most} with full files");
    assert!(claimed < 64 << 10, "{claimed} KiB for claims alone");
    assert!(read < 256 << 10, "{read} KiB with texts");
    assert!(most < 256 << 10, "{most} KiB with full files");
}

fn read_text(text: &str) {
    if let Ok(p) = program::parse("hostile", text) {
        let _ = (program::print(&p), program::check(&p));
    }
    if let Ok(n) = network::parse("hostile", text) {
        let _ = (network::print(&n), network::verify(n));
    }
    let _ = mapping::parse("hostile", text);
}
