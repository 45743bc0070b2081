//! The engine against the reference, on whatever adapter there is (lavapipe, where there is no other).
//!
//! Without an adapter a test says so and passes, but in CI (`CI=true`) it fails.

use super::*;
use crate::engine::arbitrary::{Case, Flavour, case, compare, expected, from_tapes, resume};
use crate::engine::cpu::Cpu;
use crate::engine::cpu::variants::ruled;
use proptest::prelude::*;
use synfire_ir::diag::Quiet;
use synfire_ir::network::{Connector, Init};
use synfire_ir::program::{Layout, Projection};
use synfire_kernels::wgsl::image::drawn::stays;
use synfire_kernels::wgsl::image::loops::stated;
use synfire_kernels::wgsl::image::{self, Image};
use synfire_kernels::wgsl::learn::learning;
use synfire_kernels::wgsl::serial::{SerialImage, serial_kernel};
use synfire_kernels::wgsl::shape::MAX_ITERATIONS;
use synfire_kernels::wgsl::{self, Form};

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

/// Words of a binding, so few that most networks need several.
const FEW: u64 = 96;

fn agree(c: &Case, cut: u32, parallel: bool) -> Result<(), String> {
    agree_in(c, cut, parallel, SHARD_WORDS)
}

fn fit(parallel: bool, shard: u64) -> Fit {
    // Deliveries by sample are for large batches; here for any.
    Fit {
        parallel,
        shard,
        batch: 2,
    }
}

fn agree_in(c: &Case, cut: u32, parallel: bool, shard: u64) -> Result<(), String> {
    let options = Options {
        samples: c.samples,
        ..Options::default()
    };
    let shared = device::shared().map_err(|d| d.to_string())?;
    let gpu = Gpu::on(shared, c.program.clone(), &options, fit(parallel, shard));
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

    /// So do those whose synapses are split over several bindings.
    #[test]
    fn split_programs_equal_the_reference(c in case(Flavour::Integer), parallel: bool) {
        if adapter() {
            prop_assert_eq!(agree_in(&c, 0, parallel, FEW), Ok(()));
        }
    }

    /// Rules that the device holds as rules give what their rows give.
    #[test]
    fn rules_are_the_rows_that_they_stand_for(
        c in case(Flavour::Integer), cut in 0..14u32, parallel: bool, few: bool, salt: u32,
    ) {
        if adapter() {
            let (rules, rows) = drawn(&c, salt.into());
            let options = Options { samples: c.samples, ..Options::default() };
            let fit = fit(parallel, if few { FEW } else { SHARD_WORDS });
            let shared = device::shared().map_err(|d| TestCaseError::fail(d.to_string()))?;
            let gpu = Gpu::on(shared, rules.program.clone(), &options, fit);
            let mut gpu = gpu.map_err(|d| TestCaseError::fail(d.to_string()))?;
            prop_assert_eq!(compare(&mut gpu, &rules, &expected(&rows), cut), Ok(()));
        }
    }

    /// No invocation loops for longer than drivers allow: every loop of a text states what bounds it, and the bounds of a kernel add up.
    #[test]
    fn no_kernel_loops_too_long(
        c in prop_oneof![case(Flavour::Integer), case(Flavour::Float), case(Flavour::LearningFloat)],
        parallel: bool,
    ) {
        let image = Image::new(&c.program, parallel, SHARD_WORDS).map_err(|d| TestCaseError::fail(d.to_string()))?;
        let form = Form { parallel, begin_alone: image.begin_alone };
        let k = wgsl::kernels(&c.program, form);
        let mut all = vec![k.begin, k.deliver, k.deliver_alone, k.gather, k.update];
        for m in &c.program.synapse_models {
            let k = learning(&c.program, m);
            all.extend([k.deliver, k.offer, k.modulate, k.pre, k.targets, k.every, k.probe]);
        }
        let learns = !c.program.plastic.is_empty();
        for kernel in &all {
            let names = stated(&kernel.text).map_err(TestCaseError::fail)?;
            let known = image.loops.of(kernel.name);
            prop_assert!(known.is_some() || !learns, "{}", kernel.name);
            for name in names.iter().filter(|_| known.is_some()) {
                let stated = known.iter().flatten().any(|k| k == name);
                prop_assert!(stated, "{}: {name}", kernel.name);
            }
            let sum = image.loops.sum(kernel.name);
            prop_assert!(sum <= MAX_ITERATIONS, "{}: {sum}", kernel.name);
        }
    }

    /// The same for serial programs.
    #[test]
    fn no_serial_kernel_loops_too_long(c in case(Flavour::Serial)) {
        let Discipline::Serial(d) = &c.program.discipline else {
            return Ok(());
        };
        let image = SerialImage::new(&c.program, d).map_err(|d| TestCaseError::fail(d.to_string()))?;
        let kernel = serial_kernel(&c.program, d).expect("the group has a model");
        let known = image.loops.of("serial").unwrap_or_default();
        for name in stated(&kernel.text).map_err(TestCaseError::fail)? {
            prop_assert!(known.contains(&name), "{name}");
        }
        prop_assert!(image.loops.sum("serial") <= MAX_ITERATIONS);
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

/// A case with rules of one weight and delay, as a device gets them, and with rows in their place.
fn drawn(c: &Case, salt: u64) -> (Case, Case) {
    let mut c = ruled(c, salt);
    let p = Arc::make_mut(&mut c.program);
    for pr in &mut p.projections {
        if let Layout::Generated(g) = &mut pr.layout
            && let Connector::FixedOutdegree { multapses, .. } = &mut Arc::make_mut(g).connector
        {
            *multapses = true;
            let g = Arc::make_mut(g);
            (g.weight, g.delay) = (Init::Const(3.0), Init::Const(g.delays().0.into()));
        }
    }
    let on = |program: Program| Case {
        program: Arc::new(program),
        ..c.clone()
    };
    let rules = c.program.expanded_but(|pr| stays(&c.program, pr));
    (on(rules), on(c.program.expanded()))
}

#[test]
fn devices_draw_rows() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut draws, mut complete) = (0, 0);
    for salt in 0..200 {
        let c = case(Flavour::Integer)
            .new_tree(&mut runner)
            .expect("it has a value");
        let (rules, _) = drawn(&c.current(), salt << 3);
        draws += u32::from(image::drawn::any(&rules.program));
        let whole =
            |pr: &Projection| matches!(&pr.layout, Layout::Generated(g) if g.complete().is_some());
        complete += u32::from(rules.program.projections.iter().any(whole));
    }
    assert!(draws > 20 && complete > 10, "{draws} {complete} of 200");
}

fn some_case() -> Case {
    let words = |n: u32| {
        (0..n)
            .map(|k| synfire_ir::rng::word(5, 1, 0, 0, 0, k))
            .collect()
    };
    from_tapes([words(300), words(900), words(4000)], Flavour::Integer)
}

/// A network that exceeds the device is refused before anything is allocated: at once, and with numbers.
#[test]
fn what_does_not_fit_is_refused() {
    if !adapter() {
        return;
    }
    let open = |samples: u32, memory: Option<u64>| {
        let options = Options {
            samples,
            memory,
            ..Options::default()
        };
        let refused = Gpu::new(some_case().program, &options).err();
        refused.and_then(|d| d.0.first().map(|d| d.code.clone()))
    };
    assert_eq!(open(1, None), None);
    assert_eq!(open(1, Some(1000)), Some("SYN0846".into()));
    // Hundreds of gigabytes.
    if !adapters()[0].is_real() {
        assert_eq!(open(1_000_000_000, None), Some("SYN0819".into()));
    }
}

/// A device that is lost in the middle of a run is told, and what was saved before goes on a new one.
#[test]
fn a_lost_device_is_told_and_gone_on_from() {
    if !adapter() {
        return;
    }
    let c = some_case();
    let want = expected(&c);
    let options = Options {
        samples: c.samples,
        ..Options::default()
    };
    // A device of its own: other tests run on the one of the process.
    let own = std::sync::Arc::new(device::open().expect("the adapter is there"));
    let mut first =
        Gpu::on(own.clone(), c.program.clone(), &options, Fit::of(&own)).expect("an engine");
    let half = c.steps / 2;
    let mut record = Record::default();
    first
        .advance(half, &c.input, &mut record, &Quiet)
        .expect("half a run");
    let saved = first.save().expect("a snapshot");
    own.lose();
    let later = Stimulus {
        events: (c.input.events.iter().copied())
            .filter(|e| e.step >= half)
            .collect(),
        ..Stimulus::default()
    };
    let mut lost = Record::default();
    let told = first.advance(c.steps - half, &later, &mut lost, &Quiet);
    let codes: Vec<_> = (told.expect_err("the device is gone").0.into_iter())
        .map(|d| d.code)
        .collect();
    assert_eq!(codes, ["SYN0814"]);
    let mut second = open(&c, true).expect("another device");
    second.restore(&saved).expect("the same program");
    second
        .advance(c.steps - half, &later, &mut record, &Quiet)
        .expect("the rest");
    assert_eq!(record.spikes, want.record.spikes);
    assert_eq!(second.hash().expect("a hash"), want.hash);
}
