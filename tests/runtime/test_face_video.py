"""Video driver: what a tracked face tells, and what happens while there is none."""

import numpy as np
import pytest

from calibration.fit import MotionFit, Zero
from calibration.kernels import bounded_solution
from models.expression import EYES
from models.face import FaceModel, load_face_model
from models.landmarks import Landmarks
from models.motion import CAMERA_DISTANCE, Motion, expression
from runtime.drivers.face_video import FaceVideo
from runtime.drivers.kernels import read_spots
from runtime.drivers.mouth_sight import MouthSight
from runtime.worker import Worker
from tests.runtime.face_script import CLOSED_EYES, FRAME_NS, Script, face, seen, vector, watch


def compiled_when_built_and_when_driven(_: None) -> tuple[list[int], list[int]]:
    """Of each kernel, how often it was compiled or loaded."""
    count = lambda: [len(kernel.signatures) for kernel in (bounded_solution, read_spots)]  # noqa: E731
    model = load_face_model()
    driver, built = FaceVideo(Script(face()), model, sight=MouthSight(model)), count()
    watch(driver, 2)
    return built, count()


def nothing() -> None:
    pass


def test_the_first_face_waits_for_no_compiler() -> None:
    worker = Worker("the driver", nothing, compiled_when_built_and_when_driven)
    built, driven = worker.ask(None)
    worker.close()
    assert built == driven == [1, 1]


def test_the_first_face_is_rest() -> None:
    driver, _ = seen(face(x_px=250, yaw_deg=12, scale_px=110))
    for motion in watch(driver, 3, start_ns=7):
        assert np.abs(vector(motion) - vector(Motion(0, expression(mouthNeutral=1.0)))).max() < 2e-3
        assert motion.confidence == 1.0
    assert motion.pts_ns == 7 + 2 * FRAME_NS


def test_an_open_mouth_in_the_first_face_is_still_an_open_mouth() -> None:
    driver, _ = seen(face(jawOpen=0.5), *[face()] * 25)
    motions = watch(driver, 26)
    assert motions[0]["jawOpen"] > 0.2
    assert motions[-1]["jawOpen"] < 0.1


def test_the_motion_follows_face_and_head() -> None:
    driver, _ = seen(face(), face(x_px=350, yaw_deg=15, jawOpen=0.6, **CLOSED_EYES))
    motion = watch(driver, 25)[-1]
    assert motion["jawOpen"] == pytest.approx(0.6, abs=0.15)
    assert min(motion["eyeBlinkLeft"], motion["eyeBlinkRight"]) > 0.8
    assert np.allclose(motion.rotation, [0, np.deg2rad(15), 0], atol=0.01)
    assert np.allclose(motion.translation, [30 / 150, 0, 0], atol=0.02)


def test_a_larger_face_is_nearer() -> None:
    driver, _ = seen(face(scale_px=150), face(scale_px=165))
    assert watch(driver, 25)[-1].translation[2] == pytest.approx(CAMERA_DISTANCE * (150 / 165 - 1), abs=0.02)


def test_closed_eyes_are_not_the_reference(model: FaceModel) -> None:
    shut = face(**CLOSED_EYES)
    assert max(eye.openness(shut) for eye in EYES) < min(eye.openness(face()) for eye in EYES) / 2
    driver, _ = seen(*[shut] * 5, face(), *[face()] * 20, shut)
    motions = watch(driver, 45)
    assert [m.confidence for m in motions[:5]] == [0.0] * 5
    assert 0.0 < motions[5].confidence < 0.2  # then it fades in
    assert motions[15].confidence == 1.0
    assert motions[15]["eyeBlinkLeft"] < 0.02
    assert motions[-1]["eyeBlinkLeft"] > 0.8


def test_a_face_turned_away_is_not_the_reference() -> None:
    driver, _ = seen(*[face(yaw_deg=40)] * 5, face())
    motions = watch(driver, 20)
    assert [m.confidence for m in motions[:5]] == [0.0] * 5
    assert np.abs(motions[-1].rotation).max() < 0.01


def test_after_a_second_any_face_will_do() -> None:
    driver, _ = seen(face(yaw_deg=40))
    motions = watch(driver, 40)
    assert next(m.pts_ns for m in motions if m.confidence > 0) == 1_000_000_000
    assert motions[-1].confidence == 1.0


def test_a_lost_face_fades_out_and_its_motion_is_held() -> None:
    driver, _ = seen(face(), *[face(x_px=340, yaw_deg=10, jawOpen=0.5)] * 15, None)
    motions = watch(driver, 40)
    held, lost = motions[15], motions[16:]
    assert held.confidence == 1.0
    assert held["jawOpen"] > 0.3
    assert all(np.array_equal(vector(m), vector(held)) for m in lost)
    confidences = [m.confidence for m in lost]
    assert confidences[:8] == pytest.approx([max(0.0, 1 - 40 * (k + 1) / 300) for k in range(8)])
    assert not any(confidences[7:])  # 0.32 s
    assert [m.pts_ns for m in lost] == [(16 + k) * FRAME_NS for k in range(24)]


def test_a_face_that_comes_back_fades_in_without_the_past() -> None:
    driver, _ = seen(face(), *[face(yaw_deg=-20)] * 5, *[None] * 15, face(yaw_deg=20))
    back = watch(driver, 40)[21:]
    assert np.allclose(back[0].rotation, [0, np.deg2rad(20), 0], atol=1e-3)  # no way there from -20 degrees
    confidences = [m.confidence for m in back]
    assert 0.0 < confidences[0] < 0.2
    assert confidences == sorted(confidences)
    assert confidences[8] == 1.0


def test_a_missed_frame_hardly_shows() -> None:
    driver, _ = seen(face(), *[face(yaw_deg=10)] * 10, None, face(yaw_deg=10))
    motions = watch(driver, 15)
    assert motions[11].confidence == pytest.approx(1 - 40 / 300)
    assert motions[12].confidence == 1.0


def test_no_face_at_all_is_no_opinion() -> None:
    driver, _ = seen(None)
    for motion in watch(driver, 10):
        assert motion.confidence == 0.0
        assert not vector(motion).any()


def test_trembling_landmarks_are_calmed_yet_speech_is_not_late() -> None:
    random = np.random.default_rng(0)
    trembling = [face() + random.normal(0, 0.4, (478, 3)).astype(np.float32) for _ in range(60)]
    driver, _ = seen(face(), *trembling, face(jawOpen=0.6))
    motions = watch(driver, 64)
    reference = MotionFit(Zero.of_frame(face(), load_face_model()), load_face_model())
    raw = [reference.measure(points, reference.head(points)).face for points in trembling[20:]]
    told = [m.surface + np.tensordot(m.expression, load_face_model().expression, 1) for m in motions[21:61]]
    assert np.std(told, axis=0).mean() < 0.9 * np.std(raw, axis=0).mean()
    assert motions[62]["jawOpen"] > 0.7 * motions[63]["jawOpen"] > 0.3  # within two frames


class Counting(Script):
    """Counts the frames that it is shown."""

    looks = 0

    def track(self, image: np.ndarray) -> Landmarks | None:
        self.looks += 1
        return super().track(image)


def test_every_second_frame_is_predicted_where_asked(model):
    every = 1
    tracker = Counting(*(face(x_px=320 + 2 * k) for k in range(200)))
    driver = FaceVideo(tracker, model, track_every=lambda: every)
    watch(driver, 20)
    assert tracker.looks == 20
    every = 2
    motions = watch(driver, 20, 20 * FRAME_NS)
    assert tracker.looks == 30
    assert [m.pts_ns for m in motions] == [(20 + k) * FRAME_NS for k in range(20)]
    steps = np.diff([m.translation[0] for m in motions[4:]])
    assert (steps > 0.2 * steps.mean()).all(), "it goes on between the frames that are looked at"


def test_a_face_that_is_lost_is_not_predicted_to_stay(model):
    driver = FaceVideo(Script(*[face()] * 10, None), model, track_every=lambda: 2)
    motions = watch(driver, 60)
    assert [m.confidence for m in motions[:19]] == [1.0] * 19
    assert motions[40].confidence == 0.0
