"""The 80 identity shapes: named proportions of faces from sparse handles, then smooth symmetric modes of the surface.

Every shape is one standard deviation of what it is named for (anthropometry: a few millimetres), so coefficients are
about N(0, 1). Unit: distance of the outer eye corners, about 92 mm.
"""

from collections.abc import Sequence

import numpy as np
from face_surface import Points, Surface
from jaxtyping import Float
from proportions import Handles, proportions

from models.face import IDENTITY_COUNT
from models.topology import (
    LANDMARK_COUNT,
    LEFT_IRIS,
    LEFT_UPPER_LID,
    RIGHT_IRIS,
    RIGHT_UPPER_LID,
    RIGID,
    SURFACE_COUNT,
)

Fields = Float[np.ndarray, "n 468 3"]

_WAVES = 80
_WAVE_SIZE = 0.006  # rms displacement of the longest waves at one standard deviation
_LONGEST = 4  # waves beyond this number begin to fall


def identity_shapes(surface: Surface) -> Float[np.ndarray, "80 478 3"]:
    """Displacements at one standard deviation; symmetric, mutually orthogonal, free of rigid motion and scale.

    They are the principal components of a random face in which every named proportion and every smooth mode varies by
    itself: the largest first.
    """
    named = np.stack([_spread(surface, *p) for p in proportions(surface.points).values()])
    varied = without_similarity(np.concatenate([named, smooth_modes(surface)]), surface)
    _, sizes, shapes = np.linalg.svd(varied.reshape(len(varied), -1), full_matrices=False)
    shapes *= np.sign(shapes.sum(1))[:, None]
    principal = (sizes[:, None] * shapes)[:IDENTITY_COUNT].reshape(-1, SURFACE_COUNT, 3)
    return np.stack([_with_irises(field) for field in principal])


def without_similarity(fields: Fields, surface: Surface) -> Fields:
    """Fields less the shift, turn and scale by which head pose would follow them (see `models.pose.fit_pose`)."""
    skin = surface.points[:SURFACE_COUNT]
    turns = np.cross(np.eye(3)[:, None], skin[None])
    shifts = np.broadcast_to(np.eye(3)[:, None], turns.shape)
    similar = np.concatenate([turns, shifts, skin[None]])
    at_rigid = similar[:, RIGID].reshape(len(similar), -1).T
    amounts = np.linalg.lstsq(at_rigid, fields[:, RIGID].reshape(len(fields), -1).T, rcond=None)[0]
    return fields - np.einsum("sf,svc->fvc", amounts, similar)


def smooth_modes(surface: Surface) -> Fields:
    """Symmetric waves of the surface along each axis, the shorter the smaller."""
    root = np.sqrt(surface.area)
    eigenvalues, vectors = np.linalg.eigh(surface.laplacian / np.outer(root, root))
    waves = (vectors / root[:, None])[surface.unknown][:, :_WAVES]
    waves /= np.sqrt((waves**2).mean(0))
    scale = _WAVE_SIZE / (1 + eigenvalues[:_WAVES] / eigenvalues[_LONGEST])
    fields = np.einsum("k,vk,cd->kcvd", scale, waves, np.eye(3)).reshape(-1, SURFACE_COUNT, 3)
    return _symmetric(fields, surface)


def _symmetric(field: Float[np.ndarray, "*n 468 3"], surface: Surface) -> Float[np.ndarray, "*n 468 3"]:
    return np.asarray(0.5 * (field + field[..., surface.mirror[:SURFACE_COUNT], :] * [-1.0, 1.0, 1.0]))


def _with_irises(field: Float[np.ndarray, "468 3"]) -> Points:
    """The field for all 478 points: irises keep their size and move with the corners of their eye."""
    out = np.concatenate([field, np.zeros((LANDMARK_COUNT - SURFACE_COUNT, 3))])
    for iris, lid in ((RIGHT_IRIS, RIGHT_UPPER_LID), (LEFT_IRIS, LEFT_UPPER_LID)):
        out[iris] = field[[lid[0], lid[-1]]].mean(0)
    return out


def _spread(surface: Surface, moved: Handles, still: Sequence[int]) -> Float[np.ndarray, "468 3"]:
    handles: dict[int, Sequence[float]] = {}
    for points, move in moved.items():
        for i in points:
            x, y, z = move(surface.points[i]) if callable(move) else move
            on_midline = surface.mirror[i] == i
            handles |= {int(surface.mirror[i]): (-x, y, z), i: (0.0 if on_midline else x, y, z)}
    fixed = [*still, *(int(surface.mirror[i]) for i in still)]
    return _symmetric(surface.spread(handles, fixed), surface)
