"""Whether lips and voice go together: SyncNet, where its weights were brought in."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.metrics.face_cutter import BESIDE, SIDE, square, steady_boxes
from models.metrics.lpips import Pictures
from models.metrics.sync import SPAN, SyncNet
from models.talk3d.personal.footage import Footage
from models.topology import SURFACE_COUNT


class LipSync:
    """SyncNet and what it hears of a footage."""

    def __init__(self, network: SyncNet, footage: Footage) -> None:
        """`network`: on the device where pictures will be."""
        self._network, self._footage = network, footage
        faces = footage.faces[:, :SURFACE_COUNT]
        self._squares = torch.from_numpy(np.stack([square(box) for box in steady_boxes(faces)])).float()
        self._voice = network.voice(footage.voice.reshape(-1), len(faces) - SPAN)

    def apart(self, seen: Pictures, numbers: Sequence[int], firsts: Sequence[int]) -> Float[Tensor, ""]:
        """SyncNet's distance between lips and voice, mean over clips of five frames.

        Args:
            seen: pictures of some of their frames, as many of each clip, clip by clip; the others are the footage's.
            numbers: of these frames.
            firsts: each clip's first frame.
        """
        squares = self._squares.to(seen)
        faces = []
        each = len(numbers) // len(firsts)
        for place, first in enumerate(firsts):
            drawn = slice(each * place, each * (place + 1))
            known = dict(zip(numbers[drawn], seen[drawn], strict=True))
            pictures = [
                known[k] if k in known else self._footage.picture(k)[0].to(seen) for k in range(first, first + SPAN)
            ]
            faces.append(face_cuts(torch.stack(pictures), squares[first : first + SPAN]))
        return functional.pairwise_distance(self._network(torch.stack(faces)), self._voice[list(firsts)]).mean()


def face_cuts(pictures: Pictures, squares: Float[Tensor, "b 3"]) -> Float[Tensor, "b 3 224 224"]:
    """As `cut_face` gives them, with gradients; 0..255.

    Args:
        pictures: -1..1.
        squares: left, top and side, in parts of the picture.
    """
    grey = (pictures.clamp(-1, 1) + 1) * 127.5 - BESIDE
    matrix = squares.new_zeros(len(squares), 2, 3)
    matrix[:, 0, 0] = matrix[:, 1, 1] = squares[:, 2]
    matrix[:, :, 2] = 2 * squares[:, :2] + squares[:, 2:] - 1
    grid = functional.affine_grid(matrix, [*pictures.shape[:2], SIDE, SIDE], align_corners=False)
    return functional.grid_sample(grey, grid, align_corners=False) + BESIDE
