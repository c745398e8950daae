"""The stages' numbers: weights of losses, rates, and when what begins, in steps as they were published.

Where the paper gives none, they are those of the configurations that its code was released with: `img2plane`,
`secc_img2plane` (the released weights': `_orig`) and `secc_img2plane_torso`. A shorter run passes through the same
course in fewer steps.
"""

import math
from dataclasses import dataclass
from typing import Literal

StageName = Literal["i2p", "motion", "sr"]
BETAS = (0.0, 0.99)
"""Adam's, of all networks."""
PENALTY, PENALTY_EVERY = 5.0, 16
"""Of the discriminator's gradient (R1), asked for every so many steps and then as much stronger."""
DISCRIMINATOR_RATE = 2e-4
DISCRIMINATOR_AHEAD = 10_000
"""Published steps by which the discriminator begins before the others hear of it."""
DENSITY, DENSITY_EVERY, DENSITY_POINTS = 0.25, 4, 1000
CLIP_NORM = 1.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """One stage; `paper`: the section that describes it."""

    paper: str
    steps: int
    """As published; for `i2p` neither paper nor configuration says, and this is ours."""
    rate: float
    warm_up: int
    half_life: float
    """Steps in which the rate halves."""
    adversary_from: int
    """The step from which the discriminator is heard."""
    adversary: float
    adversary_source: float
    """Of sources that are asked for themselves."""
    source_every: int
    """Sources are asked for themselves every so many steps."""
    picture: float = 1.0
    """Mean difference, of the rendered picture and of the enlarged one."""
    likeness: float = 0.1
    """Perceptual loss, or `losses.structure` without one."""
    lips: float = 0.0
    lips_likeness: float = 0.0
    outside: float = 1.0
    """How much the picture counts beyond the head, or beyond the torso."""
    outline: float = 0.0
    entropy: float = 0.0
    around_every: int = 0
    """The Laplacian losses are asked for every so many steps."""
    blink_target: float = 0.15
    """What the Laplacian loss of closing eyes is to come down to: the weight follows it."""
    around_target: float = 0.5
    """And that of other moments."""
    others_from: int = 0
    """The step from which the networks of earlier stages learn on."""
    enlarging_from: int = 0
    """And the super-resolution."""
    egg_until: int = 0
    """Until then an ellipsoid density prior leads the planes; ours: the authors began with EG3D's decoder instead."""


RECIPES: dict[StageName, Recipe] = {
    "i2p": Recipe(
        paper="3.1", steps=100_000, rate=1e-4, warm_up=4000, half_life=67_600, adversary_from=30_000,
        adversary=0.025, adversary_source=0.1, source_every=5, outline=0.1, entropy=0.01, egg_until=25_000,
    ),
    "motion": Recipe(
        paper="3.2", steps=250_000, rate=1e-4, warm_up=4000, half_life=67_600, adversary_from=200_000,
        adversary=0.002, adversary_source=0.002, source_every=16, lips=0.5, lips_likeness=0.05, outside=0.2,
        outline=0.1, entropy=0.01, around_every=4, others_from=6000, enlarging_from=30_000,
    ),
    "sr": Recipe(
        paper="3.4", steps=100_000, rate=1e-5, warm_up=4000, half_life=50_000, adversary_from=40_000,
        adversary=0.001, adversary_source=0.001, source_every=4, lips=0.2, lips_likeness=0.02, outside=0.5,
        entropy=0.001,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of a run."""

    step: int
    steps: int
    """Of the whole run."""
    recipe: Recipe
    seed: int
    rank: int = 0

    @property
    def published(self) -> float:
        """The step at which the published course stood here."""
        return self.step * self.recipe.steps / self.steps

    @property
    def heard(self) -> bool:
        """Whether the discriminator is heard: its loss counts for the generator."""
        return self.published >= self.recipe.adversary_from

    @property
    def judged(self) -> bool:
        """Whether the discriminator learns."""
        return self.published >= self.recipe.adversary_from - DISCRIMINATOR_AHEAD

    def every(self, interval: int) -> bool:
        """Whether it is time for what comes every so many steps."""
        return interval > 0 and (self.step + 1) % interval == 0

    def rate(self, peak: float, begins: float = 0, ends: float = math.inf) -> float:
        """Of what learns between two published steps."""
        if not begins <= self.published < ends:
            return 0.0
        warm = min(1.0, (self.published + 1) / self.recipe.warm_up)
        return peak * max(warm * 0.5 ** (self.published / self.recipe.half_life), 0.01)
