"""Initialisation: every value of the networks drawn by a seed; and what the released layers keep up by themselves."""

import torch
from torch import nn
from torch.nn import functional

from models.real3d.motion_adapter import Prenet
from models.real3d.sizes import Sizes
from models.real3d.torso_layers import SpectralConv2d
from models.real3d.video_model import VideoModel
from models.stylegan import Affine, SynthesisLayer, ToRgb
from models.triplane import EqualisedLinear

_DENSITY, _MIST = 5.0, 1.0  # how much the decoder makes of features, and of none: rays see all depths at first
_SLIGHT = 0.1
_SETTLING = 20


def new_model(sizes: Sizes, seed: int) -> VideoModel:
    """The model, in training mode."""
    torch.manual_seed(seed)
    model = VideoModel(sizes)
    for module in model.modules():
        _fill(module)
    _, last = model.decoder.layers()
    last_of_adapter = model.secc_img2plane_backbone.to_plane_cnn[-1]
    assert isinstance(last_of_adapter, nn.Conv2d) and last_of_adapter.bias is not None
    with torch.no_grad():
        last.weight[0] *= _DENSITY
        last.bias[0] = _MIST
        last_of_adapter.weight *= _SLIGHT
        last_of_adapter.bias.zero_()
        model.lambda_pertube_secc.fill_(1e-3)
        model.lambda_pertube_blink_secc.fill_(1e-3)
    model.lambda_pertube_secc.requires_grad_(False)
    model.lambda_pertube_blink_secc.requires_grad_(False)
    for _ in range(_SETTLING):
        follow_spectra(model)
    return model.train()


@torch.no_grad()
def follow_spectra(model: nn.Module) -> None:
    """One power iteration of each spectral norm: its vectors follow the weight (what runtimes only read)."""
    for module in model.modules():
        if isinstance(module, SpectralConv2d):
            weight = module.weight_orig.flatten(1)
            module.weight_v.copy_(functional.normalize(weight.T @ module.weight_u, dim=0, eps=1e-12))
            module.weight_u.copy_(functional.normalize(weight @ module.weight_v, dim=0, eps=1e-12))


@torch.no_grad()
def _fill(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Conv3d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="leaky_relu", a=0.01)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)
    elif isinstance(module, SpectralConv2d):
        nn.init.kaiming_normal_(module.weight_orig)
        nn.init.zeros_(module.bias)
        nn.init.normal_(module.weight_u)
        nn.init.normal_(module.weight_v)
    elif isinstance(module, EqualisedLinear | Prenet | Affine | SynthesisLayer | ToRgb):
        nn.init.normal_(module.weight, std=_SLIGHT if isinstance(module, ToRgb) else 1.0)
        nn.init.constant_(module.bias, 1.0 if isinstance(module, Affine) else 0.0)
        if isinstance(module, SynthesisLayer):
            nn.init.normal_(module.noise_const)
            nn.init.zeros_(module.noise_strength)
