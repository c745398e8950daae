"""Where a virtual microphone's sound is played, and a microphone that is made in the sound server for it."""

import threading
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from models.errors import InputError
from runtime.clock import Clock
from runtime.sinks.feedback_watch import FeedbackWatch, feedback
from runtime.sinks.pulse_modules import PulseMicrophone
from runtime.sinks.pulse_stream import PulseStream
from runtime.sinks.sound_line import RATE_HZ

BLOCK = RATE_HZ // 100

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

    @property
    def source(self) -> str:
        """The server-side name of the source, by which it is recorded from."""
        return self._microphone.source

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
                    fade = np.linspace(before, gain, BLOCK, dtype=np.float32)[:, None]
                    self._stream.write(fill(BLOCK, heard_ns) * fade)
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
