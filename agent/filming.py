"""A person's video as `agent personalise` reads it: faces, sound, and what is cut out of its frames."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Float32

from agent.voice import voice
from calibration.filmed import FPS, SIX, FaceTrack, cut, face_track, moved
from calibration.mouth_heard import MouthHeard
from models.audio.mel import RATE_HZ
from models.audio.speech_mouth import audible
from models.bystanders import Bystanders
from models.errors import InputError
from models.landmarks import Landmarks, MediapipeTracker
from models.one_face import OneFace
from models.portrait import Pixels
from models.talk3d.personal.footage import Footage, written_footage
from models.talk3d.speech_scores import SpeechScores
from models.talk3d.speech_stream import LOOK_AHEAD_NS, SpeechStream
from runtime.frame import Frame
from runtime.resample import SpeechWindows
from runtime.sources.media import ClipFrames, ClipSound, probe
from runtime.sources.nearest import nearest

Bar = Callable[[int, int], None]
"""Hears how much is done, and of how much; whatever it raises ends the work."""

_STEP_NS = 1_000_000_000 // FPS
_SEARCHED = 5  # every so manieth frame is searched for other people
_LEAST_SPEECH_S, _LEAST_SPOKEN = 1.0, 0.1
"""Seconds, and part of the video."""


def film(video: Path, bar: Bar) -> FaceTrack:
    """Follows the face. Raises InputError as `calibration.filmed.face_track`, and for what is no video."""
    cv2.setNumThreads(1)
    source = ClipFrames(video)
    total = frames_of(video)
    seen: list[Landmarks | None] = []
    crowded: list[bool] = []
    width, height = source.info.width, source.info.height
    with closing(source), closing(OneFace(MediapipeTracker())) as tracker, closing(Bystanders()) as others:
        for number, image in enumerate(_at_25(source)):
            height, width = image.shape[:2]
            face = tracker.track(image)
            seen.append(face)
            if face is not None and number % _SEARCHED == 0:
                crowded.append(others.any(image, face))
            bar(number + 1, total)
    return face_track(seen, crowded, width, height)


def frames_of(video: Path) -> int:
    """Of a recording at 25 per second, about."""
    return max(1, round(probe(video).pictures_ns / _STEP_NS))


def _at_25(frames: Iterable[Frame]) -> Iterator[Pixels]:
    """25 pictures per second, whatever the video's own rate."""
    return (image for _, image in nearest(frames, itertools.count(0, _STEP_NS)))


def listen(video: Path, network: SpeechScores, count: int, bar: Bar) -> tuple[Float32[np.ndarray, "n 8 44 16"], float]:
    """What each frame hears, as the engine hears it live, and how many seconds of speech there are.

    Raises InputError: there is no sound, or nobody speaks.
    """
    heard, stream, windows = MouthHeard(), SpeechStream(network), SpeechWindows()
    sounds: list[Float32[np.ndarray, "k 8 44 16"]] = []
    with closing(ClipSound(video)) as source:
        for sound in source:
            for window in windows.push(sound):
                heard.add(window.samples, window.pts_ns)
                sounds.append(stream.push(audible(window.samples)))
            bar(min(count, round(sound.end_ns / _STEP_NS)), count)
    if heard.speech_s < max(_LEAST_SPEECH_S, _LEAST_SPOKEN * count / FPS):
        raise InputError(f"{heard.speech_s:.1f} s of speech are heard in it; give a video in which somebody speaks")
    while sum(map(len, sounds)) < count:  # after the sound's end it is silent
        sounds.append(stream.push(np.zeros(round(LOOK_AHEAD_NS * RATE_HZ / 1e9), np.float32)))
    return np.concatenate(sounds)[:count], heard.speech_s


def cut_out(
    video: Path, track: FaceTrack, sounds: Float32[np.ndarray, "n 8 44 16"], face: Float[np.ndarray, "478 2"],
    folder: Path, side: int, bar: Bar,
) -> Footage:  # fmt: skip
    """All of a footage, in files. Raises AgentError: there is no room.

    Args:
        video: that is read again.
        track: its face.
        sounds: of each frame.
        face: landmarks of where a face has to be, 0..1.
        folder: for the files.
        side: of the pictures, pixels.
        bar: hears how far it is.
    """
    count, moves = len(track.faces), track.cuts(face[SIX], side)
    with closing(ClipFrames(video)) as source, written_footage(folder, count, side) as footage:
        for number, image in enumerate(_at_25(source)):
            footage.pictures[number] = cut(image, moves[number], side)
            footage.faces[number] = moved(track.faces[number], moves[number]) / side
            bar(number + 1, count)
        footage.landmarks[:], footage.angles[:], footage.eyes[:] = track.landmarks(), track.angles(), track.eyes()
        footage.sounds[:] = sounds
        heard = voice(video)[: footage.voice.size]
        footage.voice.reshape(-1)[: len(heard)] = heard
    return footage
