"""The picture that an expression is read from: the face model with the person's colours, lit, from the front.

Drawn as nvdiffrast draws it for the released code: one hard surface per pixel, its centre tested, colours true to
perspective, no smoothing of edges, both sides of triangles.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float, Float32
from torch import Tensor

from models.bfm import to_picture
from models.camera import row_rotation
from models.goha.coefficients import SIDE
from models.goha.face import GohaFace
from models.raster import Raster, rasterise

Vertices = Float32[np.ndarray, "n 3"]
ArrayT = TypeVar("ArrayT", np.ndarray, Tensor)
FacePicture = Float32[np.ndarray, "3 224 224"]
"""About -1..1, -1 where there is no face."""

_AMBIENT = 0.8
_BAND0, _BAND1, _BAND2 = np.pi, 2 * np.pi / np.sqrt(3.0), 2 * np.pi / np.sqrt(8.0)
_SCALE0, _SCALE1, _SCALE2 = 1 / np.sqrt(4 * np.pi), np.sqrt(3.0 / (4 * np.pi)), 3 * np.sqrt(5.0 / (12 * np.pi))


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """All of a face but its expression; see `coefficients.FaceCoefficients`."""

    identity: Float[np.ndarray, "80"]
    texture: Float[np.ndarray, "80"]
    light: Float[np.ndarray, "27"]
    angle: Float[np.ndarray, "3"]
    translation: Float[np.ndarray, "3"]


class Person(NamedTuple):
    """What a look makes of the face model: arrays."""

    rest: Vertices
    """Without expression and pose, decimetres."""
    texture: Vertices
    """Colours without light, about 0..1."""
    light: Float32[np.ndarray, "9 3"]
    pose: Float32[np.ndarray, "4 3"]
    """Rotation of row vectors, then translation."""


def person_of(face: GohaFace, look: Look) -> Person:
    """The person with this look: identity, colours and light of the portrait, the pose that is taken for frontal."""
    pose = np.concatenate([row_rotation(look.angle), look.translation[None]])
    return Person(
        rest=face.model.shape(look.identity),
        texture=face.texture_mean + np.tensordot(look.texture.astype(np.float32), face.texture, 1),
        light=(look.light.reshape(3, 9).T + _AMBIENT * np.eye(9, 1)).astype(np.float32),
        pose=pose.astype(np.float32),
    )


class FacePainter:
    """Draws one person's expressions. One thread, no GPU."""

    def __init__(self, face: GohaFace, person: Person) -> None:
        self._face, self._person = face, person

    def __call__(self, expression: Float[np.ndarray, "64"]) -> FacePicture:
        """The person with this expression; zeros are the face at rest."""
        vertices, colours = self.vertices(expression)
        image = self.draw(vertices, colours).image
        near = image[..., 3:]
        shown = np.divide(image[..., :3], near, out=np.zeros_like(image[..., :3]), where=near > 0)
        return np.ascontiguousarray((2 * shown - 1).transpose(2, 0, 1))

    def vertices(self, expression: Float[np.ndarray, "64"]) -> tuple[Vertices, Vertices]:
        """The face model, posed (decimetres, axes of `models.bfm`), and its vertices' lit colours."""
        rest, texture, light, pose = self._person
        shape = rest + np.tensordot(expression.astype(np.float32), self._face.model.expression, 1)
        normals = vertex_normals(shape, self._face) @ pose[:3]
        lit = texture * (harmonics(normals) @ light)
        return shape @ pose[:3] + pose[3], lit.astype(np.float32)

    def draw(self, vertices: Vertices, colours: Vertices) -> Raster:
        """Colours times nearness, then nearness (over decimetres); the depth is the nearness, below zero."""
        projected = to_picture(vertices, SIDE)
        near = 1 / projected[:, 2:]
        # What is linear in the picture of a surface in perspective is 1 / distance, and anything times it.
        projected[:, 2:] = -near
        return rasterise(
            projected, self._face.model.triangles, np.concatenate([colours * near, near], axis=1), (SIDE, SIDE)
        )


def vertex_normals(shape: Vertices, face: GohaFace) -> Vertices:
    """Unit vectors, outwards: the sum of those of the triangles around."""
    first, second, third = (shape[face.model.triangles[:, k]] for k in range(3))
    flat = _unit(np.cross(first - second, second - third))
    flat = np.concatenate([flat, np.zeros((1, 3), np.float32)])  # for the vertices with fewer triangles
    return _unit(flat[face.around].sum(1))


def harmonics(normals: Vertices) -> Float[np.ndarray, "n 9"]:
    """The first nine spherical harmonics, as light on a surface with these normals."""
    return np.stack(harmonic_terms(*normals.T), axis=1)


def harmonic_terms(x: ArrayT, y: ArrayT, z: ArrayT) -> list[ArrayT]:
    """The same one by one, of the normals' coordinates in arrays or tensors."""
    one, two = float(_BAND1 * _SCALE1), float(_BAND2 * _SCALE2)
    return [
        0 * x + float(_BAND0 * _SCALE0),
        -one * y, one * z, -one * x,
        two * x * y, -two * y * z, two / (2 * 3**0.5) * (3 * z**2 - 1), -two * x * z, two / 2 * (x**2 - y**2),
    ]  # fmt: skip


def _unit(vectors: Vertices) -> Vertices:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
