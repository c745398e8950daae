"""Whose face it is: ArcFace on IR-SE50 (Deng et al., 2019), where its weights were brought in."""

from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.checkpoint import faults, named_tensors, read_content
from models.errors import InputError
from models.metrics.lpips import Pictures

_UNITS = ((64, 64, 3), (64, 128, 4), (128, 256, 14), (256, 512, 3))
"""Channels before and after, and how many units."""
_SIDE = 112
_FACE = (35 / 256, 223 / 256, 32 / 256, 220 / 256)
"""Top, bottom, left and right of what the network sees, in parts of the picture."""


class _Excitation(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(width, width // 16, 1, bias=False)
        self.fc2 = nn.Conv2d(width // 16, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.fc2(functional.relu(self.fc1(x.mean((2, 3), keepdim=True)))).sigmoid()


class _Unit(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer = (
            nn.MaxPool2d(1, stride)
            if inputs == outputs
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            _Excitation(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.res_layer(x) + self.shortcut_layer(x)


class Identity(nn.Module):
    """A face's identity as a unit vector."""

    def __init__(self) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        self.body = nn.Sequential(
            *(
                _Unit(inputs if number == 0 else outputs, outputs, 2 if number == 0 else 1)
                for inputs, outputs, units in _UNITS
                for number in range(units)
            )
        )
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512), nn.Dropout(), nn.Flatten(), nn.Linear(512 * 7 * 7, 512), nn.BatchNorm1d(512)
        )

    def forward(self, pictures: Pictures) -> Float[Tensor, "b 512"]:
        """Of each picture."""
        side = pictures.shape[-1]
        top, bottom, left, right = (round(part * side) for part in _FACE)
        seen = functional.adaptive_avg_pool2d(pictures[..., top:bottom, left:right], _SIDE)
        return functional.normalize(self.output_layer(self.body(self.input_layer(seen))), dim=1)

    def unlike(self, seen: Pictures, wanted: Pictures) -> Float[Tensor, ""]:
        """1 less the cosine between the faces of two pictures, mean over the batch."""
        return 1 - (self(seen) * self(wanted)).sum(1).mean()


def read_identity(path: Path) -> Identity:
    """From model_ir_se50.pth. Nothing in it is executed. Raises InputError, in one line, for another kind of file."""
    entries, network = named_tensors(read_content(path), path), Identity()
    if wrong := faults(entries, network.state_dict()):
        raise InputError(f"{path} is not ArcFace's IR-SE50: {'; '.join(wrong)}")
    network.load_state_dict(entries)
    return network.eval().requires_grad_(False)
