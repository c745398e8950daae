"""A loopback device that a virtual microphone's sound is played into, where none can be made."""

import re
import threading
from typing import Any

import numpy as np
from jaxtyping import Float32

from models.errors import InputError
from runtime.clock import Clock
from runtime.portaudio import load_portaudio
from runtime.sinks.sound_line import RATE_HZ
from runtime.sinks.sound_outputs import BLOCK, Fill

_GLANCE_S = 0.2  # how often a device that plays by itself is asked whether it still does
_LONGEST_LATENCY_S = 1.0  # what a driver says beyond this is not believed
_END = re.compile(r"\b(?:in|out)put\b")
_CUT_NAME = 31  # Windows' oldest interface shows no more letters of a name


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
                blocksize=BLOCK,
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
