"""The user's portrait in a call, as browsers draw it."""

from pathlib import Path

import pytest
from PIL import Image

from agent.call.portraits import own_avatar
from models.builtin.package import Package
from models.errors import InputError


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.call.portraits._AVATAR_PX", 256)


def test_the_second_time_it_is_there_at_once_and_another_photo_is_another(
    portrait_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CACHE", str(tmp_path / "cache"))
    mirrored = tmp_path / "mirrored.png"
    with Image.open(portrait_png) as photo:
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(mirrored)
    first, other = own_avatar(portrait_png), own_avatar(mirrored)
    assert first != other
    monkeypatch.setattr("agent.call.portraits.pack_avatar", None)
    assert (own_avatar(portrait_png), own_avatar(mirrored)) == (first, other)
    [entry, _] = (tmp_path / "cache" / "call-avatars").iterdir()
    assert entry.stat().st_mode & 0o077 == 0


def test_without_a_cache_folder_it_is_made_each_time(
    portrait_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CACHE", "")
    assert Package.from_bytes(own_avatar(portrait_png)).numbers["size"][1] == 256
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError, match=r"text\.png is not a picture"):
        own_avatar(tmp_path / "text.png")
