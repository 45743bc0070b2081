// Adds to the 64-bit count of synapses in two words: whoever wraps the lower one carries.
fn count_synapses(n: u32) {
    if (n != 0u) {
        let before = atomicAdd(&ctl[C_SYN_LO], n);
        if (before + n < before) {
            atomicAdd(&ctl[C_SYN_HI], 1u);
        }
    }
}
