"""The whole procedure at a tiny size: it learns, it speaks, and it goes on where it was killed to the same numbers."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.errors import AgentError, InputError
from models.talk3d.checkpoint_file import Driver
from models.talk3d.generator import Generator
from models.talk3d.personal.delta import fresh_driver, moved_planes, subject
from models.talk3d.personal.likeness import Structure
from models.talk3d.personal.losses import Losses
from models.talk3d.personal.per_frame import PerFrame
from models.talk3d.personal.procedure import NAMES, Personal, Procedure, state_bytes, work
from models.talk3d.personal.schedule import Schedule
from models.talk3d.personal.stage import Kept, Stage, carry_out
from tests.models.talk3d.personal import tiny

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]  # a minute of processor time, on whatever machine

LEARNT = replace(tiny.SCHEDULE, tuning_steps=20, delta_steps=80, delta_rate=2e-3)


class Progress:
    """Hears the stages, and copies what a process would leave that is killed at some of their steps."""

    def __init__(self, folder: Path, copies: Path | None = None, kills: tuple[tuple[str, int], ...] = ()) -> None:
        self.folder, self.copies, self.kills = folder, copies, kills
        self.heard: list[tuple[str, int]] = []

    def __call__(self, stage: Stage, done: int, loss: float) -> None:
        self.heard.append((stage.name, done))
        if self.copies is not None and (stage.name, done) in self.kills:
            shutil.copytree(self.folder, self.copies / f"{stage.name} {done}")


@pytest.fixture(scope="module", autouse=True)
def one_thread_only() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def procedure(schedule=tiny.SCHEDULE, frames=11) -> Procedure:
    footage, losses = tiny.footage(frames), Losses(Structure())
    return Procedure(tiny.generator(), footage, losses, schedule, torch.device("cpu"), tiny.WIDTHS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def made(folder: Path) -> Personal:
    return procedure(LEARNT, tiny.FRAMES).carry_out(Kept(folder), Progress(folder))


def test_what_each_stage_minimises_falls(made: Personal, folder: Path) -> None:
    for name in NAMES:
        losses = Kept(folder).losses(name)
        quarter = max(1, len(losses) // 4)
        assert sum(losses[-quarter:]) < 0.97 * sum(losses[:quarter]), name


def test_the_mouth_moves_with_the_sound_and_did_not_before(made: Personal) -> None:
    footage = tiny.footage()
    generator = Generator(tiny.SIZE)
    generator.load_state_dict(made.generator)
    driver = Driver(tiny.SIZE.planes, tiny.WIDTHS)
    driver.load_state_dict(made.driver)
    who = subject(generator.eval().requires_grad_(False), made.latent, torch.zeros(len(footage.pictures), 2))
    quiet, loud = (int(f(footage.sounds[:, 0, 0, 0])) for f in (lambda x: x.argmin(), lambda x: x.argmax()))
    footage.angles[:], footage.landmarks[:] = footage.angles[0], footage.landmarks[0]  # the sound alone differs
    opened = []
    for networks in (fresh_driver(tiny.SIZE.planes, tiny.WIDTHS), driver):
        with torch.no_grad():
            planes = moved_planes(networks.eval(), who, footage, [quiet, loud], None)
            rough = who.view(planes, [0, 0], 8).rough
        mouth = footage.mouth_mask(loud, rough.shape[-1])
        opened.append(float(((rough[0] - rough[1]) * mouth[0]).sum() / mouth.sum() / 3))
    assert opened[0] == 0
    assert opened[1] > 0.01, "darker when it is open"


def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    kills = (("inversion", 5), ("tuning", 2), ("per-frame", 7), ("delta", 7), ("drawing", 4))
    whole, copies = tmp_path / "whole", tmp_path / "copies"
    whole.mkdir()
    wanted = procedure().carry_out(Kept(whole), Progress(whole, copies, kills))
    for stage, step in kills[2:]:
        left = copies / f"{stage} {step}"
        progress = Progress(left)
        went_on = procedure().carry_out(Kept(left), progress)
        assert progress.heard[0] == (stage, step - step % 3 + 1), "from the last state that was kept"
        for entries, others in ((went_on.generator, wanted.generator), (went_on.driver, wanted.driver)):
            assert entries.keys() == others.keys()
            assert all(torch.equal(entries[name], others[name]) for name in entries)
        assert torch.equal(went_on.turns, wanted.turns) and went_on.mouth == wanted.mouth
    for stage, step in kills[:2]:
        left = Kept(copies / f"{stage} {step}")
        with pytest.raises(KeyboardInterrupt):
            procedure().carry_out(left, stop_after(stage))
        result, same = left.result(stage), Kept(whole).result(stage)
        assert result is not None and same is not None
        assert same_values(result, same)


def stop_after(stage: str):
    def told(now: Stage, done: int, loss: float) -> None:
        if now.name != stage:
            raise KeyboardInterrupt

    return told


def same_values(one: object, other: object) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_values(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


class Counting:
    """A stage that adds up."""

    name, steps, renders = "counting", 10, 1.0

    def __init__(self, saved_every: int = 100) -> None:
        self.total, self.saved_every = 0, saved_every

    def step(self, number: int) -> float:
        self.total += number
        return float(number)

    def ended(self) -> bool:
        return self.total > 20

    def state(self) -> dict[str, int]:
        return {"total": self.total}

    def resume(self, state: dict[str, int]) -> None:
        self.total = state["total"]

    result = state


def test_an_interrupt_loses_no_step(tmp_path: Path) -> None:
    def interrupt(stage: Stage, done: int, loss: float) -> None:
        if done == 4:
            raise KeyboardInterrupt

    kept = Kept(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        carry_out(Counting(), kept, interrupt)
    went_on = Counting()
    assert carry_out(went_on, kept, lambda *_: None)["losses"] == [0, 1, 2, 3, 4, 5, 6]
    assert went_on.total == 21, "good enough then"
    assert kept.state("counting") is None and kept.losses("counting")[-1] == 6
    assert carry_out(Counting(), kept, interrupt)["total"] == 21, "nothing is done again"


def test_frames_cameras_are_kept_more_often_than_short_steps() -> None:
    schedule, footage = replace(tiny.SCHEDULE, saved_every=100), tiny.footage(11)
    generator = tiny.generator()
    stage = PerFrame(generator, torch.zeros(512), footage, Structure(), schedule)
    assert stage.saved_every == 5 and Schedule().frame_steps * stage.saved_every > Schedule().saved_every
    assert PerFrame(generator, torch.zeros(512), footage, Structure(), tiny.SCHEDULE).saved_every == 3


def test_a_full_disk_and_a_damaged_state_are_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(tmp_path)
    kept.keep("counting", {"done": 2, "losses": [0.0, 1.0], "state": {"total": 1}})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(AgentError, match="No space left on device; make room") as caught:
        carry_out(Counting(1), kept, lambda *_: None)
    assert "\n" not in str(caught.value)
    assert kept.state("counting") is not None, "the last state stays"
    (tmp_path / "counting.pt").write_bytes(b"half")
    with pytest.raises(InputError, match="damaged"):
        kept.state("counting")


def test_what_it_costs_is_known_before() -> None:
    assert state_bytes(tiny.generator(), tiny.WIDTHS) > 6 * 4 * sum(v.numel() for v in tiny.generator().parameters())
    costs = work(tiny.SCHEDULE, tiny.FRAMES)
    assert tuple(costs) == NAMES and costs["per-frame"] == 3 + tiny.FRAMES - 1
