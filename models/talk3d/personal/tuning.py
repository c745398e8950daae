"""Second stage: the generator learns the chosen frames (Talk3D 3.2, VIVE3D 3.3), all of it but its super-resolution.

Loss, as in the released code: L1 at the rendered size (a sum over 512^2) + likeness of the pictures, for every frame;
+ 1e-4 x (0.05 x sum of squares + 0.05 x likeness) between what the tuned generator and the one before it draw of random
faces near each frame's latent vector, so that only what is near to the person changes.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor
from torch.nn import functional

from models.talk3d.camera import camera_labels
from models.talk3d.generator import Generator
from models.talk3d.personal.footage import Footage
from models.talk3d.personal.likeness import Likeness
from models.talk3d.personal.schedule import Schedule
from models.talk3d.personal.stage import State, draws
from models.talk3d.personal.views import Latents, View, random_latents, view

_NEAR, _PSI = 0.1, 0.5


class Tuning:
    """Stage: see above. The generator that it is given is left alone."""

    name = "tuning"

    def __init__(
        self, generator: Generator, where: Latents, footage: Footage, frames: Sequence[int], inverted: State,
        likeness: Likeness, schedule: Schedule,
    ) -> None:  # fmt: skip
        """`inverted`: the result of `Inversion` of the same frames."""
        self._before, self._tuned = generator, deepcopy(generator)
        self._where, self._footage, self._frames = where, footage, list(frames)
        self._likeness, self._schedule = likeness, schedule
        self.steps, self.renders = schedule.tuning_steps, 2.3 * len(frames)
        self.saved_every = schedule.saved_every
        device = where.mean.device
        self._styles = (inverted["latent"] + inverted["offsets"]).to(device)
        self._cameras = camera_labels(*inverted["turns"].to(device).T)
        parts = (self._tuned.backbone.synthesis, self._tuned.decoder)
        self._learnt = [values.requires_grad_() for part in parts for values in part.parameters()]
        self._adam = torch.optim.Adam(self._learnt, schedule.tuning_rate)
        self._apart = float("inf")

    def step(self, number: int) -> float:
        """All frames once."""
        self._adam.zero_grad()
        total, self._apart = 0.0, 0.0
        others = random_latents(self._before, draws(self.name, number), len(self._frames)).detach()
        others = self._where.mean + _PSI * (others - self._where.mean)
        for index, frame in enumerate(self._frames):
            wanted = self._footage.picture(frame).to(others.device)
            style, camera = self._styles[index], self._cameras[index : index + 1]
            seen = self._view(self._tuned, style, camera)
            rough = functional.interpolate(wanted, seen.rough.shape[2:], mode="area")
            likeness = self._likeness.unlike(seen.picture, wanted)
            loss = (seen.rough - rough).abs().sum() / wanted[0, 0].numel() + likeness
            torch.autograd.backward(loss)
            near = style + _NEAR * functional.normalize(others[index] - style, dim=0)
            torch.autograd.backward(1e-4 * self._changed(near, camera))
            total += float(loss.detach())
            self._apart += float(likeness.detach())
        self._adam.step()
        return total / len(self._frames)

    def _changed(self, style: Tensor, camera: Tensor) -> Tensor:
        with torch.no_grad():
            before = self._view(self._before, style, camera).picture
        now = self._view(self._tuned, style, camera).picture
        return 0.05 * (now - before).square().sum() + 0.05 * self._likeness.unlike(now, before)

    def _view(self, generator: Generator, style: Tensor, camera: Tensor) -> View:
        return view(generator, generator.backbone.synthesis(style), style, camera, self._schedule.samples)

    def ended(self) -> bool:
        """Whether the frames are near enough by the released code's measure."""
        return self._likeness.settled is not None and self._apart <= self._likeness.settled[0]

    def state(self) -> State:
        """See `Stage`."""
        return {"generator": self._tuned.state_dict(), "adam": self._adam.state_dict(), "apart": self._apart}

    def resume(self, state: State) -> None:
        """See `Stage`."""
        self._tuned.load_state_dict(state["generator"])
        self._adam.load_state_dict(state["adam"])
        self._apart = state["apart"]

    def result(self) -> State:
        """`generator`: its entries."""
        return {"generator": {name: values.cpu().clone() for name, values in self._tuned.state_dict().items()}}
