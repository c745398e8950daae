"""Round trips through the codecs of calls: Opus and AAC, by PyAV, in memory."""

import io
from fractions import Fraction

import av
import numpy as np
import scipy.fft

from models.audio.mel import RATE_HZ

_FORMATS = {"libopus": "ogg", "aac": "adts"}
_FAST = {"compression_level": "2"}
_LISTEN = 4 * RATE_HZ
"""Samples from which the delay is told."""


def round_trip(samples: np.ndarray, codec: str, bit_rate: int) -> np.ndarray:
    """float32 [n] at 16 kHz, encoded, decoded, and put back to its time."""
    decoded = _decode(_encode(samples, codec, bit_rate), codec)
    decoded = np.pad(decoded, (0, max(len(samples) + 4000 - len(decoded), 0)))
    delay = _delay(samples, decoded)
    out = decoded[delay:] if delay >= 0 else np.pad(decoded, (-delay, 0))
    return np.pad(out[: len(samples)], (0, max(len(samples) - len(out), 0)))


def _encode(samples: np.ndarray, codec: str, bit_rate: int) -> io.BytesIO:
    data = io.BytesIO()
    pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)[None]
    with av.open(data, "w", format=_FORMATS[codec]) as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout="mono", options=_FAST if codec == "libopus" else {})
        stream.bit_rate = bit_rate
        resampler = av.AudioResampler(stream.format.name, "mono", RATE_HZ, stream.frame_size or 320)
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    data.seek(0)
    return data


def _decode(data: io.BytesIO, codec: str) -> np.ndarray:
    resampler = av.AudioResampler("flt", "mono", RATE_HZ)
    parts = []
    with av.open(data, format={"aac": "aac"}.get(codec, _FORMATS[codec])) as container:
        for frame in container.decode(audio=0):
            parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
    return np.concatenate(parts).astype(np.float32)


def _delay(original: np.ndarray, decoded: np.ndarray) -> int:
    """Samples by which the decoded sound is late, from the correlation; at most 0.2 s."""
    size = 2 * _LISTEN
    product = scipy.fft.rfft(decoded[:_LISTEN], size) * np.conj(scipy.fft.rfft(original[:_LISTEN], size))
    correlation = scipy.fft.irfft(product)
    reach = RATE_HZ // 5
    near = np.concatenate([correlation[-reach:], correlation[:reach]])
    return int(near.argmax()) - reach
