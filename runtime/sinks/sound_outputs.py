"""Where a virtual microphone's sound is played: a microphone made in the sound server, or a loopback device."""

import re
import threading
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from models.errors import InputError
from runtime.clock import Clock
from runtime.portaudio import load_portaudio
from runtime.sinks.feedback_watch import FeedbackWatch, feedback
from runtime.sinks.pulse_modules import PulseMicrophone
from runtime.sinks.pulse_stream import PulseStream
from runtime.sinks.sound_line import RATE_HZ

_BLOCK = RATE_HZ // 100
_GLANCE_S = 0.2  # how often a device that plays by itself is asked whether it still does
_LONGEST_LATENCY_S = 1.0  # what a driver says beyond this is not believed
_END = re.compile(r"\b(?:in|out)put\b")
_CUT_NAME = 31  # Windows' oldest interface shows no more letters of a name

Fill = Callable[[int, int], Float32[np.ndarray, "count 2"]]
"""count, instant at which the first sample is heard (ns) -> so many samples, 48 kHz stereo."""


@runtime_checkable
class SoundOutput(Protocol):
    """A device that is open, or was."""

    @property
    def label(self) -> str:
        """The name by which other programs know it."""
        ...

    def play(self, fill: Fill, stop: threading.Event) -> None:
        """Plays what `fill` gives until `stop` is set. Raises OSError when the device is gone."""
        ...

    def reopen(self) -> None:
        """Opens the device again. Raises InputError or OSError while it is gone."""
        ...

    def close(self) -> None:
        """Frees the device, after `play`. Raises InputError if that does not succeed."""
        ...


class PulseOutput:
    """A microphone of its own in PulseAudio or PipeWire, there for as long as it is open."""

    def __init__(self, label: str, clock: Clock) -> None:
        """Raises InputError as `PulseMicrophone` does, and where the agent would hear itself."""
        self._clock = clock
        self._microphone = PulseMicrophone(label)
        self._stream: PulseStream | None = None
        try:
            if self._microphone.hears_itself():
                raise InputError(feedback(label))
            self._stream = PulseStream(self._microphone.sink, label)
        except OSError as error:
            self._microphone.remove()
            raise InputError(f'the virtual microphone "{label}" cannot be played into: {error}') from error
        except BaseException:
            self._microphone.remove()
            raise

    @property
    def label(self) -> str:
        """The readable name of the source."""
        return self._microphone.label

    def play(self, fill: Fill, stop: threading.Event) -> None:
        """Plays until `stop` is set, in blocks of 10 ms; silence, faded, while the agent hears itself.

        Raises OSError when the server or the sink is gone.
        """
        if self._stream is None:
            raise OSError("the stream is closed")
        try:
            with FeedbackWatch(self._microphone) as watch:
                gain = 0.0
                while not stop.is_set():
                    heard_ns = self._stream.latency_ns() + self._clock.now_ns()
                    before, gain = gain, 0.0 if watch.hears_itself else 1.0
                    fade = np.linspace(before, gain, _BLOCK, dtype=np.float32)[:, None]
                    self._stream.write(fill(_BLOCK, heard_ns) * fade)
        finally:
            self._stream.close()
            self._stream = None

    def reopen(self) -> None:
        """Makes microphone and stream anew. Raises InputError or OSError."""
        self._microphone.make()
        self._stream = PulseStream(self._microphone.sink, self.label)

    def close(self) -> None:
        """Removes the microphone. Raises InputError."""
        if self._stream is not None:  # it never played
            self._stream.close()
            self._stream = None
        self._microphone.remove()


class LoopbackOutput:
    """A sound output that loops back as an input, such as BlackHole or VB-CABLE, through PortAudio."""

    def __init__(self, wanted: str, clock: Clock, microphone: str | None = None) -> None:
        """`wanted`: name of an output, or a part of it; `microphone`: name of the input that the agent listens to.

        Raises InputError: no such output, it cannot be opened, or the agent would hear itself.
        """
        self._sounddevice, self._clock = load_portaudio(), clock
        outputs = [d for d in self._sounddevice.query_devices() if d["max_output_channels"] > 0]
        matching = [d for d in outputs if wanted and wanted.casefold() in str(d["name"]).casefold()]
        if not matching:
            found = ", ".join(str(d["name"]) for d in outputs) or "none"
            raise InputError(
                f"no loopback output '{wanted}'; found: {found}. Install BlackHole (macOS) or VB-CABLE (Windows) and "
                "name it: --output virtual-microphone:NAME"
            )
        self._device = matching[0]
        if microphone is not None and _are_one_device(microphone, self.label):
            raise InputError(
                f"the agent would hear itself: its microphone {microphone} is the other end of its output "
                f"{self.label}; name the real microphone with --microphone"
            )
        self._stream: Any = None
        self._fill: Fill | None = None
        self._failure: Exception | None = None
        try:
            self.reopen()
        except OSError as error:
            raise InputError(f"the loopback output {self.label} cannot be opened: {error}") from error

    @property
    def label(self) -> str:
        """The device's name."""
        return str(self._device["name"])

    def play(self, fill: Fill, stop: threading.Event) -> None:
        """Lets PortAudio's thread ask for sound until `stop` is set.

        Raises OSError when the device is gone, and what `fill` raises.
        """
        self._fill = fill
        try:
            while not stop.wait(_GLANCE_S):
                if self._failure is not None:
                    raise self._failure
                if not self._stream.active:
                    raise OSError("the device plays no more")
        finally:
            self._fill = None
            self.close()

    def reopen(self) -> None:
        """Starts the device, silent until `play`. Raises OSError."""
        try:
            self._stream = self._sounddevice.OutputStream(
                samplerate=RATE_HZ,
                blocksize=_BLOCK,
                device=self._index(),
                channels=min(2, self._device["max_output_channels"]),
                dtype="float32",
                latency="low",
                callback=self._on_block,
            )
            self._stream.start()
        except self._sounddevice.PortAudioError as error:
            self.close()
            raise OSError(str(error)) from error

    def close(self) -> None:
        """Frees the device. May be called twice."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _index(self) -> int:
        """Where PortAudio lists the device now. Raises OSError."""
        for device in self._sounddevice.query_devices():
            if all(device[key] == self._device[key] for key in ("name", "hostapi", "max_output_channels")):
                return int(device["index"])
        raise OSError(f"{self.label} is not connected")

    def _on_block(self, out: Float32[np.ndarray, "n channels"], count: int, time: Any, status: Any) -> None:
        now_ns = self._clock.now_ns()
        latency_s = time.outputBufferDacTime - self._stream.time
        if not 0 <= latency_s < _LONGEST_LATENCY_S:
            latency_s = self._stream.latency
        fill = self._fill
        if fill is None:
            out[:] = 0
        else:
            try:
                out[:] = fill(count, now_ns + round(latency_s * 1e9))[:, : out.shape[1]]
            except Exception as error:  # `play` raises it
                self._failure = error
                raise self._sounddevice.CallbackAbort from error


def _are_one_device(one: str, other: str) -> bool:
    """Whether an input and an output are the ends of one loopback device, as "CABLE Output" and "CABLE Input" are."""
    rests = sorted((" ".join(_END.sub(" ", name.casefold()).split()) for name in (one, other)), key=len)
    is_cut = min(len(one), len(other)) >= _CUT_NAME
    return rests[0] == rests[1] or (is_cut and rests[1].startswith(rests[0]))
