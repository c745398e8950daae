"""An engine that draws the clip itself is found perfect, and one that is late, or draws something else, is not."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agent.config.eval import Eval
from agent.eval.cases import Case, open_cases
from agent.eval.compared import rows_of
from agent.eval.filmed import on_canvas
from agent.eval.judge import Judge
from agent.eval.measures import Measures, open_measures
from agent.eval.table import Row
from agent.eval.truth import Truth, read_truth
from calibration.filmed import SIX, FaceTrack, cut
from models.landmarks import MediapipeTracker
from models.metrics.identity import FaceIdentity, aligned
from runtime.sources.media import ClipFrames
from runtime.sources.nearest import nearest

SIDE = 256
Filmed = dict[int, np.ndarray]


class Looks(FaceIdentity):
    """In place of ArcFace: the face as it looks, so that an expression is another person."""

    def __init__(self) -> None:
        """Without a file."""

    def features(self, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        face = aligned(image, landmarks)[::4, ::4].astype(np.float32).ravel()
        return face - face.mean()


@pytest.fixture(scope="module")
def config(speaking: Path, tmp_path_factory: pytest.TempPathFactory) -> Eval:
    return Eval(clip=(speaking,), size=str(SIDE), output=tmp_path_factory.mktemp("compared"))


@pytest.fixture(scope="module")
def case(config: Eval) -> Case:
    return open_cases(config)[0]


@pytest.fixture(scope="module")
def measures(config: Eval) -> Measures:
    return replace(open_measures(config), identity=Looks())


@pytest.fixture(scope="module")
def truth(case: Case, config: Eval, measures: Measures) -> Truth:
    return read_truth(case, config, measures)


@pytest.fixture(scope="module")
def filmed(case: Case, config: Eval) -> Filmed:
    """The clip's own pictures, as large as an engine's."""
    with closing(ClipFrames(case.clip)) as source:
        return {ns: on_canvas(image, (SIDE, SIDE)) for ns, image in nearest(source, case.instants_ns(config))}


def figures(case: Case, truth: Truth, measures: Measures, drawn: Filmed, engine: str = "builtin") -> Row:
    with closing(Judge(case, engine, truth, measures, ())) as judge:
        for ns, image in drawn.items():
            judge.take(ns, image)
        return rows_of([judge.judged()])[0]


def rearranged(filmed: Filmed, order: list[int]) -> Filmed:
    images = list(filmed.values())
    return {ns: images[number] for ns, number in zip(filmed, order, strict=True)}


def test_the_clip_itself_is_perfect(case: Case, truth: Truth, measures: Measures, filmed: Filmed) -> None:
    row = figures(case, truth, measures, filmed)
    assert row.pictures == row.compared == len(filmed) - 1 and row.figures["lost"] == 0
    found = row.figures
    assert (found["l1"], found["psnr"], found["ssim"]) == (0, 99, pytest.approx(1))
    assert (found["akd"], found["lmd"], found["aed"]) == pytest.approx((0, 0, 0), abs=1e-6)
    assert found["apd"] < 0.01 and found["lips"] == pytest.approx(1) and found["csim"] == pytest.approx(1)


@pytest.mark.parametrize("what", ["one picture late", "pairs swapped", "unmoved"])
def test_anything_else_is_worse(what: str, case: Case, truth: Truth, measures: Measures, filmed: Filmed) -> None:
    count = len(filmed)
    order = {
        "one picture late": [max(0, k - 1) for k in range(count)],
        "pairs swapped": [min(k ^ 1, count - 1) for k in range(count)],
        "unmoved": [0] * count,
    }[what]
    found = figures(case, truth, measures, rearranged(filmed, order)).figures
    assert found["l1"] > 0.002 and found["psnr"] < 45 and found["ssim"] < 0.995
    assert found["akd"] > 0.3 and found["lmd"] > 0.3 and found["aed"] > 0.02 and found["apd"] > 0.3
    assert found.get("lips", 0) < 0.9 and found["csim"] < 0.999


def test_a_person_laid_elsewhere_is_judged_as_laid_over_the_clip(
    case: Case, truth: Truth, measures: Measures, filmed: Filmed, config: Eval
) -> None:
    with closing(MediapipeTracker()) as tracker:
        faces = np.stack([face[:, :2] for image in filmed.values() if (face := tracker.track(image)) is not None])
    place = 0.8 * faces[0][SIX] / SIDE + [0.05, 0.15]
    moves = FaceTrack(faces, SIDE, SIDE).cuts(place, SIDE)
    drawn = {ns: cut(image, move, SIDE) for (ns, image), move in zip(filmed.items(), moves, strict=True)}
    own = replace(case, learnt_ns=1_000_000_000)
    late = own.judged_ns(config)
    assert late[0] == 1_000_000_000 and len(late) == len(filmed) - 25
    held_out = replace(truth, faces={ns: truth.faces[ns] for ns in late})
    laid = figures(own, held_out, measures, drawn, "talk3d")
    elsewhere = figures(own, held_out, measures, drawn, "builtin")
    assert laid.pictures == laid.compared == len(late)
    assert laid.figures["akd"] < 1 < 10 < elsewhere.figures["akd"]
    assert laid.figures["psnr"] > 35 > 20 > elsewhere.figures["psnr"]
    assert laid.figures["lips"] > 0.99
