"""Writes the broken NIR files of this folder: one defect each (needs h5py and numpy)."""
import os
import h5py
import numpy as np

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nir")
TEXT = h5py.string_dtype("utf-8")


def node(group, name, kind, **fields):
    g = group.create_group(name)
    g.create_dataset("type", data=kind, dtype=TEXT)
    for key, value in fields.items():
        g.create_dataset(key, data=value)
    return g


def graph(name, nodes, edges):
    with h5py.File(os.path.join(HERE, name), "w") as f:
        f.create_dataset("version", data="1.0.8", dtype=TEXT)
        g = f.create_group("node")
        g.create_dataset("type", data="NIRGraph", dtype=TEXT)
        g.create_dataset("edges", data=np.array(edges, dtype=object), dtype=TEXT)
        inside = g.create_group("nodes")
        for n, kind, fields in nodes:
            node(inside, n, kind, **fields)


def lif(n, **more):
    one = np.ones(n)
    return dict(tau=0.01 * one, r=one, v_leak=0 * one, v_threshold=one, **more)


def io(n, m=None):
    return [("input", "Input", dict(shape=np.array([n]))), ("output", "Output", dict(shape=np.array([m or n])))]


graph("01_dangling_edge.nir", io(2) + [("lif", "LIF", lif(2))], [["input", "lfi"], ["lif", "output"]])
graph("02_shape_mismatch.nir", io(3, 2) + [("w", "Linear", dict(weight=np.ones((2, 4)))), ("lif", "LIF", lif(2))], [["input", "w"], ["w", "lif"], ["lif", "output"]])
graph("03_unknown_type.nir", io(2) + [("n", "Izhikevich", dict(a=np.ones(2)))], [["input", "n"], ["n", "output"]])
graph("04_algebraic_loop.nir", io(2) + [("a", "Linear", dict(weight=np.eye(2))), ("b", "Scale", dict(scale=np.ones(2)))], [["input", "a"], ["a", "b"], ["b", "a"], ["b", "output"]])
fields = lif(2)
del fields["tau"]
graph("05_missing_field.nir", io(2) + [("lif", "LIF", fields)], [["input", "lif"], ["lif", "output"]])
graph("06_negative_tau.nir", io(2) + [("lif", "LIF", dict(lif(2), tau=np.array([-0.01, 0.01])))], [["input", "lif"], ["lif", "output"]])
graph("07_groups.nir", [("input", "Input", dict(shape=np.array([3, 8, 8]))), ("c", "Conv2d", dict(weight=np.ones((4, 1, 3, 3)), bias=np.zeros(4), stride=np.array([1, 1]), padding=np.array([0, 0]), dilation=np.array([1, 1]), groups=2, input_shape=np.array([8, 8]))), ("output", "Output", dict(shape=np.array([4, 6, 6])))], [["input", "c"], ["c", "output"]])
graph("08_text_for_numbers.nir", io(2) + [("lif", "LIF", dict(lif(2), r=np.array(["a", "b"], dtype="S1")))], [["input", "lif"], ["lif", "output"]])
with h5py.File(os.path.join(HERE, "09_no_graph.nir"), "w") as f:
    f.create_dataset("weights", data=np.ones(3))
graph("10_whole.tmp", io(2) + [("lif", "LIF", lif(2))], [["input", "lif"], ["lif", "output"]])
whole = open(os.path.join(HERE, "10_whole.tmp"), "rb").read()
os.remove(os.path.join(HERE, "10_whole.tmp"))
open(os.path.join(HERE, "10_truncated.nir"), "wb").write(whole[: len(whole) // 3])
