"""Engines are compared by the same pictures, and sets of pictures only where there are enough."""

import numpy as np
import pytest

from agent.eval.columns import Key
from agent.eval.compared import LEAST_FOR_FID, fid_of, notes_of, rows_of
from agent.eval.judge import Judged


def judged(engine: str, akd: dict[int, float], case: str = "a", features: list[np.ndarray] | None = None) -> Judged:
    """Of five pictures; the lips are as far apart as the key points are off."""
    lost: dict[Key, float] = {"lost": 5.0 - len(akd)}
    openings = {ns: (value, value) for ns, value in akd.items()}
    return Judged(case, engine, 5, lost, {"akd": akd, "l1": dict.fromkeys(range(5), 0.5)}, openings, {}, features or [])


def features(count: int, middle: float = 0.0) -> list[np.ndarray]:
    drawn = np.random.default_rng(count).normal(middle, 1, (count, 2048)).astype(np.float32)
    return list(drawn)


def named(vectors: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {str(k): vector for k, vector in enumerate(vectors)}


def test_who_loses_the_hard_pictures_is_not_judged_on_the_easy_ones() -> None:
    steady = judged("builtin", {0: 1.0, 1: 1.0, 2: 4.0, 3: 9.0, 4: 9.0})
    loses = judged("small", {0: 2.0, 1: 2.0, 2: 5.0})
    alone, together = rows_of([steady]), rows_of([steady, loses])
    assert alone[0].figures["akd"] == pytest.approx(4.8) and alone[0].compared == 5
    assert [row.figures["akd"] for row in together] == [2, 3] and [row.compared for row in together] == [3, 3]
    assert together[0].figures["lips"] == pytest.approx(1) and together[0].figures["l1"] == 0.5
    assert [row.figures["lost"] for row in together] == [0, 2]
    assert notes_of(alone) == []
    assert [note[:45] for note in notes_of(together)] == ["a: faces were compared in 3 of 5 pictures, in"]


def test_who_never_shows_a_face_takes_nothing_from_the_others() -> None:
    rows = rows_of([judged("builtin", {0: 1.0, 4: 3.0}), judged("talk3d", {})])
    assert rows[0].figures["akd"] == 2 and rows[0].compared == 2
    assert "akd" not in rows[1].figures and rows[1].compared == 0


def test_engines_that_have_no_picture_in_common_have_no_figure() -> None:
    rows = rows_of([judged("builtin", {0: 1.0}), judged("small", {1: 1.0})])
    assert all("akd" not in row.figures and row.compared == 0 for row in rows)


def test_fid_takes_enough_different_pictures_on_both_sides() -> None:
    enough = [judged("builtin", {}, features=features(LEAST_FOR_FID))]
    assert fid_of(enough, {"a": named(features(LEAST_FOR_FID))}) == {"builtin": pytest.approx(0, abs=1e-3)}
    assert fid_of(enough, {"a": named(features(LEAST_FOR_FID - 1))}) == {}
    few = [judged("builtin", {}, features=features(LEAST_FOR_FID - 1))]
    assert fid_of(few, {"a": named(features(LEAST_FOR_FID))}) == {}


def test_one_portrait_is_one_true_picture_however_many_clips_drive_it() -> None:
    cases = [str(k) for k in range(LEAST_FOR_FID)]
    drawn = [judged("builtin", {}, case, features(2)) for case in cases]
    portrait = {"portrait": np.ones(2048, np.float32)}
    assert fid_of(drawn, dict.fromkeys(cases, portrait)) == {}
    others = {case: {case: vector} for case, vector in zip(cases, features(len(cases)), strict=True)}
    assert list(fid_of(drawn, others)) == ["builtin"]


def test_fids_of_all_engines_are_of_the_same_cases() -> None:
    near, far = features(60), features(60, 9)
    rows = [
        judged("builtin", {}, "near", near), judged("builtin", {}, "far", near),
        judged("talk3d", {}, "near", near), judged("talk3d", {}, "far"),
    ]  # fmt: skip
    real = {"near": named(near), "far": {f"far {name}": vector for name, vector in named(far).items()}}
    found = fid_of(rows, real)
    assert found["builtin"] == found["talk3d"] == pytest.approx(0, abs=1e-3)
    assert fid_of(rows[:2], real)["builtin"] > 1000
