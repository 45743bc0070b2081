    var u = lesson(slot);
    u.row = x;
    for (var n = lane; n < len; n += 1u << dispatch.lanes) { // at most SYNAPSES
        let t = target_of(kinds & 15u, targets, n);
        let w = learned_weight(u, t, weights + n, rule);
        arrive(rule, first + t, contribution(rule, payload, w, scale));
    }
