// One run, which is record `x`, from synapse `lane` in strides; returns its length.
fn run(slot: u32, x: u32, payload: u32, lane: u32) -> u32 {
    let r = rows[ROW_RECS] + x * X_SIZE;
    let kinds = rows[r] >> 16u;
    let rule = kinds >> 8u;
    let len = rows[r + X_LEN];
    let first = slot * tables[T_ACC_STRIDE] + rows[r + X_ACC];
    let targets = rows[r + X_TARGETS];
    let weights = rows[r + X_WEIGHTS];
    var scale = 1.0;
    if (FLOATS) {
        scale = bitcast<f32>(tables[SCALE_AT]);
    }
    WALK
    return len;
}
