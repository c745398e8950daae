"""What is kept on disk of a person's pictures: the same bytes again, for their owner alone, or nothing."""

import os
import stat
import threading
from pathlib import Path

import pytest

from models.private_store import PrivateStore

KEY = "ab12"
BODY = bytes(range(256)) * 80


@pytest.fixture
def store(tmp_path: Path) -> PrivateStore:
    return PrivateStore(tmp_path / "cache" / "entries")


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "entries").iterdir())


def test_what_is_saved_is_loaded(store: PrivateStore) -> None:
    assert store.load(KEY) is None
    store.save(KEY, BODY)
    assert store.load(KEY) == BODY
    store.save(KEY, b"")
    assert store.load(KEY) == b"", "the newest counts"


@pytest.mark.parametrize("at", [0, 20, 40, 2000, -1])
def test_one_damaged_byte_makes_an_entry_missing(store: PrivateStore, tmp_path: Path, at: int) -> None:
    store.save(KEY, BODY)
    [entry] = entries(tmp_path)
    data = bytearray(entry.read_bytes())
    data[at] ^= 1
    entry.write_bytes(data)
    assert store.load(KEY) is None


@pytest.mark.parametrize("length", [0, 10, 32, 5000])
def test_a_torn_entry_is_missing(store: PrivateStore, tmp_path: Path, length: int) -> None:
    store.save(KEY, BODY)
    [entry] = entries(tmp_path)
    entry.write_bytes(entry.read_bytes()[:length])
    assert store.load(KEY) is None


def test_an_entry_under_another_name_is_missing(store: PrivateStore, tmp_path: Path) -> None:
    store.save(KEY, BODY)
    [entry] = entries(tmp_path)
    other = "cd34"
    entry.rename(entry.with_name(entry.name.replace(KEY, other)))
    assert store.load(other) is None


def test_only_the_owner_may_look(store: PrivateStore, tmp_path: Path) -> None:
    (tmp_path / "cache" / "entries").mkdir(parents=True)
    (tmp_path / "cache" / "entries").chmod(0o755)
    store.save(KEY, BODY)
    assert stat.S_IMODE((tmp_path / "cache" / "entries").stat().st_mode) == 0o700
    assert [stat.S_IMODE(entry.stat().st_mode) for entry in entries(tmp_path)] == [0o600]


def test_a_link_in_the_folder_s_place_is_not_followed(store: PrivateStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "entries").symlink_to(tmp_path / "elsewhere")
    store.save(KEY, BODY)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_entry_used_longest_ago_makes_room(store: PrivateStore, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "entries"
    keys = ["00", "01", "02", "03"]
    for used_s, key in zip((100, 200, 300), keys[:3], strict=True):
        store.save(key, BODY)
        os.utime(folder / f"{key}.prepared", (used_s, used_s))
    (folder / "my own.jpg").write_bytes(bytes(100_000))
    small = PrivateStore(folder, limit_bytes=3 * (folder / f"{keys[0]}.prepared").stat().st_size)
    assert small.load(keys[0]) is not None, "now it is the newest"
    small.save(keys[3], BODY)
    assert [small.load(key) is not None for key in keys] == [True, False, True, True]
    assert (folder / "my own.jpg").exists()


def test_what_a_killed_process_left_makes_room_too(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "entries"
    folder.mkdir(parents=True)
    (folder / "tmpx.prepared.new").write_bytes(bytes(40_000))
    os.utime(folder / "tmpx.prepared.new", (9, 9))
    PrivateStore(folder, limit_bytes=50_000).save(KEY, BODY)
    assert [entry.name for entry in entries(tmp_path)] == [f"{KEY}.prepared"]


def test_an_entry_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    store = PrivateStore(tmp_path / "cache" / "entries", limit_bytes=1000)
    store.save(KEY, BODY)
    assert not (tmp_path / "cache").exists()


def test_a_disk_that_is_full_costs_the_entry_only(store: PrivateStore, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="file size limits are a thing of Unix")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        store.save(KEY, BODY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert entries(tmp_path) == []


@pytest.mark.parametrize("place", ["/proc/nowhere/cache", "/dev/null/cache"])
def test_a_place_that_takes_nothing_costs_the_entry_only(place: str) -> None:
    store = PrivateStore(Path(place))
    store.save(KEY, BODY)
    assert store.load(KEY) is None


def test_writers_at_once_leave_one_whole_entry(store: PrivateStore, tmp_path: Path) -> None:
    threads = [threading.Thread(target=store.save, args=(KEY, BODY)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        found = store.load(KEY)
        assert found is None or found == BODY
    for thread in threads:
        thread.join()
    assert store.load(KEY) == BODY
    assert [entry.name for entry in entries(tmp_path)] == [f"{KEY}.prepared"]


def test_what_is_removed_is_there_no_more(store: PrivateStore, tmp_path: Path) -> None:
    store.save(KEY, BODY)
    assert [store.remove(KEY), store.remove(KEY)] == [True, False]
    assert store.load(KEY) is None and entries(tmp_path) == []
