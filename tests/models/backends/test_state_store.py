"""Portraits' states on disk: the networks run again for what is new, and for nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.backends import state_store
from models.backends.state_store import StateStore, default_states
from models.portrait import Portrait
from models.private_store import PrivateStore
from models.real3d.networks import STATE
from models.real3d.portrait_state import PortraitState
from models.real3d.trial import trial_portrait
from models.real3d.video_model import PortraitParts


class Counting:
    """An executor that counts its portraits, and whose states tell of them."""

    levels, device = 1, torch.device("cpu")

    def __init__(self, name: str = "torch cpu") -> None:
        self.name, self.prepared = name, 0

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        self.prepared += 1
        seen = portrait.head[:, :, ::100, ::100].half()
        turned = portrait.background[:, :, :4, :2].transpose(2, 3)
        return PortraitState(seen, turned, *(torch.full((2,), float(i)) for i in range(7)))

    def frame(self, *drive):
        raise AssertionError("no frame is drawn here")

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture(scope="module")
def portrait(portrait_png: Path) -> Portrait:
    return replace(prepare_portrait(read_photo(portrait_png), (64, 64)), keepable=True)


@pytest.fixture
def entries(tmp_path: Path) -> PrivateStore:
    return PrivateStore(tmp_path / "cache" / "states")


def prepared(entries, portrait, executor, *, weights="a1", parts=None):
    """As after a start of the program."""
    return StateStore(entries, weights, STATE).preparation(portrait, executor)(parts or trial_portrait())


def kept(entries: PrivateStore) -> list[Path]:
    return sorted(entries.folder.iterdir()) if entries.folder.exists() else []


def test_the_second_start_runs_no_network_and_has_the_same_state(entries, portrait):
    executor = Counting()
    first, second = prepared(entries, portrait, executor), prepared(entries, portrait, executor)
    assert executor.prepared == 1
    for name, value in first._asdict().items():
        again = getattr(second, name)
        assert value.dtype == again.dtype and torch.equal(value, again) and value.stride() == again.stride(), name
    assert first.planes.any() and first.planes.dtype == torch.float16


def test_another_portrait_other_weights_and_another_executor_are_prepared_anew(entries, portrait, monkeypatch):
    executor = Counting()
    prepared(entries, portrait, executor)
    parts = trial_portrait()
    parts.background[0, 0, 0, 0] += 1e-3
    prepared(entries, portrait, executor, parts=parts)
    prepared(entries, portrait, executor, weights="b2")
    assert executor.prepared == 3
    other = Counting("cudagraph")
    prepared(entries, portrait, other)
    assert other.prepared == 1
    monkeypatch.setattr(state_store, "_recipe", lambda module: b"of a later version")
    prepared(entries, portrait, executor)
    assert executor.prepared == 4 and len(kept(entries)) == 5


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: data[:-1] + bytes([data[-1] ^ 1])])
def test_a_damaged_entry_is_made_anew(entries, portrait, damage):
    executor = Counting()
    want = prepared(entries, portrait, executor)
    (path,) = kept(entries)
    path.write_bytes(damage(path.read_bytes()))
    assert torch.equal(prepared(entries, portrait, executor).planes, want.planes) and executor.prepared == 2
    prepared(entries, portrait, executor)
    assert executor.prepared == 2


def test_an_entry_of_other_tensors_is_made_anew(entries, portrait, monkeypatch):
    executor = Counting()
    with monkeypatch.context() as changed:
        changed.setattr(StateStore, "_encode", lambda store, state: state_store.save({"planes": torch.zeros(1)}))
        prepared(entries, portrait, executor)
    prepared(entries, portrait, executor)
    assert executor.prepared == 2


def test_nothing_stays_on_disk_of_what_was_chosen_on_a_page(entries, portrait):
    executor = Counting()
    for _ in range(2):
        prepared(entries, replace(portrait, keepable=False), executor)
    assert executor.prepared == 2 and kept(entries) == []


def test_the_place_is_the_user_s_to_choose(tmp_path, portrait, monkeypatch):
    monkeypatch.setenv("AGENT_CACHE", "")
    assert default_states("real3d", "a1", STATE) is None
    monkeypatch.setenv("AGENT_CACHE", str(tmp_path))
    states = default_states("real3d", "a1", STATE)
    assert states is not None
    states.preparation(portrait, Counting())(trial_portrait())
    assert len(list((tmp_path / "prepared-real3d").iterdir())) == 1
