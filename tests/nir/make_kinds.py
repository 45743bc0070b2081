"""Writes data/kinds: small graphs with every NIR node type, by the reference package.

Needs `pip install nir==1.0.8 h5py numpy`. The files are in the repository; this script is their source.
"""

import json
import pathlib

import h5py
import nir
import numpy as np

HERE = pathlib.Path(__file__).parent / "data" / "kinds"


def ramp(*shape, low=0.25, step=0.125, dtype=np.float32):
    """An array whose elements tell their own index."""
    return (low + step * np.arange(np.prod(shape))).reshape(shape).astype(dtype)


def chain(**nodes):
    """A graph that runs through the nodes in the order given."""
    names = list(nodes)
    return nir.NIRGraph(nodes=nodes, edges=list(zip(names, names[1:])), type_check=True)


def io(shape):
    return nir.Input(np.array(shape)), nir.Output(np.array(shape))


def elementwise():
    """All types whose parameters have the node's shape, as one chain of width 3."""
    start, end = io([3])
    return chain(
        start=start,
        scale=nir.Scale(ramp(3)),
        delay=nir.Delay(np.array([0.001, 0.002, 0.003])),
        integrate=nir.I(ramp(3, dtype=np.float64)),
        li=nir.LI(tau=ramp(3, low=0.01), r=ramp(3), v_leak=ramp(3)),
        threshold=nir.Threshold(ramp(3)),
        fire=nir.IF(r=ramp(3), v_threshold=ramp(3, low=1.0), v_reset=ramp(3, low=-1.0)),
        lif=nir.LIF(tau=ramp(3, low=0.02), r=ramp(3), v_leak=ramp(3), v_threshold=ramp(3, low=1.0)),
        cubali=nir.CubaLI(tau_syn=ramp(3), tau_mem=ramp(3), r=ramp(3), v_leak=ramp(3), w_in=ramp(3)),
        cubalif=nir.CubaLIF(
            tau_syn=ramp(3), tau_mem=ramp(3), r=ramp(3), v_leak=ramp(3), v_threshold=ramp(3),
            v_reset=ramp(3, low=-2.0), w_in=2.0,
        ),
        end=end,
    )


def dense():
    start, end = io([3])
    return chain(
        start=start,
        affine=nir.Affine(weight=ramp(2, 3), bias=ramp(2)),
        linear=nir.Linear(weight=ramp(3, 2, dtype=np.float64)),
        end=end,
    )


def stacked():
    """A stack of matrices: the leading axes are kept."""
    return chain(
        start=nir.Input(np.array([2, 3])),
        linear=nir.Linear(weight=ramp(2, 4, 3)),
        end=nir.Output(np.array([2, 4])),
    )


def conv1d():
    return chain(
        start=nir.Input(np.array([2, 20])),
        conv=nir.Conv1d(
            input_shape=20, weight=ramp(4, 2, 3), stride=2, padding=1, dilation=1, groups=1, bias=ramp(4)
        ),
        end=nir.Output(np.array([4, 10])),
    )


def conv2d():
    """Square kernels without groups, where the reference computes shapes rightly."""
    return chain(
        start=nir.Input(np.array([2, 12, 12])),
        conv=nir.Conv2d(
            input_shape=(12, 12), weight=ramp(4, 2, 3, 3), stride=1, padding="same", dilation=1, groups=1,
            bias=ramp(4),
        ),
        sum=nir.SumPool2d(kernel_size=np.array([2, 2]), stride=np.array([2, 2]), padding=np.array([0, 0])),
        valid=nir.Conv2d(
            input_shape=(6, 6), weight=ramp(2, 4, 3, 3), stride=(1, 1), padding="valid", dilation=(1, 1), groups=1,
            bias=ramp(2),
        ),
        mean=nir.AvgPool2d(kernel_size=np.array([2, 2]), stride=np.array([2, 2]), padding=np.array([1, 1])),
        flatten=nir.Flatten(input_type={"input": np.array([2, 3, 3])}, start_dim=0, end_dim=-1),
        end=nir.Output(np.array([18])),
    )


def conv2d_odd():
    """Kernel 3 x 5, two groups: the reference computes 4 x 6 x 6 and one input channel, so it must not check."""
    nodes = {
        "start": nir.Input(np.array([2, 8, 8])),
        "conv": nir.Conv2d(
            input_shape=(8, 8), weight=ramp(4, 1, 3, 5), stride=1, padding=0, dilation=1, groups=2, bias=ramp(4)
        ),
        "end": nir.Output(np.array([4, 6, 4])),
    }
    return nir.NIRGraph(nodes, [("start", "conv"), ("conv", "end")], type_check=False)


def nested():
    """Two levels, names reused at each, an odd name, metadata."""
    inner = nir.NIRGraph(
        {"input": nir.Input(np.array([2])), "lif": lif(2), "w": nir.Linear(ramp(2, 2)), "output": nir.Output(np.array([2]))},
        [("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")],
    )
    middle = nir.NIRGraph(
        {"input": nir.Input(np.array([2])), "deep": inner, "output": nir.Output(np.array([2]))},
        [("input", "deep"), ("deep", "output")],
    )
    graph = nir.NIRGraph(
        {"in": nir.Input(np.array([3])), "größe 1.5µ": nir.Affine(ramp(2, 3), ramp(2)), "sub": middle, "out": nir.Output(np.array([2]))},
        [("in", "größe 1.5µ"), ("größe 1.5µ", "sub"), ("sub", "out")],
        metadata={"author": "someone", "epochs": 12, "rate": 0.5, "done": True, "more": {"list": np.arange(3)}},
    )
    return graph


def lif(n):
    return nir.LIF(tau=ramp(n), r=ramp(n), v_leak=ramp(n), v_threshold=ramp(n), v_reset=ramp(n))


def unended():
    """No Input, no Output: the reference adds both when it reads the file."""
    nodes = {"fc": nir.Linear(ramp(2, 3)), "lif": lif(2)}
    return nir.NIRGraph(nodes, [("fc", "lif")], type_check=False)


def crooked():
    """A subgraph whose Input declares the width of another layer; time constants in steps; no w_in."""
    neuron = nir.CubaLIF(
        tau_syn=np.full(2, 5.0), tau_mem=np.full(2, 10.0), r=np.ones(2), v_leak=np.zeros(2), v_threshold=np.ones(2)
    )
    inner = nir.NIRGraph(
        {"input": nir.Input(np.array([3])), "lif": neuron, "output": nir.Output(np.array([2]))},
        [("input", "lif"), ("lif", "output")],
        type_check=False,
    )
    return nir.NIRGraph(
        {"input": nir.Input(np.array([3])), "fc": nir.Linear(ramp(2, 3)), "rnn": inner, "output": nir.Output(np.array([2]))},
        [("input", "fc"), ("fc", "rnn"), ("rnn", "output")],
        type_check=False,
    )


def storage():
    """The same Linear in every way in which HDF5 may hold numbers and strings."""
    path = HERE / "storage.nir"
    matrix = np.array([[1, 2], [3, 4]])
    with h5py.File(path, "w") as f:
        fixed = lambda s: np.array(s, dtype=f"S{max(len(s), 1)}")
        f["version"] = fixed("1.0.8")
        f["node/type"] = fixed("NIRGraph")
        nodes = f.create_group("node/nodes")
        kinds = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "i1", "u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8", "<u8"]
        names = ["w" + k.replace("<", "l").replace(">", "b") for k in kinds]
        for name, kind in zip(names, kinds):
            node = nodes.create_group(name)
            node["type"] = fixed("Linear")
            node.create_dataset("weight", data=matrix.astype(kind))
        chunked = {
            "chunked": dict(chunks=(1, 1)),
            "deflated": dict(chunks=(2, 1), compression="gzip", compression_opts=9),
            "shuffled": dict(chunks=(2, 2), compression="gzip", shuffle=True, fletcher32=True),
            "growing": dict(chunks=(1, 2), maxshape=(None, 2)),
        }
        for name, options in chunked.items():
            node = nodes.create_group(name)
            node["type"] = "Linear"
            node.create_dataset("weight", data=matrix.astype("f4"), **options)
        names += list(chunked)
        node = nodes.create_group("truth")
        node["type"] = "Scale"
        node.create_dataset("scale", data=np.array([True, False]))
        names.append("truth")
        nodes["in/type"], nodes["in/shape"] = "Input", np.int32(2)
        nodes["out/type"], nodes["out/shape"] = "Output", np.array([2], dtype="u1")
        edges = [("in", n) for n in names] + [(n, "out") for n in names]
        f["node"].create_dataset("edges", data=np.array(edges, dtype="S12"))


def modern():
    """New-style groups with a link index, as libver="latest" writes them."""
    nodes = [(f"n{i:02}", nir.Scale(ramp(2, low=i))) for i in range(40)]
    graph = chain(start=nir.Input(np.array([2])), **dict(nodes), end=nir.Output(np.array([2])))
    with h5py.File(HERE / "modern.nir", "w", libver="latest") as f:
        f["version"] = nir.version
        write(f.create_group("node"), graph.to_dict())


def write(group, items):
    for key, value in items.items():
        if isinstance(value, dict):
            if key != "metadata" or value:
                write(group.create_group(key), value)
        else:
            group[key] = value


def plain(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def describe(node):
    """Parameters and shapes of a node as the package has them after reading."""
    fields = {k: plain(v) for k, v in node.to_dict().items() if k not in ("metadata", "nodes", "edges")}
    shapes = {
        side: plain(next(iter((getattr(node, f"{side}_type") or {}).values()), None)) for side in ("input", "output")
    }
    if isinstance(node, nir.NIRGraph):
        fields["nodes"] = {k: describe(n) for k, n in node.nodes.items()}
    return {"fields": fields, "shapes": shapes}


def main():
    HERE.mkdir(parents=True, exist_ok=True)
    known = {}
    checked = [elementwise, dense, stacked, conv1d, conv2d, nested]
    for make in checked + [conv2d_odd, unended, crooked]:
        path = HERE / f"{make.__name__}.nir"
        nir.write(path, make())
        if make in checked:
            known[make.__name__] = describe(nir.read(path, type_check=True))
    storage()
    modern()
    (HERE / "kinds.json").write_text(json.dumps(known, sort_keys=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
