"""The mix: what idles, what was seen and what was heard become one motion. Pure functions."""

from dataclasses import replace
from functools import cache
from typing import Literal, assert_never

import numpy as np
from jaxtyping import Float32

from models.ease import smoothstep
from models.face import load_face_model
from models.motion import COEFFICIENTS, MOUTH, Motion, MouthPatch

Mode = Literal["audio", "video", "both"]
"""Which drivers move the portrait."""

HOLD_NS = 500_000_000
"""A motion counts fully until it is this old."""
FADE_NS = 500_000_000
"""Then its weight falls to 0 within this time."""

_PATCH_FADE = (0.75, 1.0)  # weights of the video between which the driver's own mouth comes and goes
_MOUTH_REACH = (0.01, 0.18)  # eye distances that mouth shapes move a point by, over which it becomes the mouth's
_BROWS = np.array([name.startswith("brow") for name in COEFFICIENTS])
_BLINKS = np.array([name.startswith("eyeBlink") for name in COEFFICIENTS])

Weights = Float32[np.ndarray, "64"]


def mix(mode: Mode, pts_ns: int, idle: Motion, video: Motion | None, audio: Motion | None) -> Motion:
    """The whole motion at the tick `pts_ns`; the inputs are each driver's latest, or None.

    A driver's weight is its confidence times its freshness (see `HOLD_NS`): a driver that fails eases out.

    - "audio": the mouth of `audio` in place of that of `idle`; its brows and head movement added; the blinks of both.
    - "video": `video` in place of `idle`, head pose included.
    - "both": `video` in place of the "audio" mix; the mouth changes over where the video's weight passes 1/2, and is
      `video`'s as far as that one believes it (`Motion.mouth_confidence`), with the surface around it.

    The picture of the driver's mouth comes along with a `video` that has nearly full weight, never with another mouth.

    The result has confidence 1 and the `pts_ns` of the motion that leads the mode (`audio` in "audio", `video` in
    "video", in "both" whichever the lips are of), or of the tick where that one is missing or too old to count: what
    is said must be in time with the lips.
    """
    match mode:
        case "audio":
            leader, out = audio, _hear(idle, audio, pts_ns)
        case "video":
            w = _weight(video, pts_ns)
            leader, out = video, _see(idle, video, w, w)
        case "both":
            w = _weight(video, pts_ns)
            mouth = _mouth_weight(video, w)
            leader = audio if mouth < 0.5 and _weight(audio, pts_ns) > 0.5 else video
            out = _see(_hear(idle, audio, pts_ns), video, w, mouth)
        case _:
            assert_never(mode)
    leads = leader is not None and _freshness(leader, pts_ns) > 0.0
    return out.at(leader.pts_ns if leader is not None and leads else pts_ns)


def _freshness(motion: Motion, pts_ns: int) -> float:
    age_ns = pts_ns - motion.pts_ns
    return 1.0 - smoothstep(HOLD_NS, HOLD_NS + FADE_NS, float(age_ns))


def _weight(motion: Motion | None, pts_ns: int) -> float:
    if motion is None:
        return 0.0
    return min(max(motion.confidence, 0.0), 1.0) * _freshness(motion, pts_ns)


def _mouth_weight(video: Motion | None, weight: float) -> float:
    """Of the video's mouth, where a voice could take its place."""
    believed = 0.0 if video is None else smoothstep(0.0, 1.0, video.mouth_confidence)
    return smoothstep(0.25, 0.75, weight) * believed


def _hear(idle: Motion, audio: Motion | None, pts_ns: int) -> Motion:
    """`idle` with the mouth of `audio`, with its brows and head movement added, and with its blinks."""
    if audio is None or _freshness(audio, pts_ns) == 0.0:
        return idle
    w = np.float32(_weight(audio, pts_ns))
    if w == 0.0:
        return replace(idle, speech=audio.speech)
    mouth = idle.expression + (audio.expression - idle.expression) * w
    brows = np.clip(idle.expression + audio.expression * w, 0.0, 1.0)
    lids = np.maximum(idle.expression, audio.expression * w)
    return Motion(
        pts_ns=pts_ns,
        expression=np.select([MOUTH, _BROWS, _BLINKS], [mouth, brows, lids], idle.expression),
        rotation=idle.rotation + audio.rotation * w,
        translation=idle.translation + audio.translation * w,
        speech=audio.speech,
    )


def _see(under: Motion, video: Motion | None, weight: float, mouth_weight: float) -> Motion:
    """`under` moved towards `video` by `weight`, its mouth by `mouth_weight`."""
    if video is None or weight == 0.0:
        return under
    w = np.float32(weight)
    each: Weights = np.where(MOUTH, np.float32(mouth_weight), w)
    least = min(weight, mouth_weight)
    return Motion(
        pts_ns=video.pts_ns,
        expression=under.expression + (video.expression - under.expression) * each,
        rotation=under.rotation + (video.rotation - under.rotation) * w,
        translation=under.translation + (video.translation - under.translation) * w,
        surface=None if video.surface is None else video.surface * (w + np.float32(least - weight) * _mouth_part()),
        mouth=_faded(video.mouth, smoothstep(*_PATCH_FADE, least)),
        speech=under.speech,
    )


@cache
def _mouth_part() -> Float32[np.ndarray, "478 1"]:
    """How far each point of the surface is the mouth's: 1 from the lips to the chin, 0 from the nose upwards."""
    moved = np.linalg.norm(load_face_model().expression[MOUTH], axis=(0, 2))
    return smoothstep(*_MOUTH_REACH, moved)[:, None].astype(np.float32)


def _faded(mouth: MouthPatch | None, by: float) -> MouthPatch | None:
    return None if mouth is None or by == 0.0 else replace(mouth, weight=mouth.weight * by)
