//! Labels of a batch: which class each sample belongs to.
//!
//! CSV with the header `sample,label` in either order: one row for each sample from 0 on, in any order. A label is the number of the output neuron that should be the most active one.

use super::Findings;
use super::csv::Records;
use synfire_ir::{Diagnostic, Diagnostics};

/// The label of each sample; `name` is what messages call the file.
///
/// Errors: `SYN0916` for a text that is not such a file, with the line; for samples that are missing or given twice.
pub fn read(name: &str, bytes: &[u8]) -> Result<Vec<u32>, Diagnostics> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let wrong = |what: String| {
        Diagnostic::error("SYN0916", what).hint(
            "labels are CSV with the header `sample,label` and one row for each sample from 0 on",
        )
    };
    let text =
        std::str::from_utf8(bytes).map_err(|_| wrong("labels are no text".into()).at(name))?;
    let mut records = Records {
        rest: text,
        line: 0,
    };
    let (_, head) = records.next().unwrap_or_default();
    let column = |name: &str| head.iter().position(|h| h.trim() == name);
    let (Some(sample), Some(label)) = (column("sample"), column("label")) else {
        let found: Vec<String> = head.iter().map(|h| h.chars().take(40).collect()).collect();
        let what = format!("the header is `{}`", found.join(","));
        return Err(wrong(what).at(format!("{name}:1")).into());
    };
    let mut found = Findings::new();
    let mut rows: Vec<(u32, u32, usize)> = vec![];
    for (line, fields) in records {
        let number = |k: usize| fields.get(k).and_then(|f| f.trim().parse::<u32>().ok());
        match (number(sample), number(label)) {
            (Some(s), Some(l)) => rows.push((s, l, line)),
            _ => found.add(|| {
                wrong("a sample and a label are whole numbers".into()).at(format!("{name}:{line}"))
            }),
        }
    }
    rows.sort_unstable();
    for (k, pair) in rows.windows(2).enumerate() {
        if pair[0].0 == pair[1].0 {
            let (s, line) = (pair[1].0, pair[1].2);
            found.add(|| wrong(format!("sample {s} has two labels")).at(format!("{name}:{line}")));
        } else if pair[0].0 as usize == k && pair[1].0 != pair[0].0 + 1 {
            let missing = pair[0].0 + 1;
            found.add(|| wrong(format!("sample {missing} has no label")).at(name));
        }
    }
    if rows.first().is_none_or(|r| r.0 != 0) {
        found.add(|| wrong("sample 0 has no label".into()).at(name));
    }
    found.finish(name, rows.iter().map(|r| r.1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let d = read("l.csv", text.as_bytes()).expect_err(text).0;
        assert!(d.iter().all(|d| d.code == "SYN0916"), "{d:?}");
        d[0].message.clone()
    }

    #[test]
    fn in_any_order() {
        let text = "\u{feff}label,sample\r\n3,1\n0,0\n\n7,2\n";
        assert_eq!(read("l.csv", text.as_bytes()), Ok(vec![0, 3, 7]));
    }

    #[test]
    fn what_is_no_labels_file() {
        assert!(said("a,b\n1,2\n").contains("header"));
        assert!(said("").contains("header"));
        assert!(said("sample,label\n").contains("sample 0"));
        assert!(said("sample,label\n1,2\n").contains("sample 0"));
        assert!(said("sample,label\n0,1\n2,1\n").contains("sample 1 has no label"));
        assert!(said("sample,label\n0,1\n0,2\n").contains("two labels"));
        assert!(said("sample,label\n0,x\n").contains("whole numbers"));
        assert!(read("l.csv", &[0xff, 0xfe, 0]).is_err());
    }
}
