"""The microphone: blocks of sound stamped on the agent's clock."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
from jaxtyping import Float32

from models.errors import InputError
from runtime.answers import Answers
from runtime.clock import Clock
from runtime.portaudio import load_portaudio, renew_devices
from runtime.ring import Ring
from runtime.sound import Sound
from runtime.sources.devices import list_microphones

_log = logging.getLogger(__name__)

_BLOCKS_PER_S = 100
_RING_BLOCKS = 2 * _BLOCKS_PER_S
_LOOK_S = 0.5
"""Without a block for so long, the stream is asked whether it still lives."""
_RETRY_S = 1.0
_CLOSE_S = 0.5  # closing does not wait longer for a driver that hangs
_LONGEST_DELAY_NS = 1_000_000_000
"""Some drivers report no or nonsensical capture times; delays beyond this are not believed."""
_OLD_NS = 1_000_000_000
"""Sound that is older when it is taken is lost: the process slept, or cannot keep up."""
_MUTED_NS = 5_000_000_000
"""Nothing but zeros for so long is no room's silence."""
_ALSA_PLACE = re.compile(r" \(hw:\d+,\d+\)$")
"""Ends a name, and is another when the device is plugged in again."""


class SampleClock:
    """Instants of samples by counting them, slowly pulled towards what the system says.

    A callback comes early or late by milliseconds and a sound card's rate is off by up to 0.1 per mille;
    counting removes the first and the pull the second. Instants never go back.
    """

    _PULL = 0.02  # of the error per block: half a second at 100 blocks a second
    _MOST_NS = 500_000  # per block
    _JUMP_NS = 100_000_000  # sound was lost or the device slept

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._next_ns: float | None = None

    def stamp(self, count: int, measured_ns: int) -> int:
        """Instant of the first of `count` new samples, of which the system says `measured_ns`."""
        if self._next_ns is None or measured_ns - self._next_ns > self._JUMP_NS:
            self._next_ns = float(measured_ns)
        pts_ns = round(self._next_ns)
        pull_ns = min(max((measured_ns - self._next_ns) * self._PULL, -self._MOST_NS), self._MOST_NS)
        self._next_ns += count * 1e9 / self._rate_hz + pull_ns
        return pts_ns


class Microphone:
    """A sound input at its own rate, in mono or stereo and blocks of about 10 ms.

    PortAudio's thread fills a ring of 2 s; when nobody empties it, the oldest blocks are lost and counted. An input
    that goes is looked for by its name, or as the system's default, until it is back.
    """

    def __init__(self, wanted: str | None, clock: Clock) -> None:
        """`wanted`: number, name or part of the name of an input; None for the system's default.

        Raises InputError if PortAudio is missing, or if there is no such input or it cannot be opened.
        """
        self._sounddevice = load_portaudio()
        self._clock = clock
        self._ring: Ring[Sound] = Ring(_RING_BLOCKS)
        self._overflows = self._too_old = 0
        self._heard_ns: int | None = None  # when there was last anything but zeros
        self._told_muted = False
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._is_default = wanted is None
        self._index, self.name = _chosen(wanted)
        self.answers = Answers(f"microphone {self.name}", "nothing is heard until it does", clock)
        try:
            self._stream: Any = self._opened()
        except self._sounddevice.PortAudioError as error:
            raise InputError(
                f"microphone {self._index} ({self.name}) cannot be opened: {error}; {list_microphones()}"
            ) from error

    @property
    def lost(self) -> int:
        """Blocks lost because the agent was late, and times the system says that it lost sound itself."""
        return self._ring.dropped + self._too_old + self._overflows

    def __iter__(self) -> Iterator[Sound]:
        """Yields blocks in order; waits while the input is gone or does not answer. Ends after `close`."""
        while not self._stop.is_set():
            sound = self._ring.take(_LOOK_S)
            self.answers.look()
            if sound is not None:
                if self._clock.now_ns() - sound.end_ns > _OLD_NS:
                    self._too_old += 1
                    continue
                self._note_silence(sound)
                yield sound
            elif self._close_dead_stream():
                self._reopen()

    def close(self) -> None:
        """Ends the iterator and frees the input, unless its driver hangs."""
        self._stop.set()
        self._ring.close()
        closing = threading.Thread(target=self._close_under_lock, name="closing microphone", daemon=True)
        closing.start()
        closing.join(_CLOSE_S)
        if closing.is_alive():
            _log.warning("microphone %s does not answer and is left behind", self.name)

    def _note_silence(self, sound: Sound) -> None:
        if self._heard_ns is None or sound.samples.any():
            self._heard_ns = sound.end_ns
        elif sound.end_ns - self._heard_ns >= _MUTED_NS and not self._told_muted:
            self._told_muted = True
            _log.warning("microphone %s gives nothing but silence: is it muted?", self.name)

    def _close_under_lock(self) -> None:
        with self._lock:
            self._close_stream()

    def _close_stream(self) -> None:
        """Closes what is open. PortAudio's streams bear one thread at a time: call it under the lock."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _close_dead_stream(self) -> bool:
        """Whether the input is gone; false once `close` was called."""
        if not self._lock.acquire(blocking=False):  # somebody closes it
            return False
        with ExitStack() as held:
            held.callback(self._lock.release)
            if self._stream is None or self._stream.active:
                return False
            self.answers.end()
            self._close_stream()
            return True

    def _opened(self) -> Any:
        """A running `sounddevice.InputStream`."""
        info = self._sounddevice.query_devices(self._index)
        rate_hz = round(info["default_samplerate"])
        samples_clock = SampleClock(rate_hz)

        def on_block(samples: Float32[np.ndarray, "n channels"], count: int, time: Any, status: Any) -> None:
            now_ns, now_s = self._clock.now_ns(), stream.time  # later than `time` says: Python had to wait its turn
            block_ns = round(count * 1e9 / rate_hz)
            delay_ns = round((now_s - time.inputBufferAdcTime) * 1e9)
            if not block_ns <= delay_ns < _LONGEST_DELAY_NS:  # no block arrives before its last sample
                delay_ns = block_ns
            self.answers.begin()
            self._overflows += bool(status.input_overflow)
            self._ring.put(Sound(samples.copy(), rate_hz, samples_clock.stamp(count, now_ns - delay_ns)))

        stream = self._sounddevice.InputStream(
            samplerate=rate_hz,
            blocksize=rate_hz // _BLOCKS_PER_S,
            device=self._index,
            channels=min(2, info["max_input_channels"]),
            dtype="float32",
            latency="low",
            callback=on_block,
        )
        try:
            stream.start()
        except self._sounddevice.PortAudioError:
            stream.close()
            raise
        self.answers.begin()
        return stream

    def _reopen(self) -> None:
        """Says once that the input is gone and tries every second until it is back or `close` is called."""
        _log.warning("microphone %s is gone: waiting for it to come back", self.name)
        while not self._stop.wait(_RETRY_S):
            try:
                renew_devices(self._sounddevice)
                self._index = self._found_again()
                stream = self._opened()  # without the lock: `close` finds nothing to close and need not wait
            except (self._sounddevice.PortAudioError, InputError):
                continue
            self._heard_ns = None
            with self._lock:
                self._stream = stream
                if self._stop.is_set():  # closed while it opened
                    self._close_stream()
                    return
            _log.warning("microphone %s is back", self.name)
            return

    def _found_again(self) -> int:
        """PortAudio's index of the same input now. Raises InputError while there is none."""
        if self._is_default:
            return _chosen(None)[0]
        devices = list_microphones().devices
        for same in (str, _without_place):
            for device in devices:
                if same(device.name) == same(self.name):
                    return device.id
        raise InputError(f"no microphone '{self.name}'")


def _without_place(name: str) -> str:
    return _ALSA_PLACE.sub("", name)


def _chosen(wanted: str | None) -> tuple[int, str]:
    """PortAudio's index and the name of an input. Raises InputError."""
    import sounddevice

    microphones = list_microphones()
    if wanted is not None:
        device = microphones.pick(wanted)
        if device is None:
            raise InputError(f"no microphone '{wanted}'; {microphones}")
        return device.id, device.name
    try:
        info = sounddevice.query_devices(kind="input")
    except (sounddevice.PortAudioError, ValueError) as error:
        raise InputError(f"no microphone; {microphones}. A sound file works too: --microphone FILE") from error
    return int(info["index"]), str(info["name"])
