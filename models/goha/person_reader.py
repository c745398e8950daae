"""Who is in a portrait: as Deep3DFaceRecon reads it, where its weights are, else as landmarks tell."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from models.face_fit.objective import Coefficients
from models.goha.coefficients import CoefficientNetwork, FaceCoefficients, read, to_network
from models.goha.face_picture import Look
from models.goha.restoration import Picture
from models.goha.trial import PLAIN


class PersonReader:
    """Reads portraits. One thread, on the CPU."""

    def __init__(self, network: CoefficientNetwork | None, exemplar: Picture) -> None:
        """`exemplar`: the portrait whose pose is taken for frontal, with the released weights."""
        self._network = network
        frontal = self._frontal = None if network is None else _read(network, exemplar)
        self._pose = PLAIN if frontal is None else replace(
            PLAIN, angle=_array(frontal.angle), translation=_array(frontal.translation)
        )  # fmt: skip

    def __call__(self, picture: Picture, fit: Coefficients) -> tuple[Look, Coefficients]:
        """How the person looks, and with what expression.

        Without the network, colours are the mean face's, and light is white: the fit knows neither.

        Args:
            picture: of `crop.network_picture`.
            fit: of the landmarks in it; its pose counts in either case.
        """
        if self._network is None:
            return replace(self._pose, identity=fit.identity), fit
        seen = _read(self._network, picture)
        identity, expression = _array(seen.identity), _array(seen.expression)
        look = replace(self._pose, identity=identity, texture=_array(seen.texture), light=_array(seen.light))
        return look, replace(fit, identity=identity, expression=expression)


@torch.inference_mode()
def _read(network: CoefficientNetwork, picture: Picture) -> FaceCoefficients:
    return read(network(to_network(picture)))


def _array(values: Tensor) -> Float32[np.ndarray, "n"]:
    return values[0].numpy()
