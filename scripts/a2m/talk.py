"""Real people: how well what was heard agrees with what a face tracker sees. For tests, never for training."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import scipy.ndimage

from models.audio.mel import RATE_HZ
from models.landmarks import MediapipeTracker

LAG_S = -0.02
"""Real lips are this much ahead of the phone; fixed beforehand."""
_INNER_LIPS = ((13, 14), (82, 87), (312, 317))
_RIGID = (33, 263, 133, 362, 168, 6, 197)
_AUDIBLE_DB, _ABOVE_NOISE_DB = 25.0, 7.0
_PAUSE_S = 0.3
_MARGIN_S = 0.1
_SHUT, _OPEN = 0.12, 0.35
"""Of the clip's range of the gap: what counts as closed and as open lips."""


@dataclass(frozen=True, slots=True)
class Clip:
    name: str
    sound: np.ndarray
    """float32 at 16 kHz."""
    times: np.ndarray
    """Seconds of the pictures."""
    seen: dict[str, np.ndarray]
    """"lipGap", "width", "jawOpen" per picture, in units of the face."""
    spoken: np.ndarray
    """bool per picture: within the speech."""


def load(folder: Path) -> list[Clip]:
    """Every video of a folder."""
    return [_clip(path) for path in videos(folder)]


def videos(folder: Path) -> list[Path]:
    """In the order of their names."""
    return sorted(path for path in folder.iterdir() if path.suffix in (".mpg", ".mp4", ".avi", ".mov"))


def agreement(clips: list[Clip], curve: str, said: list[tuple[np.ndarray, np.ndarray]], lag_s: float = LAG_S) -> float:
    """Correlation over all pictures in speech, each clip in units of its own spread; `said`: times, values."""
    pairs = [agreement_pairs(clip, curve, *heard, lag_s) for clip, heard in zip(clips, said, strict=True)]
    seen, heard = (np.concatenate(column) for column in zip(*pairs, strict=True))
    return float(np.corrcoef(seen, heard)[0, 1])


def agreement_pairs(clip: Clip, curve: str, times: np.ndarray, values: np.ndarray, lag_s: float):
    seen, heard = clip.seen[curve][clip.spoken], np.interp(clip.times - lag_s, times, values)[clip.spoken]
    return tuple((x - x.mean()) / (x.std() + 1e-9) for x in (seen, heard))


def shut_and_open(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """bool per picture: lips seen to be closed while speaking, and lips seen to be open."""
    gap = clip.seen["lipGap"]
    low, high = np.percentile(gap[clip.spoken], [2, 95])
    share = (gap - low) / (high - low)
    return clip.spoken & (share < _SHUT), clip.spoken & (share > _OPEN)


def area(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve."""
    higher = positive[:, None] > negative[None]
    return float(np.mean(higher + 0.5 * (positive[:, None] == negative[None])))


def loudness(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times and smoothed RMS: the baseline that knows nothing of speech."""
    step = RATE_HZ // 100
    power = np.square(sound[: len(sound) // step * step]).reshape(-1, step).mean(1)
    return np.arange(len(power)) / 100 + 0.005, np.sqrt(scipy.ndimage.gaussian_filter1d(power, 2.5))


def _clip(path: Path) -> Clip:
    sound = _sound(path)
    tracker = MediapipeTracker()
    times, rows = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            points = tracker.track(frame.to_ndarray(format="rgb24"))
            if points is not None:
                times.append(float(frame.pts * frame.time_base))
                rows.append(measured(points))
        start = float((container.streams.video[0].start_time or 0) * container.streams.video[0].time_base)
    tracker.close()
    at = np.array(times) - start
    columns = np.array(rows).T
    return Clip(
        path.stem, sound, at, dict(zip(("lipGap", "width", "jawOpen"), columns, strict=True)), _spoken(sound, at)
    )


def measured(points: np.ndarray) -> tuple[float, float, float]:
    """Lip gap, width and jaw of landmarks, in units of the face."""
    rigid = points[list(_RIGID)]
    scale = np.sqrt(((rigid - rigid.mean(0)) ** 2).sum(1).mean())
    between = lambda a, b: float(np.linalg.norm(points[a, :2] - points[b, :2])) / scale  # noqa: E731
    return float(np.mean([between(a, b) for a, b in _INNER_LIPS])), between(61, 291), between(2, 152)


def _spoken(sound: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The longest stretch of sound without a long pause, with a margin."""
    at, level = loudness(sound)
    db = 20 * np.log10(level + 1e-9)
    threshold = max(np.percentile(db, 98) - _AUDIBLE_DB, np.percentile(db, 10) + _ABOVE_NOISE_DB)
    audible = at[db > threshold]
    stretches = np.split(audible, np.flatnonzero(np.diff(audible) > _PAUSE_S) + 1)
    longest = max(stretches, key=lambda stretch: stretch[-1] - stretch[0])
    return (times > longest[0] - _MARGIN_S) & (times < longest[-1] + _MARGIN_S)


def _sound(path: Path) -> np.ndarray:
    resampler = av.AudioResampler("flt", "mono", RATE_HZ)
    with av.open(str(path)) as container:
        parts = [p.to_ndarray()[0] for f in container.decode(audio=0) for p in resampler.resample(f)]
    parts += [p.to_ndarray()[0] for p in resampler.resample(None)]
    return np.concatenate(parts).astype(np.float32)
