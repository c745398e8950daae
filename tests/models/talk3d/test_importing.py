"""Talk3D's released files, as far as their layout goes: found, checked, converted, kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from golden.fill import fill_tensors
from golden.generator_pickle import save_generator
from safetensors.torch import load_file

from models.errors import InputError
from models.importing import Import
from models.talk3d.checkpoint_file import Driver
from models.talk3d.importing import RELEASED, Given, request
from models.talk3d.model import load_talk3d
from models.talk3d.needs import BASE, DRIVER, DRIVER_FILE, GENERATOR_FILE, PERSON, RESTORATION_FILE, SPEECH_FILE
from models.talk3d.personal.generators import base_generator
from models.talk3d.recording import read_recording
from models.weight_store import WeightStore
from tests.models.talk3d.personal import tiny
from tests.models.talk3d.released import (
    FRAMES,
    SMALL,
    bring,
    save_driver,
    save_person,
    save_restoration,
    save_speech,
    small_driver,
    small_generator,
)


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "data" / "talk3d")


def refusal(given: Given, store: WeightStore) -> str:
    """What an import that must not change anything says, in one line."""
    before = store.current()
    with pytest.raises(InputError) as caught:
        bring(given, store)
    assert store.current() == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_released_files_are_converted_and_their_origin_is_kept(tmp_path: Path, store: WeightStore) -> None:
    person = save_person(tmp_path / "May")
    bring(
        Given(
            (save_driver(tmp_path / "May_demo.pt"),),
            person,
            save_restoration(tmp_path / "GFPGANv1.3.pth"),
            save_speech(tmp_path / "model.safetensors"),
        ),
        store,
    )
    stock = store.current()
    assert stock.folder is not None
    assert {*stock.files} == {DRIVER_FILE, GENERATOR_FILE, RESTORATION_FILE, SPEECH_FILE, *PERSON.files}
    for file, network in ((DRIVER_FILE, small_driver()), (GENERATOR_FILE, small_generator())):
        stored, wanted = load_file(stock.folder / file), network.state_dict()
        assert stored.keys() == wanted.keys()
        assert all(torch.equal(stored[name], wanted[name]) for name in wanted)
    record = stock.files[DRIVER_FILE]
    assert (record.source, record.step) == ("May_demo.pt", 80_000)
    assert "non-commercial" in record.licence
    known = read_recording(stock.folder)
    assert known.latent.shape == (512,) and known.landmarks.shape == (FRAMES, 3, 2)
    assert known.eyes.max() == 2.0, "as far as the networks know"


def test_a_tuned_checkpoint_brings_the_network_that_draws(tmp_path: Path, store: WeightStore) -> None:
    bring(Given((save_driver(tmp_path / "May_demo.pt", drawer=True),)), store)
    assert {*store.current().files} == {DRIVER_FILE}, "that of others was never trained"
    bring(Given((save_driver(tmp_path / "May_tune.pt", drawer=True),)), store)
    assert {*store.current().files} == {DRIVER_FILE, RESTORATION_FILE}
    assert "holds no superresolution" in refusal(Given((save_driver(tmp_path / "x_tune.pt"),)), store)


def test_another_checkpoint_is_refused_in_one_line(tmp_path: Path, store: WeightStore) -> None:
    path = tmp_path / "other.pt"
    torch.save({"state_dict": {}, "audio_net": {}}, path)
    assert "is not a checkpoint of Talk3D" in refusal(Given((path,)), store)
    said = refusal(Given((save_driver(tmp_path / "May.pt", null=False),)), store)
    assert "1 missing (conditions.null_vector)" in said
    assert DRIVER.source in refusal(Given((tmp_path / "none.pt",)), store)


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "gone": (lambda folder: (folder / "angles.pt").unlink(), "May: angles.pt not in it, but other files of the person"),
    "no generator": (lambda folder: (folder / "G_tune.pkl").unlink(), "May: G_tune.pkl not in it, but other files"),
    "shape": (lambda folder: torch.save(torch.zeros(4), folder / "angles.pt"), "does not hold frames x 3 numbers"),
    "endless": (lambda folder: torch.save(torch.full((3, 2), torch.nan), folder / "inversion_0-0_angles.pt"), "no num"),
    "table": (lambda folder: (folder / "au.csv").write_text("frame, AU01_r\n1, 0\n"), "a column AU45_r"),
    "empty": (lambda folder: (folder / "au.csv").write_text("frame, AU45_r\n"), "without frames"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_recording_of_no_use_is_refused_in_one_line(tmp_path: Path, store: WeightStore, name: str) -> None:
    person, (spoil, reason) = save_person(tmp_path / "May"), SPOILT[name]
    spoil(person)
    assert reason in refusal(Given(person=person), store)


def test_what_is_not_there_is_named_for_what_it_is(tmp_path: Path, store: WeightStore) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for folder, told in (("empty", "nothing of it is in"), ("file", "a file; give"), ("none", "no such folder; give")):
        said = refusal(Given(person=tmp_path / folder), store)
        assert f"--person {tmp_path / folder}: {told}" in said and PERSON.source in said
    assert f"--checkpoint {tmp_path}: a folder; give the file in it" in refusal(Given((tmp_path,)), store)


def save_own(folder: Path, side: int = tiny.SIZE.planes) -> Given:
    """A person's networks of a training of one's own, smaller than the released ones."""
    person = save_person(folder / "person")
    save_generator(person / "G_tune.pkl", tiny.generator())
    driver = Driver(side, tiny.WIDTHS)
    drawn = fill_tensors({name: tuple(values.shape) for name, values in driver.state_dict().items()})
    whole = {name: drawn[name].to(values.dtype) for name, values in driver.state_dict().items()}
    content: dict[str, Any] = {"iter": 3, "null_vector": torch.nn.Parameter(whole.pop("conditions.null_vector"))}
    for name, values in whole.items():
        part, own = name.removeprefix("conditions.").split(".", 1)
        content.setdefault(part, {})[own] = values
    path = folder / "own.pt"
    torch.save(content, path)
    return Given((path,), person)


def test_networks_of_one_s_own_training_may_have_another_size(tmp_path: Path, store: WeightStore) -> None:
    own = save_own(tmp_path)
    assert own.person is not None
    Import(request(replace(own, generator=own.person / "G_tune.pkl"), RELEASED)).run(store, lambda done: None)
    folder = store.current().folder
    assert folder is not None
    parts = {"generator.": GENERATOR_FILE, "": DRIVER_FILE}
    model = load_talk3d({f"{p}{n}": v for p, file in parts.items() for n, v in load_file(folder / file).items()})
    assert (model.generator.size, model.deltaplane_predictor.widths) == (tiny.SIZE, tiny.WIDTHS)
    base, _ = base_generator(None, store.current(), BASE)
    assert base.size == tiny.SIZE


def test_networks_that_do_not_fit_together_are_refused_in_one_line(tmp_path: Path, store: WeightStore) -> None:
    given = save_own(tmp_path, 2 * tiny.SIZE.planes)
    with pytest.raises(InputError, match=r"makes planes of 32 pixels, .* know planes of 64: give --person and"):
        Import(request(given, RELEASED)).run(store, lambda done: None)
    assert store.current().folder is None


def test_the_networks_are_those_of_the_engine() -> None:
    assert len(RELEASED.driver.expected()) == 383 + 12 + 12 + 6 + 12 + 1
    assert len(RELEASED.generator.expected()) == 177
    assert len(RELEASED.restoration.expected()) == len(RELEASED.tuned_restoration.expected()) == 285
    assert SMALL.driver.part == RELEASED.driver.part
