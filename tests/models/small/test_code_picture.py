"""Code pictures: what of an expression they show, on the CPU and by torch."""

import cv2
import numpy as np
import pytest
import torch

from models.face import FaceModel, load_face_model
from models.motion import expression
from models.small.code_picture import CODE_SIDE, REACH, CodePainter
from models.small.frame_box import box_of
from models.small.torch_code_picture import TorchCodePainter


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model()


def face(model: FaceModel, **values: float) -> np.ndarray:
    return model.shape(expression=expression(**values)).astype(np.float64)


def test_an_open_mouth_is_a_hole_and_lids_hide_the_irises(model: FaceModel) -> None:
    paint = CodePainter(model, box_of(model))
    rest, speaking = paint(face(model)), paint(face(model, jawOpen=0.8))
    winking = paint(face(model, eyeBlinkLeft=1.0))
    assert rest.shape == (3, CODE_SIDE, CODE_SIDE) and rest.min() >= 0 and rest.max() <= 1
    mouth = np.s_[2, 95:125, 60:100]
    assert (rest[mouth] == 1).all() and (np.isclose(speaking[mouth], 0.2)).sum() > 60
    inside = np.isclose(speaking[2], 0.2)
    upwards = np.where(inside, speaking[1], np.nan)
    assert np.nanmax(upwards) > 0.9 and np.nanmin(upwards) < 0.1 and np.nanmean(np.diff(upwards, axis=0)) < 0
    irises = [np.argwhere(np.isclose(picture[2], 0.5))[:, 1] for picture in (rest, winking)]
    assert (irises[0] < CODE_SIDE / 2).any() and (irises[0] > CODE_SIDE / 2).any()
    assert (irises[1] < CODE_SIDE / 2).any() and not (irises[1] > CODE_SIDE / 2).any(), "the subject's left eye is shut"
    skin = rest[2] == 1
    across, up = (np.where(skin, rest[k], np.nan) for k in range(2))
    assert np.nanmean(np.diff(across, axis=1)) > 0 > np.nanmean(np.diff(up, axis=0))


def test_places_say_where_a_face_has_each_code(model: FaceModel) -> None:
    paint = CodePainter(model, box_of(model))
    one = face(model, jawOpen=0.4, mouthSmileLeft=0.8, eyeLookUpLeft=0.5, eyeLookUpRight=0.5)
    picture, places = paint(one), paint.places(one)
    for kind, there in ((1.0, places[:2]), (0.5, places[2:])):
        rows, columns = np.nonzero(np.isclose(picture[2], kind))
        at = [CODE_SIDE * picture[k, rows, columns, None] - 0.5 for k in range(2)]
        found = [cv2.remap(x, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0] for x in there]
        expected = [REACH * ((x + 0.5) * (2 / CODE_SIDE) - 1) for x in (columns, rows)]
        wrong = np.abs(np.subtract(found, expected)).max(0) * (CODE_SIDE / 2 / REACH)
        assert np.median(wrong) < 0.1 and np.quantile(wrong, 0.95) < 0.7, "pixels"


def test_torch_draws_what_the_cpu_draws(model: FaceModel) -> None:
    box = box_of(model)
    faces = np.stack([face(model, jawOpen=0.7, mouthSmileLeft=0.5), face(model, eyeBlinkRight=0.6, browInnerUp=1.0)])
    drawn = TorchCodePainter(model, box, torch.device("cpu"))(torch.from_numpy(faces).float()).numpy()
    for one, other in zip(drawn, map(CodePainter(model, box), faces), strict=True):
        far = np.abs(one - other).max(0) > 0.02
        assert far.mean() < 0.001, "single pixels at edges alone"
        assert (other[2] > 0).mean() > 0.2
