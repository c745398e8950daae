"""The small model's teacher, data set and training, on the bundled portrait."""

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
import train_small
from safetensors.torch import load_file, save_file
from small import dataset
from small.batches import Batch, Batches
from small.dataset import Dataset, Plan
from small.losses import losses
from small.motions import random_motion

from models.errors import InputError
from models.face import load_face_model
from models.motion import INDEX
from models.small.paper import small_model

pytestmark = pytest.mark.long

PLAN = Plan(bent=1, mixed=1, shots=5)


def made(folder: Path, portrait_png: Path, seed: int) -> Dataset:
    folder.mkdir()
    shutil.copy(portrait_png, folder / "astronaut.png")
    dataset.make(folder / "data", folder, seed, lambda line: None, ("astronaut.png",), PLAN)
    return dataset.open_dataset(folder / "data")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, portrait_png: Path) -> Dataset:
    return made(tmp_path_factory.mktemp("small") / "one", portrait_png, 4)


@pytest.fixture
def batch(data: Dataset) -> Batch:
    return Batches(data).draw(2, np.random.default_rng(1))


def test_the_same_seed_makes_the_same_data(data: Dataset, tmp_path: Path, portrait_png: Path) -> None:
    again = made(tmp_path / "two", portrait_png, 4)
    assert data.names == again.names and len(data) == 6
    for name, values in data.arrays.items():
        assert np.array_equal(values, again.arrays[name]), name


def test_a_data_set_of_another_plan_is_refused(
    data: Dataset, tmp_path: Path, portrait_png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(portrait_png, folder / "astronaut.png")
    (folder / "data").mkdir()
    about = folder / "data" / "about.json"
    about.write_text(json.dumps({"names": data.names, "plan": data.plan}))

    def make(seed: int = 4, plan: Plan = PLAN) -> None:
        dataset.make(folder / "data", folder, seed, lambda line: None, ("astronaut.png",), plan)

    make()
    assert [path.name for path in about.parent.iterdir()] == ["about.json"], "it is kept as it is"
    with pytest.raises(InputError, match=r"data was made with other settings \(seed 4, not 5\): give the same"):
        make(seed=5)
    with pytest.raises(InputError, match=r"\(count\)"):
        make(plan=replace(PLAN, shots=6))
    with monkeypatch.context() as later:
        later.setattr(dataset, "TEACHER", dataset.TEACHER + 1)
        with pytest.raises(InputError, match=r"\(teacher 2, not 3\)"):
            make()
    with (folder / "astronaut.png").open("ab") as file:
        file.write(b"another")
    with pytest.raises(InputError, match=r"\(portraits\)"):
        make()


@pytest.fixture
def command(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None) -> Callable[..., int]:
    """The script on a data set that is there already; this process's signals stay as they are."""
    monkeypatch.setattr(dataset, "make", lambda *arguments, **named: None)
    monkeypatch.setattr(dataset, "open_dataset", lambda folder: data)
    monkeypatch.setattr(train_small.signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(train_small.cv2, "setNumThreads", lambda count: None)

    def run(*options: object) -> int:
        given = ["--portraits", "none", "--out", tmp_path / "out", "--threads", 1, *options]
        monkeypatch.setattr("sys.argv", ["train_small.py", *map(str, given)])
        return train_small.main()

    return run


def test_weights_of_a_training_lie_beside_it(command: Callable[..., int], tmp_path: Path) -> None:
    shipped = train_small.WEIGHTS.read_bytes()
    assert command("--steps", 1) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"average.safetensors", "checkpoint.pt", "small_avatar.safetensors"}
    assert train_small.WEIGHTS.read_bytes() == shipped


def test_a_signal_stops_it_where_the_same_command_goes_on(
    command: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers: dict[int, Callable[[int, object], None]] = {}
    advance = train_small.advance

    def interrupted(*given: Any) -> Any:
        handlers[signal.SIGINT](signal.SIGINT, None)
        return advance(*given)

    monkeypatch.setattr(train_small.signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(train_small, "advance", interrupted)
    assert command("--steps", 3, "--width", 16) == 1
    assert capsys.readouterr().err == "stopped at step 1 of 3: the same command goes on from there\n"
    assert signal.SIGTERM in handlers and not (tmp_path / "out" / "small_avatar.safetensors").exists()
    monkeypatch.setattr(train_small, "advance", advance)
    monkeypatch.setattr(train_small, "_TOLD_S", 0.0)
    assert command("--steps", 2, "--width", 16) == 2
    assert "(steps 3, not 2)" in capsys.readouterr().err
    assert command("--steps", 3, "--width", 16) == 0
    said = capsys.readouterr().out
    assert "step 2 of 3" in said and "step 3 of 3" in said and "step 1 of 3" not in said
    weights = load_file(tmp_path / "out" / "small_avatar.safetensors")
    assert len(small_model(weights).image_to_plane.deeper.bias) == 16


def test_what_is_stopped_before_it_learns_goes_on_from_what_is_kept(
    command: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "make", interrupted)
    assert command() == 1
    assert capsys.readouterr().err == "stopped: the same command begins anew\n"
    (tmp_path / "out" / "checkpoint.pt").write_bytes(b"kept")
    assert command() == 1
    assert capsys.readouterr().err == "stopped: the same command goes on from its checkpoint\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--steps", 0), "--steps 0: give 1 or more"),
        (("--rate", 0), "--rate 0.0: give 1e-09 or more"),
        (("--width", 6), "--width 6: give a multiple of 4"),
        (("--start", "nosuch.safetensors"), "nosuch.safetensors is not there"),
        (("--start", __file__), "is not a file of weights"),
        (("--out", __file__), "cannot be made a folder"),
        (("--device", "cuda"), "torch finds no NVIDIA GPU here"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_data_set_is_made(
    command: Callable[..., int], options: tuple[object, ...], said: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def make(*given: object, **named: object) -> None:
        raise AssertionError("the data set is made")

    monkeypatch.setattr(dataset, "make", make)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert command(*options) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_other_files_than_its_own_are_named(
    command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "other.safetensors")
    assert command("--start", tmp_path / "other.safetensors") == 2
    assert "is not the small model's, of --width 128" in capsys.readouterr().err
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "checkpoint.pt").write_bytes(b"no checkpoint")
    assert command() == 2
    error = capsys.readouterr().err
    assert "checkpoint.pt is not a file of weights, or damaged" in error and error.count("\n") == 1


def test_shots_show_heads_that_move(data: Dataset) -> None:
    frame, head = data.arrays["frame"][0], data.arrays["head"][0]
    assert (frame[..., :3] <= frame[..., 3:].astype(int) + 1).all()
    assert 0.2 < (head > 128).mean() < 0.6 and (head[:, :4] == 0).all()
    rest = data.arrays["canonical"][0, 0]
    assert np.array_equal(rest, data.arrays["source"][0, 0]), "the first shot is at rest"
    moved = [np.abs(data.arrays["canonical"][0, k] - rest).max() for k in range(1, PLAN.shots)]
    assert min(moved) > 0.01
    pair = np.abs(frame[1].astype(int) - frame[2]).mean()
    assert 0 < pair < np.abs(frame[1].astype(int) - frame[3]).mean(), "a pair is two moments that follow each other"
    faces = [data.arrays["source"][k, 0] for k in range(3)]
    assert all(np.abs(faces[0] - other).max() > 0.02 for other in faces[1:]), "other persons"


def test_mouths_speak_and_eyes_close_and_look_about() -> None:
    motions = [random_motion(np.random.default_rng(k)) for k in range(300)]
    values = np.stack([motion.expression for motion in motions])
    assert values[:, : INDEX["residual00"]].min() >= 0 and values.max() <= 2
    for name in ("jawOpen", "mouthSmileLeft", "mouthPucker", "eyeBlinkLeft", "eyeLookUpRight", "browInnerUp"):
        assert 0.08 < (values[:, INDEX[name]] > 0.2).mean() < 0.7, name
    yaw = np.rad2deg([motion.rotation[1] for motion in motions])
    assert yaw.min() < -17 and yaw.max() > 17 and np.abs(yaw).max() < 22
    assert load_face_model().expression.shape[0] == values.shape[1]


def test_a_perfect_picture_costs_nothing(batch: Batch) -> None:
    head = torch.nn.functional.interpolate(batch.head, scale_factor=2.0)
    weight = torch.nn.functional.interpolate(batch.weight, scale_factor=2.0)
    found = losses(batch.picture, head, batch.picture, head, weight)
    assert float(found.total()) < 1e-6
    worse = losses(batch.picture + 0.1, head, batch.picture, head, weight)
    assert float(worse.colour) > 0.1 and float(worse.edges) < 1e-6 and float(worse.steady) < 1e-6
    trembling = batch.picture.clone()
    trembling[::2] += 0.1
    assert float(losses(trembling, head, batch.picture, head, weight).steady) > 0.1


def test_an_interrupted_training_goes_on_to_the_same_numbers(data: Dataset, tmp_path: Path, one_thread: None) -> None:
    batches = Batches(data)

    def advance(training: train_small.Training) -> None:
        random = np.random.default_rng([1, training.step])
        train_small.advance(training, batches.draw(1, random), random, 1e-3)

    plan = train_small.Plan(data.plan, 1, 2, 1e-3, "")
    straight = train_small.begin(plan, None)
    advance(straight)
    straight.save(tmp_path / "checkpoint.pt")
    advance(straight)
    resumed = train_small.begin(replace(plan, seed=2), None)
    with pytest.raises(InputError, match=r"checkpoint.pt was made with other settings \(seed 1, not 2\): give"):
        resumed.load(tmp_path / "checkpoint.pt")
    resumed.plan = plan
    resumed.load(tmp_path / "checkpoint.pt")
    advance(resumed)
    assert resumed.step == 2
    for one, other in ((straight.net, resumed.net), (straight.average, resumed.average)):
        assert all(torch.equal(*pair) for pair in zip(one.parameters(), other.parameters(), strict=True))
    train_small.export(resumed.average, tmp_path / "weights.safetensors")
    begun = train_small.begin(replace(plan, seed=3), train_small.read_weights(tmp_path / "weights.safetensors", 128))
    wrong = [(a - b).abs().max() for a, b in zip(begun.net.parameters(), resumed.average.parameters(), strict=True)]
    assert max(wrong) < 2e-3, "kept in 16 bits"
