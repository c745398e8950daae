"""First stage: the latent vector of the person, and the cameras of a few frames (Talk3D 3.2, VIVE3D 3.2).

Loss, as in the released code: 0.05 x L1 at the rendered size (a sum over 128^2 pixels) + 1 x likeness there +
2 x (likeness + 0.75 x squares per pixel) of brows, eyes, nose and lips in the enlarged picture + 0.05 x size of the
frames' offsets, which counts ever less. Its weights for VGG's features and for identity are 0.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.talk3d.camera import camera_labels
from models.talk3d.generator import Generator
from models.talk3d.personal.footage import Footage
from models.talk3d.personal.likeness import Likeness
from models.talk3d.personal.schedule import Schedule, ramped
from models.talk3d.personal.stage import State, draws
from models.talk3d.personal.views import Latents, View, view
from models.talk3d.size import LATENT


class Inversion:
    """Stage: see above. The generator stays as it is."""

    name = "inversion"

    def __init__(
        self, generator: Generator, where: Latents, footage: Footage, frames: Sequence[int],
        likeness: Likeness, schedule: Schedule,
    ) -> None:  # fmt: skip
        """`where`: the generator's latent vectors lie; `frames`: of the footage, which are looked at."""
        self._generator, self._footage, self._frames = generator, footage, list(frames)
        self._likeness, self._schedule, self._spread = likeness, schedule, where.spread
        self.steps, self.renders = schedule.inversion_steps, float(len(frames))
        self.saved_every = schedule.saved_every
        self._device = where.mean.device
        offsets = 0.02 * torch.randn(len(frames), LATENT, generator=draws(self.name, -1)).to(self._device)
        self._learnt = {
            "latent": where.mean.clone(),
            "offsets": offsets,
            "turns": torch.zeros(len(frames), 2, device=self._device),
        }
        for values in self._learnt.values():
            values.requires_grad_()
        self._adam = torch.optim.Adam(list(self._learnt.values()), schedule.inversion_rate)

    def step(self, number: int) -> float:
        """All frames once."""
        for group in self._adam.param_groups:
            group["lr"] = self._schedule.inversion_rate * ramped(number, self.steps)
        shake = 0.02 * self._spread * max(0.0, 1 - number / self.steps / 0.75) ** 2
        noise = shake * torch.randn(len(self._frames), LATENT, generator=draws(self.name, number)).to(self._device)
        stiffness = max(0.005, 0.05 * 0.99 ** max(0, number - 100))
        self._adam.zero_grad()
        total = 0.0
        for index, frame in enumerate(self._frames):
            offset = self._learnt["offsets"][index]
            style = self._learnt["latent"] + offset + noise[index]
            planes = self._generator.backbone.synthesis(style)
            camera = camera_labels(*self._learnt["turns"][index, :, None])
            seen = view(self._generator, planes, style, camera, self._schedule.samples)
            loss = self._unlike(seen, frame) + stiffness * offset.norm()
            torch.autograd.backward(loss)
            total += float(loss.detach())
        self._adam.step()
        return total / len(self._frames)

    def _unlike(self, seen: View, frame: int) -> Float[Tensor, ""]:
        wanted = self._footage.picture(frame).to(self._device)
        rough = functional.interpolate(wanted, seen.rough.shape[2:], mode="area")
        mask = self._footage.features_mask(frame, wanted.shape[-1]).to(self._device)
        apart = ((seen.picture - wanted) * mask).square().sum() / mask.sum().clamp(min=1)
        return (
            0.05 * (seen.rough - rough).abs().sum() / rough[0, 0].numel()
            + self._likeness.unlike(seen.rough, rough)
            + 2 * (self._likeness.unlike(seen.picture * mask, wanted * mask) + 0.75 * apart)
        )

    def ended(self) -> bool:
        """Never before the last step."""
        return False

    def state(self) -> State:
        """See `Stage`."""
        return {"learnt": {k: v.detach() for k, v in self._learnt.items()}, "adam": self._adam.state_dict()}

    def resume(self, state: State) -> None:
        """See `Stage`."""
        with torch.no_grad():
            for name, values in self._learnt.items():
                values.copy_(state["learnt"][name])
        self._adam.load_state_dict(state["adam"])

    def result(self) -> State:
        """`latent` [512], and of each frame `offsets` [m, 512] and `turns` [m, 2] (yaw, pitch) of its camera."""
        return {name: values.detach().cpu().clone() for name, values in self._learnt.items()}
