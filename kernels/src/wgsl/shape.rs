//! Where things lie in the buffers that host and kernels share: one list of names for both sides.
//!
//! Everything is a 32-bit word. `tables` is written once: a header, then descriptors that name each other by their word
//! offset in `tables`, and the parameter columns. `ctl` is small and atomic: a header, then a block for each sample. In
//! `state`, `acc` and `lists` each sample has a block of equal stride, and offsets in descriptors count from its start.
//! Kernel texts therefore hold no number of the network, and networks of equal models share compiled kernels.

/// Marks an absent offset.
pub const NONE: u32 = u32::MAX;
/// Invocations of a workgroup, and units of a tile.
pub const TILE: u32 = 256;
/// Loop iterations that one invocation may make, summed over its loops. Mesa 22.3.6 lavapipe leaves every loop after
/// about 65,535 without an error; half of that leaves room for what the compiler turns into loops.
pub const MAX_ITERATIONS: u64 = 32_768;
/// Workgroups along one dimension of a dispatch.
pub const MAX_GROUPS: u32 = 65_535;
/// Bytes of one storage binding (WebGPU's default limit).
pub const MAX_BINDING: u64 = 134_217_728;

macro_rules! words {
    ($($name:ident = $value:expr, $doc:literal;)*) => {
        $(#[doc = $doc] pub const $name: u32 = $value;)*
        /// The same names as WGSL constants.
        pub fn constants() -> String {
            let mut text = String::new();
            $(text += concat!("const ", stringify!($name), ": u32 = ");
              text += &format!("{}u;\n", $name);)*
            text
        }
    };
}

words! {
    ABSENT = NONE, "`NONE` in kernels.";
    MAX_X = MAX_GROUPS, "Workgroups along x.";

    T_SEED_LO = 0, "Low word of the seed.";
    T_SEED_HI = 1, "High word of the seed.";
    T_CTL = 2, "Where the blocks of samples begin in `ctl`.";
    T_CTL_STRIDE = 3, "Words of a sample in `ctl`.";
    T_STATE_STRIDE = 4, "Words of a sample in `state`.";
    T_ACC_STRIDE = 5, "Words of a sample in `acc`.";
    T_LISTS_STRIDE = 6, "Words of a sample in `lists`.";
    T_TILES = 7, "Tiles of the update: pairs (group descriptor, first unit).";
    T_LISTS = 8, "Descriptors of emission lists.";
    T_LISTS_N = 9, "How many.";
    T_PREFIX = 10, "Where, in a sample's block of `ctl`, the running lengths of the lists of a delivery lie.";
    T_INGEST = 11, "External groups whose events ordered ports receive: `I_*` records.";
    T_INGEST_N = 12, "How many.";
    T_GATHER_TILES = 13, "Tiles of the gather: pairs (gather target, first unit).";
    T_SERIAL = 14, "Record of a serial program: `V_*`.";
    T_SIZE = 16, "Words of the header.";

    C_REC_LEN = 0, "Recorded emissions in this submission.";
    C_REC_CAP = 1, "Places for them.";
    C_REC_NEED = 2, "Most that one step of all samples can add; a step that might not fit does not begin.";
    C_SYN_LO = 3, "Synapses walked in this submission, low word.";
    C_SYN_HI = 4, "High word.";
    C_UNTIL = 5, "Steps from this one on do not begin.";
    C_FIRST = 6, "First step of this submission.";
    C_SAMPLE0 = 7, "Number of the first sample in the batch.";
    C_OVER = 8, "1 when a learned weight left the range that sums of floats are scaled for.";
    C_SAMPLES = 9, "Samples of the lot.";
    C_COUNTS = 10, "Emissions of each group in this submission.";

    S_NEXT = 0, "Step that begins next.";
    S_STEP = 1, "Step that runs.";
    S_LIVE = 2, "1 while a step runs, 0 when it was not begun.";
    S_LENS = 3, "Lengths of the slots of the emission lists.";

    L_AT = 0, "First word of the list's ring in a sample's block of `lists`.";
    L_CAP = 1, "Entries of a slot.";
    L_RING = 2, "Slots.";
    L_LEN = 3, "Where the slots' lengths lie in a sample's block of `ctl`.";
    L_SIZE = 4, "Words of the descriptor.";

    F_LIST = 0, "List descriptor; `ABSENT` for external events.";
    F_DELAY = 1, "Steps.";
    F_SIZE = 2, "Words of a feed.";

    G_MODEL = 0, "Number of the model.";
    G_SIZE = 1, "Units.";
    G_BASE = 2, "Number of the first unit in the program.";
    G_STATE = 3, "First state.";
    G_LIST = 4, "List descriptor, or `ABSENT` when nobody reads emissions.";
    G_RECORDED = 5, "1 when emissions are recorded.";
    G_INDEX = 6, "Number of the group.";
    G_BITS = 7, "Ring of bitmaps of the units that emitted, in `lists`, or `ABSENT`.";
    G_AUX = 8, "Ring of their payloads.";
    G_RING = 9, "Slots of both.";
    G_PROBES = 10, "State probes: `P_*` records.";
    G_PROBES_N = 11, "How many.";
    G_SEGS = 12, "What arrives at ordered ports: `W_*` records.";
    G_SEGS_N = 13, "How many.";
    G_PARAMS = 14, "Pairs (offset, stride) of parameter columns; then quadruples of ports, then pairs of outputs.";

    R_ACC = 0, "Accumulators of events at a port, or `ABSENT`.";
    R_ANALOG = 1, "F32 sums of analog arrivals at a port, or `ABSENT`.";
    R_SCALE = 2, "Where its scale lies in `tables`: the scale, then its inverse, as F32.";
    R_ONES = 3, "One-to-one projections whose sources the unit itself reads: `ONE_*` records.";
    R_ONES_N = 4, "How many.";
    R_SIZE = 5, "Words of a port.";

    ONE_AT = 0, "Ring of the sources' payloads in `lists`, from the first source on.";
    ONE_UNITS = 1, "Words of a slot.";
    ONE_RING = 2, "Slots.";
    ONE_DELAY = 3, "Steps.";
    ONE_START = 4, "First target.";
    ONE_LEN = 5, "Targets.";
    ONE_RULE = 6, "Rule.";
    ONE_WEIGHTS = 7, "Weights in `tables`.";
    ONE_STRIDE = 8, "0 when there is one for all, else 1.";
    ONE_WORDS = 9, "Words of a record.";

    O_AT = 0, "Ring of the output's values in `state`.";
    O_RING = 1, "Slots; 0 when nobody reads it.";
    O_SIZE = 2, "Words of an output.";

    P_STATE = 0, "State.";
    P_START = 1, "First unit.";
    P_LEN = 2, "Units.";
    P_EVERY = 3, "Steps between rows.";
    P_OUT = 4, "First word of its rows in `out`.";
    P_ROW = 5, "Words of a row: samples times units.";
    P_SIZE = 6, "Words of a probe.";

    I_BASE = 0, "Number of the group's first unit in the program.";
    I_SIZE = 1, "Units.";
    I_BITS = 2, "Ring of bitmaps in `lists`.";
    I_AUX = 3, "Ring of the places of a unit's first event among those of the step.";
    I_RING = 4, "Slots.";
    I_WORDS = 5, "Words of a record.";

    E_FIRST = 0, "First step whose external events are at hand.";
    E_STEPS = 1, "Number of such steps.";
    E_ENTRIES = 2, "Where the events begin: pairs (unit of the program, payload).";
    E_PTR = 3, "For each sample, the first event of each step and one past the last; of serial programs two for each step, for rows and for the rest.";

    ROW_FIRST = 0, "First source with a row.";
    ROW_N = 1, "Number of rows.";
    ROW_RECS = 2, "Where the runs begin.";
    ROW_PTR = 3, "For each row its first run, and one past the last.";

    X_KIND = 0, "Delay, and in the upper half the kinds: targets, weights, rule.";
    X_LEN = 1, "Synapses.";
    X_ACC = 2, "Accumulator of target 0.";
    X_TARGETS = 3, "Index of the first target, in units of its width.";
    X_WEIGHTS = 4, "Index of the first weight, in units of its width; or the weight.";
    X_SCALE = 5, "Where the port's scale lies; in rows that learn, the source, counted from the first.";
    X_SIZE = 6, "Words of a run.";

    TARGETS_ALL = 0, "Contiguous targets.";
    TARGETS_U16 = 1, "16-bit target indices.";
    TARGETS_U32 = 2, "32-bit target indices.";
    TARGETS_PAIRED = 3, "Words of a 16-bit target index and, above it, a 16-bit weight.";
    TARGETS_DRAWN = 4, "Drawn at each event: where the rule, the source and the target that is left out stand in `synapses`.";
    WEIGHT_ONE = 0, "One weight.";
    WEIGHT_I8 = 1, "8-bit weights.";
    WEIGHT_I16 = 2, "16-bit weights.";
    WEIGHT_32 = 3, "32-bit weights.";
    WEIGHT_LEARNED = 4, "What synapses that learn offer, in `state`.";
    RULE_ADD = 0, "Integer sum.";
    RULE_MAX = 1, "Integer maximum.";
    RULE_ADD_F = 2, "Sum of floats in fixed point.";
    RULE_MAX_F = 3, "Maximum of floats in fixed point.";
    RULE_GRADED = 4, "Added to a rule: payloads are floats.";

    Q_SIZE = 0, "Units of a gather target.";
    Q_ACC = 1, "First accumulator.";
    Q_RULE = 2, "Rule.";
    Q_RECS = 3, "Its records.";
    Q_RECS_N = 4, "How many.";
    Q_WORDS = 5, "Words of a gather target.";

    A_AT = 0, "Ring of the output's values in `state`.";
    A_RING = 1, "Slots.";
    A_UNITS = 2, "Units of the source group.";
    A_DELAY = 3, "Steps.";
    A_START = 4, "First source.";
    A_COUNT = 5, "Sources.";
    A_TSTART = 6, "First target.";
    A_TLEN = 7, "Targets.";
    A_KIND = 8, "Layout.";
    A_WKIND = 9, "Kind of weights.";
    A_WEIGHTS = 10, "First weight, in units of its width, or the weight; of columns, where their pointers lie.";
    A_WORDS = 11, "Words of a gather record.";

    KIND_DENSE = 0, "Every source to every target.";
    KIND_ONE = 1, "Source i to target i.";
    KIND_COLUMNS = 2, "For each target triples (source, delay and port, weight).";

    W_KIND = 0, "Layout.";
    W_PORT = 1, "Port.";
    W_GRADED = 2, "1 when payloads are floats.";
    W_BITS = 3, "Ring of bitmaps of the source group.";
    W_UNITS = 4, "Units of the source group.";
    W_AUX = 5, "Ring of payloads or places.";
    W_RING = 6, "Slots of both.";
    W_EXTERNAL = 7, "1 when the source group is external.";
    W_BASE = 8, "Number of its first unit in the program.";
    W_START = 9, "First source.";
    W_COUNT = 10, "Sources.";
    W_DELAY = 11, "Steps.";
    W_TSTART = 12, "First target.";
    W_TLEN = 13, "Targets.";
    W_WKIND = 14, "Kind of weights.";
    W_WEIGHTS = 15, "As `A_WEIGHTS`.";
    W_WORDS = 16, "Words of a segment.";

    D_STRIDE = 0, "Of a projection that learns: words of a sample in `learned`.";
    D_TARGETS = 1, "Its targets.";
    D_ROWS = 2, "Its rows.";
    D_TSTATE = 3, "First state of the first target in a sample's block of `state`.";
    D_TSIZE = 4, "Units of the target group.";
    D_SSTATE = 5, "First state of the first source.";
    D_SSIZE = 6, "Units of the source group.";
    D_BASE = 7, "Number of the first synapse among all that learn.";
    D_STAMPS = 8, "Stamps of rows, targets and synapses in a sample's block of `learned`, or `ABSENT`.";
    D_TOTALS = 11, "Sums over the synapses of each target, view by view.";
    D_SCALE = 12, "Where the port's scale lies in `tables`.";
    D_BOUND = 13, "Largest weight (F32) that it allows for.";
    D_AUX = 14, "Ring of payloads of the target group, from the first target on.";
    D_RING = 15, "Its slots.";
    D_MODS = 16, "Sources of modulators: `M_*` records.";
    D_MODS_N = 17, "How many.";
    D_OFFERS = 18, "What each synapse brings to an ordered port, in a sample's block of `state`.";
    D_POST = 19, "Steps until an event of a target reaches its synapses.";
    D_STATES = 20, "Where each state lies in a sample's block of `learned`; then for each state its powers in `tables`, the parameters, and a pair for each modulator: sums for all targets, sums for each.";

    M_KIND = 0, "What a source of a modulator sends.";
    M_AT = 1, "Ring of its payloads in `lists` or of its values in `state`, from its first unit on; or the number of that unit in the program.";
    M_UNITS = 2, "Units of its group.";
    M_RING = 3, "Slots.";
    M_LEN = 4, "Units that send.";
    M_DELAY = 5, "Steps.";
    M_WEIGHT = 6, "Weight.";
    M_FORM = 7, "`FORM_*` flags.";
    M_SUM = 8, "Its sums in a sample's block of `learned`: value, and 1 when something came.";
    M_WORDS = 9, "Words of a record.";
    SENDS_UNITS = 0, "Events of units.";
    SENDS_EXTERNAL = 1, "Events of an external group.";
    SENDS_VALUES = 2, "An analog output.";
    FORM_FLOAT = 1, "The modulator is F32.";
    FORM_GRADED = 2, "What is sent is F32.";
    FORM_EACH = 4, "Unit i reaches target i alone.";

    BLOCK_SYNAPSE = 0, "A rule's block for synapses.";
    BLOCK_SOURCE = 1, "For rows.";
    BLOCK_TARGET = 2, "For targets.";
    BLOCK_TOTALS = 3, "Sums over synapses, before a rule at intervals.";

    P_WORD = 6, "Of a probe of synapses: where its elements begin in a sample's block of `learned`.";
    P_STAMP = 7, "Their stamps, or `ABSENT` without decay.";
    P_POWERS = 8, "Powers of the decay in `tables`.";
    P_REST = 9, "Its rest.";
    P_WIDTH = 10, "How words are cut: 0 for floats, else bits, and 64 more when unsigned.";
    P_STRIDE = 11, "Words of a sample in `learned`.";
    P_LEARNED = 12, "Words of a probe of synapses.";

    V_GROUP = 0, "Group descriptor.";
    V_TSTART = 1, "First target of the matrix.";
    V_TLEN = 2, "Its targets.";
    V_WKIND = 3, "Kind of its weights.";
    V_WEIGHTS = 4, "First weight in `ordered`, in units of its width, or the weight.";
    V_PORT = 5, "Its port.";
    V_ROWS = 6, "Its rows.";
    V_CAPACITY = 7, "Places in the queue.";
    V_CLOSED = 8, "1 when spikes apply their own rows.";
    V_POPPED = 9, "1 when popped rows are the output.";
    V_SORTED = 10, "1 when rows are processed in order.";
    V_QUEUE = 11, "Ring of waiting rows in `acc`.";
    V_PLACES = 12, "Its words.";
    V_DUE = 13, "For each slot how often each row is due, in `acc`.";
    V_SLOTS = 14, "Slots: one more than the longest loopback.";
    V_BACK = 15, "For each unit where its loopbacks begin, and one past the last; `ABSENT` without loopbacks.";
    V_BACKS = 16, "Pairs (delay, row).";
    V_PROBES = 17, "State probes: `P_*` records, whose state is an offset in a sample's block.";
    V_PROBES_N = 18, "How many.";
    V_UNTIL = 19, "Steps from this one on do not begin.";
    V_ROOM = 20, "Entries of a sample's output.";
    V_WORDS = 21, "Words of the record.";

    Y_KIND = 0, "What it is, and `EVENT_QUEUED` when it passes through the queue.";
    Y_WHAT = 1, "Row, or port.";
    Y_VALUE = 2, "Value.";
    Y_FIRST = 3, "First unit.";
    Y_LAST = 4, "Last unit.";
    Y_WORDS = 5, "Words of an event.";
    EVENT_NONE = 0, "No event.";
    EVENT_ROW = 1, "A row of the matrix.";
    EVENT_DIRECT = 2, "A value for a port.";
    EVENT_STEP = 3, "The step block.";
    EVENT_GIVE = 4, "Given rows become due.";
    EVENT_FIND = 5, "Which of the next 256 rows are due?";
    EVENT_PROBE = 6, "A tile of a probe is copied.";
    EVENT_QUEUED = 256, "Flag: holds a place in the queue.";

    N_STEP = 0, "In `runs`, the step that runs or comes next.";
    N_OUT = 11, "Entries of output in this submission.";
    N_LOST = 12, "Rows lost to a full queue in this submission.";
    N_WALKED = 13, "Synapses walked in this submission.";
    N_FIRED = 14, "Emissions in this submission.";
    N_WORK = 15, "Tiles that one event of a step has set off so far.";
    N_WORDS = 16, "Words of a sample.";
    PART_BEGIN = 0, "Before a step.";
    PART_GIVEN = 1, "Given rows become due.";
    PART_ROWS = 2, "Rows that are due, ascending.";
    PART_EVENTS = 3, "Given events in order, and those of the end.";
    PART_PROBES = 4, "Probes.";
    MOST_WORK = 16777216, "Tiles after which an event counts as one that never comes to rest.";
}

/// Words of the block that a dispatch is told by (see `Dispatch` in `head.wgsl`).
pub const DISPATCH_WORDS: usize = 17;

#[cfg(test)]
mod tests {
    #[test]
    fn constants_are_wgsl() {
        let text = super::constants();
        assert!(text.contains("const T_SIZE: u32 = 16u;\n"));
        assert!(text.contains("const ABSENT: u32 = 4294967295u;\n"));
    }
}
