"""Everything that a checkpoint holds, and one step of it."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from models.checkpoint import read_content
from models.errors import InputError
from models.real3d.sizes import Sizes
from real3d_training.batches import Batch
from real3d_training.beginning import follow_spectra, new_model
from real3d_training.descent import Descent
from real3d_training.discriminator import DualDiscriminator, discriminator_loss, gradient_penalty
from real3d_training.drawing import Outcome
from real3d_training.losses import Likeness
from real3d_training.processes import shared
from real3d_training.recipe import (
    BETAS,
    CLIP_NORM,
    DISCRIMINATOR_RATE,
    PENALTY,
    PENALTY_EVERY,
    Moment,
    Recipe,
    StageName,
)
from real3d_training.stages import STAGES, parts_that_learn, true_pictures

Precision = Literal["float32", "bfloat16", "float16"]
_KINDS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is; the last four are found by `run`."""

    stage: StageName
    recipe: Recipe
    sizes: Sizes
    steps: int
    seed: int = 1
    rate: float = 1e-4
    """The highest, of all but the discriminator, whose own is scaled alike."""
    precision: Precision = "float32"
    clips: str = ""
    """Digest of those that are learnt from."""
    batch: int = 0
    """Pairs, in each process."""
    processes: int = 1
    perceptual: str = ""
    """Digest of the weights that compare pictures; empty: edges and SSIM do."""


class JudgeStep(nn.Module):
    """The discriminator's loss, in one pass."""

    def __init__(self, network: DualDiscriminator) -> None:
        super().__init__()
        self.network = network

    def forward(self, drawn: tuple[Tensor, Tensor], true: tuple[Tensor, Tensor], camera: Tensor, steep: bool) -> Tensor:
        """`steep`: whether the gradient is asked for, too."""
        value = discriminator_loss(self.network(*drawn, camera), self.network(*true, camera))
        if steep:
            value = value + PENALTY * PENALTY_EVERY * gradient_penalty(self.network, *true, camera)
        return value


class Training:
    """Networks, optimisers and how far they have come."""

    def __init__(self, plan: Plan, likeness: Likeness, device: torch.device) -> None:
        self.plan, self.device, self.step = plan, device, 0
        self.model = new_model(plan.sizes, plan.seed).to(device)
        self.judge = DualDiscriminator(plan.sizes).to(device)
        self._stage = STAGES[plan.stage](self.model, likeness, self.judge)
        self._parts = parts_that_learn(plan.stage, self.model, plan.recipe)
        self.model.requires_grad_(False)
        for part, _, _ in self._parts:
            part.requires_grad_(True)
        self._run, self._judge_run = shared(self._stage), shared(JudgeStep(self.judge))
        groups = [{"params": list(part.parameters())} for part, _, _ in self._parts]
        optimiser = torch.optim.Adam(groups, plan.rate, betas=BETAS)
        share = PENALTY_EVERY / (PENALTY_EVERY + 1)
        self._judge_rate = DISCRIMINATOR_RATE * share * plan.rate / plan.recipe.rate
        judging = torch.optim.Adam(
            self.judge.parameters(), self._judge_rate, betas=(BETAS[0] ** share, BETAS[1] ** share)
        )
        scales = plan.precision == "float16" and device.type == "cuda"
        self._descent = Descent("the stage", optimiser, scales, CLIP_NORM)
        self._judge_descent = Descent("the discriminator", judging, scales)

    def moment(self, rank: int = 0) -> Moment:
        return Moment(self.step, self.plan.steps, self.plan.recipe, self.plan.seed, rank)

    def advance(self, batch: Batch, rank: int = 0) -> dict[str, float]:
        """One step of everything; returns the weighted losses. Raises AgentError where nothing is learnt any more."""
        moment, batch = self.moment(rank), batch.to(self.device)
        self._set_rates(moment)
        self.judge.requires_grad_(False)
        self._descent.optimiser.zero_grad()
        if moment.every(self.plan.recipe.source_every):
            with self._alone():
                self._gather(self._passed(batch.to_source(), moment))
        outcome = self._passed(batch, moment)
        self._gather(outcome)
        for group in self._descent.optimiser.param_groups:
            if not group["lr"]:
                _forget(group["params"])
        if self._descent.step():
            self._stage.follow(outcome, self.plan.recipe)
        follow_spectra(self.model.superresolution)
        told = {name: float(value.detach()) for name, value in outcome.losses.items()}
        if moment.judged:
            told["discriminator"] = self._judge_step(batch, outcome, moment)
        self.step += 1
        return told

    @torch.no_grad()
    def show(self, batch: Batch) -> Outcome:
        """A batch drawn as it would be live; nothing learns."""
        self.model.eval()
        stage = STAGES[self.plan.stage](self.model, _nothing, _Silent())
        outcome: Outcome = stage(batch.to(self.device), self.moment(), jitter=False)
        return outcome

    def save(self, path: Path) -> None:
        """Written beside and then put in place, so that there always is a whole one."""
        part = path.with_suffix(".part")
        torch.save(self._state(), part)
        part.rename(path)

    def load(self, path: Path) -> None:
        """Goes on from a checkpoint of the same plan. Raises InputError for another's."""
        state = read_checkpoint(path)
        mine = self._state()
        if state["plan"] != mine["plan"]:
            others = [name for name, value in mine["plan"].items() if state["plan"].get(name) != value]
            raise InputError(
                f"{path} was made with other settings ({', '.join(others)}): give the same, or another --out"
            )
        self.model.load_state_dict(state["model"])
        self.judge.load_state_dict(state["judge"])
        for name, part in self._moving().items():
            part.load_state_dict(state[name])
        self.step = state["step"]

    def begin_from(self, path: Path) -> None:
        """The networks of an earlier stage. Raises InputError if they are of other sizes."""
        state = read_checkpoint(path)
        if state["plan"]["sizes"] != asdict(self.plan.sizes):
            raise InputError(f"{path} was trained at other sizes ({state['plan']['sizes']}): give the same")
        self.model.load_state_dict(state["model"])
        self.judge.load_state_dict(state["judge"])

    def _state(self) -> dict[str, Any]:
        return {
            "plan": asdict(self.plan),
            "step": self.step,
            "model": self.model.state_dict(),
            "judge": self.judge.state_dict(),
            **{name: part.state_dict() for name, part in self._moving().items()},
        }

    def _moving(self) -> dict[str, Any]:
        return {
            "_optimiser": self._descent.optimiser,
            "_judge_optimiser": self._judge_descent.optimiser,
            "_scaler": self._descent.scaler,
            "_judge_scaler": self._judge_descent.scaler,
        }

    def _passed(self, batch: Batch, moment: Moment) -> Outcome:
        with self._cast():
            return self._run(batch, moment)

    def _gather(self, outcome: Outcome) -> None:
        self._descent.gather(torch.stack([value.float() for value in outcome.losses.values()]).sum())

    def _judge_step(self, batch: Batch, outcome: Outcome, moment: Moment) -> float:
        self.judge.requires_grad_(True)
        self._judge_descent.optimiser.param_groups[0]["lr"] = moment.rate(self._judge_rate)
        self._judge_descent.optimiser.zero_grad()
        true = true_pictures(self.plan.stage, batch, self.plan.sizes.rendered)
        with self._cast():
            drawn = outcome.picture, outcome.rendered
            value = self._judge_run(drawn, true, batch.target.camera, moment.every(PENALTY_EVERY))
        self._judge_descent.gather(value.float())
        self._judge_descent.step()
        return float(value.detach())

    def _set_rates(self, moment: Moment) -> None:
        """What learns nothing now keeps its norms, too."""
        self.model.eval()
        for group, (part, begins, ends) in zip(self._descent.optimiser.param_groups, self._parts, strict=True):
            group["lr"] = moment.rate(self.plan.rate, begins, ends)
            part.train(group["lr"] > 0)

    def _cast(self) -> AbstractContextManager[Any]:
        kind = _KINDS.get(self.plan.precision)
        return nullcontext() if kind is None else torch.autocast(self.device.type, kind)

    def _alone(self) -> AbstractContextManager[Any]:
        """Gradients are kept here until those of the next pass are shared."""
        return self._run.no_sync() if isinstance(self._run, DistributedDataParallel) else nullcontext()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Raises InputError if it is not there, damaged, or not one of ours."""
    if not path.exists():
        raise InputError(f"{path} is not there: train the stage before first, or name its checkpoint with --begin")
    state = read_content(path)
    if not isinstance(state, dict) or "plan" not in state:
        raise InputError(f"{path} is not a checkpoint of this training")
    return state


def _forget(parameters: list[nn.Parameter]) -> None:
    """Their gradients: they count in no norm, and move no optimiser's averages."""
    for each in parameters:
        each.grad = None


def _nothing(seen: Tensor, wanted: Tensor) -> Tensor:
    return seen.new_zeros(())


class _Silent(nn.Module):
    """In the discriminator's place where nobody is judged."""

    def forward(self, picture: Tensor, rendered: Tensor, camera: Tensor) -> Tensor:
        return picture.new_zeros(len(picture))
