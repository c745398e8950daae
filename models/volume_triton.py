"""Volume rendering of tri-planes on the GPU in three fused kernels; the same pictures as `volume.render`.

1. Densities at the evenly spread samples: many programs side by side; colours are not computed.
2. From these, where the fine samples lie, and the order of all samples.
3. All samples in that order, front to back: features, density and colour never leave the chip.

So the features of the even samples are read twice, but colours are never stored: for 16384 rays they would be 200 MB,
whereas the planes (12.6 MB in float16) stay in the GPU's cache. The two layers are products of small matrices on tensor
cores; the density is a float32 sum beside them, since weights depend on it exponentially.

Nothing waits for the GPU, and shapes depend on arguments alone: the calls can be captured in a CUDA graph once each
has run before (the kernels are compiled then).
"""

from dataclasses import dataclass
from math import e, isqrt, log2
from typing import NamedTuple

import torch
import triton
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models import volume_kernels as kernels
from models.triplane import FieldDecoder, PlaneAxes, Planes
from models.volume import Depths, Rays

Texels = Float[Tensor, "b p h+2 w+2 c"]
"""Planes, the features of a texel side by side, a border of zeros around; float32, float16 or bfloat16."""

LOG2_E = log2(e)
AS_WRITTEN = {"num_stages": 1, "enable_fp_fusion": True}
"""Loads stay where they are: moved ahead through shared memory, they would pass by the cache that neighbours share."""


class Maps(NamedTuple):
    """What the rays saw, as pictures; see `volume.Rendered`."""

    features: Float[Tensor, "b c side side"]
    opacity: Float[Tensor, "b 1 side side"]
    depth: Float[Tensor, "b 1 side side"]


class FieldWeights(NamedTuple):
    """A decoder as the kernels read it: for powers of two instead of e's, which are what the hardware computes.

    Matrices are float32 or float16, vectors float32.
    """

    hidden: Float[Tensor, "i h"]
    hidden_bias: Float[Tensor, " h"]
    density: Float[Tensor, " h"]
    density_bias: Float[Tensor, " 1"]
    colour: Float[Tensor, "h c"]
    colour_bias: Float[Tensor, " c"]


@dataclass(frozen=True, slots=True)
class Tiles:
    """How the work is cut up. Both sides of a rectangle are powers of two; it has 16 pixels at least."""

    across: int = 8
    down: int = 4
    warps: int = 2
    """One for every 16 pixels: those of one multiplication on the tensor cores. With more, warps repeat one another."""
    steps: int = 8
    """Even samples that one program looks at."""
    rays: int = 32
    """Whose fine samples one program draws: one for each of its threads."""


def field_weights(decoder: FieldDecoder, planes: int, storage: torch.dtype) -> FieldWeights:
    """The decoder of the mean of `planes` planes that are stored as `storage`; made once, on the decoder's device.

    Inputs and hidden units must be a power of two each, 16 at least. Colours are filled up to one: those that are
    rendered beyond the decoder's own mean nothing.
    """
    first, last = decoder.layers()
    matrix = torch.float32 if storage == torch.float32 else torch.float16
    colours = len(last.bias) - 1
    missing = max(16, triton.next_power_of_2(colours)) - colours
    with torch.no_grad():
        hidden = first.scaled_weight().float() * (LOG2_E / planes)
        answer = functional.pad(last.scaled_weight().float(), (0, 0, 0, missing))
        bias = functional.pad(last.bias.float(), (0, missing))
        return FieldWeights(
            hidden.T.to(matrix).contiguous(),
            first.bias.float() * LOG2_E,
            answer[0] / LOG2_E,
            bias[:1].clone(),
            answer[1:].T.to(matrix).contiguous(),
            bias[1:] * LOG2_E,
        )


def sum_planes(one: Planes, other: Planes, storage: torch.dtype) -> Texels:
    """Two sets of planes added and laid out for the renderer. Channels: a power of two.

    A set of one avatar (b = 1) is added to all of the other's. Raises RuntimeError if the shapes differ otherwise.
    """
    b, (p, c, h, w) = max(len(one), len(other)), one.shape[1:]
    one, other = one.expand(b, p, c, h, w), other.expand(b, p, c, h, w)
    texels = one.new_empty((b, p, h + 2, w + 2, c), dtype=storage)
    block = 64
    kernels.to_texels[(triton.cdiv(w + 2, block), h + 2, b * p)](
        one, other, texels, *one.stride(), *other.stride(), PLANES=p, HEIGHT=h, WIDTH=w, CHANNELS=c, BLOCK=block
    )
    return texels


def render_fused(
    texels: Texels,
    weights: FieldWeights,
    rays: Rays,
    even: Depths,
    draws: Float[Tensor, " f"],
    axes: PlaneAxes,
    cube: float,
    tiles: Tiles = Tiles(),
) -> Maps:
    """What `volume.render_samples` renders, as pictures.

    Args:
        texels: of `sum_planes`; contiguous.
        weights: of `field_weights`, for planes stored in the same type.
        rays: of a square picture, row by row.
        even: evenly spread depths, 4 of each ray at least.
        draws: which parts of what they saw the fine samples divide, least first; 1 at least.
        axes: see `triplane.look_up`.
        cube: side of the cube that the planes span, in world units.
        tiles: changes the speed alone.
    """
    b, p, h, w, c = texels.shape
    number, coarse, fine = even.shape[1], even.shape[2], len(draws)
    side = isqrt(number)
    near, far = even[..., 0].contiguous(), even[..., -1].contiguous()
    maps = even.new_empty((b, weights.colour.shape[1], side, side))
    opacity, depth = (even.new_empty((b, 1, side, side)) for _ in range(2))
    density, depths = (even.new_empty((b, samples, number)) for samples in (coarse, fine))

    lines = (rays.origins.contiguous(), rays.directions.contiguous(), near, far)
    sizes = {"AXES": axes, "PLANES": p, "HEIGHT": h - 2, "WIDTH": w - 2, "CHANNELS": c, "HIDDEN": len(weights.density)}
    precision = "tf32x3" if weights.hidden.dtype == torch.float32 else "ieee"
    cut = {"PRECISION": precision, "ACROSS": tiles.across, "DOWN": tiles.down, "num_warps": tiles.warps}
    rectangles = triton.cdiv(side, tiles.across) * triton.cdiv(side, tiles.down)
    kernels.look_at_coarse[(rectangles, triton.cdiv(coarse, tiles.steps), b)](
        texels, *lines, *weights[:4], density, side, coarse, 2 / cube, **sizes, **cut, **AS_WRITTEN, STEPS=tiles.steps
    )
    kernels.choose_depths[(triton.cdiv(number, tiles.rays), b)](
        density, near, far, draws, depths, number, coarse, fine,
        BLOCK=tiles.rays, num_warps=1, **AS_WRITTEN,
    )  # fmt: skip
    kernels.march[(rectangles, b)](
        texels, *lines, depths, far.amax(1), *weights, maps, opacity, depth, side, coarse, fine, 2 / cube,
        **sizes, **cut, **AS_WRITTEN, COLOURS=maps.shape[1],
    )  # fmt: skip
    return Maps(maps, opacity, depth)
