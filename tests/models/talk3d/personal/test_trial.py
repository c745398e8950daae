"""What a machine is said to need, before anything is done."""

from dataclasses import replace

import pytest
import torch

from agent.pace import expected
from models.talk3d.personal.delta import CLIPS, TAKEN, Delta, subject
from models.talk3d.personal.likeness import Structure
from models.talk3d.personal.losses import Losses
from models.talk3d.personal.procedure import work
from models.talk3d.personal.schedule import Schedule
from models.talk3d.personal.trial import try_out
from tests.models.talk3d.personal import tiny

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
SAMPLES = 48
"""So many that pictures take more than the tiny networks."""


def test_memory_is_what_a_step_of_the_largest_stage_keeps() -> None:
    found = try_out(tiny.generator(), Losses(Structure()), tiny.WIDTHS, SAMPLES, CPU)
    kept: dict[int, int] = {}

    def keep(values: torch.Tensor) -> torch.Tensor:
        kept[values.untyped_storage().data_ptr()] = values.untyped_storage().nbytes()
        return values

    who = subject(tiny.generator(), torch.zeros(512), torch.zeros(tiny.FRAMES, 2))
    stage = Delta(who, tiny.footage(), Losses(Structure()), replace(tiny.SCHEDULE, samples=SAMPLES), tiny.WIDTHS)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda values: values):
        stage.step(0)
    assert 0.5 < found.memory_bytes / sum(kept.values()) < 2
    assert found.picture_s > 0 and CLIPS * len(TAKEN) == 4


def test_more_samples_take_more_memory() -> None:
    few, many = (try_out(tiny.generator(), Losses(Structure()), tiny.WIDTHS, count, CPU) for count in (4, 32))
    assert many.memory_bytes > few.memory_bytes


def test_stages_are_told_one_by_one() -> None:
    told = expected(work(Schedule(), 6000), 0.1)
    assert told.startswith("about 20.2 hours (inversion 5 minutes, tuning 8 minutes, per-frame 8.3 hours, delta 11.6 ")
    assert "days" in expected(work(Schedule(), 6000), 10.0)
