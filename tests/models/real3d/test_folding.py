"""Every folded part gives what its reference gives, on small random tensors."""

import torch
from torch import nn

from models.real3d.folded import BackgroundFusion, HeadTorsoFusion
from models.real3d.folded_adapter import FoldedFuseHead, FoldedRenderer
from models.real3d.folded_torso import DepthConstantConv
from models.real3d.folding import without_norms
from models.real3d.image_to_plane import conv3
from models.real3d.levels import Level
from models.real3d.motion_adapter import FuseHead
from models.real3d.portrait_state import MERGED_AXES, merge_planes
from models.real3d.super_resolution import mix
from models.real3d.torso_layers import ConvNormAct, ResBlock, SpectralConv2d
from models.real3d.trial import trial_drive
from models.real3d.video_model import CUBE, PLANE_AXES, as_head
from models.triplane import FieldDecoder, look_up
from models.volume import camera_rays, render


def randomised(module: nn.Module) -> nn.Module:
    """Values of a trained network's size everywhere, those of the norms too."""
    torch.manual_seed(0)
    for name, values in module.state_dict().items():
        if name.endswith("running_var"):
            values.uniform_(0.5, 2)
        elif values.is_floating_point():
            values.normal_(std=max(values[0].numel(), 1) ** -0.5 if values.ndim else 1)
    return module.eval().requires_grad_(False)


def same(got: torch.Tensor, want: torch.Tensor) -> None:
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


def test_norms_are_folded_away() -> None:
    flat = nn.Sequential(ConvNormAct(2, 5, 8, 7, spectral=True, slope=0.2), ResBlock(2, 8, True), ResBlock(2, 8, True))
    deep = nn.Sequential(ConvNormAct(3, 5, 8), ResBlock(3, 8))
    for network, shape in ((flat, (2, 5, 9, 9)), (deep, (2, 5, 4, 6, 6))):
        reference = randomised(network)
        folded = without_norms(reference)
        x = torch.randn(shape)
        same(folded(x), reference(x))
        assert not any(isinstance(part, SpectralConv2d) for part in folded.modules())
        blocks = sum(isinstance(part, ResBlock) for part in folded.modules())
        assert sum(isinstance(part, nn.BatchNorm2d | nn.BatchNorm3d) for part in folded.modules()) == blocks


def test_a_depth_constant_map_needs_no_third_dimension() -> None:
    reference = randomised(nn.Conv3d(3, 2, 7, padding=3, bias=False))
    x = torch.randn(1, 3, 8, 8)
    same(DepthConstantConv(reference.weight)(x), reference(x[:, :, None].expand(-1, -1, 16, -1, -1)))


def test_projections_are_part_of_the_fusion() -> None:
    reference = randomised(FuseHead())
    maps = [torch.randn(1, c, n, n) for c, n in ((32, 16), (64, 8), (160, 4), (256, 2))]
    same(FoldedFuseHead(reference)(maps), reference(maps))


def test_the_torso_encoder_is_part_of_the_fusion() -> None:
    convs = randomised(nn.Sequential(conv3(512, 256), nn.LeakyReLU(0.01), conv3(256, 256)))
    encoder = randomised(nn.Conv2d(64, 256, 1))
    head, hidden, opacity = torch.randn(1, 256, 6, 6), torch.randn(1, 64, 6, 6), torch.rand(1, 1, 6, 6)
    beside = torch.cat([head * opacity, encoder(hidden) * (1 - opacity)], 1)
    same(HeadTorsoFusion(convs, encoder)(head, hidden, opacity), convs(beside))


def test_the_backgrounds_half_of_the_fusion_is_a_constant() -> None:
    convs = randomised(nn.Sequential(nn.Conv2d(512, 64, 1), nn.LeakyReLU(0.01), conv3(64, 256)))
    person, background, mask = torch.randn(1, 256, 6, 6), torch.randn(1, 256, 6, 6), torch.rand(1, 1, 6, 6)
    constant = nn.functional.conv2d(background, convs[0].weight[:, 256:])
    beside = torch.cat([person * mask, background * (1 - mask)], 1)
    same(BackgroundFusion(convs)(person, constant, mask), convs(beside))


def test_two_planes_hold_what_three_did() -> None:
    torch.manual_seed(0)
    planes, points = torch.randn(1, 3, 4, 8, 8), torch.rand(1, 50, 3) * 2.2 - 1.1
    same(look_up(merge_planes(planes), points, MERGED_AXES), look_up(planes, points, PLANE_AXES))


def test_masks_choose_the_front() -> None:
    front, back = torch.full((1, 2, 1, 2), 3.0), torch.full((1, 2, 1, 2), 5.0)
    assert mix(front, back, torch.tensor([[[[1.0, 0.25]]]]))[0, 0].tolist() == [[3.0, 4.5]]


def test_a_level_says_how_finely_the_head_is_rendered() -> None:
    decoder, planes, camera = randomised(FieldDecoder()), torch.randn(1, 3, 32, 256, 256), trial_drive().camera
    merged = merge_planes(planes)
    head = FoldedRenderer(decoder)(merged / 2, merged / 2, camera, Level(6, 8, 4))
    seen = render(lambda p: decoder(look_up(planes, p * 2, PLANE_AXES) / 3), camera_rays(camera, 6), CUBE, 8, 4)
    same(head.features, as_head(seen, 6).features)
    enlarged = head.at_128()
    assert enlarged.features.shape == (1, 32, 128, 128) and enlarged.opacity.shape == (1, 1, 128, 128)
    assert enlarged.at_128() is enlarged
    same(enlarged.opacity[..., 0, 0], head.opacity[..., 0, 0])
