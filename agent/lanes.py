"""The lanes of a run's own inputs: each source with the driver that makes motion of it."""

from collections.abc import Callable
from typing import Any, TypeVar

from agent.inputs import Inputs, open_face_video
from agent.plan import Plan
from agent.speech_driver import open_speech
from runtime.clock import Clock
from runtime.drivers.face_video import Watch
from runtime.frame import Frame
from runtime.ladder import Ladder
from runtime.lane import Lane
from runtime.metrics import Metrics
from runtime.sound import Sound
from runtime.sources import Source
from runtime.sources.media import ClipFrames, ClipSound
from runtime.sources.paced import Paced

T = TypeVar("T", Frame, Sound)


def open_lanes(
    plan: Plan,
    inputs: Inputs,
    ladder: Ladder,
    metrics: Metrics,
    clock: Clock,
    start_ns: int,
    say: Callable[[str], None],
    watch: Watch | None = None,
) -> list[Lane[Any]]:
    """One for the camera and one for the microphone, where there are some.

    `ladder` tells how many frames are looked at; files play from `start_ns` on; `watch` is shown the camera's frames.
    Raises InputError.
    """
    lanes: list[Lane[Any]] = []
    if inputs.camera is not None:
        face = open_face_video(plan.config, inputs.person, ladder, watch)
        camera = _in_time(inputs.camera, plan, clock, start_ns)
        lanes.append(Lane("video", camera, face, metrics, clock=clock))
    if inputs.microphone is None:
        return lanes
    sound = _in_time(inputs.microphone, plan, clock, start_ns)
    if plan.listens:
        speech = open_speech(plan.config, plan.offline, inputs.speaker, say)
        lanes.append(Lane("audio", sound, speech, metrics, audible=True, clock=clock))
    else:
        lanes.append(Lane("soundtrack", sound, None, metrics, audible=True))
    return lanes


def _in_time(source: Source[T], plan: Plan, clock: Clock, start_ns: int) -> Source[T]:
    """Files play at their own speed in a live run."""
    is_file = isinstance(source, ClipFrames | ClipSound)
    return Paced(source, clock, start_ns) if is_file and not plan.offline else source
