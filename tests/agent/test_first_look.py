"""What a first look at a person's video tells before it is read."""

from dataclasses import replace

import numpy as np
import pytest

from agent import first_look as looking
from agent.first_look import first_look
from calibration.photo import read_photo
from models.errors import InputError
from tests.agent.clips import make_clip

SOUND = 0.05 * np.random.default_rng(0).standard_normal((192_000, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def photo(portrait_png):
    return read_photo(portrait_png)[:256, 100:356]


def test_a_small_face_in_the_dark_is_told(photo, tmp_path):
    dim = (photo[::2, ::2] // 4).repeat(2, 0).repeat(2, 1)
    small = np.zeros((512, 512, 3), np.uint8)
    small[128:384, 128:384] = dim
    told = first_look(make_clip(tmp_path / "dim.mp4", [small] * 100, 25, SOUND))
    assert len(told) == 3
    assert "4 s is little" in told[0] and "pixels wide" in told[1] and "too dark" in told[2]


def test_an_hour_is_refused_unread(photo, tmp_path, monkeypatch):
    video = make_clip(tmp_path / "a.mp4", [photo] * 100, 25, SOUND)
    info = looking.probe(video)
    monkeypatch.setattr(looking, "probe", lambda _: replace(info, pictures_ns=3600 * 10**9))
    monkeypatch.setattr(looking, "find_faces", None)
    with pytest.raises(InputError, match="60 minutes are too long") as caught:
        first_look(video)
    assert "\n" not in str(caught.value)


def test_pictures_are_taken_from_all_of_a_video(photo, tmp_path):
    """Half of them show a wall, at its end."""
    wall = np.full_like(photo, 90)
    video = make_clip(tmp_path / "half.mp4", [photo] * 500 + [wall] * 700, 25, SOUND)
    with pytest.raises(InputError, match=r"a face is seen in 2 of 5 pictures looked at"):
        first_look(video)


def test_a_silent_track_is_refused(photo, tmp_path):
    with pytest.raises(InputError, match="its sound is silent"):
        first_look(make_clip(tmp_path / "a.mp4", [photo] * 100, 25, 0 * SOUND))


def test_no_video_is_one_line(tmp_path, portrait_png):
    (tmp_path / "torn.mp4").write_bytes(b"no video")
    for path, wanted in ((tmp_path / "torn.mp4", "damaged"), (portrait_png, "holds no moving pictures")):
        with pytest.raises(InputError, match=wanted):
            first_look(path)
