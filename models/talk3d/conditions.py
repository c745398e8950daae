"""What the planes are told of a frame: five tokens of speech, eyes, nothing, head and landmarks."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.talk3d.transformer import TOKEN, Tokens

SYMBOLS, SPAN, WINDOWS = 44, 16, 8
"""Of `FrameSound`: scores of each instant, instants of a window, windows of a frame."""
EYE_BANDS, ANGLE_BANDS, LANDMARK_BANDS = 16, 10, 6

FrameSound = Float[Tensor, "b 8 44 16"]
"""See `models.talk3d.audio_windows`."""


class Frame(NamedTuple):
    """What a frame is made of."""

    sound: FrameSound
    eye: Float[Tensor, "b 1"]
    """How far the eyes are shut: OpenFace's AU45_r, 0..2."""
    angles: Float[Tensor, "b 3"]
    """See `models.talk3d.pose.reported_angles`."""
    landmarks: Float[Tensor, "b 3 2"]
    """Tip of the nose, the outer corners of the right and the left of the eyes in the picture: x and y over half of
    the frame's width, from its middle."""


def sinusoids(x: Float[Tensor, "b n"], bands: int) -> Float[Tensor, "b _"]:
    """The numbers, their sines and cosines, those of twice the numbers, of four times and so on."""
    return torch.cat([x, *(wave(2.0**k * x) for k in range(bands) for wave in (torch.sin, torch.cos))], 1)


class Perceptron(nn.Module):
    """Three layers on sinusoids."""

    def __init__(self, inputs: int, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.in_layer = nn.Linear(inputs * (1 + 2 * bands), TOKEN)
        self.mlp_layers = nn.ModuleList(nn.Linear(TOKEN, TOKEN) for _ in range(2))

    def forward(self, x: Float[Tensor, "b n"]) -> Float[Tensor, "b 64"]:
        """The token."""
        x = self.in_layer(sinusoids(x, self.bands))
        for layer in self.mlp_layers:
            x = layer(functional.relu(x))
        return x


class WindowNetwork(nn.Module):
    """Scores over a window of time -> one vector."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder_conv = _convolutions((SYMBOLS, 32, 32, 64, 64), stride=2)
        self.encoder_fc1 = nn.Sequential(nn.Linear(TOKEN, TOKEN), nn.LeakyReLU(0.02), nn.Linear(TOKEN, TOKEN))

    def forward(self, windows: Float[Tensor, "n 44 16"]) -> Float[Tensor, "n 64"]:
        """A vector for each window."""
        return self.encoder_fc1(self.encoder_conv(windows)[..., 0])


class WindowAttention(nn.Module):
    """The windows around a frame -> one vector, a mean of theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.attentionConvNet = _convolutions((TOKEN, 16, 8, 4, 2, 1), stride=1)
        self.attentionNet = nn.Sequential(nn.Linear(WINDOWS, WINDOWS), nn.Softmax(1))

    def forward(self, windows: Float[Tensor, "b 8 64"]) -> Float[Tensor, "b 64"]:
        """The token."""
        weights = self.attentionNet(self.attentionConvNet(windows.transpose(1, 2))[:, 0])
        return (weights[..., None] * windows).sum(1)


class BlinkEncoder(nn.Module):
    """Of the eyes."""

    def __init__(self) -> None:
        super().__init__()
        self.simplemlp = Perceptron(1, EYE_BANDS)


class CameraEncoder(nn.Module):
    """Of the head's angles, then of landmarks."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder1, self.encoder2 = Perceptron(3, ANGLE_BANDS), Perceptron(6, LANDMARK_BANDS)


class Conditions(nn.Module):
    """All encoders."""

    def __init__(self) -> None:
        super().__init__()
        self.audio_net, self.audio_att_net = WindowNetwork(), WindowAttention()
        self.blink_encoder, self.camera_encoder = BlinkEncoder(), CameraEncoder()
        self.null_vector = nn.Parameter(torch.empty(1, 1, TOKEN))
        """A token for what the others do not tell."""

    def forward(self, frame: Frame) -> Tokens:
        """[b, 5, 64]."""
        windows = torch.unflatten(self.audio_net(frame.sound.flatten(0, 1)), 0, (-1, WINDOWS))
        speech, eye = self.audio_att_net(windows), self.blink_encoder.simplemlp(frame.eye)
        angles = self.camera_encoder.encoder1(frame.angles)
        landmarks = self.camera_encoder.encoder2(frame.landmarks.flatten(1))
        return torch.stack([speech, eye, self.null_vector[0].expand_as(eye), angles, landmarks], 1)


def _convolutions(widths: Sequence[int], stride: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Conv1d(inputs, outputs, 3, stride, padding=1), nn.LeakyReLU(0.02)]
    return nn.Sequential(*layers)
