"""Prepared portraits on disk: the same bits again, and nothing that is not what it says."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from calibration import store as store_module
from calibration.store import PortraitStore, default_store, key_of, portrait_of
from models.errors import InputError
from models.portrait import Portrait
from models.private_store import PrivateStore


def portrait(seed: int = 0, side: int = 32) -> Portrait:
    random = np.random.default_rng(seed)
    image, background = random.integers(0, 256, (2, side, side, 3), np.uint8)
    return Portrait(
        image=image,
        matte=random.random((side, side), np.float32),
        person=random.integers(0, 256, (2 * (side + 8), 2 * (side + 8), 4), np.uint8),
        person_scale=2,
        person_margin=4,
        background=background,
        landmarks=random.normal(0, 100, (478, 3)).astype(np.float32),
        notes=("two faces: «the larger» is used",) * seed,
    )


def same(a: Portrait | None, b: Portrait) -> bool:
    """Every value, bit by bit."""
    assert a is not None
    values = [(getattr(a, field.name), getattr(b, field.name)) for field in fields(Portrait)]
    return all(x.dtype == y.dtype and np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y for x, y in values)


KEY = key_of(b"photo", (32, 32))


@pytest.fixture
def store(tmp_path: Path) -> PortraitStore:
    return PortraitStore(PrivateStore(tmp_path / "cache" / "portraits"))


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "portraits").iterdir())


@pytest.mark.parametrize("notes", [0, 2])
def test_what_is_saved_is_loaded_bit_by_bit(store: PortraitStore, notes: int) -> None:
    assert store.load(KEY) is None
    store.save(KEY, portrait(notes))
    assert same(store.load(KEY), portrait(notes))
    store.save(KEY, portrait(5))
    assert same(store.load(KEY), portrait(5)), "the newest counts"


def test_a_whole_entry_with_other_fields_is_missing(store: PortraitStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_encode", lambda _: b"PK nothing that numpy reads")
    store.save(KEY, portrait())
    assert store.load(KEY) is None
    monkeypatch.undo()
    store.save(KEY, portrait())
    monkeypatch.setattr(store_module, "Portrait", lambda image: None)
    assert store.load(KEY) is None


def test_every_choice_and_every_version_has_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {KEY, key_of(b"photo", (32, 64)), key_of(b"Photo", (32, 32)), key_of(b"photo", (32, 32), "name")}
    keys |= {key_of(b"photo", (32, 32), beyond=("models/builtin",))}
    monkeypatch.setattr(store_module, "_recipe", lambda folders: b"of a later version")
    assert len(keys | {key_of(b"photo", (32, 32))}) == 6
    assert key_of(b"photo", (32, 32)) == key_of(b"photo", (32, 32))


def test_the_second_time_nothing_is_looked_for_in_the_photo(
    store: PortraitStore, portrait_png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = portrait_png.read_bytes()
    first = portrait_of(photo, (128, 96), "photo", "me.png", store)
    monkeypatch.setattr(store_module, "prepare_portrait", None)
    monkeypatch.setattr(store_module, "decode_photo", None)
    assert same(portrait_of(photo, (128, 96), "photo", "me.png", store), first)
    with pytest.raises(TypeError):
        portrait_of(photo, (96, 96), "photo", "me.png", store)


def test_a_photo_is_known_under_any_name(store: PortraitStore, portrait_png: Path, tmp_path: Path) -> None:
    photo = portrait_png.read_bytes()
    first = portrait_of(photo, (128, 128), "photo", "me.png", store)
    assert same(portrait_of(photo, (128, 128), "photo", "copy of me.png", store), first)
    assert len(entries(tmp_path)) == 1


def test_a_photo_that_cannot_be_used_is_refused_each_time(store: PortraitStore, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(InputError, match=r"cat\.txt is not a picture"):
            portrait_of(b"hello", (64, 64), "photo", "cat.txt", store)
    assert not (tmp_path / "cache").exists()


START = """
import sys
from pathlib import Path
from calibration.store import default_store, portrait_of
portrait_of(Path(sys.argv[1]).read_bytes(), (128, 128), "photo", "me.png", default_store())
print("mediapipe" in sys.modules)
"""


def test_the_second_start_does_not_even_import_the_detector(
    portrait_png: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_CACHE", str(tmp_path))
    command = [sys.executable, "-c", START, str(portrait_png)]
    said = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)]
    assert said == ["True", "False"]


def test_the_place_is_the_user_s_to_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name, value, expected in (
        ("AGENT_CACHE", str(tmp_path), tmp_path / "prepared-portraits"),
        ("XDG_CACHE_HOME", str(tmp_path), tmp_path / "portrait-agent" / "prepared-portraits"),
        ("HOME", str(tmp_path), tmp_path / ".cache" / "portrait-agent" / "prepared-portraits"),
    ):
        for other in ("AGENT_CACHE", "XDG_CACHE_HOME"):
            monkeypatch.delenv(other, raising=False)
        monkeypatch.setenv(name, value)
        found = default_store()
        assert found is not None
        assert found._entries.folder == expected
    monkeypatch.setenv("AGENT_CACHE", "")
    assert default_store() is None
