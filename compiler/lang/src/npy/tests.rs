use super::*;
use proptest::prelude::*;
use std::io::Write;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// An `.npy` file of version 1 or 2.
fn npy(version: u8, descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
    let order = if fortran { "True" } else { "False" };
    let text = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut out = MAGIC.to_vec();
    out.extend([version, 0]);
    match version {
        1 => out.extend((text.len() as u16).to_le_bytes()),
        _ => out.extend((text.len() as u32).to_le_bytes()),
    }
    out.extend(text.as_bytes());
    out.extend(data);
    out
}

fn npz(members: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut w = zip::ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in members {
        w.start_file(
            *name,
            SimpleFileOptions::default().compression_method(method),
        )
        .unwrap();
        w.write_all(bytes).unwrap();
    }
    w.finish().unwrap().into_inner()
}

fn le<const N: usize>(words: &[[u8; N]]) -> Vec<u8> {
    words.concat()
}

#[test]
fn floats_of_all_widths() {
    let f8 = le(&[1.5f64.to_le_bytes(), (-0.1f64).to_le_bytes()]);
    let a = read_npy(&npy(1, "<f8", false, "(2,)", &f8), "a").unwrap();
    assert_eq!(a.data, ArrayData::F64([1.5, -0.1].into()));
    assert_eq!(a.shape, [2]);
    let f4 = le(&[1.5f32.to_le_bytes()]);
    let a = read_npy(&npy(2, "<f4", false, "()", &f4), "a").unwrap();
    assert_eq!(a.data, ArrayData::F32([1.5].into()));
    assert_eq!(a.shape, [] as [u32; 0]);
    // 1, -2, 65504 (the largest), 2^-24 (the smallest), 1/3 rounded, infinity.
    let words = [0x3c00u16, 0xc000, 0x7bff, 0x0001, 0x3555, 0x7c00];
    let f2 = le(&words.map(u16::to_le_bytes));
    let a = read_npy(&npy(1, "<f2", false, "(6,)", &f2), "a").unwrap();
    let want = [
        1.0,
        -2.0,
        65504.0,
        2f32.powi(-24),
        0.333_251_95,
        f32::INFINITY,
    ];
    assert_eq!(a.data, ArrayData::F32(want.into()));
}

#[test]
fn integers_and_booleans() {
    let read = |descr: &str, data: &[u8]| {
        let n = data.len() / descr[2..].parse::<usize>().unwrap();
        read_npy(&npy(1, descr, false, &format!("({n},)"), data), "a")
            .unwrap()
            .data
    };
    assert_eq!(read("|i1", &[255, 127]), ArrayData::I32([-1, 127].into()));
    assert_eq!(read("|u1", &[255, 127]), ArrayData::I32([255, 127].into()));
    assert_eq!(read("|b1", &[0, 1]), ArrayData::I32([0, 1].into()));
    assert_eq!(
        read("<i2", &(-3i16).to_le_bytes()),
        ArrayData::I32([-3].into())
    );
    assert_eq!(
        read("<u2", &65533u16.to_le_bytes()),
        ArrayData::I32([65533].into())
    );
    assert_eq!(
        read("<i4", &(-7i32).to_le_bytes()),
        ArrayData::I32([-7].into())
    );
    assert_eq!(read("<u4", &7u32.to_le_bytes()), ArrayData::I32([7].into()));
    assert_eq!(
        read("<u4", &u32::MAX.to_le_bytes()),
        ArrayData::F64([4_294_967_295.0].into())
    );
    assert_eq!(
        read("<i8", &(-9i64).to_le_bytes()),
        ArrayData::I32([-9].into())
    );
    assert_eq!(
        read(">i4", &(-7i32).to_be_bytes()),
        ArrayData::I32([-7].into())
    );
    assert_eq!(read("|S3", b"csr"), ArrayData::I32([99, 115, 114].into()));
}

#[test]
fn integers_that_doubles_cannot_hold_are_refused() {
    let data = ((1i64 << 53) + 1).to_le_bytes();
    let e = read_npy(&npy(1, "<i8", false, "(1,)", &data), "a").unwrap_err();
    assert_eq!(
        e,
        "the integer 9007199254740993 has no exact double-precision form"
    );
}

#[test]
fn columns_first_becomes_rows_first() {
    // [[0, 1, 2], [3, 4, 5]] written by columns.
    let data: Vec<u8> = vec![0, 3, 1, 4, 2, 5];
    let a = read_npy(&npy(1, "|u1", true, "(2, 3)", &data), "a").unwrap();
    assert_eq!(a.shape, [2, 3]);
    assert_eq!(a.data, ArrayData::I32([0, 1, 2, 3, 4, 5].into()));
    // Three axes: element (i, j, k) of shape (2, 2, 2) has the value 4 i + 2 j + k.
    let data: Vec<u8> = vec![0, 4, 2, 6, 1, 5, 3, 7];
    let a = read_npy(&npy(1, "|u1", true, "(2, 2, 2)", &data), "a").unwrap();
    assert_eq!(a.data, ArrayData::I32((0..8).collect()));
}

#[test]
fn archives_stored_and_deflated() {
    let w = npy(1, "<f4", false, "(1,)", &2.5f32.to_le_bytes());
    let v = npy(1, "|u1", false, "(2,)", &[3, 4]);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let file = npz(&[("w.npy", w.clone()), ("v.npy", v.clone())], method);
        assert_eq!(npz_keys(&file).unwrap(), ["v", "w"]);
        let a = read_npz(&file, Some("w"), "f.npz:w").unwrap();
        assert_eq!(
            (a.name.as_str(), &a.data),
            ("f.npz:w", &ArrayData::F32([2.5].into()))
        );
        let e = read_npz(&file, Some("ww"), "x").unwrap_err();
        assert_eq!(e, "it has no array `ww` (did you mean `w`?); it has: v, w");
        let e = read_npz(&file, None, "x").unwrap_err();
        assert_eq!(e, "it holds 2 arrays, and no key says which: v, w");
    }
    let one = npz(&[("w.npy", w)], CompressionMethod::Stored);
    assert!(read_npz(&one, None, "x").is_ok());
}

#[test]
fn what_is_wrong_is_said() {
    let read = |bytes: &[u8]| read_npy(bytes, "a").unwrap_err();
    assert_eq!(read(b"hello"), "it does not begin as an .npy file does");
    assert_eq!(
        read(&npy(9, "<f4", false, "(1,)", &[])),
        "its format version 9 is not known (1 to 3 are)"
    );
    assert_eq!(
        read(&npy(1, "<f4", false, "(3,)", &[0; 8])),
        "its shape [3] needs more than the 8 bytes that follow"
    );
    assert_eq!(
        read(&npy(1, "|O", false, "(3,)", &[])),
        "its elements are of type `|O`; read are floats, integers and booleans"
    );
    assert_eq!(
        read(&npy(
            1,
            "<f4",
            false,
            "(4294967295, 4294967295, 4294967295)",
            &[0; 8]
        )),
        "its shape [4294967295, 4294967295, 4294967295] needs more than the 8 bytes that follow"
    );
    assert!(read_npz(b"PK\x03\x04 nothing", Some("a"), "x").is_err());
}

/// Zeros that unpack to more than the limit.
#[test]
fn bombs_are_refused() {
    let mut w = zip::ZipWriter::new(Cursor::new(vec![]));
    w.start_file("a.npy", SimpleFileOptions::default().large_file(true))
        .unwrap();
    let zeros = vec![0u8; 1 << 20];
    for _ in 0..1025 {
        w.write_all(&zeros).unwrap();
    }
    let file = w.finish().unwrap().into_inner();
    assert!(file.len() < 2 << 20, "{} bytes", file.len());
    let e = read_npz(&file, Some("a"), "x").unwrap_err();
    assert!(e.contains("1074790400 bytes; at most 1073741824"), "{e}");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_npy(&bytes, "a");
        let _ = read_npz(&bytes, None, "a");
        let mut led = MAGIC.to_vec();
        led.extend(&bytes);
        let _ = read_npy(&led, "a");
    }

    #[test]
    fn no_damage_panics(at in 0usize..200, to in any::<u8>(), cut in 0usize..300) {
        let inner = npy(1, "<f4", true, "(2, 2)", &[7; 16]);
        let mut file = npz(&[("a.npy", inner.clone())], CompressionMethod::Deflated);
        let mut plain = inner;
        for f in [&mut file, &mut plain] {
            if let Some(b) = f.get_mut(at) {
                *b = to;
            }
            let end = cut.min(f.len());
            let _ = read_npz(&f[..end], Some("a"), "x");
            let _ = read_npy(&f[..end], "x");
            let _ = read_npy(f, "x");
        }
    }
}
