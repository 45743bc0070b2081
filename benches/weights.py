#!/usr/bin/env python3
"""Weights after learning in Synfire, NEST and Brian2: two-sample Kolmogorov-Smirnov tests on Brunel's network with STDP.

    venv/bin/pip install nest-simulator brian2 scipy "numpy<2.4"
    venv/bin/python benches/weights.py --time 200

All start with every plastic weight at 0.1 mV and membranes uniform in 0 .. 20 mV, and run for --time ms. Of the 6.4 million weights of each, --sample
are drawn at random (a test on millions of dependent values rejects any two runs, those of one program with two seeds included), and compared: ours
with each peer, and ours with ours under another seed, which shows what the test says when nothing differs. Weights stand as the rule has them at the
end; what a synapse of NEST has not heard of its target's last spikes is added (see nest_bench.py). Delays lie before the synapse in Brian2 and after it in
NEST, so each peer is compared with ours that has its delays there; weights behind a dendritic delay stand as they were so much earlier, so that ours runs
on for that long.
"""
import argparse, os, subprocess, sys, tempfile
import numpy as np
from scipy.stats import ks_2samp

HERE = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--time", type=float, default=200.0, help="ms")
parser.add_argument("--sample", type=int, default=10000)
parser.add_argument("--peers", default="nest,brian2")
parser.add_argument("--arithmetic", default="f32")
parser.add_argument("--synfire", default=None, help="the binary; by default the release build of this tree")
args = parser.parse_args()
target = os.environ.get("CARGO_TARGET_DIR", os.path.join(HERE, "..", "target"))
binary = args.synfire or os.path.join(target, "release", "synfire")
rng = np.random.default_rng(1)


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit((done.stderr or done.stdout).strip())


def ours(folder, arithmetic, seed, dendritic):
    file = os.path.join(folder, "w.npz")
    run([binary, "run", os.path.join(HERE, "..", "examples", "bench", "brunel_stdp.syn"), "--time", f"{args.time + dendritic}ms", "--engine", "cpu",
         "--arithmetic", arithmetic, "--seed", str(seed), "--set", f"dendritic={dendritic} ms", "--save-weights", file])
    return rng.choice(np.load(file)["learned.w"] * 1e3, args.sample, replace=False)


def peer(folder, name):
    file = os.path.join(folder, name + ".npy")
    extra = ["--warm", "0", "--reps", "1"] if name == "nest" else []
    run([sys.executable, os.path.join(HERE, name + "_bench.py"), "brunel_stdp", "1", str(args.time), "--weights", file, "--sample", str(args.sample), *extra])
    return np.load(file)


DENDRITIC = dict(nest=1.5, brian2=0.0)
print(f"\nplastic weights after {args.time:g} ms, {args.sample} drawn of each\n")
print("| weights of | mean mV | standard deviation mV | 5 % .. 95 % mV | KS statistic | p |")
print("|---|---|---|---|---|---|")
with tempfile.TemporaryDirectory() as folder:
    for name in filter(None, args.peers.split(",")):
        where = DENDRITIC[name]
        found = {f"synfire {a}, dendritic {where:g} ms": ours(folder, a, 1, where) for a in args.arithmetic.split(",")}
        first = next(iter(found))
        found["the same, seed 2"] = ours(folder, args.arithmetic.split(",")[0], 2, where)
        found[name] = peer(folder, name)
        for who, w in found.items():
            low, high = np.percentile(w, [5, 95])
            test = "- | -" if who == first else "{0.statistic:.4f} | {0.pvalue:.3g}".format(ks_2samp(found[first], w))
            print(f"| {who} | {w.mean():.6f} | {w.std():.6f} | {low:.5f} .. {high:.5f} | {test} |")
