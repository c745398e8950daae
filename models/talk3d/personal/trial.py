"""What a machine needs for the procedure, from one picture that is drawn and learnt from."""

import time
from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from models.talk3d.camera import camera_labels
from models.talk3d.checkpoint_file import Driver
from models.talk3d.generator import Generator
from models.talk3d.personal.delta import PICTURES
from models.talk3d.personal.losses import Losses
from models.talk3d.personal.views import view
from models.talk3d.size import StageWidths

_QUICK_S = 5.0  # the first picture is slower, so a second one is drawn where that does not take long


class Trial(NamedTuple):
    """What was found."""

    picture_s: float
    """To draw a picture and learn from it."""
    memory_bytes: int
    """That the procedure needs where it needs the most, about: networks, and what pictures leave for gradients."""


def try_out(generator: Generator, losses: Losses, widths: StageWidths, samples: int, device: torch.device) -> Trial:
    """Draws a picture of the average face, and finds the gradients of its likeness to a grey one.

    Args:
        generator: of anybody; is moved to the device.
        losses: the same.
        widths: of the networks that make planes of speech.
        samples: see `Schedule`.
        device: where the procedure will run.
    """
    generator.to(device).eval().requires_grad_(False)
    losses.to(device)
    kept = _learn(generator, losses, samples, device)
    picture_s = _timed(generator, losses, samples, device)
    if picture_s < _QUICK_S:
        picture_s = _timed(generator, losses, samples, device)
    with torch.device("meta"):
        driver = Driver(generator.size.planes, widths)
    networks = 2 * _bytes(generator) + 4 * max(_bytes(generator), _bytes(driver))
    return Trial(picture_s, networks + round(PICTURES * kept))


def _timed(generator: Generator, losses: Losses, samples: int, device: torch.device) -> float:
    begun_s = time.monotonic()
    _learn(generator, losses, samples, device)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.monotonic() - begun_s


def _learn(generator: Generator, losses: Losses, samples: int, device: torch.device) -> int:
    """Returns how many bytes the picture left for its gradients."""
    kept: dict[int, int] = {}

    def keep(values: Tensor) -> Tensor:
        storage = values.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return values

    turn = torch.zeros(2, 1, device=device, requires_grad=True)
    style = generator.backbone.mapping.w_avg.detach().clone().requires_grad_()
    with saved_tensors_hooks(keep, lambda values: values):
        seen = view(generator, generator.backbone.synthesis(style), style, camera_labels(*turn), samples)
        loss = losses.likeness.unlike(seen.picture, torch.zeros_like(seen.picture)) + seen.rough.abs().mean()
    own = {values.untyped_storage().data_ptr() for values in generator.state_dict().values()}
    torch.autograd.backward(loss)
    return sum(size for place, size in kept.items() if place not in own)


def _bytes(network: torch.nn.Module) -> int:
    return sum(values.numel() * values.element_size() for values in network.state_dict().values())
