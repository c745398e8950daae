"""Where a picture's time goes: steps that sum up to its age."""

import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.drivers.idle import Idle
from runtime.frame import Frame
from runtime.ladder import RUNGS, Ladder
from runtime.lane import Lane
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.report import latency
from runtime.sound import Sound
from runtime.trail import VIEWERS, Driven, Path, Step, Trail, note, paths

MS = 1_000_000
CLOCK = MonotonicClock()


def trail(captured_ms: float, complete_ms: float, taken_ms: float, driven_ms: float, begun_ms: float, drawn_ms: float):
    instants = [round(ms * MS) for ms in (complete_ms, taken_ms, driven_ms)]
    return Trail(Driven(Motion(round(captured_ms * MS)), *instants), round(begun_ms * MS), round(drawn_ms * MS))


def sums_up(path: Path) -> None:
    assert sum(step.mean_ms for step in path.steps) == pytest.approx(path.mean_ms, abs=0.01)


def test_each_step_lasts_until_the_next_and_they_sum_up_to_the_age():
    metrics = Metrics()
    note(
        metrics, "wall", trail(0, 100, 103, 105, 120, 127), [Step("wait for output", 128 * MS), Step("send", 131 * MS)]
    )
    note(
        metrics,
        "wall",
        trail(200, 300, 301, 302, 310, 316),
        [Step("wait for output", 316 * MS), Step("send", 319 * MS)],
    )
    (path,) = paths(metrics).values()
    assert [(step.name, step.waits, step.mean_ms) for step in path.steps] == [
        ("look-ahead", True, 100.0),
        ("wait for driver", True, 2.0),
        ("driver", False, 1.5),
        ("wait for tick", True, 11.5),
        ("draw", False, 6.5),
        ("wait for output", True, 0.5),
        ("send", False, 3.0),
    ]
    assert (path.mean_ms, path.p50_ms) == (125.0, 125.0)


def moved_picture(metrics: Metrics, end: str) -> None:
    """One of 31 ms, of which the engine took 7."""
    note(metrics, end, trail(0, 0, 3, 5, 20, 27), [Step("send", 31 * MS)])


def test_ends_are_told_apart_and_a_camera_looks_not_ahead():
    metrics = Metrics()
    moved_picture(metrics, "wall")
    note(metrics, "wall of another", trail(0, 0, 3, 5, 20, 27), [Step("write", 41 * MS)])
    assert {end: (path.p99_ms, path.steps[-1].name) for end, path in paths(metrics).items()} == {
        "wall": (31.0, "send"),
        "wall of another": (41.0, "write"),
    }
    assert paths(metrics)["wall"].steps[0].name == "wait for driver"


def test_of_what_came_over_a_network_no_driver_is_known():
    metrics = Metrics()
    note(metrics, "wall", Trail(Driven(Motion(0), 0, 60 * MS, 60 * MS, far=True), 61 * MS, 70 * MS), [])
    (path,) = paths(metrics).values()
    assert [(step.name, step.waits, step.mean_ms) for step in path.steps] == [
        ("wait in jitter buffer", True, 60.0),
        ("wait for tick", True, 1.0),
        ("draw", False, 9.0),
    ]


def test_the_latency_is_that_of_the_slowest_output_and_of_no_viewer():
    metrics = Metrics()
    assert latency(paths(metrics)) is None
    for end, left_ms in (("wall", 31), ("preview", 41), (VIEWERS, 4000)):
        note(metrics, end, trail(0, 0, 3, 5, 20, 27), [Step("send", left_ms * MS)])
    assert latency(paths(metrics)) == {"p50": 41.0, "p95": 41.0, "p99": 41.0}


class Camera:
    """A frame every 8 ms, each 4 ms old when it comes."""

    lost = 0

    def __init__(self) -> None:
        self.stop = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        while not self.stop.wait(0.008):
            yield Frame(np.zeros((2, 2, 3), np.uint8), CLOCK.now_ns() - 4 * MS)

    def close(self) -> None:
        self.stop.set()


class Works:
    """Driver, engine and sink that take 3, 5 and 2 ms; the run ends with the 30th picture."""

    name, backend, portable, levels, shows = "works", "cpu", True, 1, True

    def __init__(self) -> None:
        self.pictures, self.done = 0, threading.Event()

    def push(self, value: Frame | Sound) -> list[Motion]:
        time.sleep(0.003)
        return [Motion(value.pts_ns)]

    def prepare(self, portrait: object) -> None:
        return None

    def render(self, avatar: None, motion: Motion, level: int = 0) -> np.ndarray:
        time.sleep(0.005)
        return np.zeros((2, 2, 3), np.uint8)

    def send(self, picture: Picture) -> None:
        time.sleep(0.002)
        self.pictures += 1
        if self.pictures == 30:
            self.done.set()

    def hear(self, sound: Sound) -> None:
        pass

    def close(self, complete: bool = True) -> None:
        pass


def run(works: Works, lanes: list[Lane[Frame]], metrics: Metrics) -> None:
    loop = Loop(
        mode="video",
        lanes=lanes,
        idle=Idle(),
        engine=works,
        avatar=None,
        sinks=[works],
        fps=50,
        clock=CLOCK,
        metrics=metrics,
        ladder=Ladder(50, RUNGS[:1], tracks=False),
        start_ns=CLOCK.now_ns(),
    )
    thread = threading.Thread(target=loop.run_live)
    thread.start()
    assert works.done.wait(30)
    loop.stop()
    thread.join(30)
    assert not thread.is_alive()


def test_a_live_run_says_who_took_how_long_and_the_steps_sum_up():
    works, metrics = Works(), Metrics()
    run(works, [Lane("video", Camera(), works, metrics)], metrics)
    path = paths(metrics)["works"]
    sums_up(path)
    steps = {step.name: step.p50_ms for step in path.steps}
    names = ["wait for driver", "driver", "wait for tick", "draw", "wait for output", "send"]
    assert list(steps) == names
    for name, least_ms in {"wait for driver": 4, "driver": 3, "draw": 5, "send": 2}.items():
        assert steps[name] >= least_ms


def test_pictures_that_nobody_moved_have_no_age():
    works, metrics = Works(), Metrics()
    run(works, [], metrics)
    assert paths(metrics) == {}
    assert "render" in metrics.stages()


def test_a_way_is_seen_whole_while_pictures_leave():
    metrics, stop = Metrics(), threading.Event()

    def leave() -> None:
        k = 0
        while not stop.is_set():
            k += 1
            note(metrics, "wall", trail(0, 0, k, 2 * k, 3 * k, 4 * k), [Step("send", 5 * k * MS)])

    thread, before = threading.Thread(target=leave), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        for _ in range(100):
            for path in paths(metrics).values():
                sums_up(path)
    finally:
        sys.setswitchinterval(before)
        stop.set()
        thread.join()
