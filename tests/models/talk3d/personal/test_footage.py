"""What a video becomes on the disk, and which of its frames are looked at first."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from models.errors import AgentError
from models.talk3d.personal import footage as footage_module
from models.talk3d.personal.footage import Footage, chosen_frames, footage_bytes, read_footage, written_footage
from tests.models.talk3d.personal import tiny

SIDE = tiny.SIZE.picture


def test_what_was_written_whole_is_read_again(tmp_path: Path) -> None:
    made = tiny.footage()
    with pytest.raises(KeyboardInterrupt), written_footage(tmp_path, tiny.FRAMES, SIDE):
        raise KeyboardInterrupt
    assert read_footage(tmp_path) is None, "half of it counts for nothing"
    with written_footage(tmp_path, tiny.FRAMES, SIDE) as footage:
        for field in fields(Footage):
            getattr(footage, field.name)[:] = getattr(made, field.name)
    known = read_footage(tmp_path)
    assert known is not None
    assert all(np.array_equal(getattr(known, field.name), getattr(made, field.name)) for field in fields(Footage))
    files = sum(path.stat().st_size for path in tmp_path.glob("*.npy"))
    assert footage_bytes(tiny.FRAMES, SIDE) < files < footage_bytes(tiny.FRAMES, SIDE) + 2000
    assert known.learnt == 20


def test_a_full_disk_is_said_before_anything_is_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(footage_module.os, "posix_fallocate", full, raising=False)
    with pytest.raises(AgentError, match="No space left on device"), written_footage(tmp_path, 2, SIDE):
        raise AssertionError("there is no room")


def test_frames_unlike_one_another_are_chosen_with_open_eyes() -> None:
    footage = tiny.footage()
    footage.angles[:] = 0
    footage.angles[7], footage.angles[12], footage.angles[3] = [0, 30, 0], [20, 0, 0], [0, -60, 0]
    footage.eyes[3] = 2
    chosen = chosen_frames(footage, 3)
    assert {7, 12} < {*chosen} and 3 not in chosen
    assert max(chosen_frames(footage, 99)) < footage.learnt and len(chosen_frames(footage, 99)) == footage.learnt


def test_masks_lie_on_the_face() -> None:
    footage = tiny.footage()
    face, mouth = footage.face_mask(0, SIDE), footage.mouth_mask(0, SIDE)
    assert mouth.sum() > 0 and 0 < face.sum() < SIDE**2
    footage.faces[0, :, 0] += 0.1
    shifted = footage.face_mask(0, SIDE)
    across = np.arange(SIDE)
    assert (shifted[0, 0].sum(0).numpy() @ across) / shifted.sum() > (
        face[0, 0].sum(0).numpy() @ across
    ) / face.sum() + 5


def test_a_blink_is_never_the_frame_held_as_usual() -> None:
    footage = tiny.footage()
    footage.angles[:, :2] = np.random.default_rng(2).normal(0, 10, (len(footage.angles), 2))
    footage.eyes[:] = 0
    footage.eyes[[5, 9]] = 2
    chosen = chosen_frames(footage, footage.learnt)
    assert len(chosen) == footage.learnt and {*chosen[-2:]} == {5, 9}, "a closed eye comes after every open one"
