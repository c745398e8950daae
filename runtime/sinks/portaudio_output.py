"""An output that is there already, played into through PortAudio: a loudspeaker, or a device that loops back."""

import threading
from typing import Any

import numpy as np
from jaxtyping import Float32

from runtime.clock import Clock
from runtime.portaudio import load_portaudio
from runtime.sinks.sound_line import RATE_HZ
from runtime.sinks.sound_outputs import BLOCK, Fill

_GLANCE_S = 0.2  # how often a device that plays by itself is asked whether it still does
_LONGEST_LATENCY_S = 1.0  # what a driver says beyond this is not believed


class PortAudioOutput:
    """SoundOutput: one of PortAudio's devices."""

    def __init__(self, device: Any, clock: Clock) -> None:
        """`device`: as PortAudio describes it. Raises OSError where it cannot be opened."""
        self._sounddevice, self._device, self._clock = load_portaudio(), device, clock
        self._stream: Any = None
        self._fill: Fill | None = None
        self._failure: Exception | None = None
        self.reopen()

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
