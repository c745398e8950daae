"""Of all outputs but the virtual camera."""

from collections.abc import Iterator

from agent.doctor.finding import Finding
from agent.doctor.system import Equipment
from agent.doctor.trials.output import OutputTrial
from agent.plan import is_file_output
from runtime.sinks.pulse_modules import START_SERVER


def check_virtual_microphone(equipment: Equipment, trial: OutputTrial) -> Iterator[Finding]:
    """Findings "virtual-microphone.*"."""
    sound = equipment.sound
    if trial.refusal and not sound.has_pactl:
        remedy = "sudo apt install pulseaudio-utils"
        what = trial.refusal.removesuffix(f": {remedy}")
        yield Finding("virtual-microphone.pactl", "failure", what, remedy)
    elif trial.refusal and not sound.server:
        what = trial.refusal.removesuffix(f": {START_SERVER}")
        yield Finding("virtual-microphone.server", "failure", what, START_SERVER)
    elif trial.refusal:
        yield Finding("virtual-microphone.open", "failure", trial.refusal)
    elif trial.difference:
        what = f"a tone was played into {trial.where}, and {trial.difference}"
        yield Finding("virtual-microphone.sound", "failure", what, "restart the sound server")
    elif trial.untried:
        what = f"{trial.where} opens; not recorded from: {trial.untried}"
        yield Finding("virtual-microphone.unheard", "note", what)
    else:
        yield Finding("virtual-microphone.ok", "ok", f"{trial.where}, played into and recorded from")


def check_other_output(trial: OutputTrial) -> Iterator[Finding]:
    """Findings "preview.*", "webrtc.*", "whip.*" and "file.*"."""
    group = "file" if is_file_output(trial.output) else trial.output.partition(":")[0]
    if trial.refusal:
        yield Finding(f"{group}.open", "failure", trial.refusal)
    elif trial.difference:
        what = f"{trial.where} was written and read back: {trial.difference}"
        remedy = "choose another ending, such as .mp4" if group == "file" else "close what filters 127.0.0.1"
        yield Finding(f"{group}.picture", "failure", what, remedy)
    elif trial.untried:
        yield Finding(f"{group}.untried", "note", f"{trial.output} was left alone: {trial.untried}")
    else:
        yield Finding(f"{group}.ok", "ok", f"{trial.where}, written and read back")
