"""Who is in a portrait, with and without the network that reads faces."""

import numpy as np
import torch
from torch import Tensor

from models.face_fit.objective import Coefficients
from models.goha.coefficients import CoefficientNetwork
from models.goha.crop import NEARNESS_DM
from models.goha.person_reader import PersonReader

FIT = Coefficients(
    np.full(80, 0.1, np.float32), np.full(64, 0.2, np.float32), np.full(3, 0.3, np.float32), np.full(3, 0.4, np.float32)
)
PORTRAIT, EXEMPLAR = torch.zeros(1, 3, 512, 512), torch.ones(1, 3, 512, 512)


class Rows(CoefficientNetwork):
    """Gives numbers in order, from 1000 on for a white picture."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def forward(self, image: Tensor) -> Tensor:
        return torch.arange(257.0)[None] + (1000 if image.min() > 0.9 else 0)


def test_the_network_says_who_and_with_what_expression_the_exemplar_what_is_frontal() -> None:
    look, rest = PersonReader(Rows(), EXEMPLAR)(PORTRAIT, FIT)
    assert look.identity.tolist() == rest.identity.tolist() == [*range(80)]
    assert rest.expression.tolist() == [*range(80, 144)]
    assert look.texture.tolist() == [*range(144, 224)] and look.light.tolist() == [*range(227, 254)]
    assert look.angle.tolist() == [1224, 1225, 1226] and look.translation.tolist() == [1254, 1255, 1256]
    np.testing.assert_array_equal(rest.euler, FIT.euler)
    np.testing.assert_array_equal(rest.translation, FIT.translation)


def test_without_it_the_fit_does() -> None:
    look, rest = PersonReader(None, EXEMPLAR)(PORTRAIT, FIT)
    assert rest is FIT and look.identity is FIT.identity
    assert not look.texture.any() and not look.light.any() and not look.angle.any()
    assert look.translation.tolist() == [0, 0, NEARNESS_DM]
