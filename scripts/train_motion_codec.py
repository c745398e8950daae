"""Makes models/data/motion_tables.json: the steps, bounds and probabilities of the motion wire format.

    python scripts/train_motion_codec.py CLIP [CLIP ...]

Clips with pictures drive a face as `agent run --mode video` does, sound as `--mode audio` does; what is counted in
these motions, told from one another as packets tell them, are the probabilities. The tables are part of the format:
new ones need a new `models.motion_codec.VERSION`.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from motions import motions_of

import models.wire.differences
import models.wire.levels
from models.face import load_face_model
from models.motion import COEFFICIENTS, Motion
from models.motion_codec import COARSE
from models.topology import INNER_LIPS, OUTER_LIPS
from models.wire.bits import ONE
from models.wire.differences import ACTIVE, BEFORE, MUCH
from models.wire.levels import to_levels
from models.wire.tables import ACTIVITIES, BINS, HINTS, KINDS, UNIT, Tables

TABLES = Path(__file__).parents[1] / "models" / "data" / "motion_tables.json"
DIRECTION_STEP = 0.0011  # eye distances, root mean square over the face's points
LIPS = 2.0  # how much more the lips' points count
DEPTH = 0.5  # how much less movement towards the camera counts
COEFFICIENT_STEP = 0.0045  # eye distances that one step of a single coefficient moves the point that it moves farthest
SMALLEST_STEP, LARGEST_STEP = 0.02, 0.25
ROTATION_STEP, TRANSLATION_STEP, CONFIDENCE_STEP = 1 / UNIT, 2 / UNIT, 0.0625
EXPRESSION, ROTATION, TRANSLATION = 2.0, 1.5, 8.0  # greatest values: radians, eye distances
SINGLE = ("eye", "tongueOut", "mouthNeutral", "jawForward")  # beginnings of names
ACKNOWLEDGED = (3, 4, 6, 8)  # motions that a reference is old: at 25 a second, 120 to 320 ms


def transform(runs: Sequence[Sequence[Motion]]) -> dict[str, np.ndarray]:
    """Which coefficients are told how, and the directions of those that are told together."""
    single = np.array([i for i, name in enumerate(COEFFICIENTS) if name.startswith(SINGLE)])
    joint = np.setdiff1d(np.arange(len(COEFFICIENTS)), single)
    shapes = load_face_model().expression
    weights = np.tile([1, 1, DEPTH], (shapes.shape[1], 1))
    weights[np.concatenate([INNER_LIPS, OUTER_LIPS])] *= LIPS
    moved = (shapes[joint] * weights / np.sqrt(len(weights))).reshape(len(joint), -1)
    values, vectors = np.linalg.eigh(moved @ moved.T)
    metric = (vectors * np.sqrt(values.clip(0) + 1e-7)) @ vectors.T
    states = [np.array([m.expression[joint] for m in motions]) @ metric for motions in runs]
    spread = sum(_scatter(x) for x in states) + sum(_scatter(np.diff(x, axis=0)) for x in states)
    directions = np.linalg.eigh(spread)[1][:, ::-1]
    analysis, synthesis = metric @ directions / DIRECTION_STEP, directions.T @ np.linalg.inv(metric) * DIRECTION_STEP
    kept = np.abs(analysis).max(0) > 0.5  # some coefficient alone is felt in it
    farthest = np.linalg.norm(shapes[single], axis=2).max(1)
    steps = np.clip(COEFFICIENT_STEP / np.maximum(farthest, 1e-6), SMALLEST_STEP, LARGEST_STEP)
    steps = np.concatenate([steps, [ROTATION_STEP] * 3, [TRANSLATION_STEP] * 3, [CONFIDENCE_STEP]])
    greatest = np.array([EXPRESSION] * len(single) + [ROTATION] * 3 + [TRANSLATION] * 3 + [1.0])
    most = EXPRESSION * np.abs(analysis[:, kept]).sum(0)
    return {
        "joint": joint,
        "single": single,
        "analysis": np.rint(UNIT * analysis[:, kept]).astype(int),
        "synthesis": np.rint(UNIT * synthesis[kept]).astype(int),
        "steps": np.rint(UNIT * steps).astype(int),
        "bounds": np.ceil(np.concatenate([most, greatest / steps])).astype(int),
    }


def _scatter(x: np.ndarray) -> np.ndarray:
    return x.T @ x / max(np.sum(x**2), 1e-9)


def levels_of(motions: Iterable[Motion]) -> np.ndarray:
    """[n, levels] as an encoder tells them."""
    told: list[np.ndarray] = []
    for motion in motions:
        told.append(to_levels(motion, told[-1] if told else None))
    return np.array(told, int)


def differences(levels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """By kind: differences and hints, both [n, levels], as packets have them, with a repeated motion and without."""
    count = len(levels) - max(ACKNOWLEDGED)
    newest = np.tile(levels[-count:], (len(ACKNOWLEDGED), 1))
    moved = newest - np.concatenate([levels[-count - k : len(levels) - k] for k in ACKNOWLEDGED])
    beside = np.tile(levels[-count - 1 : -1] - levels[-count:], (len(ACKNOWLEDGED), 1))
    beyond = levels[:-2] - levels[1:-1]
    beyond = np.where(np.abs(beyond) <= COARSE, 0, beyond)
    none = np.zeros_like(levels)
    return [(levels, none), (moved, np.zeros_like(moved)), (beside, moved), (beyond, levels[1:-1] - levels[2:])]


def probabilities(
    by_kind: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of zero flags, signs and magnitudes, counted; where little was seen, what is usual for the kind."""
    count = by_kind[0][0].shape[1]
    zero = np.zeros((len(KINDS), count, ACTIVITIES * HINTS))
    against = np.zeros((len(KINDS), count))
    more = np.zeros((len(KINDS), count, BINS))
    for kind, (seen, hints) in enumerate(by_kind):
        some, context = seen != 0, contexts(seen, hints)
        usual = [_chance(some[context == c], 0.3, 4) for c in range(ACTIVITIES * HINTS)]
        opposite, hinted = seen * hints < 0, seen * hints != 0
        usually = _chance(opposite[hinted], 0.5, 4)
        for i in range(count):
            against[kind, i] = _chance(opposite[hinted[:, i], i], usually, 12)
            for c in range(ACTIVITIES * HINTS):
                zero[kind, i, c] = _chance(some[context[:, i] == c, i], usual[c], 12)
        size = np.abs(seen)
        for b in range(BINS):
            reached = [size == k + 1 for k in ([b] if b < BINS - 1 else range(b, 7))]
            beyond = [size > k + 1 for k in ([b] if b < BINS - 1 else range(b, 7))]
            stays, goes = np.sum(reached, 0), np.sum(beyond, 0)
            typical = _ratio(goes.sum(), stays.sum(), 0.4, 4)
            for i in range(count):
                more[kind, i, b] = _ratio(goes[:, i].sum(), stays[:, i].sum(), typical, 12)
    return zero, against, more


def contexts(differences: np.ndarray, hints: np.ndarray) -> np.ndarray:
    """[n, levels]: which of the zero flag's chances counts."""
    much = np.pad(np.minimum(np.abs(differences), MUCH), ((0, 0), (BEFORE, 0)))
    sums = np.array([much[:, i : i + BEFORE].sum(1) for i in range(differences.shape[1])]).T
    return HINTS * np.digitize(sums, ACTIVE) + np.minimum(np.abs(hints), HINTS - 1)


def _chance(seen: np.ndarray, usual: float, weight: float) -> float:
    return _ratio(seen.sum(), (~seen).sum(), usual, weight)


def _ratio(yes: float, no: float, usual: float, weight: float) -> float:
    return float((yes + usual * weight) / (yes + no + weight))


def tables_from(runs: Sequence[Sequence[Motion]]) -> Tables:
    """What the file holds."""
    known = transform(runs)
    count = len(known["bounds"])
    shapes = {"zero": (ACTIVITIES * HINTS,), "against": (), "more": (BINS,)}
    unknown = Tables(**known, **{name: np.zeros((len(KINDS), count, *shape)) for name, shape in shapes.items()})
    with using(unknown):
        told = [differences(levels_of(motions)) for motions in runs]
    seen = [tuple(np.concatenate(part) for part in zip(*kind, strict=True)) for kind in zip(*told, strict=True)]
    whole = [np.rint(np.clip(p * ONE, 32, ONE - 32)).astype(int) for p in probabilities(seen)]
    return Tables(**known, **dict(zip(shapes, whole, strict=True)))


@contextmanager
def using(tables: Tables) -> Iterator[None]:
    """Lets the codec use other tables than those of its file."""
    with ExitStack() as patched:
        for module in (models.wire.levels, models.wire.differences):
            patched.enter_context(patch.object(module, "load_tables", lambda: tables))
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    runs = [motions for clip in parser.parse_args().clips for motions in motions_of(clip)]
    tables = tables_from(runs)
    told = {name: getattr(tables, name).tolist() for name in Tables.__slots__}
    TABLES.write_text(json.dumps(told, separators=(",", ":")) + "\n")
    print(f"wrote {TABLES}: {sum(map(len, runs))} motions of {len(runs)} runs")


if __name__ == "__main__":
    main()
