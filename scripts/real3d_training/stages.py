"""The three stages: image to plane, motion adapter, head-torso-background super-resolution."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.real3d.super_resolution import half_size
from models.real3d.video_model import VideoModel
from real3d_training import losses
from real3d_training.batches import Batch
from real3d_training.drawing import Judged, Outcome, generator_of, look
from real3d_training.processes import mean_over_processes
from real3d_training.recipe import (
    DENSITY,
    DENSITY_EVERY,
    DENSITY_POINTS,
    Moment,
    Recipe,
    StageName,
)

_FOLLOWS = 0.01  # how fast the weights of the Laplacian losses follow
_MOST_AROUND, _MOST_BLINK = 0.2, 2.0


class ImageToPlaneStage(Judged):
    """Section 3.1: a head from one picture, asked for from another side."""

    def forward(self, batch: Batch, moment: Moment, jitter: bool = True) -> Outcome:
        """One pass; sources that are asked for themselves count as sources."""
        recipe, random, model = moment.recipe, generator_of(moment), self.model
        planes = model.cano_img2plane_backbone(batch.source.head)
        head = look(model, planes, batch.target.camera, random if jitter else None)
        picture = model.superresolution.head_alone(head)
        found = self.head_losses(head, picture, batch.target, recipe)
        found |= density_losses(model, planes, moment, random)
        if moment.heard:
            weight = recipe.adversary_source if batch.target is batch.source else recipe.adversary
            found["adversarial"] = weight * self.verdict(picture, head.features[:, :3], batch.target.camera)
        return Outcome(found, picture.detach(), head.features[:, :3].detach())


class MotionStage(Judged):
    """Section 3.2: planes changed by PNCC pictures, steadily (the Laplacian losses)."""

    def forward(self, batch: Batch, moment: Moment, jitter: bool = True) -> Outcome:
        recipe, random, model = moment.recipe, generator_of(moment), self.model
        changed = self._change(batch, batch.target.pncc)
        planes = model.cano_img2plane_backbone(batch.source.head) + changed
        head = look(model, planes, batch.target.camera, random if jitter else None)
        picture = model.superresolution.head_alone(head)
        found = self.head_losses(head, picture, batch.target, recipe)
        found |= density_losses(model, planes, moment, random)
        uneven: tuple[Tensor, ...] = ()
        if moment.every(recipe.around_every) and batch.pncc_blinks.shape[1] and batch.target is not batch.source:
            uneven = self._uneven(batch, changed)
            weights = model.lambda_pertube_secc.item(), model.lambda_pertube_blink_secc.item()
            for name, weight, value in zip(("laplacian", "laplacian of blinks"), weights, uneven, strict=True):
                found[name] = weight * recipe.around_every * value
        if moment.heard:
            weight = recipe.adversary_source if batch.target is batch.source else recipe.adversary
            found["adversarial"] = weight * self.verdict(picture, head.features[:, :3], batch.target.camera)
        seen = picture.detach(), head.features[:, :3].detach()
        return Outcome(found, *seen, tuple(value.detach() for value in uneven))

    def follow(self, outcome: Outcome, recipe: Recipe) -> None:
        """The weights of the Laplacian losses, by how far these are from what they are to come down to."""
        weights = self.model.lambda_pertube_secc, self.model.lambda_pertube_blink_secc
        limits = (recipe.around_target, _MOST_AROUND), (recipe.blink_target, _MOST_BLINK)
        for value, weight, (target, most) in zip(outcome.uneven, weights, limits, strict=False):
            now = mean_over_processes(value.float()).item()
            if math.isfinite(now):
                weight.data.add_(_FOLLOWS * (math.log10(now + 1e-15) - math.log10(target))).clamp_(0, most)

    def _change(self, batch: Batch, pncc: Tensor) -> Tensor:
        return self.model.secc_img2plane_backbone(torch.cat([batch.pncc_canonical, batch.source.pncc, pncc], 1))

    def _uneven(self, batch: Batch, changed: Tensor) -> tuple[Tensor, Tensor]:
        around = torch.stack([self._change(batch, each) for each in batch.pncc_around.unbind(1)], 1)
        closing = torch.stack([self._change(batch, each) for each in batch.pncc_blinks.unbind(1)], 1)
        return losses.bent(around, changed), losses.bent(closing[:, ::2], closing[:, 1])


class SuperResolutionStage(Judged):
    """Section 3.4: head, torso and background become one picture; what renders the head learns no more."""

    def forward(self, batch: Batch, moment: Moment, jitter: bool = True) -> Outcome:
        recipe, model, random = moment.recipe, self.model, generator_of(moment)
        with torch.no_grad():
            pncc = torch.cat([batch.pncc_canonical, batch.source.pncc, batch.target.pncc], 1)
            planes = model.cano_img2plane_backbone(batch.source.head) + model.secc_img2plane_backbone(pncc)
            head = look(model, planes, batch.target.camera, random if jitter else None)
        network, target = model.superresolution, batch.target
        doubled = head.doubled()
        appearance, regions = network.torso_model.appearance(half_size(batch.torso), batch.segments)
        points = batch.source.key_points, target.key_points
        torso = network.torso_model(appearance, regions, *points, doubled)
        picture = network.compose(head, doubled, torso, half_size(batch.background))
        around = losses.widened(target.torso_mask)
        found = {
            "picture": recipe.picture * losses.masked_l1(picture, target.picture, around, recipe.outside),
            "likeness": recipe.likeness * self.likeness(picture, target.picture),
            "torso entropy": recipe.entropy * losses.entropy(torso.occlusion),
        }
        found |= self.lip_losses(picture, target, recipe)
        if moment.heard:
            found["adversarial"] = recipe.adversary * self.verdict(picture, head.features[:, :3], target.camera)
        return Outcome(found, picture.detach(), head.features[:, :3].detach())


STAGES = {"i2p": ImageToPlaneStage, "motion": MotionStage, "sr": SuperResolutionStage}


def parts_that_learn(stage: StageName, model: VideoModel, recipe: Recipe) -> list[tuple[nn.Module, int, float]]:
    """And from which published step to which each does.

    Once the discriminator is heard, what renders a moving head learns no more: it would give up its lips for looks.
    """
    enlarging = (model.superresolution.block0, model.superresolution.block1)  # what enlarges heads alone
    match stage:
        case "i2p":
            return [(part, 0, math.inf) for part in (model.cano_img2plane_backbone, model.decoder, *enlarging)]
        case "motion":
            end = recipe.adversary_from
            others = [(part, recipe.others_from, end) for part in (model.cano_img2plane_backbone, model.decoder)]
            late = [(part, recipe.enlarging_from, math.inf) for part in enlarging]
            return [(model.secc_img2plane_backbone, 0, end), *others, *late]
        case "sr":
            return [(model.superresolution, 0, math.inf)]


def true_pictures(stage: StageName, batch: Batch, side: int) -> tuple[Tensor, Tensor]:
    """What the discriminator is shown as true: a picture, and the head rendered at `side` pixels."""
    view = batch.target
    rendered = functional.interpolate(view.head, (side, side), mode="area")
    return (view.picture if stage == "sr" else view.head), rendered


def density_losses(model: VideoModel, planes: Tensor, moment: Moment, random: torch.Generator) -> dict[str, Tensor]:
    """Of planes, wherever no camera looks."""
    found = {}
    with torch.autocast(planes.device.type, enabled=False):
        planes = planes.float()
        begun = moment.published >= moment.recipe.egg_until
        if begun and moment.every(DENSITY_EVERY):
            apart = losses.smooth_density(lambda at: model.field(planes, at), random, planes, DENSITY_POINTS)
            found["density"] = DENSITY * DENSITY_EVERY * apart
        if not begun:
            points = (torch.rand(len(planes), DENSITY_POINTS, 3, generator=random) - 0.5).to(planes)
            missed = (model.field(planes, points).density - losses.egg_density(points)) / losses.EGG
            found["ellipsoid density prior"] = (1 - moment.published / moment.recipe.egg_until) * missed.square().mean()
    return found
