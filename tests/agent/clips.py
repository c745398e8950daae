"""Sounds and clips to run on, and what came out."""

from fractions import Fraction

import av
import numpy as np


def speech(seconds, rate, channels=1, dtype=np.int16):
    """A voice-like sound: a pulse train through two formants, in syllables."""
    t = np.arange(round(seconds * rate)) / rate
    pulses = np.sign(np.sin(2 * np.pi * 120 * t)) * (1 + np.sin(2 * np.pi * 700 * t)) * (1 + np.sin(2 * np.pi * 4 * t))
    wave = 0.2 * np.tile(pulses[:, None], (1, channels))
    return (wave * 32767).astype(dtype) if np.issubdtype(dtype, np.integer) else wave.astype(dtype)


def make_clip(path, images, fps, samples=None):
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=Fraction(fps))
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = "yuv420p"
        sound = None if samples is None else container.add_stream("aac", rate=48_000)
        for image in images:
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(video.encode())
        if sound is not None:
            for start in range(0, len(samples), 1024):
                block = np.ascontiguousarray(samples[start : start + 1024].T)
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 48_000, start, Fraction(1, 48_000)
                container.mux(sound.encode(frame))
            container.mux(sound.encode())
    return path


def decode(path):
    with av.open(str(path)) as container:
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    with av.open(str(path)) as container:
        sound = list(container.decode(audio=0)) if container.streams.audio else []
    return pictures, sum(f.samples for f in sound) / 48_000
