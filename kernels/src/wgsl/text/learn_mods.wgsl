// Where the sums of a modulator lie: those for all targets, and those for this one; `ABSENT` when nothing sends them.
fn sum_all(u: Syn, m: u32) -> u32 {
    let at = tables[u.d + m];
    return select(u.at + at, ABSENT, at == ABSENT);
}
fn sum_each(u: Syn, m: u32) -> u32 {
    let at = tables[u.d + m + 1u];
    return select(u.at + at + 2u * u.t, ABSENT, at == ABSENT);
}
fn came(at: u32) -> bool {
    var yes = false;
    if (at != ABSENT) {
        yes = learned[at + 1u] != 0u;
    }
    return yes;
}
fn reached(u: Syn, m: u32) -> bool {
    return came(sum_all(u, m)) || came(sum_each(u, m));
}
fn value_i(u: Syn, m: u32) -> i32 {
    let all = sum_all(u, m);
    let each = sum_each(u, m);
    var x = 0u;
    if (came(all)) {
        x += learned[all];
    }
    if (came(each)) {
        x += learned[each];
    }
    return bitcast<i32>(x);
}
fn value_f(u: Syn, m: u32) -> f32 {
    let all = sum_all(u, m);
    let each = sum_each(u, m);
    var x = 0.0;
    if (came(all)) {
        x += bitcast<f32>(learned[all]);
    }
    if (came(each)) {
        x += bitcast<f32>(learned[each]);
    }
    return x;
}
