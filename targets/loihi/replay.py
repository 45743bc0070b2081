"""Sets the registers of a Loihi from a register image, on a machine with the vendor's SDK. UNTESTED ON HARDWARE.

python3 replay.py [STEPS] in the folder that `deploy --board file:///DIR` wrote: registers.loihi.json, and input.json ([step, channel] in order). Prints the spikes that are read back as a JSON list of [step, output].
Objects and attributes are those that nengo-loihi 1.1.0's builder sets (NxSDK 0.9 to 1.0). No chip and no NxSDK were at hand: the order of the calls was checked against a stand-in that records them, nothing more. A step here is a step of the image; the generator's spikes of step t are those that
arrive in step t + 1. Learning rules are refused: their microcode is not public. Noise and rounding draw from the chip's own generators.
"""
import json
import os
import sys

PREFIX = {"pop16": "population16MapEntry", "pop32": "population32MapEntry"}
# Fields of a synapse format in the order in which they are set.
FORMAT = (
    "wgtLimitMant wgtLimitExp wgtExp discMaxWgt learningCfg tagBits dlyBits wgtBits reuseSynData numSynapses cIdxOffset cIdxMult skipBits idxBits synType fanoutType compression stdpProfile ignoreDly"
).split()


def sdk():
    """The board's class, and that of the spike generator."""
    from nxsdk.graph.nxboard import N2Board
    from nxsdk.graph.nxinputgen import BasicSpikeGenerator

    return N2Board, BasicSpikeGenerator


def profiles(core, image):
    """What compartments and synapses of a core share."""
    for k, given in enumerate(image["cxProfileCfg"]):
        core.cxProfileCfg[k].configure(bapAction=1, **{name: int(v) for name, v in given.items()})
    for k, given in enumerate(image["vthProfileCfg"]):
        core.vthProfileCfg[k].staticCfg.configure(vth=given["vth"])
    # Format 0 stays unused.
    for k, given in list(enumerate(image["synapseFmt"]))[1:]:
        for name in FORMAT:
            setattr(core.synapseFmt[k], name, given[name])
    shared = {k: int(v) for k, v in image["dendriteSharedCfg"].items()}
    core.dendriteSharedCfg.configure(**shared)
    core.dendriteAccumCfg.configure(delayBits=3)


def compartments(core, image):
    for k, given in enumerate(image["cxCfg"]):
        core.cxCfg[k].configure(**given)
        core.cxMetaState[k // 4].configure(**{"phase%d" % (k % 4): 2})
    core.numUpdates.configure(numUpdates=-(-len(image["cxCfg"]) // 4), numStdp=0)


def synapses(core, image):
    """Memory and map; indices of a row are counted from its entry's base on."""
    for k, (index, weight, kind, delay, tag, _) in enumerate(image["synapses"]):
        core.synapses[k].configure(CIdx=index, Wgt=weight, synFmtId=kind, Dly=delay, Tag=tag, LrnEn=0)
    for k, given in enumerate(image["synapseMap"]):
        at = core.synapseMap[k]
        if given["cxBase"] < 0:
            continue
        at.synapsePtr, at.synapseLen = given["synapsePtr"], given["synapseLen"]
        if given["kind"] == "discrete":
            at.discreteMapEntry.configure(cxBase=given["cxBase"])
            continue
        at.popSize = given["popSize"]
        entry = getattr(at, PREFIX[given["kind"]])
        if given["kind"] == "pop16":
            entry.configure(cxBase=given["cxBase"] // 4, atomBits=given["atomBits"])
        else:
            entry.configure(cxBase=given["cxBase"])


def axons(core, image, kinds):
    """Output axons; `kinds`: the form of the map entry that each destination names."""
    populations = {}
    for source, (chip, where, entry, atom) in image["axons"]:
        to = {"srcCxId": source, "dstChipId": chip, "dstCoreId": where, "dstSynMapId": entry}
        kind = kinds[chip, where, entry]
        if kind == "discrete":
            core.createDiscreteAxon(**to)
            continue
        number = populations.setdefault((chip, where, entry), len(populations))
        make = core.createPop16Axon if kind == "pop16" else core.createPop32Axon
        make(popId=number, srcRelCxId=atom, **to)


def board(made, image):
    """A board with the image; `made` is the SDK's class."""
    cores = image["cores"]
    if any(c["stdpProfileCfg"] for c in cores):
        sys.exit("this image learns on the chip, and the microcode of learning rules is not public")
    chips = 1 + max((c["chip"] for c in cores), default=0)
    of = lambda k: [c for c in cores if c["chip"] == k]
    room = [[1 + max((len(c["synapses"]) for c in of(k)), default=0)] * 128 for k in range(chips)]
    out = made(1, chips, [128] * chips, room)
    at = {(c["chip"], c["core"]): out.n2Chips[c["chip"]].n2CoresAsList[c["core"]] for c in cores}
    # The SDK numbers cores its own way: destinations take its ids.
    kinds, ids = {}, {}
    for key, core in at.items():
        ids[key] = out.n2Chips[key[0]].id, core.id
    for c in cores:
        for k, entry in enumerate(c["synapseMap"]):
            kinds[ids[c["chip"], c["core"]] + (k,)] = entry["kind"]
    there = lambda d: [*ids[d[0], d[1]], d[2], d[3]]
    for c in cores:
        core = at[c["chip"], c["core"]]
        profiles(core, c)
        compartments(core, c)
        synapses(core, c)
        axons(core, {"axons": [[source, there(d)] for source, d in c["axons"]]}, kinds)
    channels = [[there(d) for d in channel] for channel in image["channels"]]
    return out, at, channels, kinds


def send(spikes, kinds, time, destination):
    """One spike of the generator."""
    chip, core, entry, atom = destination
    to = {"time": time, "chipId": chip, "coreId": core, "axonId": entry}
    kind = kinds[chip, core, entry]
    if kind == "discrete":
        spikes.addSpike(**to)
    elif kind == "pop16":
        spikes.addPop16Spike(srcAtom=atom, atomBits=0, **to)
    else:
        spikes.addPop32Spike(srcAtom=atom, **to)


def main():
    image = json.load(open("registers.loihi.json"))["board"]
    events = json.load(open("input.json")) if os.path.exists("input.json") else []
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1 + max((t for t, _ in events), default=0)
    made, generator = sdk()
    out, at, channels, kinds = board(made, image)
    spikes = generator(out)
    for t, channel in events:
        for destination in channels[channel]:
            send(spikes, kinds, t, destination)
    cores = list(at.values())
    probes = [out.monitor.probe(cores[core].cxState, [cx], "spike")[0] for core, cx in image["outputs"]]
    out.run(steps)
    seen = sorted([t, k] for k, p in enumerate(probes) for t, n in enumerate(p.data) if n)
    print(json.dumps(seen))
    out.disconnect()


if __name__ == "__main__":
    main()
