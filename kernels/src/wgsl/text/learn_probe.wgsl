// Copies a probed state of synapses, rows or targets, as it stands in this step, into its row of the output.
fn cut(v: u32, width: u32) -> u32 {
    let up = 32u - (width & 63u);
    if (width == 0u || up == 0u) {
        return v;
    }
    if (width >= 64u) {
        return (v << up) >> up;
    }
    return bitcast<u32>(bitcast<i32>(v << up) >> up);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let p = dispatch.lesson;
    let i = (wg.z * MAX_X + wg.x) * 256u + lid;
    if (i >= tables[p + P_LEN] || !live(wg.y)) {
        return;
    }
    let step = atomicLoad(&ctl[tables[T_CTL] + wg.y * tables[T_CTL_STRIDE] + S_STEP]);
    let every = tables[p + P_EVERY];
    let row = (step + 1u) / every - atomicLoad(&ctl[C_FIRST]) / every - 1u;
    let element = tables[p + P_START] + i;
    let home = wg.y * tables[p + P_STRIDE];
    var v = learned[home + tables[p + P_WORD] + element];
    let width = tables[p + P_WIDTH];
    if (tables[p + P_STAMP] != ABSENT) {
        let steps = step - learned[home + tables[p + P_STAMP] + element];
        let rest = tables[p + P_REST];
        let powers = tables[p + P_POWERS];
        if (width == 0u) {
            v = bitcast<u32>(decayed_f(bitcast<f32>(v), bitcast<f32>(rest), powers, steps));
        } else {
            v = cut(decayed_i(v, rest, powers, steps), width);
        }
    }
    out[tables[p + P_OUT] + row * tables[p + P_ROW] + wg.y * tables[p + P_LEN] + i] = v;
}
