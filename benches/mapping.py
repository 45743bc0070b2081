#!/usr/bin/env python3
"""The goals of the mapper in one run: goal, bar, figure, met or not, CPU seconds, memory; the published baselines beside.

    python3 -m venv v && v/bin/pip install mtkahypar pymetis && v/bin/python benches/mapping.py [--synfire PATH] [--only G1,G6] [--skip slow,G7]

Runs from anywhere in the repository; one thread, one program at a time. `slow` are the measurements that take minutes or gigabytes: AlexNet synapse by
synapse (8.4 GB), the long efforts of G3, `pd10-shuf`, the second half of G10. CPU seconds are those of the whole process, or (where the line says so) those of the phases that the goal is about;
memory is the process's peak. Baselines: parts in order along Hilbert's curve (`--layout hilbert`), from there the published force-directed exchange (`--layout force`), neurons in order (`--opt 0`), Mt-KaHyPar and METIS
(`partitioners.py`). Exits with 1 where a goal is missed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Networks and machines on which placements for trees and for packets are compared, and the effort; the rest is slow.
TREES = [("lenet5-28", "npc-16", 2), ("lenet5-28", "npc-64", 2), ("grid4k-shuf", None, 1), ("comm8k-shuf", None, 1)]
TREES_SLOW = [("lenet5-32", None, 2), ("pd:0.05", "npc-64", 2), ("grid:64,16,3", "npc-16", 1), ("comm8k-shuf", "truenorth-64", 1)]


class Run:
    """What `bench mapping` says, with CPU seconds and memory of the process."""

    def __init__(self, net, *options):
        command = [SYNFIRE, "bench", "mapping", net, "--format", "json", *map(str, options)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as p:
            out, err = p.stdout.read(), p.stderr.read()
            _, status, used = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
        if p.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {err.decode().strip()}")
        self.out = json.loads(out)
        self.cpu = used.ru_utime + used.ru_stime
        self.mb = self.out["peak_mb"]

    def __getitem__(self, key):
        return self.out[key]

    def phases(self, *names):
        return sum(self["cpu_s"].get(n, 0.0) for n in names)


def number(x):
    return f"{x:.4g}" if isinstance(x, float) and (abs(x) < 1000 or abs(x) >= 1e6) else f"{x:,.0f}" if isinstance(x, (int, float)) else str(x)


class Table:
    """Lines of goals as they are measured."""

    def __init__(self):
        self.missed = []
        self.head = f"{'goal':5}{'what':46}{'bar':>12}{'figure':>12}  {'met':5}{'CPU s':>8}{'MB':>8}  beside"
        print(self.head, flush=True)

    def line(self, goal, what, bar, figure, run=None, cpu=None, beside="", more=True):
        """`bar`: the most that is allowed; None where nothing is asked. `more`: whether what else the goal asks holds."""
        met = more and (bar is None or figure <= bar)
        if not met:
            self.missed.append(f"{goal} {what}")
        cpu = run.cpu if cpu is None and run else cpu
        said = "-" if bar is None and more else "yes" if met else "NO"
        print(f"{goal:5}{what:46}{'' if bar is None else number(bar):>12}{number(figure):>12}  {said:5}{number(cpu) if cpu is not None else '':>8}{number(run.mb) if run else '':>8}  {beside}", flush=True)


def curves(net, force):
    """Hops of the baselines."""
    text = f"Hilbert {number(Run(net, '--layout', 'hilbert')['hops'])}"
    if force:
        f = Run(net, "--layout", "force")
        text += f", force-directed {number(f['hops'])} in {f.phases('place'):.1f} s"
    return text


def g1(t, slow):
    r = Run("cnn:1024,1024", "--opt", 1)
    place = r.phases("place")
    beside = curves("cnn:1024,1024", False) + "; published 2.843e7 in 471 s"
    t.line("G1", "cnn:1024,1024 hops, in 1 s and 100 MB", 5.10e6, r["hops"], r, place, beside, place <= 1.0 and r.mb <= 100)


def g2(t, slow):
    for side, bar in [(32, 4354), (64, 18820), (128, 77855), (256, 315781)]:
        r = Run(f"cnn:{side},{side}-shuf", "--opt", 2)
        t.line("G2", f"cnn:{side},{side}-shuf hops", bar, r["hops"], r, None, "in order of layers: " + curves(f"cnn:{side},{side}", side <= 128))


def g3(t, slow):
    r = Run("dnn:64,64", "--opt", 1)
    t.line("G3", "dnn:64,64 hops", 1.15e6, r["hops"], r, None, curves("dnn:64,64", True))
    t.line("G4", "dnn:64,64 busiest link, hops <= 1.231e6", 358, r["cong_link_max"], r, None, "", r["hops"] <= 1.231e6)
    r = Run("dnn:128,128", "--opt", 2)
    t.line("G3", "dnn:128,128 hops", 1.35e7, r["hops"], r, None, curves("dnn:128,128", slow))
    r = Run("dnn:256,256", "--opt", 3)
    t.line("G3", "dnn:256,256 hops", 1.50e8, r["hops"], r, None, curves("dnn:256,256", False))
    r = Run("dnn:1024,1024", "--opt", 3)
    t.line("G3", "dnn:1024,1024 hops", 1.97e10, r["hops"], r)
    if slow:
        r = Run("dnn:16384,64", "--opt", 2)
        t.line("G3", "dnn:16384,64 hops", 3.05e8, r["hops"], r)


def g5(t, slow):
    for what, net, bar in [("DNN_4B all, 100 MB", "DNN_4B", 1.0), ("the same from its text", "examples/bench/dnn_4b.syn", 1.0), ("the same, weights drawn", "dnn:1024,1024", 10.0)]:
        runs = sorted((Run(net, "--opt", 1) for _ in range(3)), key=lambda r: r.cpu)
        r = runs[1]
        t.line("G5", what + " (s, median of 3)", bar, r.cpu, r, None, f"{r['neurons']:,} neurons, hops {number(r['hops'])}", r.mb <= 100)


def g6(t, slow):
    bars = [("grid4k-shuf", 5600, 1), ("comm8k-shuf", 45000, 1), ("comm32k-shuf", 297335, 1), ("grid64k-shuf", 268000, 1), ("pd10", 200000, 1), ("cnn-shuf", 113000, 2)]
    for net, bar, opt in bars + [("pd10-shuf", 200000, 2)] * slow:
        r = Run(net, "--opt", opt)
        t.line("G6", f"{net} remote, fewest cores", bar, r["remote"], r, None, f"in order {number(Run(net, '--opt', 0)['remote'])}", r["cores_used"] == r["cores_least"])


def g7(t, slow):
    import partitioners

    ratio, time = partitioners.compared(SYNFIRE, partitioners.FAMILIES + ["pd:0.1"] * slow, 2, 1)
    t.line("G7", "median remote over Mt-KaHyPar's", 0.97, ratio)
    t.line("G7", "median CPU time over Mt-KaHyPar's", 0.2, time)


def g8(t, slow):
    for net, machine in [("grid4k-shuf", "loihi-64"), ("comm8k-shuf", "loihi-64"), ("grid4k-shuf", "truenorth-64"), ("comm8k-shuf", "truenorth-64"), ("cnn", "loihi-64")]:
        r = Run(net, "--opt", 1, "--target", machine)
        plain = Run(net, "--opt", 0, "--target", machine, "--form", "neurons")
        binds = r["util_a"]["max"] > 0.95
        bar = 0.8 * plain["cores_used"] if net == "cnn" else None if binds else 1.02 * r["cores_least"]
        t.line("G8", f"{net} on {machine}: cores, valid", bar, r["cores_used"], r, None, f"in order {plain['cores_used']}, least {r['cores_least']}{', axons bind' if binds else ''}", r["valid"])


def g9(t, slow):
    r = Run("alexnet-227", "--opt", 1)
    cpu = r.cpu
    t.line("G9", "alexnet-227 by rules (s), 100 MB", 2.0, cpu, r, None, f"{r['synapses']:,} synapses, remote {number(r['remote'])}", r.mb <= 100)
    if slow:
        r = Run("alexnet-227", "--opt", 1, "--form", "neurons")
        per = r.mb * 1e6 / r["synapses"]
        t.line("G9", "alexnet-227 by synapses (s), 12 B a synapse", 120, r.cpu, r, None, f"{per:.2f} bytes a synapse, remote {number(r['remote'])}", per <= 12)


def g10(t, slow):
    for net, machine, opt in TREES + TREES_SLOW * slow:
        where = ["--target", machine] if machine else []
        u, m = (Run(net, "--opt", opt, "--goal", g, *where) for g in ("unicast", "multicast"))
        ratio = m["mc_energy"] / u["mc_energy"]
        t.line("G10", f"{net}{' on ' + machine if machine else ''} mc_energy", 0.8, ratio, m, None, f"{u['parts']} parts, mc_hops {number(u['mc_hops'])} -> {number(m['mc_hops'])}, no tree can get below {u['mc_energy_least'] / u['mc_energy']:.3f}; of the packets' own energy_paper {m['mc_energy'] / u['energy_paper']:.3f}")


GOALS = {"G1": g1, "G2": g2, "G3": g3, "G5": g5, "G6": g6, "G7": g7, "G8": g8, "G9": g9, "G10": g10}


def main():
    global SYNFIRE
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--synfire", default=str(ROOT / "target/release/synfire"))
    args.add_argument("--only", default="", help="goals to measure, such as G1,G6 (G4 comes with G3)")
    args.add_argument("--skip", default="", help="goals to leave out; `slow`: what takes minutes or gigabytes")
    a = args.parse_args()
    SYNFIRE = a.synfire
    only, skip = ([x for x in s.split(",") if x] for s in (a.only, a.skip))
    start = time.time()
    table = Table()
    for name, goal in GOALS.items():
        if name not in skip and (not only or name in only):
            try:
                goal(table, "slow" not in skip)
            except RuntimeError as e:
                print(f"{name:5}{e}", flush=True)
                table.missed.append(name)
    print(f"{time.time() - start:.0f} s; missed: {', '.join(table.missed) or 'none'}")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
