"""A first look at a person's video: what would cost minutes to find out is found out in seconds."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from agent.voice import voice
from calibration.filmed import SHORTEST_S
from models.errors import InputError
from models.landmarks import Landmarks, face_width, find_faces
from models.portrait import Pixels
from models.topology import SURFACE_COUNT
from runtime.sources.media import ClipFrames, MediaInfo, probe

LONGEST_S = 1200.0
_SHORT_S = 60.0
_LOOKS = 12  # pictures
_LEAST_SEEN, _MOST_CROWDED = 0.5, 0.4  # parts of them
_LARGE = 0.4  # parts of the largest face's width from which another one counts
_NARROW_PX, _DARK, _BRIGHT = 120, 50, 225
_SILENT = 200  # of 32767


def first_look(video: Path) -> list[str]:
    """What might be better about it, one line each.

    Raises InputError, in one line, which names the file: it is of no use.
    """
    info = probe(video)
    told = _length(video, info)
    if np.abs(voice(video)).max(initial=0) < _SILENT:
        raise InputError(f"{video}: its sound is silent; give a video of a person who speaks to the camera")
    seen = [(image, find_faces(image)) for image in _pictures(video, info)]
    faces = [(image, found[0]) for image, found in seen if found]
    if len(faces) < _LEAST_SEEN * len(seen):
        raise InputError(
            f"{video}: a face is seen in {len(faces)} of {len(seen)} pictures looked at; give a video of one person "
            "whose face is in view all the time"
        )
    crowded = sum(any(face_width(other) > _LARGE * face_width(found[0]) for other in found[1:]) for _, found in seen)
    if crowded > _MOST_CROWDED * len(seen):
        raise InputError(
            f"{video}: several people are seen in {crowded} of {len(seen)} pictures looked at; give a video of one, or "
            "cut the others out of its frames"
        )
    return told + _looks(faces)


def _length(video: Path, info: MediaInfo) -> list[str]:
    length_s = info.pictures_ns / 1e9
    if not info.has_video or info.is_still:
        raise InputError(f"{video} holds no moving pictures; give a video of a person who speaks to the camera")
    if not info.has_sound:
        raise InputError(f"{video} holds no sound; give a video of a person who speaks to the camera")
    if length_s < SHORTEST_S:
        raise InputError(f"{video}: {length_s:.1f} s are too short to learn a person from; give minutes of speech")
    if length_s > LONGEST_S:
        raise InputError(
            f"{video}: {length_s / 60:.0f} minutes are too long, each frame's camera is searched for; cut out the best "
            f"3 to 5, at most {LONGEST_S / 60:.0f}"
        )
    return [f"{length_s:.0f} s is little; the authors took 3 to 5 minutes"] if length_s < _SHORT_S else []


def _pictures(video: Path, info: MediaInfo) -> Iterator[Pixels]:
    """Some of all the video."""
    due_ns, step_ns = 0, info.pictures_ns // _LOOKS
    with closing(ClipFrames(video, alone=True)) as source:
        for frame in source:
            if frame.pts_ns >= due_ns:
                yield frame.image
                due_ns = frame.pts_ns + step_ns


def _looks(faces: list[tuple[Pixels, Landmarks]]) -> list[str]:
    told = []
    width_px = float(np.median([face_width(face) for _, face in faces]))
    if width_px < _NARROW_PX:
        told.append(f"the face is {width_px:.0f} pixels wide, and what is learnt is as coarse: film nearer, or larger")
    light = float(np.median([_light(image, face) for image, face in faces]))
    if not _DARK < light < _BRIGHT:
        told.append(f"the face is too {'dark' if light <= _DARK else 'bright'}: film in even light from the front")
    return told


def _light(image: Pixels, face: Landmarks) -> float:
    """Of the face's picture, 0..255."""
    low, high = face[:SURFACE_COUNT, :2].min(0), face[:SURFACE_COUNT, :2].max(0)
    (left, top), (right, bottom) = np.maximum(low, 0).astype(int), np.maximum(high, 1).astype(int)
    return float(image[top:bottom, left:right].mean())
