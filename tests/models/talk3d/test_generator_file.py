"""Generators saved as whole objects: every tensor is read, nothing in the file is run."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from golden.generator_pickle import save_generator
from torch import nn

from models.errors import InputError
from models.talk3d.generator_file import read_generator


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.decoder = nn.Sequential(nn.Linear(3, 4), nn.Softplus(), nn.Linear(4, 2))
        self.const = nn.Parameter(torch.randn(2, 3).T)
        self.register_buffer("resample_filter", torch.randn(4, 4)[1:, ::2])
        self.missing = None


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_generator(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


@pytest.mark.parametrize("within", [None, "G_ema"])
def test_all_tensors_are_read_and_no_code_is_run(tmp_path: Path, within: str | None) -> None:
    network = Small()
    read = read_generator(save_generator(tmp_path / "G_tune.pkl", network, within))
    want = network.state_dict()
    assert read.keys() == want.keys()
    for name, values in want.items():
        assert torch.equal(read[name], values)


@pytest.mark.parametrize("place", ["_parameters", "_init_kwargs"])
def test_code_anywhere_in_the_file_is_refused(tmp_path: Path, place: str) -> None:
    network, mark = Small(), tmp_path / "ran"
    vars(network)[place] = {"a": Hostile(mark)}
    assert f"({os.mkdir.__module__}.mkdir)" in refusal(save_generator(tmp_path / "bad.pkl", network))
    assert not mark.exists()


def test_code_within_a_tensor_s_bytes_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    class Storage:
        def __reduce__(self) -> tuple[Any, ...]:
            return torch.storage._load_from_bytes, (pickle.dumps(Hostile(mark), 2),)

    network = Small()
    vars(network)["_parameters"] = {"a": Storage()}
    refusal(save_generator(tmp_path / "bad.pkl", network))
    assert not mark.exists()


def test_a_tensor_larger_than_its_bytes_is_damaged(tmp_path: Path) -> None:
    class Tall:
        def __reduce__(self) -> tuple[Any, ...]:
            return torch._utils._rebuild_tensor_v2, (torch.ones(3).storage(), 0, (5,), (1,), False, {})

    network = Small()
    vars(network)["_parameters"] = {"a": Tall()}
    assert "damaged" in refusal(save_generator(tmp_path / "bad.pkl", network))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("shared", ["itself", "another", "its names"])
def test_a_network_that_holds_a_part_twice_is_refused_before_it_is_read_without_end(
    tmp_path: Path, shared: str
) -> None:
    inner: nn.Module = nn.Sequential(nn.Linear(1, 1))
    for _ in range(40):
        outer = nn.Sequential()
        again = inner
        if shared == "itself":
            again = outer
        elif shared == "its names":
            again = nn.Sequential()
            vars(again)["_modules"] = vars(inner)["_modules"]
        vars(outer)["_modules"] = {"a": inner, "b": again}
        inner = outer
    path = tmp_path / "folded.pkl"
    path.write_bytes(pickle.dumps(inner))
    assert "twice" in refusal(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = save_generator(tmp_path / "cut.pkl", Small())
    path.write_bytes(path.read_bytes()[:-200])
    assert "damaged" in refusal(path)
    path.write_bytes(pickle.dumps({"a": 1}))
    assert "holds no network" in refusal(path)
    assert "No such file" in refusal(tmp_path / "none.pkl")
