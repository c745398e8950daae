"""Guidance: each step ends when its movement was seen, and not before."""

import pytest

from calibration.guide import STEPS, Guide
from calibration.learn import Learner
from models.face import load_face_model
from tests.people import HEIGHT, WIDTH, Person

FRAME_NS = 40_000_000
MOVES = [
    ({},),
    ({"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}, {}),
    ({"jawOpen": 0.7},),
    ({"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8},),
    ({"mouthPucker": 0.8},),
    ({"browInnerUp": 0.9, "browOuterUpLeft": 0.8, "browOuterUpRight": 0.8},),
    ({"yaw_deg": -18}, {"yaw_deg": 18}),
    ({"pitch_deg": -12}, {"pitch_deg": 12}),
]


class Sitting:
    """A person before the camera, and the guide."""

    def __init__(self):
        self.person, self.now_ns = Person(1), 0
        self.learner = Learner(load_face_model())
        self.guide = Guide(self.learner, load_face_model())

    def do(self, frames, **how):
        for _ in range(frames):
            self.guide.see(self.person.seen(**how), self.now_ns, WIDTH, HEIGHT)
            self.now_ns += FRAME_NS

    def perform(self, index):
        while self.guide.index == index:
            for move in MOVES[index]:
                self.do(3, **move)
                assert self.now_ns < 60e9, STEPS[index].title


def test_all_steps_in_order_make_a_profile():
    sitting = Sitting()
    for index in range(len(STEPS)):
        assert sitting.guide.index == index
        assert sitting.guide.states == ["done"] * index + ["now"] + ["todo"] * (len(STEPS) - index - 1)
        sitting.perform(index)
    assert sitting.guide.ended and sitting.guide.progress == 1.0
    profile = sitting.learner.profile("me", "now")
    for name in ("jawOpen", "mouthSmile", "mouthPucker", "browInnerUp"):
        assert profile.saw(name), name
    sitting.do(3)  # nothing happens after the end
    assert profile.frames == sitting.learner.count


@pytest.mark.parametrize("index", range(1, len(STEPS)))
def test_no_step_ends_by_resting_or_by_another_movement(index):
    sitting = Sitting()
    sitting.perform(0)
    for _ in range(1, index):
        sitting.guide.skip()
    sitting.do(40)
    for other in range(1, len(STEPS)):
        if other != index:
            for move in MOVES[other]:
                sitting.do(15, **move)
    assert sitting.guide.index == index, STEPS[index].title
    assert sitting.guide.states[index] == "now"


def test_a_face_that_is_not_at_rest_does_not_end_the_first_step():
    sitting = Sitting()
    sitting.do(100, jawOpen=0.6)
    assert sitting.guide.index == 0 and sitting.guide.progress < 0.1


def test_a_pause_of_the_camera_is_no_holding():
    sitting = Sitting()
    sitting.do(1)
    sitting.now_ns += 60_000_000_000
    sitting.do(1)
    assert sitting.guide.index == 0 and sitting.guide.progress < 0.2


def test_skip_and_again():
    sitting = Sitting()
    sitting.guide.again()
    assert sitting.guide.index == 0
    sitting.guide.skip()
    sitting.guide.skip()
    assert sitting.guide.states[:3] == ["skipped", "skipped", "now"]
    sitting.guide.again()
    assert sitting.guide.states[:3] == ["skipped", "now", "todo"]
    for _ in STEPS:
        sitting.guide.skip()
    assert sitting.guide.ended
    sitting.guide.again()
    assert sitting.guide.ended


def test_expressions_asked_for_are_not_taken_for_rest():
    sitting = Sitting()
    sitting.perform(0)
    seen = sitting.learner.neutral.count
    sitting.do(10)
    assert sitting.learner.neutral.count == seen
