// What the dispatch is about; chosen by a dynamic offset.
struct Dispatch {
    stage: u32,      // 0 begins a step
    args: u32,       // arguments of the delivery that follows, in words
    args_next: u32,  // those of the next step, to be cleared
    samples: u32,    // first sample of the lot (serial)
    first: u32,      // first tile
    lanes: u32,      // log2 of the invocations that share an event
    feeds: u32,      // feeds of the delivery
    feeds_n: u32,
    start: u32,      // range of positions of a gather
    stop: u32,
    per_group: u32,  // events that a workgroup of the delivery takes
    lesson: u32,     // descriptor of a projection that learns, or record of a probe of it
    part: u32,       // which rule at intervals, or: 0 events, then modulators
    round: u32,      // which of the events of one row, or which block of a rule
    share: u32,      // samples of an invocation of the update
    budget: u32,     // iterations of a serial dispatch
    alone: u32,      // events of a sample up to which one invocation delivers them all
}
