"""Parts of a run that fail when a plan says so, and a clock that waits until every part has done its beat's work."""

import threading
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from models.errors import InputError
from models.face import load_face_model
from models.landmarks import Landmarks
from models.motion import Motion, expression
from models.pose import NECK_PIVOT, Pose
from runtime.engines.builtin import BuiltinEngine
from runtime.sources.devices import Device

WIDTH, HEIGHT = 160, 120
KINDS = {  # how often each begins, and for how many beats at most
    "tracker": (0.01, 20),
    "no face": (0.005, 60),
    "two faces": (0.005, 30),
    "engine": (0.01, 3),
    "engine for long": (0.0005, 80),
    "memory": (0.01, 3),
    "stall": (0.003, 60),
    "unplug": (0.001, 60),
    "corrupt": (0.01, 4),
    "half a picture": (0.01, 4),
    "another size": (0.003, 10),
    "virtual-camera": (0.005, 3),
    "preview": (0.005, 3),
    "file": (0.005, 3),
    "webrtc": (0.005, 3),
    "whip": (0.005, 3),
}
_PATIENCE_S = 60.0


class Plan:
    """Which kinds of failure happen at which beat."""

    def __init__(self, beats: int, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.beats = beats
        self._active = {kind: np.zeros(beats + 1, bool) for kind in KINDS}
        for kind, (rate, longest) in KINDS.items():
            starts = np.flatnonzero(random.random(beats) < rate)
            for start in starts if len(starts) else random.integers(10, beats // 2, 1):
                self._active[kind][start : start + random.integers(1, longest + 1)] = True
            self._active[kind][:10] = False  # what fails from the start ends a run

    def now(self, kind: str, beat: int) -> bool:
        return bool(self._active[kind][min(beat, self.beats)])


class Beat:
    """Virtual time (a `Clock`): the loop's thread moves on to its next instant when all other parts are at rest."""

    def __init__(self, stop_at: int) -> None:
        self.number = -1
        self.over = False
        self.parts: list[Callable[[], bool]] = []
        """Whether each part has done this beat's work; called under the lock."""
        self.changed = threading.Condition()
        self.stop: Callable[[], None] = lambda: None
        self._stop_at, self._now_ns, self._loop = stop_at, 0, threading.current_thread()
        self._resting: dict[threading.Thread, Callable[[], bool]] = {}

    def now_ns(self) -> int:
        return self._now_ns

    def wait_until(self, instant_ns: int, stop: threading.Event) -> bool:
        if threading.current_thread() is not self._loop:
            self.rest(lambda: self._now_ns >= instant_ns or stop.is_set())
            return not stop.is_set()
        with self.changed:
            settled = self.changed.wait_for(lambda: all(part() for part in self.parts) or stop.is_set(), _PATIENCE_S)
            assert settled, "a part does not finish its work"
            self.number += 1
            self._now_ns = max(self._now_ns, instant_ns)
            self.over = self.number >= self._stop_at
            self.changed.notify_all()
        if self.over:
            self.stop()
        return not self.over and not stop.is_set()

    def rest(self, until: Callable[[], bool]) -> None:
        """Lets a thread wait for a beat; until then it has nothing to do."""
        with self.changed:
            self._resting[threading.current_thread()] = until
            self.changed.notify_all()
            self.changed.wait_for(lambda: until() or self.over)
            del self._resting[threading.current_thread()]

    def rests(self, name: str) -> bool:
        """Whether the thread of this name waits for a later beat."""
        return any(thread.name == name and not until() for thread, until in self._resting.items())

    def tell(self) -> None:
        """Something has been done."""
        with self.changed:
            self.changed.notify_all()


class Capture:
    """A camera whose every picture is `image`, or what a failure makes of it."""

    def __init__(self, plan: Plan, beat: Beat, image: np.ndarray) -> None:
        self._plan, self._beat, self._image, self._taken = plan, beat, image, -1
        self.newest_ns = -1
        """Instant of the last picture that was given."""

    def open(self, _: str | Device) -> tuple[Device, "Capture"]:
        if self._plan.now("unplug", self._beat.number):
            raise InputError("no camera")
        return Device(0, "a camera"), self

    def grab(self) -> bool:
        taken = self._taken
        self._beat.rest(lambda: self._beat.number > taken and not self._plan.now("stall", self._beat.number))
        self._taken = self._beat.number
        return not self._beat.over and not self._plan.now("unplug", self._taken)

    def retrieve(self) -> tuple[bool, np.ndarray | None]:
        if self._plan.now("corrupt", self._taken):
            return False, None
        self.newest_ns = self._beat.now_ns()
        image = self._image
        if self._plan.now("half a picture", self._taken):
            image = image.copy()
            image[HEIGHT // 2 :] = 128
        if self._plan.now("another size", self._taken):
            image = image[::2, ::2]
        return True, cv2.cvtColor(image, cv2.COLOR_RGB2BGR)

    def get(self, _: int) -> float:
        return 25.0

    def release(self) -> None:
        pass


class Tracker:
    """Sees a face that turns and speaks, whatever the picture; fails, or sees nobody or somebody else, as planned."""

    def __init__(self, plan: Plan, beat: Beat) -> None:
        self._plan, self._beat = plan, beat
        self.tracked = 0

    def track(self, image: np.ndarray) -> Landmarks | None:
        beat = self._beat.number
        self.tracked += 1
        if self._plan.now("tracker", beat):
            raise RuntimeError("the graph has errors")
        if self._plan.now("no face", beat):
            return None
        model, elsewhere = load_face_model(), self._plan.now("two faces", beat)
        points = model.mean + np.tensordot(expression(jawOpen=0.3 + 0.3 * np.sin(beat / 3)), model.expression, 1)
        turn = np.array([0.0, 0.2 * np.sin(beat / 20), 0.0])
        place = np.array([0.8 * WIDTH if elsewhere else 0.4 * WIDTH, 0.65 * HEIGHT, 0.0])
        seen = Pose(12.0 if elsewhere else 25.0, cv2.Rodrigues(turn)[0], place).to_picture(points - NECK_PIVOT)
        return seen.astype(np.float32)

    def close(self) -> None:
        pass


class Engine(BuiltinEngine):
    """The built-in engine; `leak` draws in its place now and then, where it is given."""

    def __init__(self, plan: Plan, beat: Beat, leak: Callable[[np.ndarray], np.ndarray] | None) -> None:
        self._plan, self._beat, self._leak = plan, beat, leak

    def render(self, avatar: Any, motion: Motion, level: int = 0) -> np.ndarray:
        beat = self._beat.number
        if self._plan.now("engine", beat) or self._plan.now("engine for long", beat):
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        if self._plan.now("memory", beat):
            raise MemoryError
        image = super().render(avatar, motion, level)
        return self._leak(image) if self._leak is not None and beat % 50 == 49 else image
