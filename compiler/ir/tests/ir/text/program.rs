use crate::arbitrary::{Tape, program, spoil, tape};
use proptest::prelude::*;
use synfire_ir::program::{Program, parse, print};

fn round_trip(p: &Program) -> Program {
    let text = print(p);
    let back = parse("p", &text).unwrap_or_else(|d| panic!("{d}\n{text}"));
    assert_eq!(print(&back), text);
    back
}

proptest! {
    #![proptest_config(crate::cases(600))]

    #[test]
    fn sound_programs(words in tape(500)) {
        let p = program::sound(&mut Tape::new(words));
        prop_assert_eq!(format!("{:?}", round_trip(&p)), format!("{p:?}"));
    }

    #[test]
    fn damaged_programs(words in tape(500), damage in tape(60)) {
        let mut p = program::sound(&mut Tape::new(words));
        let mut t = Tape::new(damage);
        (0..1 + t.below(8)).for_each(|_| spoil::spoil(&mut t, &mut p));
        prop_assert_eq!(format!("{:?}", round_trip(&p)), format!("{p:?}"));
    }
}

#[test]
fn every_bit_of_a_float_is_kept() {
    let mut t = Tape::new(vec![1; 80]);
    let mut p = program::sound(&mut t);
    for bits in [0x7ff0_0000_0000_0001, u64::MAX, 1 << 63, 1, 0xfff0 << 48] {
        p.dt = Some(f64::from_bits(bits));
        assert_eq!(round_trip(&p).dt.map(f64::to_bits), Some(bits));
    }
}
