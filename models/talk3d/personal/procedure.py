"""All stages one after the other, and what comes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from models.talk3d.checkpoint_file import Driver
from models.talk3d.generator import Generator
from models.talk3d.personal.delta import PICTURES, Delta, subject
from models.talk3d.personal.drawing import Drawing
from models.talk3d.personal.footage import Footage, chosen_frames
from models.talk3d.personal.inversion import Inversion
from models.talk3d.personal.losses import Losses
from models.talk3d.personal.per_frame import PerFrame
from models.talk3d.personal.schedule import Schedule
from models.talk3d.personal.stage import Kept, Stage, State, Told, carry_out
from models.talk3d.personal.tuning import Tuning
from models.talk3d.personal.views import latents
from models.talk3d.size import STAGES, StageWidths, generator_size

NAMES = (Inversion.name, Tuning.name, PerFrame.name, Delta.name, Drawing.name)
"""Of the stages, in their order."""


@dataclass(frozen=True, eq=False)
class Personal:
    """A person's own networks and cameras."""

    generator: dict[str, Tensor]
    driver: dict[str, Tensor]
    """Of `checkpoint_file.Driver`."""
    latent: Tensor
    """[512]."""
    turns: Tensor
    """[n, 2]: see `recording.Recording`."""
    mouth: tuple[float, float]
    """See `delta.mouth_errors`."""


@dataclass(frozen=True, eq=False)
class Procedure:
    """From a generator of anybody to a person's."""

    generator: Generator
    footage: Footage
    losses: Losses
    schedule: Schedule
    device: torch.device
    widths: StageWidths = STAGES

    def carry_out(self, kept: Kept, told: Told) -> Personal:
        """Does what is not done yet. Raises AgentError: a state cannot be written; InputError: one is damaged."""
        schedule, footage, likeness = self.schedule, self.footage, self.losses.likeness
        self.losses.to(self.device)

        def done(name: str, make: Callable[[], Stage]) -> State:
            known = kept.result(name)
            return known if known is not None else carry_out(make(), kept, told)

        original = self.generator.to(self.device).eval().requires_grad_(False)
        where, frames = latents(original), chosen_frames(footage, schedule.frames)
        inverted = done(Inversion.name, lambda: Inversion(original, where, footage, frames, likeness, schedule))
        tuned = done(
            Tuning.name, lambda: Tuning(original, where, footage, frames, inverted, likeness, schedule)
        )["generator"]  # fmt: skip
        generator = self._loaded(tuned)
        latent = inverted["latent"].to(self.device)
        turns = done(PerFrame.name, lambda: PerFrame(generator, latent, footage, likeness, schedule))["turns"]
        who = subject(generator, latent, turns.to(self.device))
        learnt = done(Delta.name, lambda: Delta(who, footage, self.losses, schedule, self.widths))
        driver = Driver(generator.size.planes, self.widths)
        driver.load_state_dict(learnt["driver"])
        driver.to(self.device).eval().requires_grad_(False)
        drawer = done(Drawing.name, lambda: Drawing(who, driver, footage, likeness, schedule))["superresolution"]
        entries = tuned | {f"superresolution.{name}": values for name, values in drawer.items()}
        return Personal(entries, learnt["driver"], inverted["latent"], turns, tuple(learnt["mouth"]))

    def _loaded(self, entries: Mapping[str, Tensor]) -> Generator:
        generator = Generator(generator_size(entries))
        generator.load_state_dict(entries)
        return generator.to(self.device).eval().requires_grad_(False)


def state_bytes(generator: Generator, widths: StageWidths) -> int:
    """That states and results take on the disk at most: Adam keeps two numbers for each that is learnt, and a state is
    written before the last one goes."""
    with torch.device("meta"):
        driver = Driver(generator.size.planes, widths)
    sizes = [sum(v.numel() * v.element_size() for v in part.state_dict().values()) for part in (generator, driver)]
    return 6 * max(sizes) + sum(sizes)


def work(schedule: Schedule, frames: int) -> dict[str, float]:
    """What each stage costs at most, in pictures that are drawn and learnt from."""
    few = min(schedule.frames, frames)
    return {
        Inversion.name: schedule.inversion_steps * few,
        Tuning.name: schedule.tuning_steps * few * 2.3,
        PerFrame.name: schedule.first_frame_steps + (frames - 1) * schedule.frame_steps,
        Delta.name: schedule.delta_steps * PICTURES,
        Drawing.name: schedule.drawing_steps * 4,
    }
