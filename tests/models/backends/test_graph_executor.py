"""Frames replayed on a GPU: nothing waits but for the picture, avatars change by copies alone."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from models.backends.best_executor import agreement_db
from models.backends.graph_executor import GraphExecutor
from models.backends.torch_executor import TorchExecutor
from models.backends.verdict import ENOUGH_DB
from models.metrics.pictures import psnr_db
from tests.models.backends.frame_papers import FRAME_PAPERS, FramePaper

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
]

Executor = GraphExecutor[Any, Any, Any]


@pytest.fixture(scope="module", params=FRAME_PAPERS)
def frames(request: pytest.FixtureRequest) -> FramePaper:
    return FRAME_PAPERS[request.param]


@pytest.fixture(scope="module")
def executor(frames: FramePaper) -> Iterator[Executor]:
    device, paper = torch.device("cuda"), frames.filled()
    paper.model.to(device)
    stored = frames.stored
    executor = GraphExecutor("cudagraph", paper, device, {batch: paper.captured(stored) for batch in (1, 2)}, stored)
    yield executor
    executor.close()


def two_avatars(frames: FramePaper, executor: Executor) -> tuple[Any, Any]:
    first = executor.prepare(frames.filled().trial().parts)
    return first, first._replace(**{frames.shown: -getattr(first, frames.shown)})


def test_pictures_are_the_references(frames: FramePaper, executor: Executor) -> None:
    paper = frames.filled()
    reference = TorchExecutor(paper, torch.device("cuda"))
    assert agreement_db(executor, reference, paper.trial) >= ENOUGH_DB


def test_a_frame_waits_for_nothing_but_its_picture(frames: FramePaper, executor: Executor) -> None:
    (first, second), trial = two_avatars(frames, executor), frames.filled().trial()
    torch.cuda.set_sync_debug_mode("error")
    try:
        drawn = [(first, trial.drive), (second, trial.drive), (first, trial.second), (first, trial.drive)]
        pictures = [executor.frame(state, drive) for state, drive in drawn]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert np.array_equal(pictures[0], pictures[3]), "nothing of what was drawn between stays"
    assert not any(np.array_equal(*pair) for pair in pairwise(pictures)), "another avatar, another drive"


def test_avatars_of_a_batch_are_drawn_as_alone(frames: FramePaper, executor: Executor) -> None:
    states, trial = two_avatars(frames, executor), frames.filled().trial()
    drives = [trial.drive, trial.second]
    together = type(trial.drive)(*(torch.cat(values) for values in zip(*drives, strict=True)))
    both = executor.frame_batch(states, together)
    alone = [executor.frame(state, drive) for state, drive in zip(states, drives, strict=True)]
    assert not np.array_equal(*alone), "two avatars"
    assert all(psnr_db(each, one) >= ENOUGH_DB for each, one in zip(both, alone, strict=True))


def test_levels_are_replayed_in_any_order(frames: FramePaper, executor: Executor) -> None:
    trial = frames.filled().trial()
    state, drive = executor.prepare(trial.parts), trial.second
    assert executor.levels > 1
    torch.cuda.set_sync_debug_mode("error")
    try:
        pictures = [executor.frame(state, drive, level) for level in (0, *range(executor.levels))]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    again = [executor.frame(state, drive, level) for level in reversed(range(executor.levels))]
    assert all(np.array_equal(*pair) for pair in zip(pictures[1:], reversed(again), strict=True))
    assert np.array_equal(pictures[0], pictures[1])
    assert not any(np.array_equal(pictures[0], picture) for picture in pictures[2:])
