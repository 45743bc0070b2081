"""Every example on every chip: does it fit, what does it take, how equal are its spikes to the ideal ones?

python3 benches/chips.py [BINARY] prints the table of docs/benchmarks.md. BINARY is `synfire` by default. A chip's cell says "no" with the limit that binds, or the share of the limit that binds
and the agreement of `synfire compare` (matched spikes over all, exact steps) where the network takes input or drives itself.
"""

import json
import subprocess
import sys

NETWORKS = [
    ("examples/adder.syn", ["--steps", "8", "--input", "examples/adder_one_sum.csv"]),
    ("examples/eval/votes.syn", ["--input", "examples/eval/votes.csv"]),
    ("examples/coincidence.syn", ["--time", "200ms"]),
    ("examples/balanced_ei.syn", ["--time", "100ms"]),
    ("examples/stdp_bimodal.syn", ["--time", "100ms"]),
    ("examples/bandit.syn", ["--steps", "100"]),
    ("examples/nir/lif_norse.nir", ["--dt", "0.1ms", "--steps", "400", "--input", "examples/nir/lif_input.csv"]),
    ("examples/nir/lif_rockpool.nir", ["--dt", "0.1ms", "--steps", "400", "--input", "examples/nir/lif_input.csv"]),
    ("examples/nir/braille_noDelay_bias_zero.nir", ["--dt", "0.1ms", "--steps", "256", "--input", "examples/nir/braille_input.csv"]),
    ("examples/nir/braille_noDelay_bias_zero_subgraph.nir", ["--dt", "0.1ms", "--steps", "256", "--input", "examples/nir/braille_input.csv"]),
    ("examples/nir/cnn_sinabs.nir", ["--dt", "0.1ms", "--steps", "20", "--input", "examples/nir/cnn_input.csv"]),
]


def run(args):
    """The JSON document of a command, or the diagnostics that it ended with."""
    out = subprocess.run([BINARY, *args, "--format", "json", "-q"], capture_output=True, text=True)
    try:
        return out.returncode, json.loads(out.stdout)
    except json.JSONDecodeError:
        return out.returncode, {"error": out.stderr.strip()}


def network_options(options):
    """Those that say how a NIR file is read."""
    return [x for pair in zip(options[::2], options[1::2]) if pair[0] == "--dt" for x in pair]


def cell(net, options, fit):
    if not fit["fits"]:
        b = fit.get("binds") or {}
        code = next((d["code"] for d in fit["diagnostics"] if d.get("severity", "error") == "error"), "")
        return f"no: {b.get('resource') or code}"
    b = fit["binds"]
    text = f"{b['resource'].replace('_', ' ')} {100 * b['share']:.0f} %"
    status, out = run(["compare", net, "--target", fit["target"], "--engine", "cpu", "--tolerance", "0", *options])
    if status == 0:
        text += f"; {100 * out['agreement']:.1f} % of {out['spikes_ideal']}"
    return text


def main():
    rows, names = [], []
    for net, options in NETWORKS:
        status, out = run(["check", net, "--target", "all", *network_options(options)])
        if status != 0 or "targets" not in out:
            print(f"{net}: {out.get('error', out)}", file=sys.stderr)
            continue
        names = [t["target"] for t in out["targets"]]
        rows.append([net.removeprefix("examples/")] + [cell(net, options, t) for t in out["targets"]])
    print("| network | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    BINARY = sys.argv[1] if len(sys.argv) > 1 else "synfire"
    main()
