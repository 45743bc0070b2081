// What an event brings to an accumulator.
fn contribution(rule: u32, payload: u32, weight: u32, scale: f32) -> i32 {
    if (!FLOATS || rule == RULE_ADD || rule == RULE_MAX) {
        return bitcast<i32>(payload * weight);
    }
    let x = select(f32(bitcast<i32>(payload)), bitcast<f32>(payload), rule >= RULE_GRADED);
    let y = x * bitcast<f32>(weight) * scale;
    return i32(round(clamp(y, -2147483520.0, 2147483520.0)));
}
