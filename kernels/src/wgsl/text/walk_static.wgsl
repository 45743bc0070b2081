    if ((kinds & 15u) == TARGETS_PAIRED) {
        for (var n = lane; n < len; n += 1u << dispatch.lanes) { // at most SYNAPSES
            let pair = synapses[targets + n];
            let w = bitcast<u32>(bitcast<i32>(pair) >> 16u);
            arrive(rule, first + (pair & 0xffffu), contribution(rule, payload, w, scale));
        }
    } else {
        for (var n = lane; n < len; n += 1u << dispatch.lanes) { // at most SYNAPSES
            let w = weight_of((kinds >> 4u) & 15u, weights, n);
            let t = target_of(kinds & 15u, targets, n);
            arrive(rule, first + t, contribution(rule, payload, w, scale));
        }
    }
