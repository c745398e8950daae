"""SpectralMouth: the plain driver from sound to mouth, by rules on the spectrum.

The simple one: it hears how loud, how open and how bright the voice is, and nothing else. It has learned nothing
and is to be replaced by a trained model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from models.ease import smoothstep
from models.motion import COEFFICIENTS, INDEX, Motion
from runtime.frame import SPEECH_RATE_HZ, AudioWindow, Sound
from runtime.resample import SpeechWindows

HOP = 320
"""Samples of speech per motion: 50 motions per second."""
LOOK_AHEAD_NS = 60_000_000
"""A motion is emitted when the sound up to this long after its instant is known."""

_HOP_NS = HOP * 1_000_000_000 // SPEECH_RATE_HZ
_STEP = 160  # samples from one analysed frame to the next
_STEP_S = _STEP / SPEECH_RATE_HZ
_FRAME = 512
_FFT = 1024  # padded, so that the autocorrelation does not wrap

# Where the running estimates start: a voice at an ordinary level in a quiet room. Decibels of full scale.
_LEVEL_DB, _F1_DB, _F2_DB = -26.0, -5.0, -2.0
_FLOOR_DB = -60.0
_LOWEST_DB = -85.0  # what is quieter is silence in any room
_PRIOR_FRAMES = 12  # voiced frames that weigh as much as the starting values
_MEMORY_FRAMES = 300

_POSE = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretch", "mouthSmile", "mouthPress",
    "mouthLowerDown", "mouthUpperUp", "mouthNeutral", "browInnerUp", "nod", "confidence",
)  # fmt: skip
_SIDES = [
    (i, INDEX[side]) for i, name in enumerate(_POSE) for side in (name, name + "Left", name + "Right") if side in INDEX
]
_FROM, _TO = (list(column) for column in zip(*_SIDES, strict=True))
_QUICK = np.array([name in ("mouthClose", "mouthPress") for name in _POSE])

# Centres of the frames kept, in seconds after the instant of the motion; the oldest first.
_OFFSETS_S = LOOK_AHEAD_NS / 1e9 - _FRAME / 2 / SPEECH_RATE_HZ - _STEP_S * np.arange(11)[::-1]

Samples = Float64[np.ndarray, "512"]
Spectrum = Float64[np.ndarray, "513"]
Pose = Float64[np.ndarray, "13"]
Kernel = Float64[np.ndarray, "11"]


class SpectralMouth:
    """Driver[Sound]: 50 motions per second that move mouth and brows and nod a little.

    The motion at `pts_ns` follows from the sound up to `pts_ns + LOOK_AHEAD_NS` and does not depend on how the
    sound was cut into blocks. Confidence and `mouthNeutral` rise to 1 with the first voiced sound and ease to 0 from a
    second after the last.
    """

    def __init__(self) -> None:
        self._windows = SpeechWindows(hop_samples=HOP)
        self._ear = _Ear()
        self._face = _Face()
        self._begin()

    def push(self, sound: Sound) -> Sequence[Motion]:
        """Takes the next block of sound; returns the motions that it completes, in time order."""
        return [motion for window in self._windows.push(sound) for motion in self._hear(window)]

    def close(self) -> None:
        """Does nothing: there is no model to free."""

    def _begin(self) -> None:
        self._samples: Samples = np.zeros(_FRAME)
        self._poses = np.zeros((len(_OFFSETS_S), len(_POSE)))
        self._heard_ns = 0
        self._next_ns: int | None = None

    def _hear(self, window: AudioWindow) -> list[Motion]:
        if self._next_ns is not None and abs(window.pts_ns - self._next_ns) > _HOP_NS:
            self._begin()  # the sound goes on elsewhere in time; what is known of room and voice stays
        self._next_ns = window.pts_ns + _HOP_NS
        for step in window.samples.astype(np.float64).reshape(-1, _STEP):
            self._samples = np.concatenate([self._samples[_STEP:], step])
            pose = self._face.follow(self._ear.hear(self._samples))
            self._poses = np.vstack([self._poses[1:], pose])
        self._heard_ns += _HOP_NS
        return [self._motion(self._next_ns - LOOK_AHEAD_NS)] if self._heard_ns >= LOOK_AHEAD_NS else []

    def _motion(self, pts_ns: int) -> Motion:
        pose: Pose = np.where(_QUICK, _QUICK_KERNEL @ self._poses, _KERNEL @ self._poses)
        jaw, close, nod, confidence = (_POSE.index(n) for n in ("jawOpen", "mouthClose", "nod", "confidence"))
        pose[close] *= pose[jaw]  # lips that meet undo what the jaw has opened
        expression = np.zeros(len(COEFFICIENTS), np.float32)
        expression[_TO] = pose[_FROM]
        rotation = np.array([pose[nod], 0.0, 0.0], np.float32)
        return Motion(pts_ns, expression, rotation, confidence=min(float(pose[confidence]), 1.0))


@dataclass(frozen=True, slots=True)
class _Heard:
    """What one frame of sound tells about the mouth."""

    voice: float
    """0..1: a periodic sound that stands out of the noise floor."""
    loudness: float
    """0 is inaudible, 0.75 the speaker's mean, 1.2 the limit."""
    accent: float
    """0..1: how far a voice exceeds the speaker's mean loudness."""
    openness: float
    """-1..1: first formant low (u, i, m) to high (a), against the speaker's mean."""
    brightness: float
    """-1..1: second formant low (u, o) to high (i, e), against the speaker's mean."""
    hiss: float
    """0..1: a fricative."""
    hush: float
    """0..1: if it is one, like sh rather than s."""
    closure: float
    """0..1: how abruptly the voice has just fallen, as it does behind closed lips."""


class _Ear:
    """Analyses frame after frame, 10 ms apart; adapts to room, loudness and voice within about a second."""

    def __init__(self) -> None:
        self._room_db = np.full(_MEMORY_FRAMES, _FLOOR_DB)
        self._means_db = np.array([_LEVEL_DB, _F1_DB, _F2_DB])
        self._weight = float(_PRIOR_FRAMES)
        self._peak_db = _LOWEST_DB

    def hear(self, samples: Samples) -> _Heard:
        """The next frame; any finite samples."""
        spectrum = np.abs(np.fft.rfft((samples - samples.mean()) * _WINDOW, _FFT)) ** 2
        level = _band_db(spectrum, 500, 3400)
        f1 = _band_db(spectrum, 500, 1100) - _band_db(spectrum, 200, 450)
        f2 = _band_db(spectrum, 1600, 3200) - _band_db(spectrum, 700, 1500)
        high = _band_db(spectrum, 4000, 7800)
        hush = smoothstep(-6.0, 4.0, float(_band_db(spectrum, 1800, 3800) - high))
        voiced = smoothstep(0.45, 0.75, float(_periodicity(spectrum)))
        present = smoothstep(5.0, 14.0, float(level - self._floor_db(level, voiced)))
        voice = voiced * present

        self._weight = min(self._weight + voice, float(_MEMORY_FRAMES))
        self._means_db += (np.array([level, f1, f2]) - self._means_db) * voice / self._weight
        above, f1_above, f2_above = np.array([level, f1, f2]) - self._means_db
        hiss = (
            (1 - voiced)
            * smoothstep(0.0, 6.0, float(high - level))
            * smoothstep(-26.0, -14.0, float(high - self._means_db[0]))
        )
        self._peak_db = max(level, self._peak_db - 80.0 * _STEP_S)
        fallen = smoothstep(9.0, 18.0, float(self._peak_db - level)) * (1 - hiss)
        return _Heard(
            voice=voice,
            loudness=float(np.clip((above + 24.0) / 32.0, 0.0, 1.2)) * present,
            accent=smoothstep(1.0, 9.0, float(above)) * voice,
            openness=float(np.clip(f1_above / 12.0, -1.0, 1.0)),
            brightness=float(np.clip(f2_above / 14.0, -1.0, 1.0)),
            hiss=hiss,
            hush=hush,
            closure=fallen * smoothstep(-14.0, -6.0, float(self._peak_db - self._means_db[0])),
        )

    def _floor_db(self, level: float, voiced: float) -> float:
        """Just above the quietest of the last 3 s without a voice: how long a voice lasts tells nothing of the room."""
        if voiced < 0.5:
            self._room_db = np.append(self._room_db[1:], level)
        return max(float(self._room_db.min()) + 4.0, _LOWEST_DB)


class _Face:
    """Turns what was heard into a pose, frame after frame."""

    def __init__(self) -> None:
        self._speech = 0.0
        self._silent_s = np.inf
        self._neutral = 0.0
        self._confidence = 0.0
        self._jaw = 0.0
        self._accent = np.zeros(2)

    def follow(self, heard: _Heard) -> Pose:
        """The pose of the next frame, in the order of `_POSE`; not yet smooth."""
        self._speech = max(heard.voice, self._speech - _STEP_S / 0.3)
        self._silent_s = 0.0 if heard.voice > 0.5 else self._silent_s + _STEP_S
        speaks = self._silent_s < 1.0  # a pause within speech is shorter
        self._neutral = _approach(self._neutral, speaks, rise_s=0.12, fall_s=0.4)
        self._confidence = _approach(self._confidence, speaks, rise_s=0.08, fall_s=0.6)
        speech = smoothstep(0.0, 0.4, float(self._speech))  # noises without a voice nearby move nothing
        hiss, loud = heard.hiss * speech, heard.loudness * speech

        jaw = loud * (0.36 + 0.14 * heard.openness) * (1 - 0.6 * hiss) + 0.06 * hiss
        self._jaw += (jaw - self._jaw) * (1.0 if jaw > self._jaw else _STEP_S / 0.06)
        # two equal low-passes: a nod that starts and ends softly
        self._accent[0] += (heard.accent - self._accent[0]) * _STEP_S / 0.12
        self._accent[1] += (self._accent[0] - self._accent[1]) * _STEP_S / 0.12
        rounded = max(-heard.brightness, 0.0) * heard.voice * min(loud, 1.0)
        spread = max(heard.brightness, 0.0) * heard.voice
        pose = {
            "jawOpen": self._jaw,
            "mouthClose": 0.85 * heard.closure,
            "mouthFunnel": 0.35 * rounded * (1 - max(heard.openness, 0.0)) + 0.35 * hiss * heard.hush,
            "mouthPucker": rounded * (0.35 - 0.35 * heard.openness),
            "mouthStretch": 0.22 * spread + 0.12 * hiss * (1 - heard.hush),
            "mouthSmile": 0.16 * spread,
            "mouthPress": 0.3 * heard.closure * speech,
            "mouthLowerDown": 0.28 * hiss + 0.12 * loud,
            "mouthUpperUp": 0.12 * hiss + 0.05 * loud,
            "mouthNeutral": smoothstep(0.0, 1.0, float(self._neutral)),
            "browInnerUp": 0.30 * self._accent[1],
            "nod": np.deg2rad(1.4) * self._accent[1],
            "confidence": smoothstep(0.0, 1.0, float(self._confidence)),
        }
        return np.array([pose[name] for name in _POSE])


def _approach(value: float, up: bool, rise_s: float, fall_s: float) -> float:
    """One frame's way towards 1 or 0."""
    return min(value + _STEP_S / rise_s, 1.0) if up else max(value - _STEP_S / fall_s, 0.0)


def _kernel(half_width_s: float) -> Kernel:
    """Weights of the frames kept: a Hann bell around the instant of the motion."""
    inside = np.abs(_OFFSETS_S) < half_width_s
    bell: Kernel = np.cos(np.pi / 2 * _OFFSETS_S / half_width_s) ** 2 * inside
    return bell / bell.sum()


def _band_db(spectrum: Spectrum, low_hz: int, high_hz: int) -> float:
    """Power in a band; 0 dB is about a sine of full scale."""
    low, high = (hz * _FFT // SPEECH_RATE_HZ for hz in (low_hz, high_hz))
    return 10.0 * float(np.log10(spectrum[low:high].sum() / _FULL_SCALE + 1e-10))


def _periodicity(spectrum: Spectrum) -> float:
    """0 for noise, near 1 for a steady voice above 80 Hz: autocorrelation of the frame, its window undone."""
    heard = np.fft.irfft(spectrum * _VOICE_BAND)
    return float((heard[_LAGS] / _WINDOW_CORRELATION).max() / (heard[0] + 1e-12))


_WINDOW = np.hanning(_FRAME)
_FULL_SCALE = _WINDOW.sum() ** 2 * 2.0
_LAGS = slice(SPEECH_RATE_HZ // 400, SPEECH_RATE_HZ // 80)
_VOICE_BAND = np.abs(np.fft.rfftfreq(_FFT, 1 / SPEECH_RATE_HZ) - 2090.0) < 1910.0
_WINDOW_CORRELATION = (lambda own: own[_LAGS] / own[0])(np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, _FFT)) ** 2))
_KERNEL = _kernel(0.055)
_QUICK_KERNEL = _kernel(0.032)
