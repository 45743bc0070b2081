#!/usr/bin/env python3
"""Synfire beside NEST and Brian2 on one network: every program once, in turn, --runs times; medians, ratios and rates as a Markdown table.

    python3 -m venv venv && venv/bin/pip install nest-simulator brian2 "numpy<2.4"
    cargo build --release -p synfire
    venv/bin/python benches/compare.py brunel --time 500 --threads 1

Networks: cuba[:S] coba[:S] brunel brunel-stdp microcircuit:N,K. CPU seconds are compared, since wall time means nothing on a shared machine; the
programs run interleaved, since the machine's clock moves. A peer that refuses or fails is left out and said so.
"""
import argparse, json, os, statistics, subprocess, sys

HERE = os.path.dirname(os.path.abspath(__file__))
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("net")
parser.add_argument("--time", type=float, default=500.0, help="ms of biology that are measured")
parser.add_argument("--warm", type=float, default=100.0, help="ms that run before what is measured")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--runs", type=int, default=3)
parser.add_argument("--peers", default="nest,brian2")
parser.add_argument("--arithmetic", default="f32,fixed", help="rows of ours: auto, f32, fixed")
parser.add_argument("--synfire", default=None, help="the binary; by default the release build of this tree")
parser.add_argument("--json", default=None, help="append every single run to this file")
args = parser.parse_args()

name, _, numbers = args.net.partition(":")
scales = [x for x in numbers.split(",") if x]
peer_net = {"brunel-stdp": "brunel_stdp", "microcircuit": "pd"}.get(name, name)


def binary():
    if args.synfire:
        return args.synfire
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(HERE, "..", "target"))
    return os.path.join(target, "release", "synfire")


def ours(arithmetic):
    command = [binary(), "bench", "sim", args.net, "--engine", "cpu", "--arithmetic", arithmetic, "--threads", str(args.threads),
               "--time", f"{args.time}ms", "--warm", f"{args.warm}ms" if args.warm > 0 else "0", "--format", "json"]
    r = last_json(command)
    return dict(setup=r["setup_cpu_s"], rtf=r["cpu_real_time_factor"], mem=r["peak_memory_bytes"] / 2**20, bytes=r["bytes_per_synapse"],
                first=r["first_step_s"], events=r["events_per_cpu_s"] / 1e6, rates=[p["rate_hz"] for p in r["populations"] if not p["source"]])


def peer_arguments():
    out = [peer_net, str(args.threads), str(args.time)]
    if scales:
        out += ["--scale", scales[0]]
    if name == "microcircuit":
        out += ["--kscale", scales[1] if len(scales) > 1 else "1"]
    return out


def nest():
    r = last_json([sys.executable, os.path.join(HERE, "nest_bench.py"), *peer_arguments(), "--warm", str(args.warm), "--reps", "1"])
    return dict(setup=r["build_cpu"], rtf=r["rtf_cpu"], mem=r["peak_MB"], bytes=r["B_per_syn"], first=None, events=r["Mev_s_core"], rates=r["rates"])


def brian2():
    r = last_json([sys.executable, os.path.join(HERE, "brian2_bench.py"), *peer_arguments(), "--warm", str(args.warm)])
    cpu, biology = r["sim_cpu_s"], args.time / 1e3
    return dict(setup=max(r["binary_cpu_s"] - cpu, 0) + r["compile_cpu"], rtf=cpu / biology, mem=r["peak_MB"], bytes=None, first=None,
                events=r["ev"] / max(cpu, 1e-9) / 1e6, rates=r["rates"])


def last_json(command):
    environment = dict(os.environ, OMP_WAIT_POLICY="passive")
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1][:200])
    text = done.stdout.strip()
    return json.loads(text[text.index("{"):] if text.startswith("{") else text.splitlines()[-1])


programs = {f"synfire {a}": (lambda a=a: ours(a)) for a in args.arithmetic.split(",") if a}
programs.update({p: dict(nest=nest, brian2=brian2)[p] for p in args.peers.split(",") if p})
results, failed = {p: [] for p in programs}, {}
for run in range(args.runs):
    for program, measure in programs.items():
        if program in failed:
            continue
        try:
            found = measure()
        except (RuntimeError, ValueError, KeyError, IndexError) as error:
            failed[program] = str(error)
            continue
        results[program].append(found)
        print(f"# run {run + 1} {program}: set-up {found['setup']:.2f} s, {found['rtf']:.3f} CPU s/s, {found['mem']:.0f} MB, "
              f"rates {' '.join(f'{x:.2f}' for x in found['rates'])}", file=sys.stderr, flush=True)
        if args.json:
            with open(args.json, "a") as out:
                print(json.dumps(dict(net=args.net, threads=args.threads, program=program, run=run, **found)), file=out)


def median(program, key):
    values = [r[key] for r in results[program] if r[key] is not None]
    return statistics.median(values) if values else None


def shown(x, digits=3):
    return "-" if x is None else f"{x:.{digits}g}"


first = next((p for p in programs if results[p]), None)
print(f"\n{args.net}, {args.threads} thread(s), {args.time:g} ms, medians of {args.runs}\n")
print("| program | set-up CPU s | CPU s a second | ratio | M events a CPU s | peak MB | B a synapse | first step s | rates Hz |")
print("|---|---|---|---|---|---|---|---|---|")
for program in programs:
    if not results[program]:
        print(f"| {program} | failed: {failed.get(program, 'no run')} | | | | | | | |")
        continue
    rates = [statistics.median(r["rates"][k] for r in results[program]) for k in range(len(results[program][0]["rates"]))]
    ratio = median(program, "rtf") / median(first, "rtf")
    print(f"| {program} | {shown(median(program, 'setup'))} | {shown(median(program, 'rtf'))} | {ratio:.2f} | {shown(median(program, 'events'))} | "
          f"{shown(median(program, 'mem'), 4)} | {shown(median(program, 'bytes'))} | {shown(median(program, 'first'))} | {' '.join(f'{x:.2f}' for x in rates)} |")
