"""Real3D-Portrait, stage by stage, against the released code.

The released code ran on a CPU in float32, its random draws replaced: no jitter along the rays, and evenly spread draws
for the fine samples.
"""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from golden import real3d_inputs
from golden.fill import fill, read_manifest
from golden.real3d_inputs import GOLDEN, MANIFEST
from golden.stages import Comparison, Stage, every
from models.real3d.super_resolution import Head, half_size
from models.real3d.video_model import SIDE, VideoModel, as_head, load_video_model
from models.segformer import to_image
from models.triplane import Planes
from models.volume import camera_rays

EXACT, LOOSE = 5e-6, 1e-3
"""Rounding alone; and after the fine samples, which rounding moves."""
ALL = slice(None)
I2P, ADAPTER, SR = "cano_img2plane_backbone", "secc_img2plane_backbone", "superresolution"
TORSO = f"{SR}.torso_model"

PLANES = (0, ALL, slice(None, None, 8), slice(5, None, 32), slice(3, None, 32))
STAGES = {
    "i2p.resnet34_layer4": Stage(every(32, 8, 8), EXACT, f"{I2P}.low_reso_encoder.encoder.layer4"),
    "i2p.deeplab_out": Stage(every(16, 8, 8), EXACT, f"{I2P}.low_reso_encoder"),
    "i2p.low_vit_out": Stage(every(8, 32, 32), EXACT, f"{I2P}.low_reso_vit"),
    "i2p.high_out": Stage(every(8, 32, 32), EXACT, f"{I2P}.high_reso_encoder"),
    "i2p.predictor_out": Stage(every(8, 32, 32), EXACT, f"{I2P}.triplane_predictor_vit"),
    "i2p.planes": Stage(PLANES, EXACT, I2P),
    "ma.prenet": Stage(every(1, 32, 32), EXACT, f"{ADAPTER}.prenet"),
    **{
        f"ma.mit_stage{stage}": Stage(
            every(16, step, step), EXACT, f"{ADAPTER}.mix_vit.norm{stage}", lambda x, n=8 * step: to_image(x, (n, n))
        )
        for stage, step in enumerate((16, 8, 4, 2), 1)
    },
    "ma.fuse_head": Stage(every(16, 16, 16), EXACT, f"{ADAPTER}.fuse_head"),
    "ma.diff_planes": Stage(PLANES, EXACT, ADAPTER),
    "decoder.points_rgb": Stage(every(4, 4), EXACT),
    "decoder.points_sigma": Stage((0,), EXACT),
    "vr.ray_dirs": Stage(every(16, 16), EXACT),
    "vr.feature": Stage(every(4, 8, 8), LOOSE),
    "vr.depth": Stage((0, *every(4, 4)), LOOSE),
    "vr.weights": Stage((0, *every(4, 4)), LOOSE),
    "torso.appearance": Stage(every(8, 4, 8, 8), EXACT, f"{TORSO}.appearance_extractor"),
    "torso.deformation": Stage(every(4, 8, 8), LOOSE, f"{TORSO}.motion_field_estimator", lambda x: x.deformation),
    "torso.occlusion_raw": Stage((0, *every(4, 4)), LOOSE, f"{TORSO}.motion_field_estimator", lambda x: x.occlusion),
    "torso.occlusion_2_raw": Stage(
        (0, *every(4, 4)), LOOSE, f"{TORSO}.motion_field_estimator", lambda x: x.torso_occlusion
    ),
    "torso.hid": Stage(every(8, 16, 16), LOOSE, f"{TORSO}.deform_based_generator", lambda x: x[1]),
    "torso.occlusion_2": Stage((0, *every(8, 8)), LOOSE, f"{TORSO}.occlusion_2_predictor"),
    "sr.block0_x": Stage(every(16, 16, 16), LOOSE, f"{SR}.block0", lambda x: x[0]),
    "sr.torso_encoder": Stage(every(16, 16, 16), LOOSE, f"{SR}.torso_encoder"),
    "sr.bg_encoder": Stage(every(16, 16, 16), LOOSE, f"{SR}.bg_encoder"),
    "sr.fuse_head_torso": Stage(every(16, 16, 16), LOOSE, f"{SR}.fuse_head_torso_convs"),
    "sr.head_torso_block_x": Stage(every(16, 16, 16), LOOSE, f"{SR}.head_torso_block", lambda x: x[0]),
    "sr.fuse_fg_bg": Stage(every(16, 16, 16), LOOSE, f"{SR}.fuse_fg_bg_convs"),
    "sr.image": Stage(every(1, 8, 8), LOOSE, SR),
    "model.image": Stage(every(1, 8, 8), LOOSE),
    "model.image_raw": Stage(every(1, 8, 8), LOOSE),
}


def filled_model() -> VideoModel:
    """The model with weights made by rule."""
    weights = fill(read_manifest(MANIFEST))
    return load_video_model({name: torch.from_numpy(value) for name, value in weights.items()})


class Real3d:
    """The model on its way through the golden inputs. Each group computes what it needs and nothing twice."""

    def __init__(self) -> None:
        self.model = filled_model()
        self.portrait = real3d_inputs.portrait()
        self.camera = real3d_inputs.camera()
        self.comparison = Comparison(GOLDEN, STAGES)
        self.comparison.watch(self.model)

    @cached_property
    def canonical(self) -> Planes:
        """Planes of the portrait."""
        return self.model.cano_img2plane_backbone(self.portrait.head)

    @cached_property
    def pncc(self) -> Tensor:
        """The three face images."""
        images = (self.portrait.pncc_canonical, self.portrait.pncc_source, real3d_inputs.pncc_target())
        return torch.cat(images, 1)

    @cached_property
    def change(self) -> Planes:
        """What the expression adds to the planes."""
        return self.model.secc_img2plane_backbone(self.pncc)

    @cached_property
    def head(self) -> Head:
        """The head as the camera sees it."""
        directions = camera_rays(self.camera, SIDE).directions
        self.comparison.measure("vr.ray_dirs", directions.unflatten(1, (SIDE, SIDE)))
        rendered = self.model.render(self.canonical + self.change, self.camera)
        self.comparison.measure("vr.depth", rendered.depth.transpose(1, 2).unflatten(2, (SIDE, SIDE)))
        head = as_head(rendered, SIDE)
        self.comparison.measure("vr.feature", head.features)
        self.comparison.measure("vr.weights", head.opacity)
        self.comparison.measure("model.image_raw", head.features[:, :3].clamp(-1, 1))
        return head

    @cached_property
    def image(self) -> Tensor:
        """The picture, before it is limited to -1..1."""
        p = self.portrait
        return self.model.superresolution(
            self.head, p.torso, p.background, p.segments, p.key_points, real3d_inputs.DRIVING_POINTS
        )

    def decode(self) -> None:
        """The field at some points."""
        seen = self.model.field(self.canonical + self.change, real3d_inputs.points())
        self.comparison.measure("decoder.points_rgb", seen.colour)
        self.comparison.measure("decoder.points_sigma", seen.density)

    def extract_appearance(self) -> None:
        """Features of the torso."""
        self.model.superresolution.torso_model.appearance(half_size(self.portrait.torso), self.portrait.segments)

    def run_model(self) -> None:
        """All at once."""
        target, points = real3d_inputs.pncc_target(), real3d_inputs.DRIVING_POINTS
        self.comparison.measure("model.image", self.model(self.canonical, self.portrait, target, self.camera, points))


GROUPS: dict[str, Callable[[Real3d], object]] = {
    "i2p": lambda run: run.canonical,
    "ma": lambda run: run.change,
    "decoder": Real3d.decode,
    "render": lambda run: run.head,
    "appearance": Real3d.extract_appearance,
    "composite": lambda run: run.image,
    "model": Real3d.run_model,
}
"""What can be measured apart; each runs what it depends on."""
