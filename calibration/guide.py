"""Guidance through a calibration: what the person is asked to do, and how much of it was seen."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32

from calibration.fit import MotionFit, Zero
from calibration.learn import Learner
from models.face import FaceModel
from models.motion import INDEX
from models.pose import fit_pose

Landmarks = Float32[np.ndarray, "478 3"]

StepState = Literal["todo", "now", "done", "skipped"]

_RELAX_S, _HOLD_S = 1.5, 0.8
_BLINKS = 2
_SHUT, _OPEN = 0.6, 0.35  # eyeBlink beyond which an eye is shut, and below which it is open again
_ENOUGH = 0.25  # of a coefficient; then the person's own best counts
_OWN_BEST = 0.7
_REACH = {"turn": np.deg2rad(14), "nod": np.deg2rad(7)}  # to either side
_LONGEST_S = 0.1  # between two frames; a pause does not count as holding


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do."""

    kind: Literal["relax", "blink", "hold", "turn", "nod"]
    title: str
    hint: str
    shapes: tuple[str, ...] = ()
    """Coefficients of the expression that is to be held."""


STEPS = (
    Step("relax", "Look straight and relax", "Lips together, eyes open, as if you were listening."),
    Step("blink", "Blink", "Close both eyes and open them, twice."),
    Step("hold", "Open your mouth", "As wide as is comfortable, and hold it.", ("jawOpen",)),
    Step("hold", "Smile", "Your widest smile, and hold it.", ("mouthSmileLeft", "mouthSmileRight")),
    Step("hold", "Pucker", "Lips forward as for a kiss, and hold it.", ("mouthPucker", "mouthFunnel")),
    Step(
        "hold",
        "Raise your brows",
        "As if surprised, and hold it.",
        ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    ),
    Step("turn", "Turn left and right", "Slowly to one side, then to the other."),
    Step("nod", "Nod", "Slowly up, then down."),
)


@dataclass(slots=True)
class _Try:
    """What was seen of the step that is on."""

    held_s: float = 0.0
    best: float = 0.0
    blinks: int = 0
    shut: bool = False
    lowest: float = 0.0
    highest: float = 0.0


class Guide:
    """Walks through `STEPS`; feeds a `Learner` on the way."""

    steps = STEPS

    def __init__(self, learner: Learner, model: FaceModel) -> None:
        self._learner, self._model = learner, model
        self._fit: MotionFit | None = None
        self._last_ns: int | None = None
        self.states: list[StepState] = ["now" if step is STEPS[0] else "todo" for step in STEPS]
        """Of each step."""
        self.index = 0
        """The step that is on, or `len(STEPS)` at the end."""
        self._try = _Try()

    @property
    def ended(self) -> bool:
        """Whether every step is done or skipped."""
        return self.index == len(STEPS)

    @property
    def progress(self) -> float:
        """Of the step that is on, 0..1."""
        if self.ended:
            return 1.0
        seen = self._try
        match STEPS[self.index].kind:
            case "relax":
                part = seen.held_s / _RELAX_S
            case "hold":
                part = seen.held_s / _HOLD_S
            case "blink":
                part = seen.blinks / _BLINKS
            case "turn" | "nod" as kind:
                reach = _REACH[kind]
                part = (min(-seen.lowest, reach) + min(seen.highest, reach)) / (2 * reach)
        return float(min(1.0, part))

    def skip(self) -> None:
        """Leaves the step that is on undone."""
        if not self.ended:
            self._next("skipped")

    def again(self) -> None:
        """Takes the step before once more; the first one from its beginning."""
        if not self.ended:
            self.states[self.index] = "todo"
            self.index = max(0, self.index - 1)
            self.states[self.index] = "now"
            self._begin()

    def see(self, landmarks: Landmarks, pts_ns: int, width_px: int, height_px: int) -> None:
        """Takes the face of the next frame."""
        if self.ended:
            return
        elapsed_s = 0.0 if self._last_ns is None else min((pts_ns - self._last_ns) / 1e9, _LONGEST_S)
        self._last_ns = pts_ns
        relaxed = STEPS[self.index].kind == "relax"
        weight = self._learner.add(landmarks, width_px, height_px, relaxed)
        if relaxed:
            self._try.held_s += elapsed_s * weight
        else:
            self._watch(landmarks, elapsed_s)
        if self.progress >= 1:
            self._next("done")

    def _watch(self, landmarks: Landmarks, elapsed_s: float) -> None:
        if self._fit is None:  # how the head is held as the first movement begins
            pose = fit_pose(landmarks, self._model.mean)
            self._fit = MotionFit(Zero.of_face(self._at_rest(landmarks), self._model, pose), self._model)
        measured = self._fit.measure(landmarks, self._fit.head(landmarks))
        expression = self._fit.express(measured.face)
        step, seen = STEPS[self.index], self._try
        if step.kind == "blink":
            blink = min(float(expression[INDEX[f"eyeBlink{side}"]]) for side in ("Left", "Right"))
            seen.blinks += seen.shut and blink < _OPEN
            seen.shut = blink > _SHUT or (seen.shut and blink >= _OPEN)
        elif step.kind == "hold":
            value = float(np.mean([expression[INDEX[name]] for name in step.shapes]))
            seen.best = max(seen.best, value)
            seen.held_s += elapsed_s * (value >= max(_ENOUGH, _OWN_BEST * seen.best))
        else:
            angle = float(measured.rotation[1 if step.kind == "turn" else 0])
            seen.lowest, seen.highest = min(seen.lowest, angle), max(seen.highest, angle)

    def _at_rest(self, landmarks: Landmarks) -> Float[np.ndarray, "478 3"]:
        """The neutral face so far, or this one where rest was skipped."""
        if self._learner.neutral.count:
            return self._learner.neutral.face().astype(np.float64)
        return fit_pose(landmarks, self._model.mean).to_canonical(landmarks.astype(np.float64))

    def _next(self, state: StepState) -> None:
        self.states[self.index] = state
        self.index += 1
        if not self.ended:
            self.states[self.index] = "now"
        self._begin()

    def _begin(self) -> None:
        self._try = _Try()
        if not self.ended and STEPS[self.index].kind in ("relax", "blink"):
            self._fit = None  # the head may have moved, and rest is known better
