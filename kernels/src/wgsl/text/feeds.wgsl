// The events that arrive in this step, counted through all feeds of a delivery.
struct Arrival {
    src: u32,      // unit of the program
    payload: u32,
    delay: u32,
    ext: u32,      // place of an external event
    ext_first: u32, // place of the first one of its step
    outside: bool,
}
// First run of rows `lo..hi` whose delay is at least `delay`.
fn first_run(recs: u32, from_run: u32, end: u32, delay: u32) -> u32 {
    var lo = from_run;
    var hi = end;
    while (lo < hi) { // at most RUN_SEARCH
        let mid = (lo + hi) >> 1u;
        if ((rows[recs + mid * X_SIZE] & 0xffffu) < delay) {
            lo = mid + 1u;
        } else {
            hi = mid;
        }
    }
    return lo;
}
// The feed that holds event `k`, counted through all feeds of the sample.
fn feed_of(prefix: u32, k: u32) -> u32 {
    var lo = 0u;
    var hi = dispatch.feeds_n - 1u;
    while (lo < hi) { // at most FEED_SEARCH
        let mid = (lo + hi + 1u) >> 1u;
        if (atomicLoad(&ctl[prefix + mid]) <= k) {
            lo = mid;
        } else {
            hi = mid - 1u;
        }
    }
    return lo;
}
// Event `k` of a sample; there are that many.
fn arrival(slot: u32, c: u32, k: u32) -> Arrival {
    let prefix = c + tables[T_PREFIX];
    let now = atomicLoad(&ctl[c + S_STEP]);
    let f = feed_of(prefix, k);
    let n = k - atomicLoad(&ctl[prefix + f]);
    let list = tables[dispatch.feeds + f * F_SIZE + F_LIST];
    var a = Arrival();
    a.delay = tables[dispatch.feeds + f * F_SIZE + F_DELAY];
    if (list == ABSENT) {
        let t = E_PTR + slot * (ext[E_STEPS] + 1u) + (now - a.delay - ext[E_FIRST]);
        a.ext_first = ext[E_ENTRIES] + 2u * ext[t];
        a.ext = a.ext_first + 2u * n;
        a.src = ext[a.ext];
        a.payload = ext[a.ext + 1u];
        a.outside = true;
    } else {
        let ring = (now - a.delay) % tables[list + L_RING];
        let e = slot * tables[T_LISTS_STRIDE] + tables[list + L_AT] + 2u * (tables[list + L_CAP] * ring + n);
        a.src = lists[e];
        a.payload = lists[e + 1u];
    }
    return a;
}
