"""Frames replayed on a GPU: nothing waits but for the picture, avatars change by copies alone."""

import numpy as np
import pytest
import torch
from golden.dense_face import dense_face
from golden.real3d import filled_model

from models.backends.best_executor import agreement_db
from models.backends.graph_executor import GraphExecutor
from models.backends.torch_executor import TorchExecutor
from models.backends.verdict import ENOUGH_DB
from models.metrics.pictures import psnr_db
from models.real3d.drive import Drive
from models.real3d.levels import LEVELS
from models.real3d.painter import CpuPainter, TorchPainter
from models.real3d.paper import STORED, real3d_paper
from models.real3d.trial import second_drive, trial, trial_drive, trial_portrait

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
]


@pytest.fixture(scope="module")
def executor() -> GraphExecutor:
    device, paper = torch.device("cuda"), real3d_paper(filled_model().to("cuda"), dense_face())
    runs = {batch: paper.captured(STORED[0]) for batch in (1, 2)}
    return GraphExecutor("cudagraph", paper, device, runs, STORED[0])


def test_pictures_are_the_references(executor: GraphExecutor) -> None:
    reference = TorchExecutor(real3d_paper(filled_model(), dense_face()), torch.device("cuda"))
    assert agreement_db(executor, reference, trial) >= ENOUGH_DB


def test_a_frame_waits_for_nothing_but_its_picture(executor: GraphExecutor) -> None:
    first = executor.prepare(trial_portrait())
    second = first._replace(background=-first.background)
    one, other = trial_drive(), second_drive()
    torch.cuda.set_sync_debug_mode("error")
    try:
        drawn = [(first, one), (second, one), (first, other), (first, one)]
        pictures = [executor.frame(state, drive) for state, drive in drawn]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert np.array_equal(pictures[0], pictures[3]), "nothing of what was drawn between stays"
    assert all(psnr_db(pictures[0], picture) < 30 for picture in pictures[1:3]), "another avatar, another drive"


def test_avatars_of_a_batch_are_drawn_as_alone(executor: GraphExecutor) -> None:
    portrait, drives = trial_portrait(), [trial_drive(), second_drive()]
    states = [executor.prepare(portrait) for _ in range(2)]
    states[1] = states[1]._replace(background=-states[1].background)
    both = executor.frame_batch(states, Drive(*(torch.cat(values) for values in zip(*drives, strict=True))))
    alone = [executor.frame(state, drive) for state, drive in zip(states, drives, strict=True)]
    assert psnr_db(alone[0], alone[1]) < 30, "two avatars"
    assert all(psnr_db(together, one) >= ENOUGH_DB for together, one in zip(both, alone, strict=True))


def test_levels_are_replayed_in_any_order(executor: GraphExecutor) -> None:
    state, drive = executor.prepare(trial_portrait()), second_drive()
    assert executor.levels == len(LEVELS)
    torch.cuda.set_sync_debug_mode("error")
    try:
        pictures = [executor.frame(state, drive, level) for level in (0, *range(executor.levels))]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    again = [executor.frame(state, drive, level) for level in reversed(range(executor.levels))]
    assert all(np.array_equal(*pair) for pair in zip(pictures[1:], reversed(again), strict=True))
    assert np.array_equal(pictures[0], pictures[1])
    assert all(20 < psnr_db(pictures[0], picture) < 60 for picture in pictures[2:])


def test_pictures_are_painted_on_the_device_as_on_the_cpu() -> None:
    cuda = torch.device("cuda")
    paint = TorchPainter(dense_face(), cuda)
    for drive in (trial_drive(), second_drive()):
        given, expected = drive.to(cuda), CpuPainter(dense_face())(drive)
        torch.cuda.set_sync_debug_mode("error")
        try:
            drawn = paint(given)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        assert float(((drawn.cpu() - expected).abs().amax(1) > 0.01).float().mean()) < 1e-4
