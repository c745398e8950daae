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


def nothing() -> None:
    pass


def prepare(portrait: Portrait):
    return BuiltinEngine().prepare(portrait)


def compiled() -> int:
    """How often kernels were compiled: once for each kind of array."""
    found = [value for module in (kernels, raster_kernels) for value in vars(module).values()]
    return sum(len(value.signatures) for value in found if hasattr(value, "signatures"))


@pytest.mark.parametrize("background", ["keep", "transparent"])
def test_an_avatar_from_another_process_draws_the_same_at_once(portrait_png: Path, background: str) -> None:
    engine, worker = BuiltinEngine(), Worker("the change", nothing, prepare)
    assert engine.portable
    portrait = on_background(prepare_portrait(read_photo(portrait_png), (128, 128)), background)
    expression = np.zeros(64, np.float32)
    expression[:52] = 0.3
    motion = Motion(pts_ns=0, expression=expression, rotation=np.array([0.1, 0.2, 0.05], np.float32))
    expected = engine.render(engine.prepare(portrait), motion)
    before = compiled()
    avatar = worker.ask(portrait)
    worker.close()
    assert np.array_equal(engine.render(avatar, motion), expected)
    assert compiled() == before > 0, "compiling would hold up a picture"
