"""Stages of tiny networks: what learns, going on from a checkpoint, precisions, and the released layout."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from golden.dense_face import dense_face  # noqa: E402
from real3d_training import descent, losses  # noqa: E402
from real3d_training import run as runs  # noqa: E402
from real3d_training.batches import Batch, Pairs  # noqa: E402
from real3d_training.clip import find_clips  # noqa: E402
from real3d_training.export import export  # noqa: E402
from real3d_training.losses import structure  # noqa: E402
from real3d_training.run import run  # noqa: E402
from real3d_training.session import Plan, Training  # noqa: E402

from models.checkpoint import network_entries  # noqa: E402
from models.errors import AgentError, InputError  # noqa: E402
from models.importing import Network  # noqa: E402
from models.real3d.importing import Released  # noqa: E402
from models.real3d.needs import VIDEO, VIDEO_FILE  # noqa: E402
from models.real3d.release import Given, step_of  # noqa: E402
from models.real3d.sizes import Sizes  # noqa: E402
from models.real3d.video_model import VideoModel  # noqa: E402
from models.weight_store import WeightStore  # noqa: E402
from tests.models.real3d.released import VIDEO_FOLDER, bring  # noqa: E402
from tests.scripts.real3d_training.made_up import ADVERSE, TINY, apart, make_clip, options, plan, state  # noqa: E402

CPU = torch.device("cpu")
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def batches(clips: Path) -> Iterator[list[Batch]]:
    pairs = Pairs(find_clips([clips]), batch=2, seed=1, face=dense_face())
    yield list(pairs.ahead(0, 6, blinks_every=2))


def trained(plan: Plan, batches: list[Batch]) -> tuple[Training, list[dict[str, float]]]:
    training = Training(plan, structure, CPU)
    return training, [training.advance(batch) for batch in batches]


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


@pytest.mark.parametrize(
    ("stage", "learns", "asked"),
    [
        (
            "i2p",
            {"cano_img2plane_backbone", "decoder", "superresolution"},
            {"ellipsoid density prior", "density", "adversarial", "outline"},
        ),
        (
            "motion",
            {"cano_img2plane_backbone", "secc_img2plane_backbone", "decoder", "superresolution", "lambda_pertube_secc",
             "lambda_pertube_blink_secc"},
            {"laplacian", "laplacian of blinks", "lips", "adversarial"},
        ),
        ("sr", {"superresolution"}, {"torso entropy", "lips likeness", "adversarial"}),
    ],
)  # fmt: skip
def test_a_stage_asks_what_its_paper_asks_and_teaches_its_networks_alone(
    batches: list[Batch], stage, learns: set[str], asked: set[str]
) -> None:
    before = {name: value.clone() for name, value in Training(plan(stage), structure, CPU).model.state_dict().items()}
    training, told = trained(plan(stage), batches)
    assert changed(before, training.model.state_dict()) == learns
    assert asked | {"picture", "likeness", "discriminator"} <= {name for each in told for name in each}
    assert all("adversarial" not in losses for losses in told[:ADVERSE])
    assert all(torch.tensor(list(losses.values())).isfinite().all() for losses in told)


def test_once_the_discriminator_is_heard_what_renders_moving_heads_stays(batches: list[Batch]) -> None:
    training, _ = trained(plan("motion"), batches[:ADVERSE])
    before = {name: value.clone() for name, value in training.model.state_dict().items()}
    training.advance(batches[ADVERSE])
    assert changed(before, training.model.state_dict()) == {"superresolution"}, "nor do its norms follow"


def test_what_rests_takes_no_part_of_the_gradients_norm(batches: list[Batch]) -> None:
    training = Training(plan("motion"), structure, CPU)
    training.step = ADVERSE
    training.advance(batches[ADVERSE])
    learning = [p.grad for p in training.model.superresolution.parameters() if p.grad is not None]
    resting = training.model.cano_img2plane_backbone, training.model.secc_img2plane_backbone, training.model.decoder
    assert learning and all(p.grad is None for part in resting for p in part.parameters())


def test_pictures_come_nearer(clips: Path, tmp_path: Path) -> None:
    pairs, training = Pairs(find_clips([clips]), 2, 1, None), Training(plan("i2p", 40), structure, CPU)
    told = [training.advance(pairs.draw(step)) for step in range(16)]
    first, last = (sum(losses["picture"] for losses in part) for part in (told[:3], told[-3:]))
    assert last < 0.85 * first


def test_an_interrupted_run_goes_on_to_the_same_bits(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = plan("i2p", 6)
    run(0, whole, options(clips, tmp_path / "whole"))

    class StoppedError(Exception):
        pass

    def stopping(self: Training, batch: Batch, rank: int = 0) -> dict[str, float]:
        if self.step == 4:
            raise StoppedError
        return advance(self, batch, rank)

    advance = Training.advance
    monkeypatch.setattr(Training, "advance", stopping)
    with pytest.raises(StoppedError):
        run(0, whole, options(clips, tmp_path / "parts"))
    assert state(tmp_path / "parts")["step"] == 3
    monkeypatch.undo()
    run(0, whole, options(clips, tmp_path / "parts"))
    assert state(tmp_path / "whole")["step"] == 6 and not apart(tmp_path / "whole", tmp_path / "parts")


def test_a_checkpoint_of_other_settings_is_not_gone_on_from(batches: list[Batch], tmp_path: Path) -> None:
    Training(plan("i2p"), structure, CPU).save(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="steps"):
        Training(plan("i2p", 21), structure, CPU).load(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize("other", ["batch", "clips"])
def test_a_run_does_not_go_on_with_other_data(clips: Path, tmp_path: Path, other: str) -> None:
    given = options(clips, tmp_path / "out")
    run(0, plan("i2p", 3), given)
    if other == "batch":
        given = replace(given, batch=2)
    else:
        shutil.copytree(clips, tmp_path / "more")
        make_clip(tmp_path / "more", seed=0)
        given = replace(given, clips=(tmp_path / "more",))
    with pytest.raises(InputError, match=rf"other settings \({other}\)"):
        run(0, plan("i2p", 3), given)


@pytest.mark.parametrize("seed", [0, 1])
def test_every_process_draws_batches_of_its_own(clips: Path, tmp_path: Path, monkeypatch, seed: int) -> None:
    drawn = []
    monkeypatch.setattr(runs, "rank", lambda: 3)
    monkeypatch.setattr(runs, "_follow", lambda _, learning, *rest: drawn.append(learning.draw(5)))
    run(0, replace(plan("i2p"), seed=seed), replace(options(clips, tmp_path), batch=2))
    learnt = find_clips([clips])[:-1]
    assert torch.equal(drawn[0].target.picture, Pairs(learnt, 2, seed, None, rank=3).draw(5).target.picture)


def test_half_precision_keeps_weights_and_volume_in_float32(batches: list[Batch]) -> None:
    training, told = trained(replace(plan("motion"), precision="bfloat16"), batches[:2])
    exact, _ = trained(plan("motion"), batches[:2])
    assert {p.dtype for p in training.model.parameters()} == {torch.float32}
    ours, theirs = (dict(each.model.named_parameters())["decoder.net.0.weight"] for each in (training, exact))
    assert not torch.equal(ours, theirs) and torch.allclose(ours, theirs, atol=5e-3)
    assert all(torch.tensor(list(losses.values())).isfinite().all() for losses in told)


def test_a_torso_that_is_sure_of_itself_is_learnt_in_half_precision(batches: list[Batch]) -> None:
    training = Training(replace(plan("sr"), precision="bfloat16"), structure, CPU)
    last = training.model.superresolution.torso_model.occlusion_2_predictor[-2]
    assert isinstance(last, torch.nn.Conv2d) and last.bias is not None
    torch.nn.init.constant_(last.bias, 20.0)
    told = training.advance(batches[0])
    assert 0 <= told["torso entropy"] < 1e-3
    assert all(value.isfinite().all() for value in training.model.state_dict().values())


def test_steps_without_finite_gradients_are_left_out_and_many_end_the_run(
    batches: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descent, "MOST_LEFT_OUT", 3)
    hurt = [True]

    def likeness(seen: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        return structure(seen, wanted) * (float("nan") if hurt[0] else 1.0)

    training = Training(plan("i2p"), likeness, CPU)
    before = {name: value.clone() for name, value in training.model.named_parameters()}
    for batch in batches[:2]:
        training.advance(batch)
    assert not changed(before, dict(training.model.named_parameters()))
    hurt[0] = False
    training.advance(batches[2])
    assert changed(before, dict(training.model.named_parameters()))
    hurt[0] = True
    with pytest.raises(AgentError, match="the stage had no finite gradients in 3 steps in a row") as caught:
        for batch in batches[:3]:
            training.advance(batch)
    assert "\n" not in str(caught.value)


def test_one_broken_step_leaves_the_weights_of_the_laplacian_losses_as_they_were(
    batches: list[Batch], monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(plan("motion"), structure, CPU)
    training.step = 1
    weights = training.model.lambda_pertube_secc, training.model.lambda_pertube_blink_secc
    before = [weight.item() for weight in weights]
    with monkeypatch.context() as broken:
        broken.setattr(losses, "bent", lambda around, between: between.sum() * float("nan"))
        training.advance(batches[1])
    assert [weight.item() for weight in weights] == before
    training.step = 1
    training.advance(batches[1])
    assert all(weight.isfinite() and weight.item() != was for weight, was in zip(weights, before, strict=True))


def test_what_was_trained_is_imported_as_a_release(tmp_path: Path) -> None:
    training = Training(plan("sr"), structure, CPU)
    training.step = 12
    training.save(tmp_path / "checkpoint.pt")
    path = export(tmp_path / "checkpoint.pt", tmp_path)
    small = Released(Network(VIDEO, lambda: VideoModel(TINY), network_entries, "global_step", step_of), VIDEO_FOLDER)
    store = WeightStore(tmp_path / "store")
    bring(Given(checkpoints=(path.parent.parent,), without_audio=True), store, [small])
    stored = store.current().files[VIDEO_FILE]
    assert (stored.step, stored.tensors) == (12, len(training.model.state_dict()))


def test_a_damaged_checkpoint_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    training = Training(plan("i2p"), structure, CPU)
    training.save(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"checkpoint\.pt .* damaged") as caught:
        training.load(path)
    assert "\n" not in str(caught.value)


def test_networks_of_another_size_are_refused(tmp_path: Path) -> None:
    Training(plan("i2p"), structure, CPU).save(tmp_path / "checkpoint.pt")
    other = Training(replace(plan("motion"), sizes=Sizes(64, 8, 7)), structure, CPU)
    with pytest.raises(InputError, match="other sizes"):
        other.begin_from(tmp_path / "checkpoint.pt")


def test_a_stage_that_is_done_says_so(clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(0, plan("i2p", 1), options(clips, tmp_path))
    capsys.readouterr()
    run(0, plan("i2p", 1), options(clips, tmp_path))
    assert capsys.readouterr().out.startswith("i2p: all 1 steps are done already")


def test_a_stage_without_the_one_before_says_which(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="stage before"):
        run(0, plan("motion"), options(clips, tmp_path))


def test_clips_of_another_face_model_than_the_run_s_are_refused(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "face_digest", lambda face: "another")
    with pytest.raises(InputError, match="another face model"):
        run(0, plan("motion"), options(clips, tmp_path))


def test_the_last_clip_is_looked_at_and_not_learnt_from(clips: Path) -> None:
    found = find_clips([clips])
    assert runs._parted(found) == (found[:-1], found[-1:])
