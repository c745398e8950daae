"""A stream into a sink of PulseAudio, or of PipeWire in its place, through libpulse's simple interface.

PortAudio can reach such a sink only through ALSA's plugin for PulseAudio, which many desktops lack, and would take its
name from an environment variable of the whole process. This library comes along with `pactl`.
"""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from functools import cache

import numpy as np
from jaxtyping import Float32

from models.errors import InputError
from runtime.sinks.sound_line import RATE_HZ

_PLAYBACK, _FLOAT32LE = 1, 5
_DEFAULT = 2**32 - 1
_BYTES_PER_S = RATE_HZ * 2 * 4
_BUFFERED_S = 0.04  # 0.02 lost sound in a test on two busy cores


class _Format(ctypes.Structure):
    _fields_ = (("format", c_int), ("rate", c_uint32), ("channels", c_uint8))


class _Buffering(ctypes.Structure):
    _fields_ = tuple((name, c_uint32) for name in ("maxlength", "tlength", "prebuf", "minreq", "fragsize"))


class PulseStream:
    """Plays 48 kHz stereo; about 40 ms are buffered."""

    def __init__(self, sink: str, label: str) -> None:
        """Raises InputError if libpulse is missing, OSError if the server does not take the stream."""
        self._library = _library()
        error = c_int()
        buffering = _Buffering(_DEFAULT, int(_BUFFERED_S * _BYTES_PER_S), _DEFAULT, _DEFAULT, _DEFAULT)
        self._stream = self._library.pa_simple_new(
            None,
            b"portrait-agent",
            _PLAYBACK,
            sink.encode(),
            label.encode(),
            byref(_Format(_FLOAT32LE, RATE_HZ, 2)),
            None,
            byref(buffering),
            byref(error),
        )
        if not self._stream:
            raise self._failure(error)

    def latency_ns(self) -> int:
        """In how long the next sample that is written will be heard. Raises OSError if the server is gone."""
        error = c_int()
        latency_us = self._library.pa_simple_get_latency(self._stream, byref(error))
        if error.value:
            raise self._failure(error)
        return int(latency_us) * 1000

    def write(self, samples: Float32[np.ndarray, "n 2"]) -> None:
        """Waits until there is room for the samples. Raises OSError if the server is gone."""
        error = c_int()
        if self._library.pa_simple_write(self._stream, samples.ctypes.data, samples.nbytes, byref(error)) < 0:
            raise self._failure(error)

    def close(self) -> None:
        """Ends the stream; what is buffered is not heard. Once, and nothing may be called afterwards."""
        self._library.pa_simple_free(self._stream)

    def _failure(self, error: c_int) -> OSError:
        return OSError(f"the sound server says: {self._library.pa_strerror(error).decode()}")


@cache
def _library() -> ctypes.CDLL:
    """Raises InputError."""
    try:
        library = ctypes.CDLL("libpulse-simple.so.0")
    except OSError:
        raise InputError("a virtual microphone needs libpulse-simple.so.0: sudo apt install libpulse0") from None
    errors = POINTER(c_int)
    new = (c_char_p, c_char_p, c_int, c_char_p, c_char_p, POINTER(_Format), c_void_p, POINTER(_Buffering), errors)
    library.pa_simple_new.argtypes, library.pa_simple_new.restype = new, c_void_p
    library.pa_simple_write.argtypes = (c_void_p, c_void_p, c_size_t, errors)
    library.pa_simple_get_latency.argtypes, library.pa_simple_get_latency.restype = (c_void_p, errors), c_uint64
    library.pa_simple_free.argtypes, library.pa_simple_free.restype = (c_void_p,), None
    library.pa_strerror.argtypes, library.pa_strerror.restype = (c_int,), c_char_p
    return library
