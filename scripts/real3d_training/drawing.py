"""What the stages share: planes looked at by a camera, and what is asked of the head's pictures."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.real3d.super_resolution import Head
from models.real3d.video_model import CUBE, VideoModel, as_head
from models.volume import camera_rays, limits, render_samples
from real3d_training import losses
from real3d_training.batches import View
from real3d_training.discriminator import generator_score
from real3d_training.losses import Likeness
from real3d_training.recipe import Moment, Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Of one pass."""

    losses: dict[str, Tensor]
    """Each times its weight: their sum is what is to become small."""
    picture: Tensor
    """Without gradients, as are `rendered` and `uneven`."""
    rendered: Tensor
    uneven: tuple[Tensor, ...] = ()
    """The Laplacian losses, of moments and of closing eyes, where they were asked for."""


def look(model: VideoModel, planes: Tensor, camera: Tensor, random: torch.Generator | None) -> Head:
    """The head as the camera sees it, in float32. `random` shifts the samples along the rays; None leaves them even."""
    count = model.sizes.samples
    with torch.autocast(camera.device.type, enabled=False):
        rays = camera_rays(camera, model.sizes.rendered)
        near, far = limits(rays, CUBE)
        even = torch.linspace(0, 1, count, device=camera.device).expand(len(camera), rays.directions.shape[1], count)
        draws = torch.linspace(0, 1, count, device=camera.device)
        if random is not None:
            even = (even + ((torch.rand(even.shape, generator=random) - 0.5) / count).to(even)).clamp(0, 1)
            draws = (draws + ((torch.rand(1, generator=random) - 0.5) / count).to(draws)).clamp(0, 1)
        field = partial(model.field, planes.float())
        return as_head(render_samples(field, rays, near + (far - near) * even, draws), model.sizes.rendered)


class Judged(nn.Module):
    """A stage: the networks that learn, and what their pictures lose by a likeness and by a discriminator."""

    def __init__(self, model: VideoModel, likeness: Likeness, judge: nn.Module) -> None:
        super().__init__()
        self.model = model
        self._others = likeness, judge  # in a tuple: parts of the training, not of what learns

    def follow(self, outcome: Outcome, recipe: Recipe) -> None:
        """What a stage learns without gradients, after a step that was taken."""

    def likeness(self, seen: Tensor, wanted: Tensor) -> Tensor:
        with torch.autocast(seen.device.type, enabled=False):
            return self._others[0](seen.float(), wanted.float())

    def verdict(self, picture: Tensor, rendered: Tensor, camera: Tensor) -> Tensor:
        return generator_score(self._others[1](picture, rendered, camera))

    def head_losses(self, head: Head, picture: Tensor, view: View, recipe: Recipe) -> dict[str, Tensor]:
        """Of a head alone, rendered and enlarged."""
        rendered, side = head.features[:, :3], head.features.shape[-1]
        small, mask = (functional.interpolate(x, (side, side), mode="area") for x in (view.head, view.head_mask))
        found = {
            "rendered": recipe.picture * losses.masked_l1(rendered, small, losses.widened(mask), recipe.outside),
            "rendered likeness": recipe.likeness * self.likeness(rendered, small),
            "picture": recipe.picture * losses.masked_l1(
                picture, view.head, losses.widened(view.head_mask), recipe.outside
            ),
            "likeness": recipe.likeness * self.likeness(picture, view.head),
            "outline": recipe.outline * losses.outline(head.opacity, mask),
            "entropy": recipe.entropy * losses.entropy(head.opacity),
        }  # fmt: skip
        return found | self.lip_losses(picture, view, recipe)

    def lip_losses(self, picture: Tensor, view: View, recipe: Recipe) -> dict[str, Tensor]:
        if not recipe.lips:
            return {}
        difference, unlike = losses.look_apart(self.likeness, picture, view)
        return {"lips": recipe.lips * difference, "lips likeness": recipe.lips_likeness * unlike}


def generator_of(moment: Moment) -> torch.Generator:
    """Random numbers of a step, the same whenever it is taken."""
    return torch.Generator().manual_seed((moment.seed * 1_000_003 + moment.step) * 4099 + moment.rank)
