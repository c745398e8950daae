"""The networks of Real3D-Portrait as runtimes see them: tensors of fixed shapes, one by one."""

from jaxtyping import UInt8
from torch import Tensor, nn

from models.backends.paper import Layout, StateKind
from models.backends.picture_bytes import to_picture
from models.real3d.folded import FrameNetwork
from models.real3d.levels import LEVELS, Level
from models.real3d.portrait_state import FEATURES, PortraitState

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

LAYOUT = Layout(
    state=PORTRAIT_SHAPES, features=FEATURES, paint=(), fresh=FRESH_SHAPES, drive=DRIVE_SHAPES, picture=(512, 512, 3)
)
STATE = StateKind(PortraitState._fields, PortraitState._make, PortraitState.__module__)


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
