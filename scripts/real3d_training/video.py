"""A video file -> a clip: landmarks, fit, matte and PNCC of its pictures."""

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from models.errors import InputError
from models.landmarks import MediapipeTracker
from models.matte import fill_background, person_matte
from models.real3d.face import Real3dFace
from models.real3d.parting import BuiltinSegmenter
from models.real3d.window import Window, window_of
from models.topology import SURFACE_COUNT
from real3d_training.clip import SUFFIX, ClipWriter, Picture
from real3d_training.face import FaceReader, face_digest
from runtime.sources.media import ClipFrames

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".m4v")
_LEAST = 8  # pictures with a face
_SEEN = 8  # pictures that tell who it is
_UNSEEN = 0.2  # of the pictures, that may show no face
_BEYOND = 0.02  # of the square, that a face may reach beyond it

Landmarks = Float32[np.ndarray, "478 3"]


def prepare_video(video: Path, out: Path, face: Real3dFace, side: int, every: int, most: int) -> str:
    """Writes the clip of a video below `out`; returns its name, and nothing is done where it is there already.

    Raises InputError for a video of no use: without pictures or face, or whose face leaves the square.
    """
    folder = out / f"{video.name}{SUFFIX}"
    if folder.exists():
        return folder.name
    pictures, landmarks = _seen(video, every, most)
    height, width = pictures[0].shape[:2]
    window = window_of(np.median(landmarks, axis=0).astype(np.float32), width, height)
    cuts = [_cut(window, picture, side) for picture in pictures]
    points = [_inside(window, each, side) for each in landmarks]
    reach = np.array([(each[:SURFACE_COUNT, :2].min(), each[:SURFACE_COUNT, :2].max()) for each in points])
    if reach.min() < -_BEYOND * side or reach.max() > (1 + _BEYOND) * side:
        raise InputError(f"{video.name}: the face leaves the square around where it is mostly; cut the video")
    reader, segment = FaceReader(face, side), BuiltinSegmenter()
    who = reader.person(points[:: max(1, len(points) // _SEEN)])
    clip = ClipWriter(folder)
    for cut, each in zip(cuts, points, strict=True):
        clip.add(reader.shot(cut, segment(cut, each), each, who))
    behind = fill_background(cuts[0], person_matte(cuts[0], points[0]), points[0])
    clip.finish(behind, reader.canonical(who), face_digest(face))
    return folder.name


def _seen(video: Path, every: int, most: int) -> tuple[list[Picture], list[Landmarks]]:
    """Pictures with a face, and its landmarks."""
    pictures, landmarks, looked = [], [], 0
    tracker = MediapipeTracker()
    try:
        for number, frame in enumerate(ClipFrames(video)):
            if len(pictures) == most:
                break
            found = tracker.track(frame.image)
            if number % every == 0:
                looked += 1
                if found is not None:
                    pictures.append(frame.image)
                    landmarks.append(found)
    finally:
        tracker.close()
    if len(pictures) < max(_LEAST, (1 - _UNSEEN) * looked):
        raise InputError(f"{video.name}: a face in {len(pictures)} of {looked} pictures is too little")
    return pictures, landmarks


def _cut(window: Window, image: Picture, side: int) -> Picture:
    part = image[window.top : window.top + window.side, window.left : window.left + window.side]
    method = cv2.INTER_AREA if window.side > side else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(part, (side, side), interpolation=method))


def _inside(window: Window, landmarks: Landmarks, side: int) -> Landmarks:
    moved = landmarks - np.array([window.left, window.top, 0], np.float32)
    return (moved * np.float32(side / window.side)).astype(np.float32)
