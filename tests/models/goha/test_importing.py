"""GOHA's released files, as far as their layout goes: found, checked, converted, kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from golden.goha_inputs import face_content
from safetensors.torch import load_file
from scipy.io import savemat
from torch import Tensor

from models.bfm import MODEL_FILE
from models.errors import InputError
from models.goha.importing import RELEASED, Given
from models.goha.needs import COEFFICIENTS_FILE, NETWORKS, NETWORKS_FILE
from models.weight_store import WeightStore
from tests.models.goha.released import SMALL, bring, entries, save_checkpoint, save_coefficients, save_face_model


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "data" / "goha")


def refusal(given: Given, store: WeightStore) -> str:
    """What an import that must not change anything says, in one line."""
    before = store.current()
    with pytest.raises(InputError) as caught:
        bring(given, store)
    assert store.current() == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_released_files_are_converted_and_their_origin_is_kept(tmp_path: Path, store: WeightStore) -> None:
    save_checkpoint(tmp_path / "logs"), save_coefficients(tmp_path / "deep")
    face = save_face_model(tmp_path / "mine.mat")
    given = Given((tmp_path / "logs",), tmp_path / "deep", face)
    bring(given, store)
    stock = store.current()
    assert stock.folder is not None and {*stock.files} == {NETWORKS_FILE, COEFFICIENTS_FILE, MODEL_FILE}
    for file, network in ((NETWORKS_FILE, SMALL.networks), (COEFFICIENTS_FILE, SMALL.coefficients)):
        stored, wanted = load_file(stock.folder / file), entries(network)
        assert stored.keys() == wanted.keys()
        assert all(torch.equal(stored[name], wanted[name]) for name in wanted)
    record = stock.files[NETWORKS_FILE]
    assert (record.source, record.step, record.tensors) == ("checkpoint825000.ckpt", 825_000, 7)
    assert "non-commercial" in record.licence


WRONG: dict[str, tuple[Callable[[dict[str, Tensor]], dict[str, Any]], str]] = {
    "missing": (lambda w: {k: v for k, v in w.items() if k != "0.bias"}, "1 missing (0.bias)"),
    "extra": (lambda w: w | {"gan.weight": torch.ones(2)}, "1 not part of it (gan.weight)"),
    "shape": (lambda w: w | {"0.bias": torch.ones(5)}, "1 of another shape (0.bias: [5], not [4])"),
    "type": (lambda w: w | {"0.bias": torch.ones(4).half()}, "1 of another type (0.bias: float16, not float32)"),
    "endless": (lambda w: w | {"0.bias": torch.full((4,), torch.nan)}, "1 not finite (0.bias)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_other_networks_are_refused_in_one_line(tmp_path: Path, store: WeightStore, name: str) -> None:
    change, reason = WRONG[name]
    path = save_checkpoint(tmp_path, change(entries(SMALL.networks)))
    said = refusal(Given((path,)), store)
    assert said.startswith(f"{path} is not the avatar network that was released: ") and reason in said


def test_a_file_of_something_else_is_refused(tmp_path: Path, store: WeightStore) -> None:
    path = save_coefficients(tmp_path)
    assert "it has no model_state_dict" in refusal(Given((path,)), store)
    assert "it has no net_recon" in refusal(Given(deep3d=save_checkpoint(tmp_path)), store)


def test_what_is_not_there_is_named_with_where_to_get_it(tmp_path: Path, store: WeightStore) -> None:
    (tmp_path / "empty").mkdir()
    said = refusal(Given((tmp_path / "empty",)), store)
    assert "nothing of it is in this folder" in said and NETWORKS.source in said
    assert "Deep3DFaceRecon" in refusal(Given(deep3d=tmp_path / "none.pth"), store)
    assert "nothing to import" in refusal(Given(), store)


def test_files_may_follow_one_another(tmp_path: Path, store: WeightStore) -> None:
    bring(Given((save_checkpoint(tmp_path),)), store)
    bring(Given(deep3d=save_coefficients(tmp_path)), store)
    assert {*store.current().files} == {NETWORKS_FILE, COEFFICIENTS_FILE}


def test_a_face_model_without_colours_is_refused_by_the_name_given(tmp_path: Path, store: WeightStore) -> None:
    path = tmp_path / "mine.mat"
    savemat(path, {name: values for name, values in face_content().items() if name != "texBase"})
    said = refusal(Given(face_model=path), store)
    assert said.startswith(f"{path} is not a BFM_model_front.mat") and "texBase is missing" in said


def test_the_networks_are_those_of_the_engine() -> None:
    assert len(RELEASED.networks.expected()) == 1144
    assert len(RELEASED.coefficients.expected()) == 332
