"""Avatars that are prepared in another process."""

from pathlib import Path

import numpy as np
import pytest

from calibration.background import on_background
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models import kernels as raster_kernels
from models.builtin import kernels
from models.motion import Motion
from models.portrait import Portrait
from runtime.engines.builtin import BuiltinEngine
from runtime.worker import Worker

MOTION = Motion(0, np.repeat(np.float32([0.3, 0.0]), [52, 12]), np.array([0.1, 0.2, 0.05], np.float32))


def nothing() -> None:
    pass


def prepare(portrait: Portrait):
    return BuiltinEngine().prepare(portrait)


def compiled_when_prepared_and_in_motion(portrait: Portrait) -> tuple[list[int], list[int]]:
    """Of each kernel that draws avatars, how often it was compiled or loaded."""
    count = lambda: [len(kernel.signatures) for kernel in vars(kernels).values() if hasattr(kernel, "signatures")]  # noqa: E731
    engine = BuiltinEngine()
    avatar, prepared = engine.prepare(portrait), count()
    for motion in (Motion(0), MOTION):
        engine.render(avatar, motion)
    return prepared, count()


def compiled() -> int:
    """How often kernels were compiled: once for each kind of array."""
    found = [value for module in (kernels, raster_kernels) for value in vars(module).values()]
    return sum(len(value.signatures) for value in found if hasattr(value, "signatures"))


@pytest.mark.parametrize("background", ["keep", "transparent"])
def test_an_avatar_from_another_process_draws_the_same_at_once(portrait_png: Path, background: str) -> None:
    engine, worker = BuiltinEngine(), Worker("the change", nothing, prepare)
    assert engine.portable
    portrait = on_background(prepare_portrait(read_photo(portrait_png), (128, 128)), background)
    expected = engine.render(engine.prepare(portrait), MOTION)
    before = compiled()
    avatar = worker.ask(portrait)
    worker.close()
    assert np.array_equal(engine.render(avatar, MOTION), expected)
    assert compiled() == before > 0, "compiling would hold up a picture"


@pytest.mark.parametrize("background", ["keep", "transparent"])
def test_a_prepared_avatar_has_nothing_left_to_compile(portrait_png: Path, background: str) -> None:
    worker = Worker("the change", nothing, compiled_when_prepared_and_in_motion)
    portrait = on_background(prepare_portrait(read_photo(portrait_png), (128, 128)), background)
    prepared, moved = worker.ask(portrait)
    worker.close()
    assert prepared == moved and sorted(moved) == [0, 1, 1, 1, 1], "either over a background or without one"
