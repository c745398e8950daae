"""Fourth stage: the networks that hear speech and make planes of it (Talk3D 3.3 and 3.4); the generator stays.

Loss, as in the released code, the paper giving no weights: 16 x L1 + likeness, at the rendered size and of the enlarged
picture; of the mouth, rendered, 15 x (squares per pixel + likeness); 1 x ArcFace's distance between the faces, where it
was brought in; 0.01 x SyncNet's distance between lips and voice, after 20 times through the frames, where that was. A
step sees two clips, and of each the second and the fourth frame; SyncNet sees the video's own between them. The
released code asks Wav2Lip's network instead (cross-entropy of a cosine, of the rendered picture's lower half); this one
is that which `agent eval` measures with, and sees the enlarged picture, since it wants faces of 224 pixels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from models.talk3d.camera import camera_labels
from models.talk3d.checkpoint_file import Driver
from models.talk3d.delta_planes import PlaneFeatures
from models.talk3d.generator import Generator
from models.talk3d.personal.footage import Footage
from models.talk3d.personal.lip_sync import LipSync
from models.talk3d.personal.losses import Losses
from models.talk3d.personal.schedule import Schedule, stepped
from models.talk3d.personal.stage import State, draws
from models.talk3d.personal.views import View, view
from models.talk3d.places import place_code
from models.talk3d.size import SMALLER, StageWidths
from models.talk3d.transformer import Settled, Transformer
from models.triplane import Planes

CLIPS, TAKEN, CLIP = 2, (1, 3), 5
"""Of a step: clips, the frames of each that are drawn, frames of a clip."""
PICTURES = 1.3 * CLIPS * len(TAKEN)
"""What a step costs, the networks that make planes included, in pictures that are drawn and learnt from."""
_JITTER = 0.05
_JUDGED = 6


class Subject(NamedTuple):
    """Who is learnt: the generator's person, and where every frame is seen from."""

    generator: Generator
    latent: Float[Tensor, "512"]
    planes: Planes
    turns: Float[Tensor, "n 2"]

    def view(self, planes: Planes, numbers: Sequence[int], samples: int) -> View:
        """What the cameras of these frames see of planes."""
        cameras = camera_labels(*self.turns[list(numbers)].T)
        return view(self.generator, planes, self.latent, cameras, samples)


def subject(generator: Generator, latent: Tensor, turns: Tensor) -> Subject:
    """With the planes of the neutral self."""
    with torch.no_grad():
        return Subject(generator, latent, generator.backbone.synthesis(latent), turns)


def clips(stage: str, step: int, learnt: int) -> list[int]:
    """The first frame of each clip of a step."""
    return torch.randint(0, max(1, learnt - CLIP + 1), (CLIPS,), generator=draws(stage, step)).tolist()


def clip_frames(stage: str, step: int, learnt: int) -> list[int]:
    """The frames of a step that are drawn, clip by clip."""
    return [min(begin + k, learnt - 1) for begin in clips(stage, step, learnt) for k in TAKEN]


def fresh_driver(side: int, widths: StageWidths) -> Driver:
    """Networks that have learnt nothing: what they add to planes is 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        driver = Driver(side, widths)
        torch.nn.init.normal_(driver.conditions.null_vector)
    transformer = driver.deltaplane_predictor.transformer[0]
    assert isinstance(transformer, Transformer)
    with torch.no_grad():
        transformer.pos_emb.copy_(place_code(side // SMALLER, widths[-1]))
        for name, values in driver.deltaplane_predictor.Upnet.named_parameters():
            if name.startswith("Upnet3") and ".conv1." in name:
                values.zero_()
    transformer.pos_emb.requires_grad_(False)
    return driver


def moved_planes(driver: Driver, who: Subject, footage: Footage, numbers: list[int], jitter: Tensor | None) -> Planes:
    """The subject's planes at these frames."""
    known = driver.deltaplane_predictor.read(who.planes)
    first, second, settled = (known.first, known.second, known.settled)
    first, second, deepest, within, queries = (
        values.expand(len(numbers), *values.shape[1:]) for values in (first, second, *settled)
    )
    frame = footage.frame(numbers, jitter)
    tokens = driver.conditions(type(frame)(*(values.to(who.latent.device) for values in frame)))
    features = PlaneFeatures(first, second, Settled(deepest, within, queries))
    return who.planes + driver.deltaplane_predictor(features, tokens)


class Delta:
    """Stage: see above."""

    name = "delta"

    def __init__(self, who: Subject, footage: Footage, losses: Losses, schedule: Schedule, widths: StageWidths) -> None:
        """`widths`: of the networks; begins with new ones."""
        self._who, self._footage, self._schedule = who, footage, schedule
        self._likeness, self._identity = losses.likeness, losses.identity
        self._lip_sync = None if losses.syncnet is None else LipSync(losses.syncnet, footage)
        self.steps, self.renders = schedule.delta_steps, PICTURES
        self.saved_every = schedule.saved_every
        self._driver = fresh_driver(who.generator.size.planes, widths).to(who.latent.device).train()
        learnt = [values for values in self._driver.parameters() if values.requires_grad]
        self._adam = torch.optim.Adam(learnt, schedule.delta_rate)

    def step(self, number: int) -> float:
        """A batch."""
        learnt = self._footage.learnt
        times = number // max(1, learnt // CLIPS)
        for group in self._adam.param_groups:
            group["lr"] = self._schedule.delta_rate * stepped(times)
        numbers = clip_frames(self.name, number, learnt)
        jitter = _JITTER * (2 * torch.rand(len(numbers), 1, generator=draws("eyes", number)) - 1)
        planes = moved_planes(self._driver, self._who, self._footage, numbers, jitter)
        seen = self._who.view(planes, numbers, self._schedule.samples)
        loss = self._loss(seen, numbers)
        if self._lip_sync is not None and times > self._schedule.heard_after:
            loss = loss + 0.01 * self._lip_sync.apart(seen.picture, numbers, clips(self.name, number, learnt))
        self._adam.zero_grad()
        torch.autograd.backward(loss)
        self._adam.step()
        return float(loss.detach())

    def _loss(self, seen: View, numbers: list[int]) -> Float[Tensor, ""]:
        device, side = seen.picture.device, seen.picture.shape[-1]
        wanted = torch.cat([self._footage.picture(k) for k in numbers]).to(device)
        rough = functional.interpolate(wanted, seen.rough.shape[2:], mode="area")
        mouths = torch.cat([self._footage.mouth_mask(k, rough.shape[-1]) for k in numbers]).to(device)
        apart = ((seen.rough - rough) * mouths).square().sum() / mouths.sum().clamp(min=1)
        loss = (
            16 * (seen.rough - rough).abs().mean()
            + self._likeness.unlike(seen.rough, rough)
            + 16 * (seen.picture - wanted).abs().mean()
            + self._likeness.unlike(seen.picture, wanted)
            + 15 * (apart + self._likeness.unlike(seen.rough * mouths, rough * mouths))
        )
        if self._identity is not None:
            faces = torch.cat([self._footage.face_mask(k, side) for k in numbers]).to(device)
            loss = loss + self._identity.unlike(seen.picture * faces, wanted * faces)
        return loss

    def ended(self) -> bool:
        """Never before the last step."""
        return False

    def state(self) -> State:
        """See `Stage`."""
        return {"driver": self._driver.state_dict(), "adam": self._adam.state_dict()}

    def resume(self, state: State) -> None:
        """See `Stage`."""
        self._driver.load_state_dict(state["driver"])
        self._adam.load_state_dict(state["adam"])

    def result(self) -> State:
        """`driver`: its entries; `mouth`: see `mouth_errors`."""
        self._driver.eval()
        errors = mouth_errors(self._driver, self._who, self._footage, self._schedule.samples)
        return {"driver": {k: v.cpu().clone() for k, v in self._driver.state_dict().items()}, "mouth": list(errors)}


@torch.no_grad()
def mouth_errors(driver: Driver, who: Subject, footage: Footage, samples: int) -> tuple[float, float]:
    """How far the rendered mouth is from the video's in frames that were not learnt from, 0..2: of a face that stands
    still, and with speech. Of the last learnt ones where there are no others."""
    first = min(footage.learnt, len(footage.pictures) - 1)
    numbers = sorted({int(k) for k in torch.linspace(first, len(footage.pictures) - 1, _JUDGED)})
    moved = moved_planes(driver, who, footage, numbers, None)
    errors = []
    for planes in (who.planes.expand_as(moved), moved):
        rough = who.view(planes, numbers, samples).rough
        wanted = torch.cat([footage.picture(k) for k in numbers]).to(rough)
        apart = (rough - functional.interpolate(wanted, rough.shape[2:], mode="area")).abs()
        mouths = torch.cat([footage.mouth_mask(k, rough.shape[-1]) for k in numbers]).to(rough.device)
        errors.append(float((apart * mouths).sum() / (3 * mouths.sum()).clamp(min=1)))
    return errors[0], errors[1]
