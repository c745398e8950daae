"""Batches of pairs from clips: which ones is decided by seed, step and rank alone, so that a run can go on anywhere."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from models.errors import InputError
from models.real3d.face import Real3dFace
from models.real3d.segmentation import BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, OTHERS
from real3d_training.clip import Clip
from real3d_training.face import BlinkPainter

_HEAD, _TORSO = (HAIR, FACE_SKIN, OTHERS), (BODY_SKIN, CLOTHES)
_CLASSES = 6
SHORTEST = 4
"""Pictures of a clip."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What training knows of the pictures of a batch; pictures in -1..1."""

    picture: Tensor
    """[b, 3, side, side]."""
    head: Tensor
    """The same, black around the head."""
    head_mask: Tensor
    """[b, 1, side, side], 0 or 1."""
    torso_mask: Tensor
    camera: Tensor
    """[b, 25]."""
    pncc: Tensor
    key_points: Tensor
    """[b, 68, 3]."""
    lips: Tensor
    """[b, 4]: left, top, right, bottom in parts of the picture, 0..1."""

    def to(self, device: torch.device) -> "View":
        return View(*(getattr(self, field.name).to(device) for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Pairs of pictures of the same person."""

    source: View
    target: View
    torso: Tensor
    """Of the source."""
    segments: Tensor
    """[b, 6, side, side] of the source."""
    background: Tensor
    pncc_canonical: Tensor
    pncc_around: Tensor
    """[b, 2, 3, side, side]: of the moments before and after the target."""
    pncc_blinks: Tensor
    """[b, 3, 3, side, side]: eyes closing evenly; [b, 0, ...] where it is not asked for."""

    def to(self, device: torch.device) -> "Batch":
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))

    def to_source(self) -> "Batch":
        """The same, its sources asked for themselves."""
        return replace(self, target=self.source)


class Pairs:
    """Draws batches from clips of one size."""

    def __init__(self, clips: Sequence[Clip], batch: int, seed: int, face: Real3dFace | None, rank: int = 0) -> None:
        """`face`: None where the clips have none. Raises InputError for clips that are too short."""
        self._clips, self._batch, self._seed, self._rank = clips, batch, seed, rank
        short = [clip for clip in clips if len(clip) < SHORTEST]
        if short:
            raise InputError(f"{len(short)} clips have fewer than {SHORTEST} pictures: leave them out")
        self.side = clips[0].side
        self._blinks = None if face is None else BlinkPainter(face, self.side)

    def draw(self, step: int, blinks: bool = False) -> Batch:
        """The batch of a step. `blinks`: whether pictures of closing eyes are wanted."""
        random = np.random.default_rng([self._seed, step, self._rank])
        chosen = [self._pair(random) for _ in range(self._batch)]
        closing = [self._closing(clip, j, random) if blinks else _none(self.side) for clip, _, j in chosen]
        return Batch(
            source=_view([(clip, i) for clip, i, _ in chosen]),
            target=_view([(clip, j) for clip, _, j in chosen]),
            torso=_stack([_signed(clip.picture("torso", i)) if clip.has_face else _black(self.side)
                          for clip, i, _ in chosen]),
            segments=_stack([_one_hot(clip.picture("classes", i)) for clip, i, _ in chosen]),
            background=_stack([_still(clip, "background", self.side) for clip, _, _ in chosen]),
            pncc_canonical=_stack([_still(clip, "pncc_canonical", self.side) for clip, _, _ in chosen]),
            pncc_around=_stack([np.stack([_pncc(clip, j + k, self.side) for k in (-1, 1)]) for clip, _, j in chosen]),
            pncc_blinks=_stack(closing),
        )  # fmt: skip

    def ahead(self, first: int, last: int, blinks_every: int) -> Iterator[Batch]:
        """The batches of these steps, read one step ahead in another thread."""

        def drawn(step: int) -> Batch:
            return self.draw(step, blinks_every > 0 and (step + 1) % blinks_every == 0)

        with ThreadPoolExecutor(1, "pairs") as thread:
            waiting = thread.submit(drawn, first)
            for step in range(first, last):
                batch = waiting.result()
                if step + 1 < last:
                    waiting = thread.submit(drawn, step + 1)
                yield batch

    def _pair(self, random: np.random.Generator) -> tuple[Clip, int, int]:
        clip = self._clips[random.integers(len(self._clips))]
        return clip, int(random.integers(len(clip))), int(random.integers(1, len(clip) - 1))

    def _closing(self, clip: Clip, number: int, random: np.random.Generator) -> np.ndarray:
        assert self._blinks is not None
        least, most = 0.5 * random.random(), 0.5 + 0.5 * random.random()
        return self._blinks(clip.fit(number), np.array([least, (least + most) / 2, most]))


def _view(shots: Sequence[tuple[Clip, int]]) -> View:
    side = len(shots[0][0].picture("classes", shots[0][1]))
    pictures = [_signed(clip.picture("picture", i)) for clip, i in shots]
    classes = [clip.picture("classes", i) for clip, i in shots]
    heads, torsos = ([np.isin(each, which)[None].astype(np.float32) for each in classes] for which in (_HEAD, _TORSO))
    points = [_points(clip, i) for clip, i in shots]
    lips = [clip.numbers("lips")[i] / side if clip.has_face else np.zeros(4) for clip, i in shots]
    return View(
        picture=_stack(pictures),
        head=_stack([picture * head + head - 1 for picture, head in zip(pictures, heads, strict=True)]),
        head_mask=_stack(heads),
        torso_mask=_stack(torsos),
        camera=_stack([clip.numbers("camera")[i] for clip, i in shots]),
        pncc=_stack([_pncc(clip, i, side) for clip, i in shots]),
        key_points=_stack(points),
        lips=_stack(lips),
    )


def _points(clip: Clip, number: int) -> np.ndarray:
    flat = clip.numbers("key_points")[number] if clip.has_face else np.zeros((68, 2))
    return np.pad(flat, ((0, 0), (0, 1)))


def _pncc(clip: Clip, number: int, side: int) -> np.ndarray:
    return _signed(clip.picture("pncc", number)) if clip.has_face else _black(side)


def _still(clip: Clip, kind: str, side: int) -> np.ndarray:
    return _signed(clip.picture(kind)) if clip.has_face else _black(side)


def _one_hot(classes: np.ndarray) -> np.ndarray:
    return np.eye(_CLASSES, dtype=np.float32)[classes].transpose(2, 0, 1)


def _signed(image: np.ndarray) -> np.ndarray:
    return image.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1


def _black(side: int) -> np.ndarray:
    return np.full((3, side, side), -1, np.float32)


def _none(side: int) -> np.ndarray:
    return np.zeros((0, 3, side, side), np.float32)


def _stack(values: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(values).astype(np.float32))
