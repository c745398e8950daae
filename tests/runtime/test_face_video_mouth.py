"""Video driver: the mouth's pixels, and whether the mouth is believed."""

import cv2
import numpy as np

from calibration.likeness import FRAMES
from calibration.profile import Profile
from models.face import FaceModel
from models.landmarks import Landmarks
from models.topology import INNER_LIPS
from runtime.drivers.mouth_cutter import MouthCutter
from runtime.drivers.mouth_sight import MouthSight
from tests.people import Person
from tests.runtime.face_script import IMAGE, check, face, seen, watch


def picture(landmarks: Landmarks) -> np.ndarray:
    """What is between these lips is light in a dark picture."""
    image = IMAGE.copy()
    cv2.fillPoly(image, [landmarks[INNER_LIPS, :2].round().astype(np.int32)], (200, 180, 170))
    return image


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
