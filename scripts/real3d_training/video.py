"""A video file -> a clip: landmarks, fit, matte and PNCC of its pictures."""

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from models.bystanders import Bystanders
from models.errors import InputError
from models.landmarks import MediapipeTracker
from models.matte import fill_background, person_matte
from models.one_face import OneFace
from models.real3d.face import Real3dFace
from models.real3d.parting import BuiltinSegmenter
from models.real3d.window import window_of
from models.topology import SURFACE_COUNT
from real3d_training.clip import SUFFIX, Clip, ClipWriter, Picture
from real3d_training.face import FaceReader, face_digest
from runtime.sources.media import ClipFrames

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v")
LEAST = 8
"""Pictures with a face."""
_SEEN = 8  # pictures that tell who it is
_UNSEEN = 0.2  # of the pictures, that may show no face
_SEARCHED = 5  # every so manieth picture with a face is searched for other people
_CROWDED = 0.1  # of those, that may show some
_BEYOND = 0.02  # of the square, that a face may reach beyond it

Landmarks = Float32[np.ndarray, "478 3"]


def taken(every: int, most: int) -> str:
    """Which pictures of a video a clip holds, as options."""
    return f"--every {every} --most {most}"


def check_made(out: Path, face: Real3dFace, side: int, every: int, most: int) -> None:
    """Raises InputError, in one line: a clip in `out` was made of a video in another way than is asked for."""
    for folder in sorted(out.glob(f"*{SUFFIX}")):
        clip = Clip(folder)
        made, wanted = f"--side {clip.side} {clip.taken}", f"--side {side} {taken(every, most)}"
        if clip.taken and made != wanted:
            raise InputError(f"{folder} was made with {made}, and {wanted} is asked for: give the same, or another OUT")
        if clip.taken and clip.face != face_digest(face):
            raise InputError(f"{folder} was made with another face model: give the same --face-model, or another OUT")


def prepare_video(video: Path, out: Path, face: Real3dFace, side: int, every: int, most: int) -> str:
    """Writes the clip of a video below `out`; returns its name, and nothing is done where it is there already.

    Raises InputError for a video of no use: without pictures or face, with several people, or whose face leaves the
    square.
    """
    folder = out / f"{video.name}{SUFFIX}"
    if folder.exists():
        return folder.name
    seen = _seen(video, every, most)
    middle = np.median(list(seen.faces.values()), axis=0).astype(np.float32)
    window = window_of(middle, seen.width, seen.height)
    points = {number: window.landmarks(each, side) for number, each in seen.faces.items()}
    reach = np.array([(each[:SURFACE_COUNT, :2].min(), each[:SURFACE_COUNT, :2].max()) for each in points.values()])
    if reach.min() < -_BEYOND * side or reach.max() > (1 + _BEYOND) * side:
        raise InputError(f"{video.name}: the face leaves the square around where it is mostly; cut the video")
    reader, segment = FaceReader(face, side), BuiltinSegmenter()
    who = reader.person(list(points.values())[:: max(1, len(points) // _SEEN)])
    clip, behind = ClipWriter(folder), None
    for number, picture in _pictures(video, points):
        cut, each = window.cut(picture, side), points[number]
        clip.add(reader.shot(cut, segment(cut, each), each, who))
        if behind is None:
            behind = fill_background(cut, person_matte(cut, each), each)
    clip.finish(behind, reader.canonical(who), face_digest(face), taken(every, most))
    return folder.name


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a first look at a video finds; a second one takes the pictures."""

    faces: dict[int, Landmarks]
    """Of the pictures that show one, by number."""
    width: int
    height: int


def _seen(video: Path, every: int, most: int) -> _Seen:
    faces: dict[int, Landmarks] = {}
    looked, crowded = 0, 0
    with (
        closing(ClipFrames(video)) as frames,
        closing(OneFace(MediapipeTracker())) as tracker,
        closing(Bystanders()) as others,
    ):
        for number, frame in enumerate(frames):
            if len(faces) == most:
                break
            found = tracker.track(frame.image)
            if number % every == 0:
                looked += 1
                if found is not None:
                    crowded += len(faces) % _SEARCHED == 0 and others.any(frame.image, found)
                    faces[number] = found
    if crowded > _CROWDED * len(faces) / _SEARCHED:
        raise InputError(f"{video.name}: several people are in it; cut the others out of its frames")
    if len(faces) < max(LEAST, (1 - _UNSEEN) * looked):
        raise InputError(f"{video.name}: a face in {len(faces)} of {looked} pictures is too little")
    return _Seen(faces, frames.info.width, frames.info.height)


def _pictures(video: Path, wanted: Collection[int]) -> Iterator[tuple[int, Picture]]:
    last = max(wanted)
    with closing(ClipFrames(video)) as frames:
        for number, frame in enumerate(frames):
            if number in wanted:
                yield number, frame.image
            if number == last:
                return
