"""Another face beside the one that is followed."""

import cv2

from models.bystanders import Bystanders
from tests.runtime.truth.filmed import film, visited


def test_another_face_of_about_the_same_size_is_somebody_else() -> None:
    bystanders = Bystanders()
    seen = film(0)
    assert bystanders.any(visited(seen).frame.image, seen.landmarks)
    assert not bystanders.any(seen.frame.image, seen.landmarks)
    bystanders.close()
    bystanders.close()


def test_a_picture_on_the_wall_is_not() -> None:
    bystanders, seen = Bystanders(), film(0)
    image = seen.frame.image.copy()
    image[:110, -110:] = cv2.resize(film(1).frame.image, (110, 110), interpolation=cv2.INTER_AREA)
    assert not bystanders.any(image, seen.landmarks)
    bystanders.close()
