use crate::arbitrary::{Tape, mapping, tape};
use proptest::prelude::*;
use synfire_ir::mapping::{parse, print};

proptest! {
    #![proptest_config(crate::cases(600))]

    #[test]
    fn mappings(words in tape(400)) {
        let m = mapping::mapping(&mut Tape::new(words));
        let text = print(&m);
        let back = parse("m", &text).unwrap_or_else(|d| panic!("{d}\n{text}"));
        prop_assert_eq!(print(&back), text);
        prop_assert_eq!(back, m);
    }
}
