"""The networks of Real3D-Portrait as runtimes see them: tensors of fixed shapes, one by one."""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from models.backends.spec import NetworkSpec, TensorSpec
from models.real3d.folded import FrameNetwork
from models.real3d.levels import LEVELS, Level
from models.real3d.portrait_state import FEATURES, PortraitState
from models.real3d.video_model import Image

Stored = Literal["float32", "float16", "bfloat16"]
"""Type of the frame network's features."""

PORTRAIT_SHAPES = {
    "planes": (2, 32, 256, 256),
    "pncc": (3, 512, 512),
    "appearance": (32, 16, 64, 64),
    "compressed": (4, 16, 64, 64),
    "still": (32, 16, 64, 64),
    "points": (4, 3),
    "heat": (4, 16, 64, 64),
    "background": (3, 256, 256),
    "background_hidden": (64, 256, 256),
}
"""Of `PortraitState`, but for the batch."""

FRESH_SHAPES = {"pncc_target": (3, 512, 512), "camera": (25,), "key_points": (68, 3)}
"""What is new with every frame."""

DRIVE_SHAPES = {"identity": (80,), "expression": (64,), "closures": (2,), "camera": (25,), "key_points": (68, 3)}
"""Of `Drive`, of which that is made."""

IMAGE_TO_PLANE = NetworkSpec(
    "image_to_plane", (TensorSpec("head", (1, 3, 512, 512)),), TensorSpec("planes", (1, 3, 32, 256, 256))
)


def frame_spec(stored: Stored = "float32", batch: int = 1) -> NetworkSpec:
    """Of `FramePicture`, for so many avatars at once."""
    return _spec("frame", FRESH_SHAPES, stored, batch)


def driven_spec(stored: Stored = "float32", batch: int = 1) -> NetworkSpec:
    """The same with the drive in place of what is painted of it."""
    return _spec("driven", DRIVE_SHAPES, stored, batch)


def _spec(name: str, fresh: Mapping[str, tuple[int, ...]], stored: Stored, batch: int) -> NetworkSpec:
    state = [
        TensorSpec(name, (batch, *shape), stored if name in FEATURES else "float32")
        for name, shape in PORTRAIT_SHAPES.items()
    ]
    return NetworkSpec(
        f"{name}_{stored}" if batch == 1 else f"{name}_{stored}_{batch}",
        (*state, *(TensorSpec(name, (batch, *shape)) for name, shape in fresh.items())),
        TensorSpec("picture", (batch, 512, 512, 3), "uint8"),
    )


class FramePicture(nn.Module):
    """The frame network: the portrait's tensors and the fresh ones, one by one, in; a picture of bytes out."""

    def __init__(self, network: FrameNetwork, level: Level = LEVELS[0]) -> None:
        """Several may share a network."""
        super().__init__()
        self.network, self.level = network, level

    def forward(self, *tensors: Tensor) -> UInt8[Tensor, "b 512 512 3"]:
        """The picture, RGB."""
        state = PortraitState(*tensors[: len(PORTRAIT_SHAPES)])
        return to_picture(self.network(state, *tensors[len(PORTRAIT_SHAPES) :], self.level))


def to_picture(image: Image) -> UInt8[Tensor, "b 512 512 3"]:
    """An image of -1..1 as bytes, cut off as the released tool does it."""
    return ((image + 1) * 127.5).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
