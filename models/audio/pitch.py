"""Pitch of a voice, 50 times per second: autocorrelation after Boersma (1993), the path through time found causally."""

import numpy as np
import scipy.fft
from jaxtyping import Float, Float32, Int64

from models.audio.mel import RATE_HZ

HOP = 320
"""Samples from one frame to the next: 20 ms."""

_FLOOR_HZ, _CEILING_HZ = 80.0, 750.0
_WINDOW = 600  # three periods of the lowest voice
_FFT = 1024
_FINER = 4  # lags are looked at in quarters of a sample
_CANDIDATES = 14

# The published method's weights. What a change costs is set for frames of 10 ms.
_VOICING = 0.6
_SILENCE = 0.03
_OCTAVE = 0.01
_OCTAVE_JUMP = 0.35 * 0.01 * RATE_HZ / HOP
_VOICE_CHANGE = 0.14 * 0.01 * RATE_HZ / HOP

_PEAK_DECAY = 0.5 ** (HOP / (RATE_HZ * 60.0))
"""The loudest sound so far is half forgotten after a minute; the published method looks through all there is."""

_LOUDEST = 0.5
"""The loudest sound before the first: of ordinary speech."""
_LAG = 3
"""Frames after which the path is settled."""

_HANN = np.hanning(_WINDOW + 2)[1:-1]


class PitchTracker:
    """16 kHz samples -> frames of pitch. The same sound gives the same frames, however it is cut.

    Frame i describes the hop of samples 320 i to 320 i + 319, and is complete with sample 320 (i + 3) + 459. The
    original chooses the path through all frames at once; here each frame lies on the best path to three frames later.
    """

    def __init__(self) -> None:
        self._sound = np.zeros(_WINDOW // 2 - HOP // 2, np.float64)
        self._loudest = _LOUDEST
        self._paths = np.zeros((1, 1))
        """The last pitches (0 is no voice) of the best path to each candidate of the last frame, a row each."""
        self._scores = np.zeros(1)
        """Of these paths."""
        self._frames = 0

    def push(self, samples: Float32[np.ndarray, "n"]) -> Float32[np.ndarray, "frames"]:
        """The frames that these samples complete, in hertz; 0 where no voice is."""
        self._sound = np.concatenate([self._sound, samples])
        count = max(0, (len(self._sound) - _WINDOW) // HOP + 1)
        found = [self._frame(self._sound[k * HOP : k * HOP + _WINDOW]) for k in range(count)]
        self._sound = self._sound[count * HOP :]
        return np.array([pitch for pitch in found if pitch is not None], np.float32)

    def _frame(self, sound: Float[np.ndarray, "600"]) -> float | None:
        period = round(RATE_HZ / _FLOOR_HZ)
        middle = slice((_WINDOW - period) // 2, (_WINDOW + period) // 2)
        around = slice(_WINDOW // 2 - period, _WINDOW // 2 + period)
        sound = sound - sound[around].mean()
        peak = float(np.abs(sound[middle]).max())
        self._loudest = max(peak, self._loudest * _PEAK_DECAY)
        pitches, strengths = _candidates(sound)
        loudness = peak / self._loudest if self._loudest > 0 else 0.0
        silence = _VOICING + max(0.0, 2.0 - loudness * (1.0 + _VOICING) / _SILENCE)
        return self._follow(np.append(pitches, 0.0), np.append(strengths, silence))

    def _follow(self, pitches: Float[np.ndarray, "c"], strengths: Float[np.ndarray, "c"]) -> float | None:
        """The pitch of `_LAG` frames ago; None until there is such a frame."""
        scores = self._scores[None] - _change(self._paths[None, :, -1], pitches[:, None])
        best = scores.argmax(1)
        self._scores = scores.max(1) + strengths
        self._scores -= self._scores.max()
        self._paths = np.concatenate([self._paths[best], pitches[:, None]], axis=1)[:, -_LAG - 1 :]
        self._frames += 1
        return float(self._paths[self._scores.argmax(), 0]) if self._frames > _LAG else None


def coarse(f0: Float[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
    """Pitch in hertz -> its bin 1..255 of equal width in mel, from 50 to 1100 Hz; 0 Hz is bin 1."""
    low, high, mel = (1127.0 * np.log(1.0 + hz / 700.0) for hz in (50.0, 1100.0, f0.astype(np.float64)))
    bins = np.where(mel > 0, (mel - low) * 254.0 / (high - low) + 1.0, mel)
    return np.floor(bins.clip(1.0, 255.0) + 0.5).astype(np.int64)


def _candidates(sound: Float[np.ndarray, "600"]) -> tuple[Float[np.ndarray, "c"], Float[np.ndarray, "c"]]:
    """Pitches that the sound may have, with their strengths."""
    correlation = _autocorrelation(sound * _HANN)
    if correlation[0] <= 0:
        return np.zeros(0), np.zeros(0)
    clarity = correlation / (correlation[0] * _HANN_CORRELATION)
    left, here, right = clarity[:-2], clarity[1:-1], clarity[2:]
    lags = 1 + np.flatnonzero((here > left) & (here >= right) & (here > 0.5 * _VOICING))
    slope, bend = clarity[lags + 1] - clarity[lags - 1], 2 * clarity[lags] - clarity[lags - 1] - clarity[lags + 1]
    shift = 0.5 * slope / bend
    height = clarity[lags] + 0.25 * slope * shift
    height = np.where(height > 1, 1 / height, height)
    pitches = RATE_HZ * _FINER / (lags + shift)
    strengths = height - _OCTAVE * np.log2(_FLOOR_HZ / pitches)
    usable = np.flatnonzero((pitches >= _FLOOR_HZ) & (pitches <= _CEILING_HZ))
    best = usable[np.argsort(-strengths[usable])[:_CANDIDATES]]
    return pitches[best], strengths[best]


def _autocorrelation(sound: Float[np.ndarray, "600"]) -> Float[np.ndarray, "lags"]:
    """In quarters of a sample, as far as the lowest voice's period and a bit."""
    spectrum = scipy.fft.rfft(sound, _FFT)
    power = spectrum.real**2 + spectrum.imag**2
    return scipy.fft.irfft(power, _FFT * _FINER)[: round(_FINER * (RATE_HZ / _FLOOR_HZ + 3))]


def _change(before: Float[np.ndarray, "1 b"], after: Float[np.ndarray, "a 1"]) -> Float[np.ndarray, "a b"]:
    """What it costs a path to go from one pitch to another."""
    voiced_before, voiced_after = before > 0, after > 0
    jump = np.abs(np.log2(np.where(voiced_before, before, 1.0) / np.where(voiced_after, after, 1.0)))
    return np.where(voiced_before & voiced_after, _OCTAVE_JUMP * jump, _VOICE_CHANGE * (voiced_before != voiced_after))


_HANN_CORRELATION = _autocorrelation(_HANN)
_HANN_CORRELATION /= _HANN_CORRELATION[0]
