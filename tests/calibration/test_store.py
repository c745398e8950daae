"""Prepared portraits on disk: the same bits again, and nothing that is not what it says."""

import os
import stat
import subprocess
import sys
import threading
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


@pytest.mark.parametrize("at", [0, 20, 40, 2000, -1])
def test_one_damaged_byte_makes_an_entry_missing(store: PortraitStore, tmp_path: Path, at: int) -> None:
    store.save(KEY, portrait())
    [entry] = entries(tmp_path)
    data = bytearray(entry.read_bytes())
    data[at] ^= 1
    entry.write_bytes(data)
    assert store.load(KEY) is None


@pytest.mark.parametrize("length", [0, 10, 32, 5000])
def test_a_torn_entry_is_missing(store: PortraitStore, tmp_path: Path, length: int) -> None:
    store.save(KEY, portrait())
    [entry] = entries(tmp_path)
    entry.write_bytes(entry.read_bytes()[:length])
    assert store.load(KEY) is None


def test_an_entry_under_another_name_is_missing(store: PortraitStore, tmp_path: Path) -> None:
    store.save(KEY, portrait())
    [entry] = entries(tmp_path)
    other = key_of(b"another photo", (32, 32))
    entry.rename(entry.with_name(entry.name.replace(KEY, other)))
    assert store.load(other) is None


def test_a_whole_entry_with_other_fields_is_missing(store: PortraitStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_encode", lambda _: b"PK nothing that numpy reads")
    store.save(KEY, portrait())
    assert store.load(KEY) is None
    monkeypatch.undo()
    store.save(KEY, portrait())
    monkeypatch.setattr(store_module, "Portrait", lambda image: None)
    assert store.load(KEY) is None


def test_only_the_owner_may_look(store: PortraitStore, tmp_path: Path) -> None:
    (tmp_path / "cache" / "portraits").mkdir(parents=True)
    (tmp_path / "cache" / "portraits").chmod(0o755)
    store.save(KEY, portrait())
    assert stat.S_IMODE((tmp_path / "cache" / "portraits").stat().st_mode) == 0o700
    assert [stat.S_IMODE(entry.stat().st_mode) for entry in entries(tmp_path)] == [0o600]


def test_a_link_in_the_folder_s_place_is_not_followed(store: PortraitStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "portraits").symlink_to(tmp_path / "elsewhere")
    store.save(KEY, portrait())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_entry_used_longest_ago_makes_room(store: PortraitStore, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "portraits"
    keys = [key_of(bytes([i]), (32, 32)) for i in range(4)]
    for used_s, key in zip((100, 200, 300), keys[:3], strict=True):
        store.save(key, portrait())
        os.utime(folder / f"{key}.prepared", (used_s, used_s))
    (folder / "my own.jpg").write_bytes(bytes(100_000))
    small = PortraitStore(PrivateStore(folder, limit_bytes=3 * (folder / f"{keys[0]}.prepared").stat().st_size))
    assert small.load(keys[0]) is not None, "now it is the newest"
    small.save(keys[3], portrait())
    assert [small.load(key) is not None for key in keys] == [True, False, True, True]
    assert (folder / "my own.jpg").exists()


def test_what_a_killed_process_left_makes_room_too(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "portraits"
    folder.mkdir(parents=True)
    (folder / "tmpx.prepared.new").write_bytes(bytes(40_000))
    os.utime(folder / "tmpx.prepared.new", (9, 9))
    PortraitStore(PrivateStore(folder, limit_bytes=50_000)).save(KEY, portrait())
    assert [entry.name for entry in entries(tmp_path)] == [f"{KEY}.prepared"]


def test_an_entry_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    store = PortraitStore(PrivateStore(tmp_path / "cache" / "portraits", limit_bytes=1000))
    store.save(KEY, portrait())
    assert not (tmp_path / "cache").exists()


def test_a_disk_that_is_full_costs_the_entry_only(store: PortraitStore, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are a thing of Unix")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        store.save(KEY, portrait())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert entries(tmp_path) == []


@pytest.mark.parametrize("place", ["/proc/nowhere/cache", "/dev/null/cache"])
def test_a_place_that_takes_nothing_costs_the_entry_only(place: str) -> None:
    store = PortraitStore(PrivateStore(Path(place)))
    store.save(KEY, portrait())
    assert store.load(KEY) is None


def test_writers_at_once_leave_one_whole_entry(store: PortraitStore, tmp_path: Path) -> None:
    threads = [threading.Thread(target=store.save, args=(KEY, portrait(7, side=128))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        found = store.load(KEY)
        assert found is None or same(found, portrait(7, side=128))
    for thread in threads:
        thread.join()
    assert same(store.load(KEY), portrait(7, side=128))
    assert [entry.name for entry in entries(tmp_path)] == [f"{KEY}.prepared"]


def test_every_choice_and_every_version_has_its_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {KEY, key_of(b"photo", (32, 64)), key_of(b"Photo", (32, 32)), key_of(b"photo", (32, 32), "name")}
    monkeypatch.setattr(store_module, "_recipe", lambda: b"of a later version")
    assert len(keys | {key_of(b"photo", (32, 32))}) == 5
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
