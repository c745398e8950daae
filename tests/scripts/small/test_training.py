"""The small model's teacher, data set and training, on the bundled portrait."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
import train_small
from small import dataset
from small.batches import Batch, Batches
from small.dataset import Dataset, Plan
from small.losses import losses
from small.motions import random_motion

from models.errors import InputError
from models.face import load_face_model
from models.motion import INDEX

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


def test_a_data_set_of_another_plan_is_refused(data: Dataset, tmp_path: Path, portrait_png: Path) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(portrait_png, folder / "astronaut.png")
    (folder / "data").mkdir()
    about = folder / "data" / "about.json"
    about.write_text(json.dumps({"names": data.names, "margin": data.margin, "plan": data.plan}))

    def make(seed: int = 4, plan: Plan = PLAN) -> None:
        dataset.make(folder / "data", folder, seed, lambda line: None, ("astronaut.png",), plan)

    make()
    assert [path.name for path in about.parent.iterdir()] == ["about.json"], "it is kept as it is"
    with pytest.raises(InputError, match=r"data was made with other settings \(seed\): give the same"):
        make(seed=5)
    with pytest.raises(InputError, match=r"\(count\)"):
        make(plan=replace(PLAN, shots=6))
    with (folder / "astronaut.png").open("ab") as file:
        file.write(b"another")
    with pytest.raises(InputError, match=r"\(portraits\)"):
        make()


def test_weights_of_a_training_lie_beside_it(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None
) -> None:
    shipped = train_small.WEIGHTS.read_bytes()
    monkeypatch.setattr(dataset, "make", lambda *arguments, **named: None)
    monkeypatch.setattr(dataset, "open_dataset", lambda folder: data)
    command = ["train_small.py", "--portraits", "none", "--out", str(tmp_path), "--steps", "0", "--threads", "1"]
    monkeypatch.setattr("sys.argv", command)
    monkeypatch.setattr(train_small.signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(train_small.cv2, "setNumThreads", lambda count: None)
    assert train_small.main() == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"average.safetensors", "checkpoint.pt", "small_avatar.safetensors"}
    assert train_small.WEIGHTS.read_bytes() == shipped


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
    with pytest.raises(InputError, match=r"checkpoint.pt was made with other settings \(seed\): give the same, or"):
        resumed.load(tmp_path / "checkpoint.pt")
    resumed.plan = plan
    resumed.load(tmp_path / "checkpoint.pt")
    advance(resumed)
    assert resumed.step == 2
    for one, other in ((straight.net, resumed.net), (straight.average, resumed.average)):
        assert all(torch.equal(*pair) for pair in zip(one.parameters(), other.parameters(), strict=True))
    train_small.export(resumed.average, tmp_path / "weights.safetensors")
    begun = train_small.begin(replace(plan, seed=3), tmp_path / "weights.safetensors")
    wrong = [(a - b).abs().max() for a, b in zip(begun.net.parameters(), resumed.average.parameters(), strict=True)]
    assert max(wrong) < 2e-3, "kept in 16 bits"
