"""The virtual microphone: a tone is played into it and recorded as another program records."""

import subprocess
import threading

import numpy as np
from jaxtyping import Float32

from agent.doctor.trials.output import OutputTrial
from models.errors import AgentError
from runtime.clock import MonotonicClock
from runtime.sinks.sound_line import RATE_HZ
from runtime.sinks.sound_outputs import PulseOutput, SoundOutput
from runtime.sinks.virtual_microphone import open_sound_output

_TONE_HZ = 1000
_AMPLITUDE = 0.25
_RECORDED_S = 1.5
_PIECE = RATE_HZ // 20
_PATIENCE_S = 8.0


def try_virtual_microphone(output: str, microphone: str | None) -> OutputTrial:
    """`output` as in `--output`; `microphone` is the name of what the run listens to."""
    try:
        device = open_sound_output(output.partition(":")[2], MonotonicClock(), microphone)
    except AgentError as error:
        return OutputTrial(output, refusal=str(error))
    if not isinstance(device, PulseOutput):
        device.close()
        return OutputTrial(output, device.label, untried="its other end is not known on this system")
    stop = threading.Event()
    player = threading.Thread(target=_play, args=(device, stop), name="trial tone", daemon=True)
    player.start()
    difference = untried = ""
    try:
        difference = _difference(_record(device.source))
    except FileNotFoundError:
        untried = "parec is not installed"
    finally:
        stop.set()
        player.join(_PATIENCE_S)
    if player.is_alive():  # inside the device, which is left open
        return OutputTrial(output, device.label, difference="the sound server takes no more of it")
    try:
        device.close()
    except AgentError as error:
        return OutputTrial(output, device.label, refusal=str(error))
    return OutputTrial(output, device.label, difference=difference, untried=untried)


def _play(device: SoundOutput, stop: threading.Event) -> None:
    played = 0

    def tone(count: int, _: int) -> Float32[np.ndarray, "count 2"]:
        nonlocal played
        t = np.arange(played, played + count) / RATE_HZ
        played += count
        wave = _AMPLITUDE * np.sin(2 * np.pi * _TONE_HZ * t)
        return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)

    try:
        device.play(tone, stop)
    except OSError:
        return  # the server has gone: nothing will be recorded either


def _record(source: str) -> Float32[np.ndarray, "n"]:
    """Sound of a PulseAudio source, mono. Raises FileNotFoundError without `parec`."""
    options = (f"--device={source}", "--format=float32le", f"--rate={RATE_HZ}", "--channels=1", "--latency-msec=20")
    command = ["parec", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as recorder:
        assert recorder.stdout is not None
        ending = threading.Timer(_PATIENCE_S, recorder.kill)
        ending.start()
        data = recorder.stdout.read(round(_RECORDED_S * RATE_HZ) * 4)
        ending.cancel()
        recorder.kill()
    return np.frombuffer(data[: len(data) // 4 * 4], np.float32)


def _difference(recorded: Float32[np.ndarray, "n"]) -> str:
    """What is wrong with a recording of the tone; one piece is enough, as a busy machine tears holes into it."""
    pieces = [recorded[start : start + _PIECE] for start in range(0, len(recorded) - _PIECE + 1, _PIECE)]
    faults = [_fault(piece) for piece in pieces]
    if "" in faults:
        return ""
    return faults[-1] if faults else "nothing was recorded"


def _fault(piece: Float32[np.ndarray, "n"]) -> str:
    if not piece.any():
        return "silence was recorded"
    turning = np.exp(-2j * np.pi * _TONE_HZ * np.arange(len(piece)) / RATE_HZ)
    amplitude = 2 * abs(np.mean(piece * turning))
    rest = np.sqrt(max(0.0, 2 * float(np.mean(np.square(piece))) - amplitude**2))
    if abs(amplitude - _AMPLITUDE) > _AMPLITUDE / 2:
        return f"the tone was recorded at {amplitude / _AMPLITUDE:.0%} of its loudness"
    return "something else is heard besides the tone" if rest > _AMPLITUDE / 2 else ""
