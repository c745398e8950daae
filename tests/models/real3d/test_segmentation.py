"""Parts of a person: told by the built-in segmenter, and by a user's own file."""

from pathlib import Path

import cv2
import mediapipe
import numpy as np
import pytest

from calibration.photo import read_photo
from models.errors import InputError
from models.landmarks import find_faces
from models.real3d.parting import BuiltinSegmenter
from models.real3d.segmentation import BACKGROUND, BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, MulticlassSegmenter
from models.topology import CHIN, FOREHEAD_TOP

SELFIE = Path(mediapipe.__file__).parent / "modules" / "selfie_segmentation" / "selfie_segmentation.tflite"


def test_the_example_portraits_parts(portrait_png: Path) -> None:
    image = read_photo(portrait_png)
    landmarks = find_faces(image)[0]
    classes = BuiltinSegmenter()(image, landmarks)
    (x, chin), (_, top) = landmarks[CHIN, :2].astype(int), landmarks[FOREHEAD_TOP, :2].astype(int)
    height = chin - top
    assert classes[(chin + top) // 2, x] == FACE_SKIN
    assert classes[top - height // 5, x] == HAIR
    assert classes[chin + height // 15, x] == BODY_SKIN
    assert classes[-1, x] == CLOTHES
    assert classes[5, 5] == BACKGROUND
    head = np.isin(classes, (HAIR, FACE_SKIN))
    assert cv2.connectedComponents(head.astype(np.uint8))[0] == 2  # itself, and all else
    assert not head[chin + height // 4 :].any()


def test_other_segmentation_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tells 1 classes apart; bring selfie_multiclass_256x256"):
        MulticlassSegmenter(SELFIE)
    with pytest.raises(InputError, match="cannot be read: no such file"):
        MulticlassSegmenter(tmp_path / "missing.tflite")
    for content in (b"", b"x" * 1000):
        (tmp_path / "x.tflite").write_bytes(content)
        with pytest.raises(InputError, match="is not a segmentation model") as caught:
            MulticlassSegmenter(tmp_path / "x.tflite")
        assert "\n" not in str(caught.value)


def test_a_model_of_the_right_kind_gives_its_classes(monkeypatch: pytest.MonkeyPatch, portrait_png: Path) -> None:
    monkeypatch.setattr("models.real3d.segmentation._LABELS", 1)
    image = read_photo(portrait_png)
    with MulticlassSegmenter(SELFIE) as segmenter:
        classes = segmenter(image, np.zeros((478, 3), np.float32))
    assert classes.shape == image.shape[:2]
    assert classes[5, 5] != classes[image.shape[0] // 2, image.shape[1] // 2]
