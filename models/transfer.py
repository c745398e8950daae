"""Expressions of one face model in the coefficients of another, by their common 68 key points."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from models.morphable import MorphableModel
from models.pose import similarity

_RIDGE = 1e-4  # of the target shapes' mean squared size: keeps coefficients of near-equal shapes small


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionTransfer:
    """A linear map between the expression coefficients of two models."""

    matrix: Float32[np.ndarray, "target source"]
    """target coefficients = matrix @ source coefficients."""
    residual: Float32[np.ndarray, "source"]
    """Of each source shape, the part of its key points' movement that the target cannot make: 0 is all of it made, 1
    none; 0 for shapes that do not move the key points."""

    def __call__(self, expression: Float[np.ndarray, "source"]) -> Float32[np.ndarray, "target"]:
        """The target's coefficients for those of the source."""
        return (self.matrix @ expression).astype(np.float32)


def expression_transfer(source: MorphableModel, target: MorphableModel) -> ExpressionTransfer:
    """How `target` makes the expressions of `source`: ridge least squares on the key points' displacements.

    The two mean faces are aligned by a similarity of their key points first, so axes, units and head size do not
    matter. What moves no key point (gaze, say) is not carried over.
    """
    pose = similarity(source.mean[source.keypoints68], target.mean[target.keypoints68])
    wanted = pose.scale * source.expression[:, source.keypoints68].astype(np.float64) @ pose.rotation.T
    wanted = wanted.reshape(len(wanted), -1)
    shapes = target.expression[:, target.keypoints68].astype(np.float64).reshape(len(target.expression), -1)
    gram = shapes @ shapes.T
    ridge = _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    matrix = np.linalg.solve(gram + ridge, shapes @ wanted.T)
    missed = np.linalg.norm(wanted - matrix.T @ shapes, axis=1)
    size = np.linalg.norm(wanted, axis=1)
    residual = np.divide(missed, size, out=np.zeros_like(missed), where=size > 1e-9 * size.max())
    return ExpressionTransfer(matrix.astype(np.float32), residual.astype(np.float32))
