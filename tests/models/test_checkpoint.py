"""Reading others' checkpoints: nothing in them is run, and every way in which they differ from a network is told."""

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.checkpoint import faults, named_tensors, network_entries, read_content, write_tensors
from models.errors import AgentError, InputError


class Hostile:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_content(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


@pytest.mark.parametrize("zipped", [True, False])
def test_a_trainer_s_file_is_read_whole(tmp_path: Path, zipped: bool) -> None:
    content = {"step": 7, "best": np.float32(0.5), "w": torch.arange(6.0).reshape(2, 3)}
    torch.save(content, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    read = read_content(tmp_path / "a.ckpt")
    assert (read["step"], read["best"]) == (7, 0.5)
    assert torch.equal(read["w"], content["w"])


@pytest.mark.parametrize("core", ["core", "_core"])
def test_a_number_of_either_numpy_is_read(tmp_path: Path, core: str) -> None:
    torch.save({"best": np.float64(0.5)}, tmp_path / "a.ckpt", _use_new_zipfile_serialization=False)
    content = (tmp_path / "a.ckpt").read_bytes()
    named = [f"cnumpy.{name}.multiarray\nscalar".encode() for name in ("core", "_core")]
    written = next(name for name in named if name in content)
    (tmp_path / "b.ckpt").write_bytes(content.replace(written, f"cnumpy.{core}.multiarray\nscalar".encode()))
    assert read_content(tmp_path / "b.ckpt") == {"best": 0.5}


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to ...")],
)
def test_a_file_that_does_not_fit_is_not_called_damaged(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"w": torch.ones(2)}, tmp_path / "a.ckpt")

    def load(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(AgentError, match=r"a\.ckpt \(0 MB\) does not fit into the memory that is free") as caught:
        read_content(tmp_path / "a.ckpt")
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    content = {"state_dict": {"model": {"w": torch.ones(2)}}, "epoch": Hostile(tmp_path / "ran")}
    torch.save(content, tmp_path / "bad.ckpt", _use_new_zipfile_serialization=zipped)
    message = refusal(tmp_path / "bad.ckpt")
    assert "wants to run code" in message and "mkdir" in message
    (tmp_path / "raw.ckpt").write_bytes(pickle.dumps(Hostile(tmp_path / "ran"), protocol=2))
    refusal(tmp_path / "raw.ckpt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_a_cut_off_file_is_damaged(tmp_path: Path, zipped: bool, kept: float) -> None:
    path = tmp_path / "cut.ckpt"
    torch.save({"w": torch.randn(5000)}, path, _use_new_zipfile_serialization=zipped)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    assert "damaged" in refusal(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.ckpt").write_text("hello, this is not a checkpoint")
    (tmp_path / "big.safetensors").write_bytes(struct.pack("<Q", 1 << 60))
    for name in ("text.ckpt", "big.safetensors"):
        told = f"{tmp_path / name} is not a file of weights, or damaged; get it again"
        assert refusal(tmp_path / name) == told, "in no words of torch's"
    assert "not there" in refusal(tmp_path / "none.ckpt")
    assert "a folder" in refusal(tmp_path)


def test_the_model_is_found_nested_and_flat_and_under_its_plain_names() -> None:
    path, one = Path("x.ckpt"), torch.ones(1)
    nested = {"state_dict": {"model": {"_orig_mod.a.w": one, "b": one}, "disc": {"c": one}}}
    flat = {"state_dict": {"model.a._orig_mod.w": one, "model.b": one, "disc.c": one}}
    for content in (nested, flat):
        assert list(network_entries(content, path)) == ["a.w", "b"]
    for nothing in ({}, [], {"state_dict": 3}, {"state_dict": {"disc": {"c": one}}}, {"state_dict": {"model": {}}}):
        with pytest.raises(InputError, match=r"^x\.ckpt is not a"):
            network_entries(nothing, path)


EXPECTED = {"a": torch.empty(2, 3, device="meta"), "b": torch.empty(4, device="meta"), "n": torch.tensor(0)}
GOOD: dict[str, Tensor] = {"a": torch.zeros(2, 3), "b": torch.ones(4), "n": torch.tensor(5)}


def test_what_fits_has_no_fault() -> None:
    assert faults(GOOD, EXPECTED) == []
    assert (
        faults({name: torch.nn.Parameter(w) if w.is_floating_point() else w for name, w in GOOD.items()}, EXPECTED)
        == []
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"b": None}, "1 missing (b)"),
        ({"c": torch.ones(1)}, "1 not part of it (c)"),
        ({"a": torch.zeros(3, 2)}, "1 of another shape (a: [3, 2], not [2, 3])"),
        ({"a": torch.zeros(2, 3).half()}, "1 of another type (a: float16, not float32)"),
        ({"n": torch.tensor(5.0)}, "1 of another type (n: float32, not int64)"),
        ({"b": torch.tensor([0, 1, float("nan"), 0])}, "1 not finite (b)"),
        ({"b": torch.tensor([0, 1, float("-inf"), 0])}, "1 not finite (b)"),
        ({"b": [1.0, 2.0]}, "1 no tensors (b)"),
        ({"b": torch.empty(4, device="meta")}, "1 no tensors (b)"),
        ({"b": torch.ones(4).to_sparse()}, "1 no tensors (b)"),
        ({"b": torch.ones(1).expand(4)}, "1 no tensors (b)"),
        ({"a": torch.ones(1).expand(10**7, 10**6)}, "1 no tensors (a)"),
        ({"b": torch.tensor([float("nan")])}, "1 of another shape (b: [1], not [4])"),
        ({"b": torch.full((4,), float("nan")).half()}, "1 of another type (b: float16, not float32)"),
    ],
)
def test_every_fault_is_told(change: dict[str, Any], told: str) -> None:
    changed = {name: value for name, value in (GOOD | change).items() if value is not None}
    assert faults(changed, EXPECTED) == [told]


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor")
def test_quantised_numbers_are_no_weights() -> None:
    quantised = torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8)
    assert faults(GOOD | {"b": quantised}, EXPECTED) == ["1 no tensors (b)"]


def test_many_faults_are_told_together_and_long_lists_are_counted() -> None:
    expected = {f"w{i}": torch.empty(1, device="meta") for i in range(30)}
    found = faults({"w0": torch.ones(2), "w1": torch.tensor([float("nan")]), "x": torch.ones(1)}, expected)
    assert found == [
        "28 missing (w2, w3, w4, w5 and 24 more)",
        "1 not part of it (x)",
        "1 of another shape (w0: [2], not [1])",
        "1 not finite (w1)",
    ]


def test_weights_by_name_are_nothing_else() -> None:
    path = Path("x.bin")
    assert named_tensors({"w": GOOD["a"], 3: GOOD["b"]}, path).keys() == {"w", "3"}
    for other in ([1], {"w": [1.0]}, GOOD | {"w": torch.ones(1).expand(10**7, 10**6)}):
        with pytest.raises(InputError, match=r"^x\.bin holds other things than weights"):
            named_tensors(other, path)


def test_tensors_that_share_memory_are_written_by_themselves(tmp_path: Path) -> None:
    table = torch.arange(12.0).reshape(3, 4)
    tensors = {"row": table[1], "column": table[:, 2], "all": table, "again": table, "n": torch.tensor(3)}
    write_tensors(tensors, tmp_path / "w.safetensors")
    read = read_content(tmp_path / "w.safetensors")
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensors[name]) for name in tensors)
    assert (tmp_path / "w.safetensors").stat().st_size < 800


def test_a_place_that_takes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises((AgentError, OSError)):
        write_tensors({"w": torch.ones(2)}, tmp_path / "nowhere" / "w.safetensors")
