//! The engine against the reference, on random programs, for every cut.

use super::*;
use crate::engine::arbitrary::{Case, Expected, Flavour, case, compare, expected};
use proptest::prelude::*;

/// Cuts that put borders of blocks, tiles and workers everywhere.
const CUTS: [(u32, usize, usize); 5] = [
    (8192, 512, 1),
    (5, 4, 1),
    (16, 7, 2),
    (64, 512, 2),
    (3, 16, 3),
];

fn engine(c: &Case, cut: (u32, usize, usize)) -> Result<Cpu, Diagnostics> {
    let serial = !matches!(c.program.discipline, Discipline::Stepped);
    let cut = Cut {
        tile: cut.0,
        lanes: cut.1,
        workers: if serial { 1 } else { cut.2 },
    };
    let threads = cut.workers * c.samples as usize;
    Cpu::with_cut(c.program.clone(), c.samples, threads, cut)
}

fn agree(
    c: &Case,
    want: &Expected,
    cut: (u32, usize, usize),
    at: u32,
) -> Result<(), TestCaseError> {
    let mut cpu = engine(c, cut).map_err(|d| TestCaseError::fail(d.to_string()))?;
    compare(&mut cpu, c, want, at).map_err(|e| TestCaseError::fail(format!("{cut:?}: {e}")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn integers_equal_the_reference(c in case(Flavour::Integer), k in 0..CUTS.len(), at in 0u32..15) {
        let want = expected(&c);
        agree(&c, &want, CUTS[k], at)?;
        agree(&c, &want, CUTS[0], 15)?;
    }

    #[test]
    fn floats_equal_the_reference(c in case(Flavour::Float), k in 0..CUTS.len(), at in 0u32..15) {
        let want = expected(&c);
        agree(&c, &want, CUTS[k], at)?;
        agree(&c, &want, CUTS[0], 15)?;
    }

    #[test]
    fn serial_programs_equal_the_reference(c in case(Flavour::Serial), k in 0..CUTS.len(), at in 0u32..7) {
        let want = expected(&c);
        agree(&c, &want, CUTS[k], at)?;
    }
}
