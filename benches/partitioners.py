#!/usr/bin/env python3
"""Partitions of random networks: ours beside Mt-KaHyPar and METIS, same hypergraphs, same limit of 256 neurons a part.

    python3 -m venv v && v/bin/pip install mtkahypar pymetis && v/bin/python benches/partitioners.py [--seeds 2] [--opt 1] [--synfire PATH]

`mapping.py` runs it among the other goals.

For each network and seed: `remote` (connectivity less one) and CPU seconds of the search alone, of every tool. Mt-KaHyPar runs its default preset on one thread with
the imbalance that its smallest legal number of parts leaves: parts are legal for everyone, and ours has the least number of them. METIS gets the
graph of source-target pairs, which is what it can cut. Prints a line each, and the median ratio of ours to Mt-KaHyPar in `remote` and in CPU time.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

CAP = 256
FAMILIES = ["grid:64,16,3", "grid:96,32,5", "comm:8192,32,32", "comm:6000,40,24", "reservoir:4000,60,0.1,0.05", "reservoir:5000,100,0.2,0.1", "pd:0.05"]


def ours(synfire, net, opt):
    out = subprocess.run([synfire, "bench", "mapping", net, "--opt", str(opt), "--format", "json"], capture_output=True, check=True)
    d = json.loads(out.stdout)
    assert d["valid"]
    return d["remote"], d["cpu_s"]["partition"], d["cores_used"]


def read(path):
    with open(path) as f:
        edges, nodes = map(int, f.readline().split())
        nets = [[int(p) - 1 for p in line.split()] for line in f]
    assert len(nets) == edges
    return nodes, nets


def remote(nets, part):
    return sum(len({part[p] for p in net}) - 1 for net in nets)


def legal(part, k):
    load = [0] * k
    for p in part:
        load[p] += 1
    return max(load) <= CAP


def kahypar(path, nodes, nets, seed):
    import mtkahypar

    mtk = kahypar.mtk
    mtkahypar.set_seed(seed)
    h = mtk.hypergraph_from_file(path, kahypar.context, mtkahypar.FileFormat.HMETIS)
    k = math.ceil(nodes / CAP)
    while True:
        mean = math.ceil(nodes / k)
        eps = CAP / mean - 1
        if eps >= 0.03 or k > nodes / CAP + 8:
            kahypar.context.set_partitioning_parameters(k, min(eps, 0.03), mtkahypar.Objective.KM1)
            start = time.process_time()
            done = h.partition(kahypar.context)
            cpu = time.process_time() - start
            part = [done.block_id(v) for v in range(nodes)]
            if legal(part, k):
                return remote(nets, part), cpu, k
        k += 1


def metis(nodes, nets):
    import pymetis

    near = [set() for _ in range(nodes)]
    for net in nets:
        for p in net[1:]:
            near[net[0]].add(p)
            near[p].add(net[0])
    k = math.ceil(nodes / CAP * 1.03)
    while True:
        start = time.process_time()
        _, part = pymetis.part_graph(k, adjacency=[sorted(n) for n in near])
        cpu = time.process_time() - start
        if legal(part, k):
            return remote(nets, part), cpu, k
        k += 1


def compared(synfire, families, seeds, opt):
    """Prints a line for each family and seed; the median ratios of ours to Mt-KaHyPar in `remote` and in CPU seconds."""
    import mtkahypar

    kahypar.mtk = mtkahypar.initialize(1)
    kahypar.context = kahypar.mtk.context_from_preset(mtkahypar.PresetType.DEFAULT)
    kahypar.context.logging = False
    ratios, times = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.hgr")
        for family in families:
            for seed in range(1, seeds + 1):
                net = f"{family}@{seed}-shuf"
                subprocess.run([synfire, "bench", "mapping", net, "--export", path], check=True)
                nodes, nets = read(path)
                m, mc, mk = ours(synfire, net, opt)
                r, rc, rk = kahypar(path, nodes, nets, seed)
                x, xc, xk = metis(nodes, nets)
                ratios.append(m / r)
                times.append(mc / rc)
                print(f"   {net:32} ours {m:9.0f} {mc:6.2f} s {mk:3} parts  Mt-KaHyPar {r:9} {rc:6.2f} s {rk:3}  METIS {x:9} {xc:6.2f} s {xk:3}  ratio {m / r:.3f}  time {mc / rc:.3f}", flush=True)
    return statistics.median(ratios), statistics.median(times)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--seeds", type=int, default=2)
    args.add_argument("--opt", type=int, default=1)
    args.add_argument("--synfire", default="target/release/synfire")
    args.add_argument("--families", nargs="*", default=FAMILIES)
    a = args.parse_args()
    ratio, time = compared(a.synfire, a.families, a.seeds, a.opt)
    print(f"median remote {ratio:.3f} of Mt-KaHyPar, median CPU time {time:.3f}")


if __name__ == "__main__":
    sys.exit(main())
