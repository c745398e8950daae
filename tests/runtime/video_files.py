"""Pictures and clicks to write with VideoFile, and what is read back with PyAV."""

from pathlib import Path

import av
import numpy as np

from models.motion import Motion
from runtime.picture import Picture
from runtime.sinks.video_file import VideoFile
from runtime.sound import Sound

FPS = 25
STEP_NS = 40_000_000
START_NS = 7_000_000_000_123
SIZE = (64, 48)
COLOUR = (200, 100, 50)
AAC_FRAME = 1024  # decoders give whole ones


def picture(index: int, colour: tuple[int, int, int] = COLOUR, delay_ns: int = 0) -> Picture:
    due_ns = START_NS + index * STEP_NS
    return Picture(np.full((48, 64, 3), colour, np.uint8), Motion(due_ns - delay_ns), due_ns)


def click(at_s: float, length_s: float, rate_hz: int, channels: int = 1) -> np.ndarray:
    """Silence with one burst."""
    samples = np.zeros((round(length_s * rate_hz), channels), np.float32)
    first = round(at_s * rate_hz)
    samples[first : first + rate_hz // 100] = 0.4
    return samples


def pictures_of(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def sound_of(path: Path) -> np.ndarray:
    """Both channels at 48 kHz, [2, n], from the instant 0 of the file."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    assert abs(frames[0].time) < 0.001
    assert frames[0].sample_rate == 48_000
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


def onset_s(samples: np.ndarray) -> float:
    assert np.abs(samples).max() > 0.2
    return float(np.argmax(np.abs(samples[0]) > 0.1) / 48_000)


def write(path: Path, *, sound: Sound | None = None, count: int = 30) -> Path:
    file = VideoFile(path, FPS, SIZE, live=False, sound=sound is not None)
    if sound is not None:
        file.hear(sound)
    for index in range(count):
        file.send(picture(index, (index * 8, 255 - index * 8, 90)))
    file.close()
    return path
