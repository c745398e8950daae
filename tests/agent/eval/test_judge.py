"""What a judge sees of pictures whose face is not where the portrait's is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.config.engines import ComparedName
from agent.config.eval import Eval
from agent.eval.cases import Case, open_cases
from agent.eval.columns import columns_of, judged_columns
from agent.eval.judge import Judge
from agent.eval.measures import left_out, open_measures
from agent.eval.truth import Person, Truth, read_truth
from models.metrics.face_cutter import FaceCutter


class Watched:
    """In place of SyncNet's: keeps what it would see."""

    def __init__(self, face: np.ndarray) -> None:
        self.cutter, self.faces = FaceCutter(face), list[np.ndarray]()

    def see(self, image: np.ndarray, face: np.ndarray | None) -> None:
        self.faces += self.cutter.take(image, face)

    def judge(self, voice: np.ndarray) -> None:
        self.faces += self.cutter.rest()


class Watching:
    """In place of SyncNet."""

    def __init__(self) -> None:
        self.watched: list[Watched] = []

    def watch(self, face: np.ndarray) -> Watched:
        self.watched.append(Watched(face))
        return self.watched[-1]


class Looking:
    """In place of Inception."""

    def features(self, head: np.ndarray) -> np.ndarray:
        return np.zeros(2048, np.float32)


@pytest.fixture(scope="module")
def config(nodding: Path, tmp_path_factory: pytest.TempPathFactory) -> Eval:
    return Eval(clip=(nodding,), protocol="audio", size="192", every=6, output=tmp_path_factory.mktemp("compared"))


@pytest.fixture(scope="module")
def case(config: Eval) -> Case:
    return open_cases(config)[0]


def test_syncnet_sees_the_face_wherever_it_is_drawn(config: Eval, case: Case) -> None:
    syncnet: Any = Watching()
    measures = replace(open_measures(config), syncnet=syncnet)
    person = Person(case.source.landmarks, measures.face)
    truth = Truth({}, {}, person, {}, {}, lambda instants: (head for head in ()))
    for shift in (0, 16):
        judge = Judge(case, "builtin", truth, measures, ())
        for number in range(3):
            judge.take(number, np.roll(case.source.image, (shift, -shift), (0, 1)))
        judge.judged()
        judge.close()
    there, moved = (each.faces[1][56:168, 56:168].astype(float) for each in syncnet.watched)
    assert np.abs(there - moved).mean() < 12, "the same face"
    assert np.abs(there - np.roll(there, 16, 0)).mean() > 20, "of which a shift would be seen"


def test_of_another_person_only_lips_are_judged(config: Eval, case: Case) -> None:
    measures = open_measures(config)
    truth = read_truth(case, config, measures)
    found: dict[str, set[str]] = {}
    for engine in ("builtin", "talk3d"):
        judge = Judge(case, engine, truth, measures, ())
        for due_ns, face in truth.faces.items():
            assert face is not None
            judge.take(due_ns, case.source.image)
        judged = judge.judged()
        found[engine] = {*judged.pictured, *judged.whole}
        judge.close()
    assert found["builtin"] >= {"aed", "lmd", "lost"}
    assert found["talk3d"] == {"lost"} and len(judged.openings) == len(truth.faces)
    assert judged_columns("audio", "builtin", False) == judged_columns("audio", "talk3d", True) == columns_of("audio")
    assert judged_columns("audio", "talk3d", False) == ("lips", "sync_c", "sync_d", "lost")
    with_own = left_out(replace(config, engine=("builtin", "talk3d")), [case])
    assert len(with_own) == len(left_out(config, [case])) + 1
    assert with_own[0].startswith("FID, AED, LMD, CSIM are not measured of talk3d on nodding: ")


def test_a_judge_closes_the_clip_wherever_it_stands(config: Eval, case: Case) -> None:
    measures = open_measures(config)
    truth = read_truth(case, config, measures)
    heads = truth.heads(truth.faces)
    judge = Judge(case, "builtin", replace(truth, heads=lambda instants: heads), measures, ())
    next(heads)
    judge.close()
    assert next(heads, None) is None


@pytest.mark.parametrize(("engines", "measured"), [(("talk3d",), False), (("still", "talk3d"), True)])
def test_clips_are_looked_at_for_fid_only_where_an_engine_has_it(
    config: Eval, case: Case, engines: tuple[ComparedName, ...], measured: bool
) -> None:
    inception: Any = Looking()
    truth = read_truth(case, replace(config, engine=engines), replace(open_measures(config), inception=inception))
    assert len(truth.features) == (len(truth.faces) if measured else 0)


def test_the_person_is_the_one_who_was_named(config: Eval, case: Case) -> None:
    named = replace(config, engine=("builtin", "talk3d"), person="me")
    people = [case.plan(named, engine).config.person for engine in ("builtin", "talk3d")]
    assert people == ["", "me"]


def test_a_portrait_that_two_clips_drive_is_one_true_picture(config: Eval, portrait_png: Path) -> None:
    inception: Any = Looking()
    measures = replace(open_measures(config), inception=inception)
    cross = replace(config, clip=2 * config.clip, protocol="cross", portrait=(portrait_png,), engine=("still",))
    first, second = (read_truth(case, cross, measures) for case in open_cases(cross))
    assert len(first.features) == 1 and first.features.keys() == second.features.keys()
