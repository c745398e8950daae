"""Video driver: what a tracked face tells, and what happens while there is none."""

import logging
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest

from calibration.fit import MotionFit, Zero
from calibration.kernels import bounded_solution
from calibration.likeness import FRAMES
from calibration.person import PersonCheck
from calibration.profile import Profile
from models.errors import InputError
from models.expression import EYES
from models.face import FaceModel, load_face_model
from models.landmarks import FaceTracker, Landmarks
from models.motion import CAMERA_DISTANCE, Motion, expression
from models.pose import NECK_PIVOT, Pose
from models.topology import INNER_LIPS
from runtime.drivers.face_video import FaceVideo
from runtime.drivers.kernels import read_spots
from runtime.drivers.mouth_cutter import MouthCutter
from runtime.drivers.mouth_sight import MouthSight
from runtime.drivers.one_euro import OneEuro
from runtime.frame import Frame
from runtime.worker import Worker
from tests.people import Person

FRAME_NS = 40_000_000
IMAGE = np.zeros((480, 640, 3), np.uint8)
CLOSED_EYES = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}


class Script:
    """A tracker that sees what it was told, frame by frame, and the last of it from then on."""

    def __init__(self, *seen: Landmarks | None) -> None:
        self.seen: Iterator[Landmarks | None] = iter(seen)
        self.last: Landmarks | None = None
        self.closed = 0

    def track(self, image: np.ndarray) -> Landmarks | None:
        assert image.shape == IMAGE.shape
        self.last = next(self.seen, self.last)
        return self.last

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model()


def face(x_px: float = 320.0, yaw_deg: float = 0.0, scale_px: float = 150.0, **coefficients: float) -> Landmarks:
    """Landmarks of the mean face with these coefficients, turned about its neck, in a 640x480 picture."""
    model = load_face_model()
    points = model.mean + np.tensordot(expression(**coefficients), model.expression, 1)
    yaw = np.deg2rad(yaw_deg)
    rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return Pose(scale_px, rotation, np.array([x_px, 300.0, 0.0])).to_picture(points - NECK_PIVOT).astype(np.float32)


def watch(driver: FaceVideo, frames: int, start_ns: int = 0, image: np.ndarray = IMAGE) -> list[Motion]:
    motions = [driver.push(Frame(image, start_ns + k * FRAME_NS)) for k in range(frames)]
    assert all(len(m) == 1 for m in motions)
    return [m[0] for m in motions]


def picture(landmarks: Landmarks) -> np.ndarray:
    """What is between these lips is light in a dark picture."""
    image = IMAGE.copy()
    cv2.fillPoly(image, [landmarks[INNER_LIPS, :2].round().astype(np.int32)], (200, 180, 170))
    return image


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


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


def vector(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.expression, motion.rotation, motion.translation])


def seen(
    *faces: Landmarks | None,
    person: PersonCheck | None = None,
    absolute: bool = False,
    mouth: MouthCutter | None = None,
    sight: MouthSight | None = None,
) -> tuple[FaceVideo, Script]:
    script = Script(*faces)
    assert isinstance(script, FaceTracker)
    return FaceVideo(script, load_face_model(), person, absolute, mouth, sight), script


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


def test_no_pixel_leaves_the_frame_unless_asked(model: FaceModel) -> None:
    faces = [face(), face(jawOpen=0.6), face()]
    assert [m.mouth for m in watch(seen(*faces)[0], 3)] == [None] * 3
    shut, opened, *shut_again = watch(seen(*faces, mouth=MouthCutter(model))[0], 20, image=picture(faces[1]))
    assert shut.mouth is None and opened.mouth is not None and shut_again[-1].mouth is None


def test_no_pixel_leaves_the_frame_before_the_person_is_known(model: FaceModel, profile: Profile) -> None:
    person = Person(1)
    faces = [person.seen(jawOpen=0.6) for _ in range(FRAMES + 20)]
    driver, _ = seen(*faces, person=check(profile), mouth=MouthCutter(model))
    motions = watch(driver, FRAMES + 20, image=picture(faces[-1]))
    assert [m.mouth for m in motions if m.confidence == 0.0] == [None] * (FRAMES - 1)
    assert motions[-1].mouth is not None


def test_without_being_asked_the_mouth_is_believed(model: FaceModel) -> None:
    assert [m.mouth_confidence for m in watch(seen(face())[0], 10)] == [1.0] * 10


def test_a_mouth_in_the_dark_is_not_believed_and_the_face_is(model: FaceModel) -> None:
    motions = watch(seen(face(), sight=MouthSight(model))[0], 20)
    assert motions[0].mouth_confidence == 1.0
    assert (motions[-1].mouth_confidence, motions[-1].confidence) == (0.0, 1.0)


def test_while_the_face_is_lost_the_mouth_is_believed_as_it_was(model: FaceModel) -> None:
    motions = watch(seen(*[face()] * 4, None, sight=MouthSight(model))[0], 20)
    held = motions[3].mouth_confidence
    assert 0.0 < held < 1.0
    assert all(m.mouth_confidence == held for m in motions[4:])


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


def test_a_long_absence_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    driver, _ = seen(face(), *[None] * 49)
    watch(driver, 50)
    assert warnings(caplog) == []  # not two seconds yet
    watch(driver, 200, 50 * FRAME_NS)
    assert len(warnings(caplog)) == 1
    assert "no face" in warnings(caplog)[0]
    driver.close()
    assert len(warnings(caplog)) == 1


def test_short_absences_do_not_add_up(caplog: pytest.LogCaptureFixture) -> None:
    driver, _ = seen(face(), *[None] * 40, face(), *[None] * 40, face())
    watch(driver, 90)
    assert warnings(caplog) == []


def test_a_face_that_is_no_reference_yet_is_not_absent(caplog: pytest.LogCaptureFixture) -> None:
    driver, _ = seen(*[None] * 45, face(**CLOSED_EYES))
    watch(driver, 60)
    assert warnings(caplog) == []


def test_the_next_absence_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    driver, _ = seen(*[None] * 60, face(), *[None] * 60, face())
    watch(driver, 130)
    assert len(warnings(caplog)) == 2


def test_a_clip_without_a_face_is_told_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    driver, script = seen(None)
    watch(driver, 10)
    assert warnings(caplog) == []
    driver.close()
    driver.close()
    assert len(warnings(caplog)) == 1
    assert "no face" in warnings(caplog)[0]
    assert script.closed >= 1


def test_a_clip_with_a_face_ends_quietly(caplog: pytest.LogCaptureFixture) -> None:
    driver, script = seen(face())
    watch(driver, 10)
    driver.close()
    assert warnings(caplog) == []
    assert script.closed == 1


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


@pytest.fixture(scope="module")
def profile() -> Profile:
    return Person(1).profile()


def check(profile: Profile) -> PersonCheck:
    return PersonCheck(profile, load_face_model())


def test_nothing_moves_until_the_person_of_the_profile_is_known(profile: Profile) -> None:
    person = Person(1)
    driver, _ = seen(*(person.seen(yaw_deg=5) for _ in range(FRAMES + 20)), person=check(profile))
    motions = watch(driver, FRAMES + 20)
    assert not any(m.confidence for m in motions[: FRAMES - 1])
    assert not any(vector(m).any() for m in motions[: FRAMES - 1])
    assert motions[-1].confidence == 1.0
    assert np.abs(motions[-1].rotation).max() < 0.01  # from how the head was held


def test_another_person_ends_it_before_anything_moved(profile: Profile) -> None:
    driver, _ = seen(*(Person(2).seen() for _ in range(FRAMES)), person=check(profile))
    assert not any(m.confidence for m in watch(driver, FRAMES - 1))
    with pytest.raises(InputError, match="not the face of the profile"):
        driver.push(Frame(IMAGE, FRAMES * FRAME_NS))


def test_a_face_that_cannot_be_compared_is_told_once(profile: Profile, caplog: pytest.LogCaptureFixture) -> None:
    driver, _ = seen(Person(1).seen(yaw_deg=45), person=check(profile))
    watch(driver, 149)
    assert warnings(caplog) == []
    assert not any(m.confidence for m in watch(driver, 100, 149 * FRAME_NS))
    driver.close()
    assert [line for line in warnings(caplog) if "look straight" in line] == warnings(caplog)
    assert len(warnings(caplog)) == 1


def test_expressions_count_from_the_profiles_neutral_face(profile: Profile) -> None:
    person = Person(1)
    smile = {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}
    driver, _ = seen(*(person.seen(**smile) for _ in range(FRAMES + 20)), person=check(profile))
    assert watch(driver, FRAMES + 20)[-1]["mouthSmileLeft"] == pytest.approx(1.0, abs=0.1)
    driver, _ = seen(*(person.seen(**smile) for _ in range(20)))
    assert watch(driver, 20)[-1]["mouthSmileLeft"] == pytest.approx(0.0, abs=0.1)  # without: from the first frame


def test_absolute_motion_counts_from_the_profiles_rest_pose(profile: Profile) -> None:
    person = Person(1)
    faces = [person.seen(yaw_deg=10) for _ in range(FRAMES + 20)]
    driver, _ = seen(*faces, person=check(profile), absolute=True)
    motion = watch(driver, FRAMES + 20)[-1]
    assert np.allclose(motion.rotation, [0, np.deg2rad(10), 0], atol=0.03)
    assert np.abs(motion.translation).max() < 0.06


def test_absolute_motion_without_a_profile_counts_from_looking_into_the_camera() -> None:
    driver, _ = seen(face(yaw_deg=10, mouthSmileLeft=0.7, mouthSmileRight=0.7), absolute=True)
    motion = watch(driver, 3)[-1]
    assert np.allclose(motion.rotation, [0, np.deg2rad(10), 0], atol=0.02)
    assert np.abs(motion.translation).max() < 0.01
    assert min(motion["mouthSmileLeft"], motion["mouthSmileRight"]) > 0.3
    assert motion.surface is not None
    assert np.abs(motion.surface).max() < 0.02


def test_absolute_motion_leaves_out_who_it_is() -> None:
    driver, _ = seen(Person(3).seen(noise_px=0), absolute=True)
    motion = watch(driver, 3)[-1]
    assert motion.surface is not None
    assert np.abs(motion.surface).max() < 0.01


def filtered(values: Sequence[float], step_ns: int, **settings: float) -> np.ndarray:
    one_euro = OneEuro(**{"min_cutoff_hz": 1.0, "beta": 0.5} | settings)
    return np.array([one_euro(np.array([v]), k * step_ns)[0] for k, v in enumerate(values)])


def test_one_euro_calms_a_trembling_value_and_follows_a_quick_one() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 200)
    assert filtered(noise, FRAME_NS)[50:].std() < 0.6 * noise.std()
    step = [0.0] * 10 + [1.0] * 10
    assert filtered(step, FRAME_NS, beta=20.0)[11] > 0.9
    assert filtered(step, FRAME_NS, beta=0.0)[11] < 0.5


def test_one_euro_without_speed_is_a_low_pass_of_its_cutoff() -> None:
    tau_s = 1 / (2 * np.pi * 1.0)
    step = filtered([0.0] + [1.0] * 2000, 1_000_000, beta=0.0)
    assert step[round(tau_s * 1000)] == pytest.approx(1 - np.exp(-1), abs=0.01)


def test_one_euro_keeps_its_value_for_an_old_instant_and_forgets_on_reset() -> None:
    one_euro = OneEuro(min_cutoff_hz=1.0, beta=0.0)
    first = np.array([1.0, 2.0])
    assert np.array_equal(one_euro(first, 100), first)
    assert np.array_equal(one_euro(np.array([9.0, 9.0]), 100), first)
    one_euro.reset()
    assert np.array_equal(one_euro(np.array([9.0, 9.0]), 50), [9.0, 9.0])


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
