# Xylo's part of the bridge to samna: `specification` is the text of network.xylo.json, a word the number of a channel or an output.


def dense(rows, columns, state):
    """Synapse lists as a matrix of weights onto one synaptic state."""
    out = [[0] * columns for _ in rows]
    for source, row in enumerate(rows):
        seen = set()
        for target, s, weight in row:
            if s != state:
                continue
            if target in seen:
                raise Refused(
                    "two synapses from one source onto one state of neuron %d" % target,
                    "samna takes matrices; merge the connections between these populations",
                )
            seen.add(target)
            out[source][target] = weight
    return out


def neurons(made, given, n, second):
    """Sets the attributes of `n` neurons."""
    out = []
    for i in range(n):
        x = made()
        x.i_syn_decay = given["dash_syn"][i][0]
        if second:
            x.i_syn2_decay = given["dash_syn"][i][1]
        x.v_mem_decay = given["dash_mem"][i]
        x.threshold = given["threshold"][i]
        x.v_mem_bias = given["bias"][i]
        out.append(x)
    return out


def configure(config, space, net, newer):
    """Fills samna's configuration object."""
    two = net["n_syn"] == 2
    hidden = net["n_hidden"]
    config.synapse2_enable = two
    config.bias_enable = net["has_bias"]
    config.input.weight_bit_shift = net["weight_shift_in"]
    config.input.weights = dense(net["synapses_in"], hidden, 0)
    middle = config.hidden if newer else config.reservoir
    middle.weight_bit_shift = net["weight_shift_rec"]
    middle.weights = dense(net["synapses_rec"], hidden, 0)
    if two:
        config.input.syn2_weights = dense(net["synapses_in"], hidden, 1)
        middle.syn2_weights = dense(net["synapses_rec"], hidden, 1)
    kind = space.HiddenNeuron if newer else space.ReservoirNeuron
    cells = neurons(kind, net["hidden"], hidden, two)
    for cell, alias in zip(cells, net["aliases"]):
        if alias:
            cell.alias_target = alias[0]
    middle.aliasing = any(net["aliases"])
    middle.neurons = cells
    config.readout.weight_bit_shift = net["weight_shift_out"]
    config.readout.weights = dense(net["synapses_out"], net["n_out"], 0)
    config.readout.neurons = neurons(space.OutputNeuron, net["readout"], net["n_out"], False)
    for name in ("isyn_clock_enable", "ra_clock_enable", "bias_clock_enable", "hm_clock_enable", "ram_power_enable"):
        setattr(config.debug, name, True)
    config.debug.isyn2_clock_enable = two


def wait(read, wanted, patience, what):
    """Events until `wanted` says that they are enough; silence longer than `patience` seconds is an error."""
    seen, last = [], time.monotonic()
    while not wanted(seen):
        fresh = read.get_events()
        if fresh:
            seen.extend(fresh)
            last = time.monotonic()
        elif time.monotonic() - last > patience:
            raise Refused("the board is silent over %s" % what, "check its power and firmware, and that no other program has opened it")
        else:
            time.sleep(0.001)
    return seen


def run(samna, job):
    net = json.loads(job["specification"])["net"]
    newer = job["chip"] == "xylo-audio3"
    package = samna.xyloAudio3 if newer else samna.xyloCore2
    event, when = package.event, "timestep" if newer else "timestamp"
    kind = "XyloAudio3TestBoard" if newer else "XyloA2TestBoard"
    board = opened(samna, (kind,))
    model = board.get_model() if newer else board.get_xylo_model()
    if newer:
        read = samna.graph.sink_from(board.get_model_source_node())
        write = samna.graph.source_to(board.get_model_sink_node())
    else:
        board.get_afe_model().set_saer_interface_enable(False)
        read = samna.graph.sink_from(model.get_source_node())
        write = samna.graph.source_to(model.get_sink_node())
    config = package.configuration.XyloConfiguration()
    configure(config, package.configuration, net, newer)
    config.operation_mode = package.OperationMode.AcceleratedTime
    if newer:
        config.input_source = package.InputSource.SpikeEvents
    validate(package, config)
    patience = job["timeout"]
    model.apply_configuration(config)
    # Applying is asynchronous: a register that comes back says that it has happened.
    write.write([event.ReadRegisterValue(address=0)])
    wait(read, lambda s: any(isinstance(e, event.RegisterValue) for e in s), patience, "its configuration")
    readout = lambda s: [e for e in s if isinstance(e, event.Readout)]
    write.write([event.TriggerReadout()])
    start = max(getattr(readout(wait(read, readout, patience, "its clock"))[0], when), 0)
    last = start + job["steps"] - 1
    spikes = [event.Spike(**{"neuron_id": c, when: start + t}) for t, c in job["events"]]
    end = event.TriggerProcessing(target_timestep=last + 1) if newer else event.Spike(**{"neuron_id": 0, when: last + 1})
    write.write(spikes + [end])
    done = lambda s: any(getattr(e, when) >= last for e in readout(s))
    out = []
    for e in readout(wait(read, done, patience, "its run")):
        step = getattr(e, when) - start
        if 0 <= step < job["steps"]:
            out.extend([step, k, int(n)] for k, n in enumerate(e.output_spikes) if n)
    return sorted(out)


main(run)
