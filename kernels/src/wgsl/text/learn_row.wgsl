// Runs a block on the synapses of a row, from synapse `lane` in strides.
fn along_row(row: Syn, lane: u32) {
    var u = row;
    let r = rows[ROW_RECS] + u.row * X_SIZE;
    let kind = (rows[r] >> 16u) & 15u;
    let len = rows[r + X_LEN];
    let targets = rows[r + X_TARGETS];
    let first = rows[r + X_WEIGHTS];
    for (var n = lane; n < len; n += 1u << dispatch.lanes) { // at most SYNAPSES
        u.t = target_of(kind, targets, n);
        u.i = first + n;
        on_synapse(u);
    }
}
