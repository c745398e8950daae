"""Of camera, microphone and profile."""

from collections.abc import Iterator

from agent.doctor.facts.sound import SoundSource, SoundSystem
from agent.doctor.facts.video import VideoNode
from agent.doctor.finding import Finding
from agent.doctor.system import Equipment, System
from agent.doctor.trials.camera import CameraTrial
from agent.doctor.trials.microphone import MicrophoneTrial
from agent.doctor.trials.profile import ProfileTrial
from agent.plan import is_virtual_microphone
from runtime.sinks.pulse_modules import START_SERVER

_DARK = 12  # of 255
_FLAT = 2  # noise alone is more
_SLOW_FPS = 14
_SPEECH_RATE_HZ = 16_000
_FAINT = 1e-3  # a quiet room is louder
_LEAST_VOLUME = 5  # per cent
_OWN = "portrait-agent-"
_ALLOW = {
    "darwin": "allow the terminal in System Settings, Privacy & Security, {}, and start it again",
    "win32": "let desktop apps use it in Settings, Privacy & security, {}",
}
"""Systems that keep devices from programs without a word."""


def check_camera(system: System, equipment: Equipment, trial: CameraTrial) -> Iterator[Finding]:
    """Findings "camera.*"."""
    node = next((node for node in equipment.video if node.path == trial.path), None)
    if trial.refusal:
        yield _refused_camera(system, equipment, trial, node)
        return
    if node is not None and node.is_virtual:
        what = f"{trial.name} ({trial.path}) is a virtual camera: what the agent shows could come back to it"
        yield Finding("camera.virtual", "warning", what, "name a real one: --camera NAME (see agent devices)")
    if trial.light < _DARK:
        what = f"{trial.name} sees nothing but dark (brightness {trial.light:.0f} of 255)"
        yield Finding("camera.dark", "warning", what, "open its shutter, take off its cover, or make light")
    elif trial.contrast < _FLAT:
        what = f"{trial.name} shows one colour all over"
        yield Finding("camera.flat", "warning", what, "take off its cover, or name another: --camera NAME")
    if trial.fps < _SLOW_FPS:
        what = f"{trial.name} gives {trial.fps:.0f} pictures a second"
        yield Finding("camera.rate", "warning", what, "make more light, or use another USB socket without a hub")
    about = f"{trial.name}, {trial.width}x{trial.height} at {trial.fps:.0f} fps, brightness {trial.light:.0f} of 255"
    yield Finding("camera.ok", "ok", about)


def _refused_camera(system: System, equipment: Equipment, trial: CameraTrial, node: VideoNode | None) -> Finding:
    cause, _, remedy = trial.refusal.partition(": ")
    if node is not None and node.holders:
        users = ", ".join(node.holders)
        return Finding("camera.busy", "failure", f"{cause}; it is open in {users}", f"close {users}")
    real = [node for node in equipment.video if not node.is_virtual]
    if any(not node.may_open for node in real):
        return Finding("camera.permission", "failure", cause, "sudo usermod -aG video $USER, then log in again")
    if system.platform == "linux" and not real:
        what = trial.refusal.partition(". ")[0]
        return Finding("camera.none", "failure", what, "connect one, or play a video file: --camera FILE")
    if system.platform in _ALLOW:
        return Finding("camera.open", "failure", trial.refusal, _ALLOW[system.platform].format("Camera"))
    if "; found" in cause:  # it is not there, and these are
        return Finding("camera.open", "failure", trial.refusal, "name one of them: --camera NAME")
    return Finding("camera.open", "failure", cause, remedy or "connect it anew, or name another: --camera NAME")


def check_microphone(system: System, equipment: Equipment, trial: MicrophoneTrial) -> Iterator[Finding]:
    """Findings "microphone.*"."""
    sound = equipment.sound
    default = sound.default if equipment.plan.microphone == "" else None
    if default is not None and default.name.startswith(_OWN):
        yield _own(equipment, default)
        return
    if default is not None:
        yield from _default_source(sound, default)
        yield from _echo(sound, default)
    if trial.refusal:
        yield _refused_microphone(sound, trial)
        return
    if trial.heard_s == 0:
        what = f"{trial.name} opens and gives no sound"
        yield Finding("microphone.nothing", "failure", what, "choose another: --microphone NAME (see agent devices)")
        return
    if trial.peak == 0 and not (default is not None and (default.is_muted or default.volume == 0)):
        what = f"{trial.name} gives digital silence"
        remedy = "switch it on, or choose another: --microphone NAME"
        yield Finding("microphone.silence", "warning", what, _ALLOW.get(system.platform, remedy).format("Microphone"))
    elif 0 < trial.peak < _FAINT:
        what = f"{trial.name} is very quiet (peak {trial.peak:.5f})"
        yield Finding("microphone.quiet", "note", what, "speak while agent doctor listens; raise its volume")
    if trial.rate_hz < _SPEECH_RATE_HZ:
        what = f"{trial.name} gives {trial.rate_hz} samples a second, {_SPEECH_RATE_HZ} are needed to tell sounds apart"
        yield Finding("microphone.rate", "warning", what, "use another than a Bluetooth headset's: --microphone NAME")
    yield Finding("microphone.ok", "ok", f"{trial.name}, {trial.rate_hz} Hz, peak {trial.peak:.3f}")


def check_profile(trial: ProfileTrial) -> Iterator[Finding]:
    """Findings "profile.*"."""
    if trial.refusal:
        yield Finding("profile.refused", "failure", trial.refusal)
    else:
        yield Finding("profile.ok", "ok", f"{trial.path} can be read")
    for line in trial.said:
        yield Finding("profile.said", "warning", line)


def _refused_microphone(sound: SoundSystem, trial: MicrophoneTrial) -> Finding:
    if not sound.has_portaudio:
        return Finding(
            "microphone.portaudio", "failure", "PortAudio is not installed", "sudo apt install libportaudio2"
        )
    if sound.has_pactl and not sound.server:
        what = "no sound server answers, so there is none"
        return Finding("microphone.server", "failure", what, f"{START_SERVER}; or --microphone FILE")
    what = trial.refusal.partition(". ")[0]
    return Finding("microphone.open", "failure", what, "--microphone NAME (see agent devices), or --microphone FILE")


def _own(equipment: Equipment, source: SoundSource) -> Finding:
    refused = any(map(is_virtual_microphone, equipment.plan.outputs))
    what = f"the system's microphone is the agent's own ({source.title}): it would hear itself"
    return Finding("microphone.own", "failure" if refused else "warning", what, _another(equipment.sound))


def _default_source(sound: SoundSystem, source: SoundSource) -> Iterator[Finding]:
    if source.is_monitor:
        what = f"the system's microphone is what the loudspeaker plays ({source.title})"
        yield Finding("microphone.monitor", "warning", what, _another(sound))
    if source.is_muted:
        remedy = "pactl set-source-mute @DEFAULT_SOURCE@ 0"
        yield Finding("microphone.muted", "warning", f"{source.title} is muted", remedy)
    elif source.volume is not None and source.volume < _LEAST_VOLUME:
        what = f"{source.title} is turned down to {source.volume} %"
        yield Finding("microphone.volume", "warning", what, "pactl set-source-volume @DEFAULT_SOURCE@ 100%")


def _echo(sound: SoundSystem, source: SoundSource) -> Iterator[Finding]:
    better = [o.name for o in sound.others if o.takes_echo_out and not o.is_monitor]
    if better and not source.takes_echo_out:
        what = f"in a call without headphones, {source.title} hears the other end; {better[0]} does not"
        yield Finding("microphone.echo", "note", what, f"pactl set-default-source {better[0]}")


def _another(sound: SoundSystem) -> str:
    """How to make another input the default one."""
    real = [other.name for other in sound.others if not other.is_monitor and not other.name.startswith(_OWN)]
    return f"pactl set-default-source {real[0]}" if real else "connect a microphone"
