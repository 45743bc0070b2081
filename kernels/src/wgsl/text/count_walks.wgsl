// What the invocations of a workgroup have walked.
var<workgroup> all_walks: atomic<u32>;

// Adds a workgroup's arrivals to the count.
fn count_walks(lid: u32) {
    if (lid == 0u) {
        atomicStore(&all_walks, 0u);
    }
    workgroupBarrier();
    if (walks != 0u) {
        atomicAdd(&all_walks, walks);
    }
    workgroupBarrier();
    if (lid == 0u) {
        count_synapses(atomicLoad(&all_walks));
    }
}
