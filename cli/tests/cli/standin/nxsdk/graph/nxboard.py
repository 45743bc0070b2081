"""Objects that take any attribute and any call, and write all of them into the file NXSDK_LOG when the board lets go."""
import json
import os

LOG = {}


class Node:
    """Registers by name or number; what is set and called is kept under its path."""

    def __init__(self, path):
        object.__setattr__(self, "path", path)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return Node(self.path + "." + name)

    def __getitem__(self, k):
        return Node("%s[%d]" % (self.path, k))

    def __setattr__(self, name, value):
        LOG[self.path + "." + name] = value

    def __call__(self, **given):
        LOG.setdefault(self.path, []).append(given)


class Core(Node):
    pass


class Chip:
    def __init__(self, k):
        self.id = 100 + k
        self.n2CoresAsList = [Core("core%d" % c) for c in range(128)]
        for c, core in enumerate(self.n2CoresAsList):
            object.__setattr__(core, "id", 500 + c)


class Probe:
    data = [0, 1, 0, 1]


class N2Board:
    def __init__(self, number, chips, cores, synapses):
        LOG["board"] = [number, chips, cores[0], synapses[0][0]]
        self.n2Chips = [Chip(k) for k in range(chips)]
        self.monitor = self

    def probe(self, state, compartments, key):
        LOG.setdefault("probes", []).append([state.path, compartments, key])
        return [Probe()]

    def run(self, steps):
        LOG["steps"] = steps

    def disconnect(self):
        with open(os.environ["NXSDK_LOG"], "w") as f:
            json.dump(LOG, f)
