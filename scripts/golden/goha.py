"""GOHA, stage by stage, against the released code.

The released code ran on a CPU in float32, its random draws replaced: samples in the middle of what they are shaken
over, fine ones evenly spread, no noise in the last network but where the stage says so.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from golden import goha_inputs
from golden.fill import read_manifest
from golden.goha_fill import DECODER, FRAME_DECODER, fill
from golden.goha_inputs import COEFFICIENT_MANIFEST, GOLDEN, MANIFEST, SOURCE_CAMERA, TARGET_CAMERA
from golden.stages import Comparison, Index, Measured, Stage, every, largest, share
from models.goha.coefficients import CoefficientNetwork, FaceCoefficients, load_coefficients, read, to_network
from models.goha.face_mask import keep_mask
from models.goha.face_picture import FacePainter, Look
from models.goha.lifting import lay_on_planes, nearest
from models.goha.model import (
    CUBE,
    PLANE_AXES,
    SOURCE_SIDE,
    TARGET_SIDE,
    Goha,
    Source,
    as_picture,
    enlarged,
    load_goha,
    samples,
)
from models.volume import camera_rays

EXACT, SAMPLED, DRAWN = 5e-6, 5e-5, 5e-4
"""Rounding alone; after the fine samples, which rounding moves; and after vertices on a grid of 1/256 of a pixel."""
FLIPPED = 1e-2
"""After the search for nearest points: of two that are as near, rounding takes one."""
PLANES: Index = every(1, 4, 32, 32)
FEATURES: Index = every(8, 16, 16)
PIXELS: Index = (slice(None, None, 4), slice(None, None, 4))
ALL: Index = (slice(None),)
_COARSE: Index = (slice(None, None, 16), slice(None, None, 16))
_VERTICES: Index = (slice(None, None, 17),)
STAGES = {
    "coefficients.picture": Stage(ALL, EXACT),
    "coefficients.portraits": Stage(ALL, EXACT),
    "face.vertices": Stage(_VERTICES, EXACT),
    "face.texture": Stage(_VERTICES, EXACT),
    "face.colours": Stage(_VERTICES, EXACT),
    "face.mask": Stage(ALL, 0, distance=share),
    "face.depth": Stage(PIXELS, EXACT),
    "face.picture": Stage((slice(None), *PIXELS), DRAWN),
    "masks.src_classes": Stage(every(1, 32, 32), EXACT),
    "masks.src_keep": Stage((0, 0), 1e-3, distance=share),
    "masks.tgt_classes": Stage(every(1, 32, 32), EXACT),
    "masks.tgt_keep": Stage((0, 0), 1e-3, distance=share),
    "masks.squares_keep": Stage((0, 0), 0, distance=share),
    **{f"canonical.map{k}": Stage(every(8, step, step), EXACT) for k, step in enumerate((16, 8, 4, 2))},
    "canonical.features": Stage(FEATURES, EXACT),
    "canonical.planes": Stage(PLANES, EXACT),
    "expression.features": Stage(FEATURES, EXACT),
    "expression.planes": Stage(PLANES, EXACT),
    "field.directions": Stage(_COARSE, EXACT),
    "field.colour": Stage(ALL, EXACT),
    "field.density": Stage(ALL, EXACT),
    "field.depths": Stage(ALL, EXACT),
    "render.features": Stage(_COARSE, SAMPLED),
    "render.depth": Stage(PIXELS, SAMPLED),
    "render.opacity": Stage(PIXELS, SAMPLED),
    "appearance.points": Stage((slice(None, None, 8), slice(None, None, 8)), SAMPLED),
    "appearance.detail": Stage(every(1, 16, 16), SAMPLED),
    "appearance.features": Stage(FEATURES, SAMPLED),
    **{f"appearance.distance_{plane}": Stage(ALL, SAMPLED) for plane in ("xy", "xz", "zy")},
    "appearance.on_planes": Stage(every(1, 8, 16, 16), FLIPPED),
    "appearance.planes": Stage(PLANES, FLIPPED),
    "low.picture": Stage(every(1, 8, 8), SAMPLED),
    "low.depth": Stage((slice(None, None, 8), slice(None, None, 8)), SAMPLED),
    "restoration.styles": Stage((0, slice(None), slice(None, None, 16)), EXACT),
    "restoration.picture": Stage(every(1, 8, 8), EXACT),
    "restoration.with_noise": Stage(every(1, 8, 8), EXACT),
    "frame.canonical": Stage(PLANES, EXACT),
    "frame.face": Stage(every(1, 8, 8), DRAWN),
    "frame.detail": Stage(every(1, 16, 16), DRAWN),
    "frame.appearance": Stage(PLANES, FLIPPED),
    "frame.planes": Stage(PLANES, FLIPPED),
    "frame.low": Stage(every(1, 4, 4), 5e-3, distance=largest),
    "frame.depth": Stage((slice(None, None, 8), slice(None, None, 8)), DRAWN),
    "frame.picture": Stage(every(1, 8, 8), 5e-3, distance=largest),
}


def filled_model(factors: Mapping[str, float] = DECODER) -> Goha:
    """The networks with weights made by rule."""
    weights = fill(read_manifest(MANIFEST), factors)
    return load_goha({name: torch.from_numpy(value) for name, value in weights.items()})


def filled_coefficients(factor: float = 1.0) -> CoefficientNetwork:
    """The same of the network that reads faces; its last layers times `factor`."""
    shapes = read_manifest(COEFFICIENT_MANIFEST)
    weights = fill(shapes, {name: factor for name in shapes if name.startswith("final_layers.")})
    return load_coefficients({name: torch.from_numpy(value) for name, value in weights.items()})


class GohaRun:
    """The networks on their way through the golden inputs. Each group computes what it needs."""

    def __init__(self) -> None:
        self.comparison = Comparison(GOLDEN, STAGES)
        self.measure = self.comparison.measure
        self.portrait = goha_inputs.image("src")

    @cached_property
    def model(self) -> Goha:
        return filled_model()

    @cached_property
    def normalised(self) -> Tensor:
        return self.model.normalise(self.portrait)

    @cached_property
    def source(self) -> Source:
        """A portrait with a mask that no network made; there are no canonical planes to it."""
        return Source(self.normalised, goha_inputs.keep(), SOURCE_CAMERA, torch.empty(0))

    def read_coefficients(self) -> None:
        network = filled_coefficients()
        self.measure("coefficients.picture", network((goha_inputs.image("deep3d", 224) + 1) / 2))
        both = torch.cat([self.portrait, goha_inputs.image("tgt")])
        self.measure("coefficients.portraits", network(to_network(both)))

    def paint_face(self) -> None:
        known = read(goha_inputs.coefficients())
        painter, expression = _painter(known, known), known.expression[0].numpy()
        vertices, colours = painter.vertices(expression)
        self.measure("face.vertices", torch.from_numpy(vertices * [1, 1, -1] + [0, 0, 10]))
        self.measure("face.texture", torch.from_numpy(painter.texture))
        self.measure("face.colours", torch.from_numpy(colours))
        raster = painter.draw(vertices, colours)
        self.measure("face.mask", torch.from_numpy(raster.mask))
        self.measure("face.depth", torch.from_numpy(np.where(raster.mask, -1 / raster.depth, 0)))
        self.measure("face.picture", torch.from_numpy((painter(expression) + 1) / 2))

    def mask(self) -> None:
        for name in ("src", "tgt"):
            classes = self.model.face_parsing_net(self.model.normalise(goha_inputs.image(name)))
            self.measure(f"masks.{name}_classes", classes)
            self.measure(f"masks.{name}_keep", keep_mask(classes))
        self.measure("masks.squares_keep", keep_mask(goha_inputs.classes()))

    def make_canonical(self) -> None:
        network = self.model.template_net
        maps = network.segformer["encoder"](self.normalised * self.source.keep)
        for k, each in enumerate(maps):
            self.measure(f"canonical.map{k}", each)
        self.measure("canonical.features", network.decode_head(maps))
        self.measure("canonical.planes", self.model.canonical(self.normalised, self.source.keep))

    def express(self) -> None:
        face = goha_inputs.image("sudo", 224)
        features = self.model.expr_net(self.model.normalise(enlarged(face)))
        self.measure("expression.features", features)
        self.measure("expression.planes", self.model.embedding2expr(features))

    def look_up(self) -> None:
        rays = camera_rays(SOURCE_CAMERA, SOURCE_SIDE)
        self.measure("field.directions", _rows(rays.directions, SOURCE_SIDE))
        self.measure("field.depths", samples(rays.directions)[0][0, 0])
        seen = self.model.field(goha_inputs.planes(), goha_inputs.points())
        self.measure("field.colour", seen.colour[0])
        self.measure("field.density", seen.density[0])

    def render(self) -> None:
        seen = self.model.look(goha_inputs.planes(), SOURCE_CAMERA, SOURCE_SIDE)
        self.measure("render.features", _rows(seen.features, SOURCE_SIDE))
        self.measure("render.depth", _rows(seen.depth, SOURCE_SIDE)[..., 0])
        self.measure("render.opacity", _rows(seen.opacity, SOURCE_SIDE)[..., 0])

    def appear(self) -> None:
        model = self.model
        coarse, points = model.surface(goha_inputs.planes(), SOURCE_CAMERA)
        self.measure("appearance.points", _rows(points, SOURCE_SIDE))
        detail = model.detail(coarse, self.source)
        self.measure("appearance.detail", detail)
        features = model.id_net(detail)
        self.measure("appearance.features", features)
        points = points * (2 / CUBE)
        places = _rows(model.uv, SOURCE_SIDE)[::4, ::4].reshape(-1, 2)
        for plane, axes in zip(("xy", "xz", "zy"), PLANE_AXES, strict=True):
            seen = points[..., list(axes)]
            found = seen[0, nearest(seen, places)[0]]
            self.measure(f"appearance.distance_{plane}", (found - places).norm(dim=-1))
        laid = lay_on_planes(features, points, PLANE_AXES, model.uv)
        self.measure("appearance.on_planes", laid)
        self.measure("appearance.planes", model.id_upsampler(laid))

    def look_closely(self) -> None:
        seen = self.model.look(goha_inputs.planes(), TARGET_CAMERA, TARGET_SIDE)
        self.measure("low.picture", as_picture(seen.features, TARGET_SIDE))
        self.measure("low.depth", _rows(seen.depth, TARGET_SIDE)[..., 0])

    def restore(self) -> None:
        network, low = self.model.neural_layers["gfpgan"], goha_inputs.image("lowres", TARGET_SIDE)
        styles, steering = network.read(low)
        self.measure("restoration.styles", styles)
        self.measure("restoration.picture", network.stylegan_decoder(styles, steering))
        noise = list(network.stylegan_decoder.noises.values())
        self.measure("restoration.with_noise", network.stylegan_decoder(styles, steering, noise))

    def draw_frame(self) -> None:
        """All at once, the last network apart: what it is given is measured, too."""
        model, network = filled_model(FRAME_DECODER), filled_coefficients(0.02)
        model.id_net.register_forward_pre_hook(lambda _, inputs: self.measure("frame.detail", inputs[0]))
        model.id_upsampler.register_forward_hook(lambda _, inputs, planes: self.measure("frame.appearance", planes))
        source = model.source(self.portrait, SOURCE_CAMERA)
        self.measure("frame.canonical", source.canonical)
        both = torch.cat([self.portrait, goha_inputs.image("tgt")])
        person, driver = (read(row[None]) for row in network(to_network(both)))
        painter = _painter(person, read(goha_inputs.frontal()))
        face = torch.from_numpy(painter(driver.expression[0].numpy()))[None]
        self.measure("frame.face", enlarged(face))
        planes = model.planes(source, face)
        self.measure("frame.planes", planes)
        seen = model.look(planes, TARGET_CAMERA, TARGET_SIDE)
        low = as_picture(seen.features, TARGET_SIDE)
        self.measure("frame.low", low)
        self.measure("frame.depth", _rows(seen.depth, TARGET_SIDE)[..., 0])
        self.measure("frame.picture", model.neural_layers["gfpgan"](low))


GROUPS: dict[str, Callable[[GohaRun], object]] = {
    "coefficients": GohaRun.read_coefficients,
    "face": GohaRun.paint_face,
    "masks": GohaRun.mask,
    "canonical": GohaRun.make_canonical,
    "expression": GohaRun.express,
    "field": GohaRun.look_up,
    "render": GohaRun.render,
    "appearance": GohaRun.appear,
    "low": GohaRun.look_closely,
    "restoration": GohaRun.restore,
    "frame": GohaRun.draw_frame,
}
"""What can be measured apart."""


def measure(groups: Iterable[str]) -> Iterable[Measured]:
    """All stages that these groups pass."""
    run = GohaRun()
    with torch.inference_mode():
        for group in groups:
            GROUPS[group](run)
    return run.comparison.measured.values()


def _painter(person: FaceCoefficients, frontal: FaceCoefficients) -> FacePainter:
    look = (person.identity, person.texture, person.light, frontal.angle, frontal.translation)
    return FacePainter(goha_inputs.face(), Look(*(values[0].numpy() for values in look)))


def _rows(values: Tensor, side: int) -> Tensor:
    """[1, side * side, c] as [side, side, c]."""
    return values[0].unflatten(0, (side, side))
