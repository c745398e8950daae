"""Video driver: with the profile of the person who drives, and with absolute motion."""

import numpy as np
import pytest

from calibration.likeness import FRAMES
from calibration.profile import Profile
from models.errors import InputError
from runtime.frame import Frame
from tests.people import Person
from tests.runtime.face_script import FRAME_NS, IMAGE, check, face, seen, vector, warnings, watch


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
