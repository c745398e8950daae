"""Frames replayed on a GPU: nothing waits but for the picture, avatars change by copies alone."""

import numpy as np
import pytest
import torch
from golden.real3d import filled_model

from models.backends.verdict import ENOUGH_DB, psnr_db
from models.real3d.best_executor import agreement_db
from models.real3d.graph_executor import GraphExecutor, torch_run
from models.real3d.open_executor import ON_GPU
from models.real3d.torch_executor import TorchExecutor
from models.real3d.trial import second_drive, trial_drive, trial_portrait

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
]


@pytest.fixture(scope="module")
def executor() -> GraphExecutor:
    device, model = torch.device("cuda"), filled_model()
    runs = {batch: torch_run(model, device, ON_GPU) for batch in (1, 2)}
    return GraphExecutor("cudagraph", model, device, runs, ON_GPU)


def test_pictures_are_the_references(executor: GraphExecutor) -> None:
    assert agreement_db(executor, TorchExecutor(filled_model(), torch.device("cuda"))) >= ENOUGH_DB


def test_a_frame_waits_for_nothing_but_its_picture(executor: GraphExecutor) -> None:
    first = executor.prepare(trial_portrait())
    second = first._replace(background=-first.background)
    one, other = trial_drive(), second_drive()
    torch.cuda.set_sync_debug_mode("error")
    try:
        drawn = [(first, one), (second, one), (first, other), (first, one)]
        pictures = [executor.frame(state, *drive) for state, drive in drawn]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert np.array_equal(pictures[0], pictures[3]), "nothing of what was drawn between stays"
    assert all(psnr_db(pictures[0], picture) < 30 for picture in pictures[1:3]), "another avatar, another drive"


def test_avatars_of_a_batch_are_drawn_as_alone(executor: GraphExecutor) -> None:
    portrait, drives = trial_portrait(), [trial_drive(), second_drive()]
    states = [executor.prepare(portrait) for _ in range(2)]
    states[1] = states[1]._replace(background=-states[1].background)
    both = executor.frame_batch(states, *(torch.cat(values) for values in zip(*drives, strict=True)))
    alone = [executor.frame(state, *drive) for state, drive in zip(states, drives, strict=True)]
    assert psnr_db(alone[0], alone[1]) < 30, "two avatars"
    assert all(psnr_db(together, one) >= ENOUGH_DB for together, one in zip(both, alone, strict=True))
