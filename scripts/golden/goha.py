"""GOHA, stage by stage, against the released code.

The released code ran on a CPU in float32, its random draws replaced: samples in the middle of what they are shaken
over, fine ones evenly spread, no noise in the last network.
"""

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from golden import goha_inputs
from golden.fill import read_manifest
from golden.goha_fill import DECODER, FRAME_DECODER, fill
from golden.goha_inputs import COEFFICIENT_MANIFEST, GOLDEN, MANIFEST, SOURCE_CAMERA, TARGET_CAMERA
from golden.goha_stages import STAGES
from golden.stages import Comparison
from models.goha.coefficients import CoefficientNetwork, FaceCoefficients, load_coefficients, read, to_network
from models.goha.face_mask import keep_mask
from models.goha.face_picture import FacePainter, Look, Person, person_of
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
    stretched,
)
from models.goha.ways_at_hand import on_cpu
from models.triplane import look_up_on_cpu
from models.volume import camera_rays


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
        """A portrait with a mask and planes that no network made."""
        return Source(self.normalised, goha_inputs.keep(), SOURCE_CAMERA, goha_inputs.planes())

    def read_coefficients(self) -> None:
        network = filled_coefficients()
        self.measure("coefficients.picture", network((goha_inputs.image("deep3d", 224) + 1) / 2))
        both = torch.cat([self.portrait, goha_inputs.image("tgt")])
        self.measure("coefficients.portraits", network(to_network(both)))

    def paint_face(self) -> None:
        known = read(goha_inputs.coefficients())
        person, expression = _person(known, known), known.expression[0].numpy()
        painter = FacePainter(goha_inputs.face(), person)
        vertices, colours = painter.vertices(expression)
        self.measure("face.vertices", torch.from_numpy(vertices * [1, 1, -1] + [0, 0, 10]))
        self.measure("face.texture", torch.from_numpy(person.texture))
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
        self.measure("field.depths", samples(rays)[0][0, 0])
        seen = self.model.field(goha_inputs.planes(), goha_inputs.points(), look_up_on_cpu)
        self.measure("field.colour", seen.colour[0])
        self.measure("field.density", seen.density[0])

    def render(self) -> None:
        seen = self.model.look(goha_inputs.planes(), SOURCE_CAMERA, SOURCE_SIDE, read=look_up_on_cpu)
        self.measure("render.features", _rows(seen.features, SOURCE_SIDE))
        self.measure("render.depth", _rows(seen.depth, SOURCE_SIDE)[..., 0])
        self.measure("render.opacity", _rows(seen.opacity, SOURCE_SIDE)[..., 0])

    def appear(self) -> None:
        model = self.model
        coarse, points = model.surface(self.source.canonical, SOURCE_CAMERA, on_cpu(model).look)
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
        laid = lay_on_planes(features, points, PLANE_AXES, model.uv, nearest)
        self.measure("appearance.on_planes", laid)
        self.measure("appearance.planes", model.id_upsampler(laid))

    def look_closely(self) -> None:
        seen = self.model.look(goha_inputs.planes(), TARGET_CAMERA, TARGET_SIDE, read=look_up_on_cpu)
        self.measure("low.picture", as_picture(seen.features, TARGET_SIDE))
        self.measure("low.depth", _rows(seen.depth, TARGET_SIDE)[..., 0])

    def restore(self) -> None:
        network, low = self.model.neural_layers["gfpgan"], goha_inputs.image("lowres", TARGET_SIDE)
        styles, steering = network.read(stretched(low))
        self.measure("restoration.styles", styles)
        self.measure("restoration.picture", network.stylegan_decoder(styles, steering))

    def draw_frame(self) -> None:
        """All at once, the last network apart: what it is given is measured, too."""
        model, network = filled_model(FRAME_DECODER), filled_coefficients(0.02)
        model.id_net.register_forward_pre_hook(lambda _, inputs: self.measure("frame.detail", inputs[0]))
        model.id_upsampler.register_forward_hook(lambda _, inputs, planes: self.measure("frame.appearance", planes))
        source = model.source(self.portrait, SOURCE_CAMERA)
        self.measure("frame.canonical", source.canonical)
        both = torch.cat([self.portrait, goha_inputs.image("tgt")])
        person, driver = (read(row[None]) for row in network(to_network(both)))
        painter = FacePainter(goha_inputs.face(), _person(person, read(goha_inputs.frontal())))
        face = torch.from_numpy(painter(driver.expression[0].numpy()))[None]
        self.measure("frame.face", enlarged(face))
        planes = model.planes(source, face, on_cpu(model))
        self.measure("frame.planes", planes)
        seen = model.look(planes, TARGET_CAMERA, TARGET_SIDE, read=look_up_on_cpu)
        low = as_picture(seen.features, TARGET_SIDE)
        self.measure("frame.low", low)
        self.measure("frame.depth", _rows(seen.depth, TARGET_SIDE)[..., 0])
        self.measure("frame.picture", model.neural_layers["gfpgan"](stretched(low)))


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


def _person(person: FaceCoefficients, frontal: FaceCoefficients) -> Person:
    look = (person.identity, person.texture, person.light, frontal.angle, frontal.translation)
    return person_of(goha_inputs.face(), Look(*(values[0].numpy() for values in look)))


def _rows(values: Tensor, side: int) -> Tensor:
    """[1, side * side, c] as [side, side, c]."""
    return values[0].unflatten(0, (side, side))
