"""A stand-in for the vendor's package: the class names that the bridge uses, and nothing of what they do.

Attributes that are set and events that are written go into the JSON file SAMNA_LOG. What a board would answer comes from the JSON file SAMNA_SAYS: `boards` (device types), `valid`, and
`outputs`: {step: [counts]}, or for the chip without steps `events`: [[timestamp, layer, feature, x, y]].
"""
import json
import os


def said():
    with open(os.environ["SAMNA_SAYS"]) as f:
        return json.load(f)


class Record:
    """Takes any attribute."""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        made = Record()
        object.__setattr__(self, name, made)
        return made


def plain(x):
    if isinstance(x, Record):
        return {k: plain(v) for k, v in vars(x).items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    return x


class Event:
    def __init__(self, **given):
        self.__dict__.update(given)


class Log:
    config = None
    events = []


def log():
    with open(os.environ["SAMNA_LOG"], "w") as f:
        json.dump({"config": plain(Log.config), "events": Log.events}, f)


def space(newer):
    """One family of chips."""
    s = Record()
    when = "timestep" if newer else "timestamp"
    event = s.event
    for name in ("Spike", "Readout", "RegisterValue", "ReadRegisterValue", "TriggerReadout", "TriggerProcessing"):
        object.__setattr__(event, name, type(name, (Event,), {}))
    c = s.configuration
    for name in ("XyloConfiguration", "HiddenNeuron", "ReservoirNeuron", "OutputNeuron"):
        object.__setattr__(c, name, type(name, (Record,), {}))
    s.OperationMode.AcceleratedTime = "AcceleratedTime"
    s.InputSource.SpikeEvents = "SpikeEvents"
    object.__setattr__(s, "validate_configuration", lambda config: (said()["valid"], "" if said()["valid"] else "too many of something"))

    class Board:
        """Answers after some silence, with what SAMNA_SAYS holds."""

        def __init__(self):
            self.out = []
            self.start = 7

        def get_model(self):
            return self

        get_xylo_model = get_model

        def get_afe_model(self):
            afe = Record()
            object.__setattr__(afe, "set_saer_interface_enable", lambda on: Log.events.append(["saer", on]))
            return afe

        def get_model_source_node(self):
            return self

        get_model_sink_node = get_source_node = get_sink_node = get_model_source_node

        def apply_configuration(self, config):
            Log.config = config
            log()

        def get_events(self):
            out, self.out = self.out[:3], self.out[3:]
            return out

        def write(self, events):
            for e in events:
                Log.events.append([type(e).__name__, vars(e)])
                if isinstance(e, event.ReadRegisterValue):
                    self.out.append(event.RegisterValue(address=e.address, data=0))
                if isinstance(e, event.TriggerReadout):
                    self.out.append(event.Readout(**{when: self.start, "output_spikes": []}))
            last = events[-1] if events else None
            spike = not newer and isinstance(last, event.Spike)
            if isinstance(last, event.TriggerProcessing) or spike:
                end = last.target_timestep if newer else last.timestamp
                for t in range(self.start, end):
                    counts = said()["outputs"].get(str(t - self.start), [])
                    self.out.append(event.Readout(**{when: t, "output_spikes": counts}))
            log()

    object.__setattr__(s, "Board", Board)
    return s


def speck():
    """The family of chips without steps."""
    s = Record()
    object.__setattr__(s.event, "Spike", type("Spike", (Event,), {}))

    class SpeckConfiguration(Record):
        def __init__(self):
            self.cnn_layers = [Record() for _ in range(9)]
            for layer in self.cnn_layers:
                layer.destinations = [Record(), Record()]

    object.__setattr__(s.configuration, "SpeckConfiguration", SpeckConfiguration)
    object.__setattr__(s, "validate_configuration", lambda config: (said()["valid"], "" if said()["valid"] else "too many of something"))

    class Board:
        def __init__(self):
            self.out = []

        def get_model(self):
            return self

        get_model_source_node = get_model_sink_node = get_model

        def apply_configuration(self, config):
            Log.config = config
            log()

        def get_io_module(self):
            io = Record()
            object.__setattr__(io, "set_slow_clk_rate", lambda rate: Log.events.append(["slow clock", rate]))
            object.__setattr__(io, "set_slow_clk", lambda on: Log.events.append(["slow clock on", on]))
            return io

        def get_stop_watch(self):
            watch = Record()
            object.__setattr__(watch, "reset", lambda: Log.events.append(["reset", 0]))
            object.__setattr__(watch, "start", lambda: Log.events.append(["start", 0]))
            return watch

        def get_events(self):
            out, self.out = self.out[:3], self.out[3:]
            return out

        def write(self, events):
            Log.events.extend(["Spike", vars(e)] for e in events)
            names = ("timestamp", "layer", "feature", "x", "y")
            self.out.extend(s.event.Spike(**dict(zip(names, e))) for e in said()["events"])
            log()

    object.__setattr__(s, "Board", Board)
    return s


xyloAudio3 = space(True)
xyloCore2 = space(False)
speck2f = speck()


class device:
    @staticmethod
    def get_all_devices():
        print("samna chatters on standard output")
        return [type("Info", (), {"device_type_name": n})() for n in said()["boards"]]

    @staticmethod
    def open_device(info):
        kinds = {"XyloAudio3TestBoard": xyloAudio3, "XyloA2TestBoard": xyloCore2}
        return kinds.get(info.device_type_name, speck2f).Board()


class graph:
    sink_from = staticmethod(lambda node: node)
    source_to = staticmethod(lambda node: node)
