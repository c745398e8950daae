"""Third stage: the camera of every frame, by the tuned generator (Talk3D 3.2, VIVE3D 3.4).

Loss, as in the released code: 0.25 x L1 + 1 x likeness of the pictures + 1.2 x (likeness + L1 per pixel) of the face
+ 0.01 x size of the frame's offsets + 0.02 x of their change since the frame before. Each layer has an offset of its
own, which the next frame begins with; of all this only yaw and pitch are used. The released code looks at another cut
of the frames here than the later stages learn from; here it is the same.
"""

import torch
from torch import Tensor

from models.talk3d.camera import camera_labels
from models.talk3d.generator import Generator
from models.talk3d.personal.footage import Footage
from models.talk3d.personal.likeness import Likeness
from models.talk3d.personal.schedule import Schedule
from models.talk3d.personal.stage import State
from models.talk3d.personal.views import layered_planes, view
from models.talk3d.size import LATENT

_SAVED_EVERY = 5
"""Frames: each is as much work as many steps of other stages."""


class PerFrame:
    """Stage: see above. A step is a frame."""

    name = "per-frame"

    def __init__(
        self, generator: Generator, latent: Tensor, footage: Footage, likeness: Likeness, schedule: Schedule
    ) -> None:
        """`generator`: the tuned one; `latent`: the person's."""
        self._generator, self._latent, self._footage = generator, latent, footage
        self._likeness, self._schedule = likeness, schedule
        self.steps, self.renders = len(footage.pictures), float(schedule.frame_steps)
        self.saved_every = min(_SAVED_EVERY, schedule.saved_every)
        self._offset = latent.new_zeros(generator.size.styles, LATENT)
        self._turns = latent.new_zeros(self.steps, 2)

    def step(self, number: int) -> float:
        """A frame, from where the one before it ended."""
        schedule, first = self._schedule, number == 0
        offset = self._offset.clone().requires_grad_()
        turn = self._turns[max(0, number - 1)].clone().requires_grad_()
        adam = torch.optim.Adam([offset, turn], schedule.frame_rate)
        wanted = self._footage.picture(number).to(offset.device)
        mask = self._footage.face_mask(number, wanted.shape[-1]).to(offset.device)
        value = 0.0
        for _ in range(schedule.first_frame_steps if first else schedule.frame_steps):
            styles = self._latent + offset
            planes = layered_planes(self._generator.backbone.synthesis, styles)
            camera = camera_labels(*turn[:, None])
            seen = view(self._generator, planes, styles[-1], camera, schedule.samples).picture
            of_face = (seen - wanted).abs() * mask
            loss = (
                0.25 * (seen - wanted).abs().mean()
                + self._likeness.unlike(seen, wanted)
                + 1.2 * (self._likeness.unlike(seen * mask, wanted * mask) + of_face.sum() / mask.sum().clamp(min=1))
                + 0.01 * offset.norm()
                + (0 if first else 0.02 * (offset - self._offset).norm())
            )
            value = float(loss.detach())
            if self._likeness.settled is not None and value < self._likeness.settled[1]:
                break
            adam.zero_grad()
            torch.autograd.backward(loss)
            adam.step()
        self._offset, self._turns[number] = offset.detach(), turn.detach()
        return value

    def ended(self) -> bool:
        """Never before the last frame."""
        return False

    def state(self) -> State:
        """See `Stage`."""
        return {"offset": self._offset, "turns": self._turns}

    def resume(self, state: State) -> None:
        """See `Stage`."""
        self._offset = state["offset"].to(self._latent)
        self._turns.copy_(state["turns"])

    def result(self) -> State:
        """`turns` [n, 2]: yaw and pitch of every frame's camera."""
        return {"turns": self._turns.cpu().clone()}
