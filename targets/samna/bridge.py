"""Between Synfire and samna, on the machine of a board's owner.

In: one JSON object on standard input (`chip`, `specification`: the text of the chip's native file, `events`: [step, word] in order, `steps`, `dt`: seconds a step or null, `timeout`: seconds
of silence). Out: one line on standard output that begins with `synfire ` and holds a JSON object: `spikes`: [step, word, count], or `error` with a `hint`.
The configuration is set attribute by attribute, validated by samna itself, and applied fresh, so that every run begins at the initial state. What follows this text is the chip's own: `run`, and the call of `main`.
"""
import json
import sys
import time


class Refused(Exception):
    """What cannot be done, and what would help."""

    def __init__(self, what, hint):
        super().__init__(what)
        self.hint = hint


def opened(samna, kinds):
    """The first board of these kinds."""
    found = [d for d in samna.device.get_all_devices() if d.device_type_name in kinds]
    if not found:
        raise Refused("samna sees no %s" % " or ".join(kinds), "plug the board in; its firmware must be one that this samna knows")
    return samna.device.open_device(found[0])


def validate(package, config):
    """Samna's own check of a configuration."""
    good, why = package.validate_configuration(config)
    if not good:
        raise Refused("samna refuses the configuration: %s" % why, "this may be a defect of the compiler: please report it")


def main(run):
    job = json.load(sys.stdin)
    try:
        import samna

        answer = {"spikes": run(samna, job)}
    except ImportError as e:
        answer = {"error": "this Python has no samna: %s" % e, "hint": "install the vendor's package there, or name another interpreter: bridge:PYTHON"}
    except Refused as e:
        answer = {"error": str(e), "hint": e.hint}
    except Exception as e:  # samna's own errors are of no common kind
        answer = {"error": "%s: %s" % (type(e).__name__, e), "hint": "samna failed; its own examples say whether the board works"}
    sys.stdout.write("synfire " + json.dumps(answer) + "\n")


