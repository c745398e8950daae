"""espeak-ng through its library: speech with the sample at which each phone starts."""

import ctypes
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from a2m import phones
from a2m.segments import Segment, expand
from a2m.sound import Utterance

_SYNCHRONOUS, _PHONEME_EVENTS, _IPA, _UTF8 = 2, 1, 2, 1
_PHONEME, _END = 7, 0
_RATE, _PITCH, _RANGE = 1, 3, 4
_SILENT = 2e-3
_LONGEST_CLOSURE_S = 0.11


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("identifier", ctypes.c_uint), ("position", ctypes.c_int), ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("id", _Id),
    )  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """One per process: the library has global state."""

    def __init__(self) -> None:
        """Raises OSError when libespeak-ng is not installed."""
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _IPA)
        self._library.espeak_Synth.argtypes = [
            ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        self._parts: list[np.ndarray] = []
        self._starts: list[tuple[int, str]] = []
        self._callback = _Callback(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, rate: int, pitch: int, pitch_range: int) -> Utterance:
        """`voice`: a language, or language+variant; `rate` in words per minute, the others 0..99.

        Raises ValueError for an unknown voice.
        """
        self._parts.clear()
        self._starts.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        samples = np.concatenate([np.zeros(0, np.int16), *self._parts]).astype(np.float32) / 32768
        return Utterance(samples, self._rate_hz, _with_closures(samples, self._rate_hz, self._spans(len(samples))))

    def _hear(self, samples: "ctypes._Pointer", count: int, events: "ctypes._Pointer") -> int:
        if samples and count > 0:
            self._parts.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type != _END:
            if events[i].type == _PHONEME:
                name = bytes(events[i].id.string).split(b"\0")[0].decode("utf8", "replace")
                if not name.startswith("("):  # a switch of language
                    self._starts.append((events[i].sample, name))
            i += 1
        return 0

    def _spans(self, count: int) -> Sequence[Segment]:
        ends = [start for start, _ in self._starts[1:]] + [count]
        return expand(
            (start / self._rate_hz, end / self._rate_hz, name)
            for (start, name), end in zip(self._starts, ends, strict=True)
        )


def _with_closures(samples: np.ndarray, rate_hz: int, segments: Sequence[Segment]) -> list[Segment]:
    """Stops start with their closure.

    espeak-ng marks a voiceless stop at its burst; the silence before it still lies in the phone before.
    """
    out = list(segments)
    step = rate_hz // 200
    loud = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(1) >= _SILENT
    for i in range(1, len(out)):
        before, stop = out[i - 1], out[i]
        if stop.phone not in phones.VOICELESS_STOPS:
            continue
        burst = min(int(stop.start * rate_hz / step), len(loud))
        earliest = max(burst - int(_LONGEST_CLOSURE_S * 200), 0)
        sounding = np.flatnonzero(loud[earliest : max(burst - 1, earliest)])
        start = (earliest + (sounding[-1] + 1 if len(sounding) else 0)) * step / rate_hz
        if before.phone != phones.SILENCE and stop.start - start > 0.008:
            start = max(start, before.start + 0.01)
            out[i - 1], out[i] = replace(before, end=start), replace(stop, start=start, release=stop.start + 0.005)
        elif before.phone == phones.SILENCE:
            start = max(stop.start - 0.06, before.start)
            out[i - 1], out[i] = replace(before, end=start), replace(stop, start=start, release=stop.start + 0.005)
    return out
