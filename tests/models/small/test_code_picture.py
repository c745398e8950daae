"""Code pictures: what of an expression they show, on the CPU and by torch."""

import numpy as np
import pytest
import torch

from models.face import FaceModel, load_face_model
from models.motion import expression
from models.small.code_picture import CODE_SIDE, CodePainter
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
    assert (rest[mouth] == 0).sum() == 0 and (speaking[mouth] == 0).sum() > 60
    irises = [np.argwhere(np.isclose(picture[2], 0.5))[:, 1] for picture in (rest, winking)]
    assert (irises[0] < CODE_SIDE / 2).any() and (irises[0] > CODE_SIDE / 2).any()
    assert (irises[1] < CODE_SIDE / 2).any() and not (irises[1] > CODE_SIDE / 2).any(), "the subject's left eye is shut"
    skin = rest[2] == 1
    across, up = (np.where(skin, rest[k], np.nan) for k in range(2))
    assert np.nanmean(np.diff(across, axis=1)) > 0 > np.nanmean(np.diff(up, axis=0))


def test_torch_draws_what_the_cpu_draws(model: FaceModel) -> None:
    box = box_of(model)
    faces = np.stack([face(model, jawOpen=0.7, mouthSmileLeft=0.5), face(model, eyeBlinkRight=0.6, browInnerUp=1.0)])
    drawn = TorchCodePainter(model, box, torch.device("cpu"))(torch.from_numpy(faces).float()).numpy()
    for one, other in zip(drawn, map(CodePainter(model, box), faces), strict=True):
        far = np.abs(one - other).max(0) > 0.02
        assert far.mean() < 0.001, "single pixels at edges alone"
        assert (other[2] > 0).mean() > 0.2
