"""Batches: avatars, sources and shots, with colours of their own and any background."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from models.face import load_face_model
from models.small.code_picture import CodePainter
from models.small.frame_box import SIDE, box_of
from small.dataset import Dataset

_OTHER_SOURCE = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Avatars, each with two shots: shot k is of avatar k // 2. Colours 0..1."""

    texture: Float[Tensor, "a 4 256 256"]
    geometry: Float[Tensor, "a 2 64 64"]
    source: Float[Tensor, "a 3 160 160"]
    places: Float[Tensor, "a 4 160 160"]
    target: Float[Tensor, "b 3 160 160"]
    rotation: Float[Tensor, "b 3 3"]
    picture: Float[Tensor, "b 3 256 256"]
    """Before the background."""
    behind: Float[Tensor, "b 3 256 256"]
    """What is seen where no head is: torso and background."""
    head: Float[Tensor, "b 1 128 128"]
    weight: Float[Tensor, "b 1 128 128"]


class Batches:
    """Draws batches from a data set."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        model = load_face_model()
        self._paint = CodePainter(model, box_of(model))

    def draw(self, avatars: int, random: np.random.Generator) -> Batch:
        """The next one."""
        who = random.integers(len(self._data), size=avatars)
        source = np.where(random.random(avatars) < _OTHER_SOURCE, random.integers(1, 3, size=avatars), 0)
        count = self._data.arrays["frame"].shape[1]
        shots = np.empty((avatars, 2), int)
        for k in range(avatars):
            first = 1 + 2 * int(random.integers((count - 1) // 2))
            shots[k] = (first, first + 1) if random.random() < 0.5 else random.integers(count, size=2)
        return self.of(who, source, shots, random)

    def of(self, who: np.ndarray, source: np.ndarray, shots: np.ndarray, random: np.random.Generator | None) -> Batch:
        """These avatars' shots; without `random` in their own colours before grey."""
        data, twice = self._data.arrays, np.repeat(who, shots.shape[1])
        flat = shots.ravel()
        texture = _image(data["texture"][who, source])
        frame, torso = (_image(data[name][twice, flat]) for name in ("frame", "torso"))
        ground = torch.full((len(flat), 3, SIDE, SIDE), 0.5)
        if random is not None:
            colours = [_Colours(random) for _ in who]
            texture = torch.stack([c(x) for c, x in zip(colours, texture, strict=True)])
            each = [colours[k // shots.shape[1]] for k in range(len(flat))]
            frame, torso = (torch.stack([c(x) for c, x in zip(each, layer, strict=True)]) for layer in (frame, torso))
            ground = torch.stack([_ground(random) for _ in flat])
        behind = torso[:, :3] + (1 - torso[:, 3:]) * ground
        return Batch(
            texture=texture,
            geometry=torch.from_numpy(data["geometry"][who, source]),
            source=_drawn(self._paint, data["source"][who, source]),
            places=_drawn(self._paint.places, data["source"][who, source]),
            target=_drawn(self._paint, data["canonical"][twice, flat]),
            rotation=torch.from_numpy(data["rotation"][twice, flat]),
            picture=frame[:, :3] + (1 - frame[:, 3:]) * ground,
            behind=behind,
            head=_grey(data["head"][twice, flat]),
            weight=_grey(data["weight"][twice, flat]),
        )


class _Colours:
    """One random way to see colours: mixed, brighter or darker, lit from one side."""

    def __init__(self, random: np.random.Generator) -> None:
        mixed = np.eye(3) + 0.2 * random.normal(size=(3, 3)) * (random.random() < 0.6)
        self._mix = torch.from_numpy((mixed / np.maximum(mixed.sum(1, keepdims=True), 0.5)).astype(np.float32))
        self._gamma = float(np.exp(0.25 * random.normal()))

    def __call__(self, x: Float[Tensor, "4 h w"]) -> Float[Tensor, "4 h w"]:
        alpha = x[3:]
        plain = x[:3] / alpha.clamp(min=1 / 255)
        mixed = torch.einsum("ij,jhw->ihw", self._mix, plain).clamp(1e-4, 1) ** self._gamma
        return torch.cat([mixed * alpha, alpha])


def _ground(random: np.random.Generator) -> Tensor:
    """A background: a colour, or smooth ones."""
    cells = int(random.choice([1, 3, 8]))
    coarse = random.random((cells, cells, 3)).astype(np.float32)
    return torch.from_numpy(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)).permute(2, 0, 1)


def _drawn(paint: Callable[[np.ndarray], np.ndarray], faces: np.ndarray) -> Tensor:
    return torch.from_numpy(np.stack([paint(face) for face in faces]))


def _image(x: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1))).float().div_(255)


def _grey(x: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(x))[:, None].float().div_(255)
