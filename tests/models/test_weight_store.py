"""Sets of weights on disk: replaced whole or not at all, and what is wrong with them is noticed."""

import json
import os
import shutil
from pathlib import Path

import pytest

from models import weight_store
from models.errors import AgentError
from models.weight_store import RECORD, StoredFile, WeightStore, remove_folder, sha256


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "weights" / "some engine")


def put(store: WeightStore, **files: str) -> None:
    """Replaces some files; underscores stand for dots."""
    with store.replacing(100) as new:
        for key, text in files.items():
            path = new.place(key.replace("_", "."))
            path.write_text(text)
            digest = sha256(path)
            new.add(StoredFile(path.name, len(text), digest, "from.ckpt", digest, "2026-01-02", "MIT", tensors=3))


def texts(store: WeightStore) -> dict[str, str]:
    stock = store.current()
    assert stock.folder is not None
    assert sorted(stock.files) == sorted(path.name for path in stock.folder.iterdir() if path.name != RECORD)
    return {name: (stock.folder / name).read_text() for name in stock.files}


def folders(store: WeightStore) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def test_a_set_is_added_to_and_replaced(store: WeightStore) -> None:
    assert store.current().folder is None and store.current().fault("a.bin") == "is missing"
    put(store, a_bin="one", b_bin="two")
    assert texts(store) == {"a.bin": "one", "b.bin": "two"}
    put(store, b_bin="three", c_bin="four")
    assert texts(store) == {"a.bin": "one", "b.bin": "three", "c.bin": "four"}
    assert folders(store) == ["2"]
    file = store.current().files["a.bin"]
    assert (file.source, file.tensors, file.step, file.licence) == ("from.ckpt", 3, None, "MIT")


def test_where_links_are_not_known_files_are_copied(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    put(store, a_bin="one")
    put(store, b_bin="two")
    assert texts(store) == {"a.bin": "one", "b.bin": "two"}


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), OSError(28, "No space left on device"), ValueError("bug")])
def test_a_set_that_fails_leaves_the_old_one(store: WeightStore, stop: BaseException) -> None:
    put(store, a_bin="one", b_bin="two")
    before = store.current()
    with pytest.raises(AgentError if isinstance(stop, OSError) else type(stop)), store.replacing(10) as new:
        new.place("a.bin").write_text("ONE")
        new.place("b.bin")
        raise stop
    assert store.current() == before
    assert texts(store) == {"a.bin": "one", "b.bin": "two"}
    assert folders(store) == ["1"]


def test_a_full_disk_is_told_before_anything_is_written(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, a_bin="one")
    real = os.statvfs(store.folder)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((real[0], 1, 9, 9, 9, *real[5:])))
    told = r"has 0 MB left and 664 are needed; make room, or .* AGENT_DATA"
    with pytest.raises(AgentError, match=told), store.replacing(600_000_000):
        raise AssertionError("not reached")
    monkeypatch.undo()
    assert folders(store) == ["1"] and texts(store) == {"a.bin": "one"}


def test_a_folder_that_cannot_be_written_to_is_told() -> None:
    with pytest.raises(AgentError, match=r"/proc/nowhere cannot be written to: .*AGENT_DATA"):
        put(WeightStore(Path("/proc/nowhere")), a_bin="one")


def test_of_two_at_once_the_second_is_told(store: WeightStore) -> None:
    with pytest.raises(AgentError, match="has just ended; do this one again"), store.replacing(10):
        put(store, a_bin="one")
    assert texts(store) == {"a.bin": "one"}


def test_damage_is_noticed(store: WeightStore) -> None:
    put(store, a_bin="one", b_bin="two", c_bin="three")
    stock = store.current()
    assert stock.folder is not None
    (stock.folder / "a.bin").write_text("longer")
    (stock.folder / "b.bin").unlink()
    (stock.folder / "c.bin").write_text("THREE")
    assert stock.fault("a.bin") == "is damaged (6 bytes, not 3)"
    assert "cannot be found" in stock.fault("b.bin")
    assert stock.fault("c.bin") == ""
    assert stock.damage("c.bin") == "is damaged (another SHA-256)"
    put(store, d_bin="new")
    assert sorted(store.current().files) == ["c.bin", "d.bin"], "what is known to be damaged is not taken along"


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"format": "portrait-agent weights", "version": 9, "files": []}'])
def test_a_set_whose_record_cannot_be_read_is_told_of_and_replaced(store: WeightStore, record: str) -> None:
    put(store, a_bin="one")
    (store.folder / "1" / RECORD).write_text(record)
    assert store.current().folder is None
    told = f"may be there, but {store.folder / '1' / RECORD} is damaged or of another version"
    assert store.current().fault("a.bin") == told
    put(store, a_bin="two")
    assert texts(store) == {"a.bin": "two"} and store.current().fault("b.bin") == "is missing"


def test_the_record_says_where_files_came_from(store: WeightStore) -> None:
    put(store, a_bin="one")
    document = json.loads((store.folder / "1" / RECORD).read_text())
    assert document["files"][0] | {"sha256": "", "source_sha256": ""} == {
        "name": "a.bin",
        "size_bytes": 3,
        "sha256": "",
        "source": "from.ckpt",
        "source_sha256": "",
        "imported": "2026-01-02",
        "licence": "MIT",
        "tensors": 3,
        "step": None,
    }


def test_what_killed_processes_left_is_swept_and_what_others_write_is_not(store: WeightStore) -> None:
    put(store, a_bin="one")
    for name, age_s in (("old", 2 * weight_store._LEFT_BEHIND_S), ("new", 0.0)):
        left = store.folder / f"{weight_store._PARTIAL}{name}"
        left.mkdir()
        now_s = left.stat().st_mtime
        os.utime(left, (now_s - age_s, now_s - age_s))
    put(store, a_bin="two")
    assert folders(store) == [".part-new", "2"]


def test_removing(store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not remove_folder(store.folder)
    put(store, a_bin="one")
    assert remove_folder(store.folder) and not store.folder.exists()
    put(store, a_bin="one")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    with pytest.raises(AgentError, match="cannot be deleted: Permission denied"):
        remove_folder(store.folder)
