# Speck's part of the bridge to samna: `specification` is the text of network.speck.json. The chip has no steps: an event counts for the
# step in whose time its timestamp lies, and events of one step leave the host in their order.
BOARDS = ("Speck2fModuleDevKit", "Speck2fDevKit")
# Microseconds between the stop watch's start and the first step: what the host needs to hand the first events over.
LEAD = 100000
# Seconds without an event after the last step, after which a run counts as over.
QUIET = 0.2


class Refused(Exception):
    """What cannot be done, and what would help."""

    def __init__(self, what, hint):
        super().__init__(what)
        self.hint = hint


def extents(core):
    """(x, y) of the neurons of a core, before pooling."""
    size = zip(core["input_shape"][1:], core["kernel_size"], core["stride"], core["padding"])
    return [(n - k + 2 * p) // s + 1 for n, k, s, p in size]


def configure(config, net):
    """Fills samna's configuration object."""
    for core in net["cnn_layers"]:
        layer, (x, y) = config.cnn_layers[core["core"]], extents(core)
        features = len(core["weights"])
        channels, in_x, in_y = core["input_shape"]
        d = layer.dimensions
        d.input_shape.feature_count, d.input_shape.size.x, d.input_shape.size.y = channels, in_x, in_y
        d.output_shape.feature_count, d.output_shape.size.x, d.output_shape.size.y = features, x, y
        d.kernel_size = core["kernel_size"][0]
        d.stride.x, d.stride.y = core["stride"]
        d.padding.x, d.padding.y = core["padding"]
        layer.weights = core["weights"]
        layer.biases = core["biases"] or [0] * features
        layer.leak_enable = any(core["biases"])
        layer.return_to_zero = core["return_to_zero"]
        layer.threshold_high = core["threshold_high"]
        layer.threshold_low = core["threshold_low"]
        layer.neurons_initial_value = [[[0] * y for _ in range(x)] for _ in range(features)]
        layer.monitor_enable = core["monitor_enable"]
        for k in range(2):
            to = layer.destinations[k]
            to.enable = k < len(core["destinations"])
            if to.enable:
                given = core["destinations"][k]
                to.layer, to.pooling, to.feature_shift = given["layer"], given["pooling"], given["feature_shift"]


def spikes(event, net, events, step):
    """Input events of the host; `step`: microseconds."""
    neurons = sum(len(c["weights"]) * x * y for c in net["cnn_layers"] for x, y in [extents(c)])
    first = next(c for c in net["cnn_layers"] if c["core"] == net["input"])
    _, wide, high = first["input_shape"]
    out = []
    for t, word in events:
        at = word - neurons
        place = {"feature": at // (wide * high), "y": at // wide % high, "x": at % wide}
        out.append(event.Spike(layer=net["input"], timestamp=LEAD + int(t * step), **place))
    return out


def words(net):
    """Word of the first neuron of a core, and its (x, y), by core."""
    out, base = {}, 0
    for c in net["cnn_layers"]:
        x, y = extents(c)
        out[c["core"]] = (base, x, y)
        base += len(c["weights"]) * x * y
    return out


def run(samna, job):
    net = json.loads(job["specification"])
    package, step = samna.speck2f, 1e6 * (job["dt"] or 1e-3)
    board = opened(samna, BOARDS)
    read = samna.graph.sink_from(board.get_model_source_node())
    write = samna.graph.source_to(board.get_model_sink_node())
    config = package.configuration.SpeckConfiguration()
    configure(config, net)
    validate(package, config)
    board.get_model().apply_configuration(config)
    if any(any(c["biases"]) for c in net["cnn_layers"]):
        clock = board.get_io_module()
        clock.set_slow_clk_rate(1e6 / step)
        clock.set_slow_clk(True)
    watch = board.get_stop_watch()
    watch.reset()
    watch.start()
    read.get_events()
    write.write(spikes(package.event, net, job["events"], step))
    end = time.monotonic() + (LEAD + job["steps"] * step) / 1e6
    seen, last, places = {}, end, words(net)
    while time.monotonic() < last + min(QUIET, job["timeout"]):
        fresh = read.get_events()
        if not fresh:
            time.sleep(0.001)
            continue
        last = max(end, time.monotonic())
        for e in fresh:
            t = int((getattr(e, "timestamp", -1) - LEAD) // step)
            if isinstance(e, package.event.Spike) and e.layer in places and 0 <= t < job["steps"]:
                base, x, y = places[e.layer]
                key = t, base + (e.feature * y + e.y) * x + e.x
                seen[key] = seen.get(key, 0) + 1
    return [[t, word, n] for (t, word), n in sorted(seen.items())]


main(run)
