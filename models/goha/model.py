"""All networks of the avatar in the names of the released weights: portrait, driven face and camera in, a picture out.

What is computed once per portrait is in `Source`; as the released code has it, everything else is new with every frame,
even the portrait's appearance, since it is looked up on the surface that the driver's expression has made. Frames are
drawn by `frame_network`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models.gfpgan.restoration import Picture, Restoration
from models.goha.face_mask import Mask, eroded, keep_mask
from models.goha.face_parser import FaceParser
from models.goha.lifting import lay_on_planes, lift
from models.goha.plane_heads import PLANES, PlaneHead, PlaneUpsampler
from models.goha.segformer import FeatureEncoder
from models.goha.ways import Look, Ways
from models.triplane import FieldDecoder, LookUp, PlaneAxes, Planes, Points, Sample, look_up
from models.volume import Depths, Rays, Rendered, camera_rays, render_samples

CUBE = 1.0
"""Side of the cube that the planes span, in world units."""
PLANE_AXES: PlaneAxes = ((0, 1), (0, 2), (2, 1))
NEAR, FAR = 2.25, 3.3
"""Where samples begin and end along a ray."""
SAMPLES = 48
"""Along each ray: so many evenly, so many more where something is. The released code shakes them; here the even ones
lie in the middle of what they are shaken over, and the others are as far apart as can be."""
SOURCE_SIDE, TARGET_SIDE = 128, 224
"""Of the rendered pictures: of the portrait's surface, and of what is shown."""
SIDE = 512
"""Of the portrait and the picture."""

Camera = Float[Tensor, "b 25"]
"""See `models.volume.camera_rays`."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the networks know of a portrait."""

    normalised: Picture
    """As ImageNet's pictures are."""
    keep: Mask
    """1 outside the features of the face."""
    camera: Camera
    """That took the photo."""
    canonical: Planes
    """The person at rest."""


class Goha(nn.Module):
    """The networks."""

    cano_pose: Tensor
    cano_exemplar: Tensor
    image_mean: Tensor
    image_std: Tensor
    uv: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cano_pose", torch.empty(1, 25))  # in the released weights; nothing looks at it
        self.register_buffer("cano_exemplar", torch.empty(1, 3, SIDE, SIDE))
        """The portrait whose pose is taken for frontal, -1..1."""
        self.register_buffer("image_mean", torch.empty(1, 3, 1, 1))
        self.register_buffer("image_std", torch.empty(1, 3, 1, 1))
        self.register_buffer("uv", torch.empty(1, SOURCE_SIDE**2, 2))
        """Places of the pixels of planes on which the portrait is laid."""
        self.template_net = FeatureEncoder()
        self.embedding2neutral = PlaneHead()
        self.id_net = FeatureEncoder(6)
        self.id_upsampler = PlaneUpsampler(256)
        self.expr_net = FeatureEncoder()
        self.embedding2expr = PlaneHead()
        self.expr_upsampler = PlaneUpsampler(96)  # in the released weights; of an earlier design
        self.decoder = FieldDecoder()
        self.face_parsing_net = FaceParser()
        self.neural_layers = nn.ModuleDict({"gfpgan": Restoration()})

    def source(self, portrait: Picture, camera: Camera) -> Source:
        """The portrait, masked: -1 around the person."""
        normalised = self.normalise(portrait)
        keep = keep_mask(self.face_parsing_net(normalised))
        return Source(normalised, keep, camera, self.canonical(normalised, keep))

    def normalise(self, image: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """-1..1 as ImageNet's pictures are."""
        return ((image + 1) / 2 - self.image_mean) / self.image_std

    def canonical(self, normalised: Picture, keep: Mask) -> Planes:
        """The person at rest; the face's features are not shown."""
        return self.embedding2neutral(self.template_net(normalised * keep))

    def expression(self, face: Float[Tensor, "b 3 224 224"]) -> Planes:
        """What an expression adds. `face`: the face model from the front, -1..1, see `face_picture`."""
        return self.embedding2expr(self.expr_net(self.normalise(enlarged(face)))).float()

    def surface(self, planes: Planes, camera: Camera, look: Look) -> tuple[Float[Tensor, "b 3 128 128"], Points]:
        """What the camera sees, coarsely: its picture, and where in space every pixel of it lies."""
        seen = look(planes, camera, SOURCE_SIDE, SAMPLES)
        return as_picture(seen.features, SOURCE_SIDE), lift(camera_rays(camera, SOURCE_SIDE), seen.depth)

    def appearance(self, base: Planes, source: Source, ways: Ways) -> Planes:
        """What the portrait's detail adds to the planes, laid on the surface that they have."""
        coarse, points = self.surface(base, source.camera, ways.look)
        features = self.id_net(self.detail(coarse, source))
        laid = lay_on_planes(features, points * (2 / CUBE), PLANE_AXES, self.uv, ways.find)
        return self.id_upsampler(laid).float()

    def detail(self, coarse: Float[Tensor, "b 3 128 128"], source: Source) -> Float[Tensor, "b 6 512 512"]:
        """The portrait with the coarse picture of it over the features of the face, then the coarse picture."""
        below = self.normalise(enlarged(coarse))
        kept = eroded(keep_mask(self.face_parsing_net(below)) * source.keep)
        return torch.cat([source.normalised * kept + below * (1 - kept), below], 1)

    def field(self, planes: Planes, points: Points, read: LookUp) -> Sample:
        """Colour and density at points of the world."""
        return self.decoder(read(planes, points * (2 / CUBE), PLANE_AXES) / PLANES)

    def look(self, planes: Planes, camera: Camera, side: int, count: int = SAMPLES, read: LookUp = look_up) -> Rendered:
        """What the camera sees, one ray per pixel of a picture of `side` x `side`; `count`: see `SAMPLES`."""
        rays = camera_rays(camera, side)
        return render_samples(lambda points: self.field(planes, points, read), rays, *samples(rays, count))

    def planes(self, source: Source, face: Float[Tensor, "b 3 224 224"], ways: Ways) -> Planes:
        """The person with the expression that the picture of the face model has."""
        base = source.canonical + self.expression(face)
        return base + self.appearance(base, source, ways)


def samples(rays: Rays, count: int = SAMPLES) -> tuple[Depths, Float[Tensor, " s"]]:
    """Depths of the even samples, and which parts of what they saw the others divide."""
    like = rays.directions
    counted = torch.arange(count, dtype=like.dtype, device=like.device) + 0.5
    depths = NEAR + (FAR - NEAR) / (count - 1) * counted
    return depths.expand(*like.shape[:2], count), counted / count


def as_picture(features: Float[Tensor, "b r c"], side: int) -> Float[Tensor, "b 3 side side"]:
    """The colours that the rays saw."""
    return torch.unflatten(features[..., :3].transpose(1, 2), 2, (side, side))


def enlarged(image: Float[Tensor, "b 3 h w"]) -> Picture:
    """As large as the portrait; bilinear."""
    return functional.interpolate(image, (SIDE, SIDE), mode="bilinear", align_corners=False)


def stretched(image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c 512 512"]:
    """As large as the last network takes it; the outermost pixels stay where they are."""
    return functional.interpolate(image, (SIDE, SIDE), mode="bilinear", align_corners=True)


def load_goha(weights: Mapping[str, Tensor]) -> Goha:
    """The networks with the released weights, ready for inference; they share their memory.

    Raises RuntimeError if names or shapes are not exactly those of the networks.
    """
    with torch.device("meta"):
        model = Goha()
    model.load_state_dict(weights, strict=True, assign=True)
    return model.eval().requires_grad_(False)
