"""Last stage: the super-resolution learns the person's own pictures; all else stays.

In the released code's last part GFPGAN learns them, in the super-resolution's place; here EG3D's own does, which asks
for no further weights. Loss, as in the released code: 16 x L1 + likeness of the enlarged pictures.
"""

from copy import deepcopy

import torch

from models.talk3d.checkpoint_file import Driver
from models.talk3d.personal.delta import CLIPS, TAKEN, Subject, clip_frames, moved_planes
from models.talk3d.personal.footage import Footage
from models.talk3d.personal.likeness import Likeness
from models.talk3d.personal.schedule import Schedule
from models.talk3d.personal.stage import State


class Drawing:
    """Stage: see above. The generator that it is given is left alone."""

    name = "drawing"

    def __init__(self, who: Subject, driver: Driver, footage: Footage, likeness: Likeness, schedule: Schedule) -> None:
        """`driver`: those of the stage before, for inference."""
        self._who, self._driver, self._footage = who, driver, footage
        self._likeness, self._schedule = likeness, schedule
        self.steps, self.renders = schedule.drawing_steps, float(CLIPS * len(TAKEN))
        self.saved_every = schedule.saved_every
        self._drawer = deepcopy(who.generator.superresolution).requires_grad_(True)
        self._adam = torch.optim.Adam(self._drawer.parameters(), schedule.drawing_rate)

    def step(self, number: int) -> float:
        """A batch."""
        numbers = clip_frames(self.name, number, self._footage.learnt)
        with torch.no_grad():
            planes = moved_planes(self._driver, self._who, self._footage, numbers, None)
            seen = self._who.view(planes, numbers, self._schedule.samples).seen
        drawn = self._drawer(seen, self._who.latent)
        wanted = torch.cat([self._footage.picture(k) for k in numbers]).to(drawn)
        loss = 16 * (drawn - wanted).abs().mean() + self._likeness.unlike(drawn, wanted)
        self._adam.zero_grad()
        torch.autograd.backward(loss)
        self._adam.step()
        return float(loss.detach())

    def ended(self) -> bool:
        """Never before the last step."""
        return False

    def state(self) -> State:
        """See `Stage`."""
        return {"drawer": self._drawer.state_dict(), "adam": self._adam.state_dict()}

    def resume(self, state: State) -> None:
        """See `Stage`."""
        self._drawer.load_state_dict(state["drawer"])
        self._adam.load_state_dict(state["adam"])

    def result(self) -> State:
        """`superresolution`: its entries."""
        return {"superresolution": {name: values.cpu().clone() for name, values in self._drawer.state_dict().items()}}
