"""Steps per CPU second of xylosim (PyPI) and of `synfire bench chip xylo-audio2`, in turn, on networks drawn by one rule.

python3 -m venv venv && venv/bin/pip install numpy xylosim
venv/bin/python benches/xylo.py [BINARY] [RUNS]

16 inputs at 0.1 spikes a step with a fan-out of about 250, 1000 hidden neurons with about 31.6 entries each, 8 outputs that all of them reach, one synaptic state, no bias. One thread, batch of one.
xylosim records all states and cannot switch that off; ours is timed as it runs (outputs recorded) and with everything recorded (`--all`). Both activities are printed: the draws differ.
"""

import json
import statistics
import subprocess
import sys
import time

import numpy as np
from xylosim.v2 import XyloLayer, XyloSynapse

# Thresholds of theirs and of ours with about the same activity.
THRESHOLDS = [(1500, 1600), (920, 1040), (850, 940), (400, 400)]


def network(threshold):
    rng = np.random.default_rng(7)

    def lists(sources, targets, share):
        weights = rng.integers(-64, 64, (sources, targets))
        there = (rng.random((sources, targets)) < share) & (weights != 0)
        return [[XyloSynapse(int(t), 0, int(weights[s, t])) for t in np.flatnonzero(there[s])] for s in range(sources)]

    kept = [lists(16, 1000, 0.25), lists(1000, 1000, 0.0318), lists(1000, 8, 1.0)]
    layer = XyloLayer(
        *kept,
        [[] for _ in range(1000)],
        [threshold] * 1000,
        [threshold] * 8,
        False,
        [0] * 1000,
        [0] * 8,
        0,
        0,
        0,
        [4] * 1000,
        [4] * 8,
        [[3]] * 1000,
        [[3]] * 8,
        "bench",
    )
    # The layer holds pointers to the synapses: they must live as long as it does.
    return layer, kept


def theirs(threshold, steps):
    layer, kept = network(threshold)
    spikes = (np.random.default_rng(8).random((steps, 16)) < 0.1).astype(int).tolist()
    begun = time.process_time()
    layer.evolve(spikes)
    used = time.process_time() - begun
    rate = np.asarray(layer.rec_recurrent_spikes).sum() / steps / 1000
    del kept
    return steps / used, rate


def ours(threshold, steps, *more):
    args = [BINARY, "bench", "chip", "xylo-audio2", "--net", f"threshold-{threshold}", "--steps", str(steps), *more]
    out = json.loads(subprocess.run([*args, "--format", "json"], capture_output=True, text=True, check=True).stdout)
    return out["steps_per_cpu_s"], out["emissions_per_neuron_step"]


def main():
    print("| threshold | spikes a neuron and step (xylosim, ours) | xylosim | ours | ratio | ours, all recorded | ratio |")
    print("|---|---|---|---|---|---|---|")
    for threshold, here in THRESHOLDS:
        # At the third activity both networks run away in the end.
        steps = {400: 300, 850: 600}.get(threshold, 3000)
        rows = []
        for _ in range(RUNS):
            rows.append([theirs(threshold, steps), ours(here, steps if threshold in (400, 850) else 10 * steps), ours(here, steps, "--all")])
        a, b, c = (statistics.median(r[k][0] for r in rows) for k in range(3))
        print(f"| {threshold}, {here} | {rows[0][0][1]:.4f}, {rows[0][1][1]:.4f} | {a:.0f} | {b:.0f} | {b / a:.1f} | {c:.0f} | {c / a:.1f} |")


if __name__ == "__main__":
    BINARY = sys.argv[1] if len(sys.argv) > 1 else "synfire"
    RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    main()
