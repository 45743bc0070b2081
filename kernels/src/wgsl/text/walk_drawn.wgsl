    if ((kinds & 15u) == TARGETS_DRAWN) {
        let x = contribution(rule, payload, weights, scale);
        let at = synapses[targets];
        let key = vec2<u32>(synapses[at], synapses[at + 1u]);
        for (var n = lane; 4u * n < len; n += 1u << dispatch.lanes) { // at most SYNAPSES
            let block = vec4<u32>(n, synapses[targets + 1u], synapses[at + 2u], synapses[at + 3u]);
            let t = drawn_targets(block, key, synapses[at + 4u], synapses[targets + 2u]);
            arrive(rule, first + t.x, x);
            if (4u * n + 1u < len) {
                arrive(rule, first + t.y, x);
            }
            if (4u * n + 2u < len) {
                arrive(rule, first + t.z, x);
            }
            if (4u * n + 3u < len) {
                arrive(rule, first + t.w, x);
            }
        }
        return len;
    }
