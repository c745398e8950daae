"""What engines are compared by: figures over the same pictures of a case for all of them."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TypeVar

import numpy as np

from agent.eval.columns import Key
from agent.eval.judge import Features, Judged
from agent.eval.table import Row
from models.metrics.features import frechet_distance
from models.metrics.points import opening_correlation

T = TypeVar("T")

LEAST_FOR_FID = 50
"""Different pictures on either side: of fewer, chance alone puts two sets of the same pictures as far apart as either
is wide. (Of two draws of one normal distribution with 2048 variances that fall as 1/k, of 200 and of 2, 10, 50 and 200
vectors, the distance is 2.1, 1.4, 0.96 and 0.69 times the sum of the variances.)"""


def rows_of(judged: Sequence[Judged]) -> list[Row]:
    """One for each engine on one case: each figure over the pictures in which every engine that ever has it has it.

    Whoever loses the face in hard pictures would else be judged on the easy ones.
    """
    faces = _shared(each.openings for each in judged)
    keys = dict.fromkeys(key for each in judged for key in each.pictured)
    shared = {key: _shared(each.pictured.get(key, {}) for each in judged) for key in keys}
    return [_row(each, shared, faces) for each in judged]


def fid_of(judged: Sequence[Judged], real: Mapping[str, Mapping[str, Features]]) -> dict[str, float]:
    """Of each engine that has it: of all its pictures of the cases in which every engine that ever has it has it.

    Args:
        judged: of all engines and cases.
        real: of every case what pictures should look like, by a name that no other picture has.
    """
    by_engine = {each.engine: [other for other in judged if other.engine == each.engine] for each in judged}
    cases = _shared({each.case for each in own if each.features} for own in by_engine.values())
    wanted = {name: features for case in sorted(cases) for name, features in real[case].items()}
    found = {}
    for engine, own in by_engine.items():
        drawn = [features for each in own if each.case in cases for features in each.features]
        if min(len(drawn), len(wanted)) >= LEAST_FOR_FID:
            found[engine] = frechet_distance(np.stack(drawn), np.stack(list(wanted.values())))
    return found


def notes_of(rows: Sequence[Row]) -> list[str]:
    """How many pictures faces were compared in, of cases in which that is not all, one sentence each."""
    found = []
    for case in dict.fromkeys(row.case for row in rows):
        compared, of = max((row.compared, row.pictures) for row in rows if row.case == case)
        if compared < of:
            found.append(
                f"{case}: faces were compared in {compared} of {of} pictures, in which the clip and every engine that "
                "ever shows one show one"
            )
    return found


def _shared(sets: Iterable[Iterable[T]]) -> Set[T]:
    """What is in all of them that are not empty."""
    known = [each for each in map(frozenset, sets) if each]
    return frozenset[T].intersection(*known) if known else frozenset()


def _row(judged: Judged, shared: Mapping[Key, Set[int]], faces: Set[int]) -> Row:
    figures: dict[Key, float] = dict(judged.whole)
    for key, values in judged.pictured.items():
        if values and shared[key]:
            figures[key] = float(np.mean([values[ns] for ns in sorted(shared[key])]))
    openings = [judged.openings[ns] for ns in sorted(faces)] if judged.openings else []
    got, want = np.array(openings, np.float64).reshape(-1, 2).T
    if np.isfinite(lips := opening_correlation(got, want)):
        figures["lips"] = lips
    return Row(judged.case, judged.engine, judged.pictures, figures, len(openings))
