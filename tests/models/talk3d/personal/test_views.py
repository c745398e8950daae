"""Cameras, planes and pictures with gradients are those without."""

import pytest
import torch

from models.talk3d.camera import camera_labels
from models.talk3d.personal.aim import usual_face
from models.talk3d.personal.views import latents, layered_planes, view
from models.topology import CHIN, OUTER_EYE_CORNERS
from tests.models.talk3d.personal import tiny

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_picture_tells_where_it_was_seen_from_and_of_whom() -> None:
    generator, turn = tiny.generator(), torch.zeros(2, requires_grad=True)
    style = latents(generator, 10).mean.requires_grad_()
    seen = view(generator, generator.backbone.synthesis(style), style, camera_labels(*turn[:, None]), 8)
    torch.autograd.backward(seen.picture.square().mean())
    assert turn.grad is not None and style.grad is not None
    assert (turn.grad != 0).all() and (style.grad != 0).any()


def test_layers_of_one_style_make_the_same_planes() -> None:
    generator = tiny.generator()
    style = torch.randn(512, generator=torch.Generator().manual_seed(0))
    synthesis = generator.backbone.synthesis
    styles = style.expand(tiny.SIZE.styles, -1)
    torch.testing.assert_close(layered_planes(synthesis, styles), synthesis(style))
    for layer in range(tiny.SIZE.styles):
        other = styles.clone()
        other[layer] += 1
        assert not torch.equal(layered_planes(synthesis, other), synthesis(style)), "every layer has its own"


def test_faces_are_laid_where_generators_know_them() -> None:
    face = usual_face()
    left, right = face[list(OUTER_EYE_CORNERS)]
    assert right[0] - left[0] == pytest.approx(0.35, abs=0.01) and left[1] == pytest.approx(0.47, abs=0.01)
    assert 0.7 < face[CHIN, 1] < 0.95
