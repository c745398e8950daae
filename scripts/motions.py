"""The motions that `agent run` would show for a clip, without showing them."""

from pathlib import Path

import numpy as np

from agent.config.run import Run
from agent.speech_driver import open_speech
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from models.motion import Motion
from runtime.clock import FakeClock
from runtime.drivers.face_video import FaceVideo
from runtime.drivers.idle import Idle
from runtime.ladder import RUNGS, Ladder
from runtime.lane import Lane
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.mix import Mode
from runtime.sources.media import ClipFrames, ClipSound, probe

FPS = 25


class _Recorder:
    """Engine that keeps motions and draws nothing."""

    name = backend = "recorder"
    portable = False
    levels = 1

    def __init__(self) -> None:
        self.motions: list[Motion] = []

    def prepare(self, portrait: object) -> None:
        """Nothing to prepare."""

    def render(self, avatar: None, motion: Motion, level: int = 0) -> np.ndarray:
        self.motions.append(motion)
        return np.zeros((2, 2, 3), np.uint8)

    def close(self) -> None:
        """Nothing to free."""


def motions_of(clip: Path) -> list[list[Motion]]:
    """Of its pictures, and of its sound, where it has any: 25 a second each."""
    info = probe(clip)
    found = []
    if info.has_video:
        found.append(_record(clip, "video", info.pictures_ns))
    if info.has_sound:
        found.append(_record(clip, "audio", info.duration_ns))
    return found


def _record(clip: Path, mode: Mode, duration_ns: int) -> list[Motion]:
    metrics, recorder = Metrics(), _Recorder()
    if mode == "video":
        lane = Lane("video", ClipFrames(clip), FaceVideo(MediapipeTracker(), load_face_model()), metrics)
    else:
        speech = open_speech(Run(portrait=clip), True, None, print)
        lane = Lane("audio", ClipSound(clip), speech, metrics, audible=True)
    loop = Loop(
        mode=mode, lanes=[lane], idle=Idle(0, 1.0, 1.0), engine=recorder, avatar=None, sinks=[], fps=FPS,
        clock=FakeClock(), metrics=metrics, ladder=Ladder(FPS, RUNGS[:1], tracks=False),
    )  # fmt: skip
    loop.run_offline(max(1, round(duration_ns * FPS / 1e9)), lambda done: None)
    return recorder.motions
