// A unit of one sample and where its words lie.
struct Unit {
    g: u32,       // group descriptor
    i: u32,       // unit of the group
    size: u32,    // units of the group
    at: u32,      // first state of the group in this sample
    acc: u32,     // block of the sample in `acc`
    home: u32,    // block of the sample in `state`
    lists: u32,   // block of the sample in `lists`
    slot: u32,    // sample of this batch
    sample: u32,  // number of the sample in the whole batch
    step: u32,
    zero: u32,    // 0, unknown to the compiler
}
fn noise(u: Unit, site: u32) -> u32 {
    return philox(descriptor(u, G_BASE) + u.i, u.step, u.sample, 4u | (site << 8u));
}
