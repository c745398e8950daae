"""Several processes that train as one: gradients and losses of one with all pairs, and going on after a kill."""

import contextlib
from dataclasses import fields, replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from real3d_training import stages  # noqa: E402
from real3d_training.batches import Batch, Pairs, View  # noqa: E402
from real3d_training.clip import find_clips  # noqa: E402
from real3d_training.drawing import look  # noqa: E402
from real3d_training.losses import structure  # noqa: E402
from real3d_training.processes import in_processes  # noqa: E402
from real3d_training.run import Options, run  # noqa: E402
from real3d_training.session import Plan, Training  # noqa: E402
from torch.nn import functional  # noqa: E402

from models.errors import InputError  # noqa: E402
from tests.scripts.real3d_training.made_up import apart, options, plan, state  # noqa: E402

CPU = torch.device("cpu")
STEPS = (2, 3)
"""Before the discriminator is heard; in the first of them sources are asked for, too, in a pass of its own."""
pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.timeout(600)]  # a minute of processor time


def _join(batches: list[Batch]) -> Batch:
    def joined(kind, values):
        parts = ([getattr(value, field.name) for value in values] for field in fields(kind))
        return kind(*(joined(View, part) if isinstance(part[0], View) else torch.cat(part) for part in parts))

    return joined(Batch, batches)


def _two_steps(rank: int, folder: Path, clips: Path, ranks: list[list[int]]) -> None:
    """Learns in each process from the pairs of all `ranks[rank]`. What is drawn at random per process, and batch norms,
    which are joined on GPUs alone, stand still."""
    torch.set_num_threads(1)
    stages.look = lambda model, planes, camera, random: look(model, planes, camera, None)
    stages.density_losses = lambda *_: {}
    torch.nn.BatchNorm2d.forward = lambda self, x: functional.batch_norm(
        x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
    )
    drawn = [Pairs(find_clips([clips]), batch=1, seed=1, face=None, rank=each) for each in ranks[rank]]
    training, told, slopes = Training(plan("i2p"), structure, CPU), [], []
    for step in STEPS:
        training.step = step
        told.append(training.advance(_join([pairs.draw(step) for pairs in drawn]), rank))
        slopes.append({name: p.grad.clone() for name, p in training.model.named_parameters() if p.grad is not None})
    torch.save({"told": told, "slopes": slopes}, folder / f"{rank}.pt")


def _did(folder: Path, clips: Path, ranks: list[list[int]]) -> list[dict]:
    folder.mkdir()
    in_processes(len(ranks), "cpu", _two_steps, folder, clips, ranks)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(len(ranks))]


def test_two_processes_learn_what_one_learns_of_all_their_pairs(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = _did(tmp_path / "two", clips, [[0], [1]])
    for module, name in ((stages, "look"), (stages, "density_losses"), (torch.nn.BatchNorm2d, "forward")):
        monkeypatch.setattr(module, name, getattr(module, name))  # put back after the test
    (whole,) = _did(tmp_path / "one", clips, [[0, 1]])
    for step, place in enumerate(STEPS):
        one, other, wanted = (each["slopes"][step] for each in (first, second, whole))
        assert one.keys() == wanted.keys() and len(one) > 20
        assert all(torch.equal(value, other[name]) for name, value in one.items()), "all processes have the same"
        off = torch.stack([(one[name] - value).square().sum() for name, value in wanted.items()]).sum().sqrt()
        size = torch.stack([value.square().sum() for value in wanted.values()]).sum().sqrt()
        assert off < 1e-3 * size, place
        for name, value in whole["told"][step].items():
            if name != "discriminator":  # it looks at groups of pictures
                mean = (first["told"][step][name] + second["told"][step][name]) / 2
                assert mean == pytest.approx(value, rel=1e-3, abs=1e-6), (place, name)
                assert first["told"][step][name] != second["told"][step][name] or not value, "of other pairs each"


def _whole_and_in_parts(rank: int, course: Plan, whole: Options, parts: Options) -> None:
    """One run to its end, and one that ends after its fifth step and goes on."""

    def stopping(self: Training, batch: Batch, rank: int = 0) -> dict[str, float]:
        if self.step == 5:
            raise InterruptedError
        return advance(self, batch, rank)

    run(rank, course, whole)
    advance, Training.advance = Training.advance, stopping
    with contextlib.suppress(InterruptedError):
        run(rank, course, parts)
    Training.advance = advance
    assert state(parts.out)["step"] == 3
    run(rank, course, parts)


def test_two_processes_go_on_to_the_same_bits_in_half_precision(clips: Path, tmp_path: Path) -> None:
    course, whole, parts = replace(plan("i2p", 6), precision="bfloat16"), tmp_path / "whole", tmp_path / "parts"
    in_processes(2, "cpu", _whole_and_in_parts, course, options(clips, whole), options(clips, parts))
    assert state(whole)["step"] == 6 and not apart(whole, parts)
    assert all(value.isfinite().all() for value in state(whole)["model"].values())


def _refuse(rank: int) -> None:
    raise InputError(f"the clips are no clips, says {rank // 2}")


def test_what_a_process_refuses_is_one_line() -> None:
    with pytest.raises(InputError) as caught:
        in_processes(2, "cpu", _refuse)
    assert str(caught.value) == "the clips are no clips, says 0"


def test_on_a_cpu_gradients_are_shared_by_gloo_whatever_gpu_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend, **_: asked.append(backend))
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("LOCAL_RANK", "0")
    in_processes(1, "cpu", asked.append)
    in_processes(1, "cuda", asked.append)
    assert asked == ["gloo", 0, "nccl", 0]
