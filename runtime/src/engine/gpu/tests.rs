//! The engine against the reference, on whatever adapter there is (lavapipe, where there is no other).
//!
//! Without an adapter a test says so and passes, but in CI (`CI=true`) it fails.

use super::*;
use crate::engine::arbitrary::{Case, Flavour, case, compare, expected, resume};
use crate::engine::cpu::Cpu;
use proptest::prelude::*;

/// Is there an adapter to test on?
pub(super) fn adapter() -> bool {
    if !adapters().is_empty() {
        return true;
    }
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(!ci, "no GPU adapter: install mesa-vulkan-drivers");
    eprintln!("skipped: no GPU adapter (Debian: install mesa-vulkan-drivers)");
    false
}

fn cases() -> ProptestConfig {
    let mut c = ProptestConfig::default();
    if std::env::var("PROPTEST_CASES").is_err() {
        c.cases = 48;
    }
    c
}

fn agree(c: &Case, cut: u32, parallel: bool) -> Result<(), String> {
    let options = Options {
        samples: c.samples,
        ..Options::default()
    };
    let gpu = Gpu::as_if(c.program.clone(), &options, Some(parallel));
    let mut gpu = gpu.map_err(|d| d.to_string())?;
    compare(&mut gpu, c, &expected(c), cut)
}

fn open(c: &Case, gpu: bool) -> Result<Box<dyn Engine>, String> {
    let options = Options {
        samples: c.samples,
        ..Options::default()
    };
    let p = c.program.clone();
    Ok(match gpu {
        true => Box::new(Gpu::new(p, &options).map_err(|d| d.to_string())?),
        false => Box::new(Cpu::new(p, &options).map_err(|d| d.to_string())?),
    })
}

proptest! {
    #![proptest_config(cases())]

    /// Integer programs give the reference's bits, in one call and in two.
    #[test]
    fn integer_programs_equal_the_reference(c in case(Flavour::Integer), cut in 0..14u32, parallel: bool) {
        if adapter() {
            prop_assert_eq!(agree(&c, cut, parallel), Ok(()));
        }
    }

    /// So do programs that learn.
    #[test]
    fn learning_programs_equal_the_reference(c in case(Flavour::Learning), cut in 0..14u32, parallel: bool) {
        if adapter() {
            prop_assert_eq!(agree(&c, cut, parallel), Ok(()));
        }
    }

    /// What one engine saves, the other goes on from.
    #[test]
    fn a_saved_run_goes_on(
        c in prop_oneof![case(Flavour::Integer), case(Flavour::Learning), case(Flavour::Serial)],
        (from, to) in (any::<bool>(), any::<bool>()),
        cut in 0..14u32,
    ) {
        if adapter() {
            let engine = |gpu: bool| open(&c, gpu).map_err(TestCaseError::fail);
            let (mut first, mut second) = (engine(from)?, engine(to || !from)?);
            let done = resume(&mut *first, &mut *second, &c, &expected(&c), cut);
            prop_assert_eq!(done, Ok(()));
        }
    }

    /// So do serial programs.
    #[test]
    fn serial_programs_equal_the_reference(c in case(Flavour::Serial), cut in 0..7u32, parallel: bool) {
        if adapter() {
            prop_assert_eq!(agree(&c, cut, parallel), Ok(()));
        }
    }
}
