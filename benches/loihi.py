"""Synaptic events per CPU second of nengo-loihi's emulator, brian2-loihi and lava (PyPI) and of `synfire bench chip loihi`, in turn, on one network.

python3.11 -m venv nl && nl/bin/pip install "numpy<1.24" "scipy<1.12" nengo==3.2.0 nengo-loihi==1.1.0 brian2==2.5.4 brian2-loihi==0.5.2 "cython<3.1" "setuptools<80"
python3.11 -m venv lv && lv/bin/pip install "numpy<2" asteval==0.9.33 networkx==2.8.7 "scipy<1.12" && lv/bin/pip install --no-deps --ignore-requires-python lava-nc==0.10.0
LAVA_PYTHON=lv/bin/python nl/bin/python benches/loihi.py [BINARY] [RUNS] [STEPS]

1,024 channels that spike in a tenth of all steps onto 1,024 neurons, 128 synapses each, drawn by a hash (as `targets/loihi/benchmark.rs` draws it). Only the stepping of the peers is timed, in seconds of their processes, not what prepares it; ours runs ten times as
many steps on one thread. A peer that cannot be imported is left out with a word. lava is asked for Python 3.10; on 3.11 a rule of its dataclasses is put back.
"""

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time

import numpy as np

N, FAN, ONE_IN, SEED = 1024, 128, 10, 20260101
DU, DV, VTH = 1638, 409, 3000
PEERS = ["nengo-loihi", "brian2-loihi", "lava-dense", "lava-sparse"]


def mix(z):
    with np.errstate(over="ignore"):
        z = np.asarray(z, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def drawn(a, b, c):
    with np.errstate(over="ignore"):
        first = mix(np.uint64(SEED) + np.uint64(a))
        return mix(mix(first + np.asarray(b, np.uint64)) + np.asarray(c, np.uint64))


def synapses():
    """Source, target and mantissa of each synapse."""
    target, k = np.repeat(np.arange(N), FAN), np.tile(np.arange(FAN), N)
    r = drawn(1, target, k)
    source = 8 * k + (r % np.uint64(8)).astype(int)
    return source, target, 2 * ((r >> np.uint64(8)) % np.uint64(255)).astype(int) - 254


def channels(step):
    """Channels that spike in a step, counted from 1."""
    return np.nonzero(drawn(2, step, np.arange(N)) % np.uint64(ONE_IN) == 0)[0]


def events(steps):
    """Synaptic events of so many steps: a spike arrives one step later."""
    fan = np.bincount(synapses()[0], minlength=N)
    return sum(int(fan[channels(t)].sum()) for t in range(1, steps))


def spent():
    """CPU seconds of this process and of those that it started and that still run."""
    total = time.process_time()
    for child in multiprocessing.active_children():
        with open(f"/proc/{child.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def nengo(steps):
    from nengo_loihi.block import Axon, LoihiBlock, Synapse
    from nengo_loihi.builder.builder import Model
    from nengo_loihi.emulator import EmulatorInterface
    from nengo_loihi.inputs import SpikeInput

    model, block = Model(dt=0.001), LoihiBlock(N)
    c, whole = block.compartment, lambda x: np.full(N, x, np.int32)
    c.decay_u, c.decay_v, c.refract_delay = whole(DU), whole(DV), whole(1)
    c.vth, c.bias = whole(VTH * 64), whole(0)
    c.vmin, c.vmax, c.scale_u, c.scale_v = -(2**23) + 1, 2**23 - 1, False, False
    source, target, weight = synapses()
    order = np.argsort(source, kind="stable")
    source, target, weight = source[order], target[order], weight[order]
    cut = np.searchsorted(source, np.arange(N + 1))
    rows = list(zip(cut, cut[1:]))
    synapse = Synapse(N)
    weights = [(weight[a:z] << 6).astype(np.int32) for a, z in rows]
    indices = [target[a:z].astype(np.int32) for a, z in rows]
    synapse._set_weights_indices(weights, indices, weight_dtype=np.int32)
    synapse.format(weight_exp=0)
    block.add_synapse(synapse)
    model.add_block(block)
    spikes, axon = SpikeInput(N), Axon(N)
    axon.target = synapse
    spikes.add_axon(axon)
    for t in range(1, steps + 1):
        spikes.add_spikes(t, channels(t), permanent=True)
    model.add_input(spikes)
    emulator = EmulatorInterface(model, seed=0)
    fired, begun = 0, spent()
    for _ in range(steps):
        emulator.step()
        fired += int(emulator.compartment.spiked.sum())
    return spent() - begun, fired


def brian2(steps):
    import brian2

    brian2.prefs.codegen.target = "numpy"
    from brian2_loihi import LoihiNetwork, LoihiNeuronGroup, LoihiSpikeGeneratorGroup, LoihiSpikeMonitor, LoihiSynapses, synapse_sign_mode

    index, times = [], []
    for t in range(1, steps):
        found = channels(t)
        index += list(found)
        times += [t] * len(found)
    generator = LoihiSpikeGeneratorGroup(N, index, times)
    neurons = LoihiNeuronGroup(N, refractory=1, threshold_v_mant=VTH, decay_v=DV, decay_I=DU + 1)
    wires = LoihiSynapses(generator, neurons, w_exp=0, sign_mode=synapse_sign_mode.MIXED)
    source, target, weight = synapses()
    wires.connect(i=source, j=target)
    wires.w = weight
    monitor = LoihiSpikeMonitor(neurons)
    network = LoihiNetwork(generator, neurons, wires, monitor)
    network.run(1)
    begun = spent()
    network.run(steps - 1)
    return spent() - begun, monitor.num_spikes


def lava(steps, sparse):
    if sys.version_info >= (3, 11):
        import dataclasses
        import inspect

        text = inspect.getsource(dataclasses._get_field)
        text = text.replace("f.default.__class__.__hash__ is None", "isinstance(f.default, (list, dict, set))")
        exec(compile(text, "dataclasses", "exec"), dataclasses.__dict__)
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi1SimCfg
    from lava.proc.dense.process import Dense
    from lava.proc.io.source import RingBuffer
    from lava.proc.lif.process import LIF
    from lava.proc.monitor.process import Monitor
    from lava.proc.sparse.process import Sparse
    from scipy.sparse import csr_matrix

    given = np.zeros((N, steps), int)
    for t in range(1, steps + 1):
        given[channels(t), t - 1] = 1
    source, target, weight = synapses()
    matrix = np.zeros((N, N), np.int32)
    matrix[target, source] = weight
    wires = Sparse(weights=csr_matrix(matrix), weight_exp=0) if sparse else Dense(weights=matrix, weight_exp=0)
    buffer, neurons, monitor = RingBuffer(data=given), LIF(shape=(N,), du=DU, dv=DV, vth=VTH, bias_mant=0), Monitor()
    buffer.s_out.connect(wires.s_in)
    wires.a_out.connect(neurons.a_in)
    monitor.probe(neurons.s_out, steps)
    config = Loihi1SimCfg(select_tag="fixed_pt")
    neurons.run(condition=RunSteps(1), run_cfg=config)
    begun = spent()
    neurons.run(condition=RunSteps(steps - 1), run_cfg=config)
    used = spent() - begun
    fired = int(list(list(monitor.get_data().values())[0].values())[0].sum())
    neurons.stop()
    return used, fired


def peer(name, steps):
    run = {"nengo-loihi": nengo, "brian2-loihi": brian2, "lava-dense": lambda s: lava(s, False), "lava-sparse": lambda s: lava(s, True)}
    used, fired = run[name](steps)
    print(json.dumps({"events_per_cpu_s": events(steps) / used, "spikes": int(fired)}))


def theirs(name, steps):
    python = os.environ.get("LAVA_PYTHON", sys.executable) if name.startswith("lava") else sys.executable
    out = subprocess.run([python, "-W", "ignore", __file__, "peer", name, str(steps)], capture_output=True, text=True)
    if out.returncode != 0:
        return None, (out.stderr.strip().splitlines() or ["no word"])[-1]
    found = json.loads(out.stdout.strip().splitlines()[-1])
    return found["events_per_cpu_s"], found["spikes"]


def ours(target, steps):
    args = [BINARY, "bench", "chip", target, "--steps", str(10 * steps), "--format", "json"]
    out = json.loads(subprocess.run(args, capture_output=True, text=True, check=True).stdout)
    return out["events_per_cpu_s"]


def main():
    rates, spikes = {}, {}
    for _ in range(RUNS):
        for name in PEERS:
            rate, told = theirs(name, STEPS)
            if rate is None:
                print(f"{name}: {told}", file=sys.stderr)
            else:
                rates.setdefault(name, []).append(rate)
                spikes[name] = told
        for target in ["loihi:nengo", "loihi:lava"]:
            rates.setdefault(target, []).append(ours(target, STEPS))
    fastest = max((statistics.median(r) for n, r in rates.items() if n in PEERS), default=float("nan"))
    print(f"| program | million synaptic events a CPU second | of the fastest peer | spikes in {STEPS} steps |")
    print("|---|---|---|---|")
    for name, all_rates in rates.items():
        rate = statistics.median(all_rates)
        print(f"| {name} | {rate / 1e6:.1f} | {rate / fastest:.2f} | {spikes.get(name, '')} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["peer"]:
        peer(sys.argv[2], int(sys.argv[3]))
    else:
        BINARY = sys.argv[1] if len(sys.argv) > 1 else "synfire"
        RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
        STEPS = int(sys.argv[3]) if len(sys.argv) > 3 else 500
        main()
