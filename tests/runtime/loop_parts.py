"""What a frame loop is made of: fakes that satisfy the Protocols, in virtual time."""

import threading
from collections.abc import Iterator

import numpy as np

from models.motion import Motion, expression
from runtime.clock import FakeClock
from runtime.drivers.idle import Idle
from runtime.frame import Frame
from runtime.ladder import RUNGS, Ladder
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.sound import Sound

MS = 1_000_000


class Clip:
    """Frames every `period_ms`, with sound if asked."""

    def __init__(self, count: int, period_ms: float, start_ns: int = 0) -> None:
        self.count, self.period_ns, self.start_ns = count, round(period_ms * MS), start_ns
        self.closed = self.lost = 0

    def __iter__(self) -> Iterator[Frame]:
        for i in range(self.count):
            yield Frame(np.full((2, 2, 3), i, np.uint8), self.start_ns + i * self.period_ns)

    def close(self) -> None:
        self.closed += 1


class Tone(Clip):
    """Blocks of 20 ms of sound."""

    def __iter__(self) -> Iterator[Sound]:
        for i in range(self.count):
            yield Sound(np.zeros((320, 1), np.float32), 16_000, self.start_ns + i * 20 * MS)


class Endless(Clip):
    """A device: gives one frame, then waits until it is closed."""

    def __init__(self) -> None:
        super().__init__(1, 40)
        self.gate = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        yield from super().__iter__()
        self.gate.wait()

    def close(self) -> None:
        super().close()
        self.gate.set()


class JawFollowsTime:
    """jawOpen is the frame's time in seconds."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.closed, self.seen, self.fail_at = 0, 0, fail_at

    def push(self, value: Frame | Sound) -> list[Motion]:
        self.seen += 1
        if self.seen == self.fail_at:
            raise RuntimeError("driver broke")
        return [Motion(value.pts_ns, expression(jawOpen=value.pts_ns / 1e9))]

    def close(self) -> None:
        self.closed += 1


class Canvas:
    name, backend, portable, levels = "fake", "cpu", True, 1

    def __init__(self, clock: FakeClock | None = None, work_ms: float = 0.0) -> None:
        self.closed, self.clock, self.work_ns = 0, clock, round(work_ms * MS)

    def prepare(self, portrait: object) -> None:
        return None

    def render(self, avatar: None, motion: Motion, level: int = 0) -> np.ndarray:
        if self.clock is not None:
            self.clock.advance(self.work_ns)
        return np.full((2, 2, 3), int(100 * motion["jawOpen"]) % 256, np.uint8)

    def close(self) -> None:
        self.closed += 1


class Wall:
    """Keeps what it is shown."""

    shows = True

    def __init__(self, name: str = "wall", fail_at: int | None = None) -> None:
        self.name, self.fail_at = name, fail_at
        self.pictures: list[Picture] = []
        self.sounds: list[Sound] = []
        self.closed = 0
        self.gate, self.thirty = threading.Event(), threading.Event()
        self.gate.set()

    def send(self, picture: Picture) -> None:
        self.gate.wait()
        self.pictures.append(picture)
        if len(self.pictures) == 30:
            self.thirty.set()
        if len(self.pictures) == self.fail_at:
            raise RuntimeError("sink broke")

    def hear(self, sound: Sound) -> None:
        self.sounds.append(sound)

    def close(self, complete: bool = True) -> None:
        self.closed += 1
        self.complete = complete


def loop_of(lanes, sinks, *, mode="video", engine=None, clock=None, fps=25, start_ns=0, ladder=None):
    return Loop(
        mode=mode,
        lanes=lanes,
        idle=Idle(),
        engine=engine or Canvas(),
        avatar=None,
        sinks=sinks,
        fps=fps,
        clock=clock or FakeClock(),
        metrics=Metrics(),
        ladder=ladder or Ladder(fps, RUNGS[:1], tracks=False),
        start_ns=start_ns,
    )


def stopping_after(loop, engine, clock, count):
    """Lets the engine stop the loop with its `count`-th picture; returns the instants at which pictures were begun."""
    render, begun = engine.render, []

    def wrapped(avatar, motion, level=0):
        begun.append(clock.now_ns())
        if len(begun) == count:
            loop.stop()
        return render(avatar, motion, level)

    engine.render = wrapped
    return begun
