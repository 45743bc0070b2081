//! A batch through a GPU gives the spikes of single runs, and pays.

#[path = "../examples/gpu_batch.rs"]
mod gpu_batch;

use gpu_batch::measure;
use synfire_runtime::engine::gpu::adapters;

#[test]
fn a_batch_gives_equal_spikes_and_is_faster_than_single_runs() {
    let (samples, steps) = (50, 100);
    let cpu = measure("cpu", samples, steps, samples).expect("the CPU engine");
    assert!(cpu.spikes.len() > 10_000, "{} spikes", cpu.spikes.len());
    if adapters().is_empty() {
        assert!(
            std::env::var("CI").is_err(),
            "no GPU adapter: install mesa-vulkan-drivers"
        );
        return;
    }
    let single = measure("gpu", samples, steps, 1).expect("the GPU engine");
    let batch = measure("gpu", samples, steps, samples).expect("the GPU engine");
    assert_eq!(single.spikes, cpu.spikes);
    assert_eq!(batch.spikes, cpu.spikes);
    // Measured: 10 and more. Tests run beside others, so that far less is asked for.
    let ratio = single.run_s / batch.run_s;
    assert!(ratio > 2.0, "a batch is only {ratio:.1} times faster");
}
