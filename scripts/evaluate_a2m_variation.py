"""Measures the natural variation of the mouth on voices that nothing was learned from.

    python scripts/evaluate_a2m_variation.py --out out/a2m

Spread of samples against that of varied targets of the same sound, speed, spectrum, closed lips, agreement with the
table at several temperatures. Needs the `train` extra, and espeak-ng where --out does not hold the speech yet.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from a2m.network import CLOSED, CURVE, LOOK_AHEADS_MS
from a2m.spoken import Spoken

from models.audio.curves import CURVES, INDEX
from models.audio.speech_mouth import WEIGHTS as SPEECH_WEIGHTS
from models.audio.speech_mouth import open_network
from models.audio.variation import WEIGHTS, MouthVariation
from models.ease import smoothstep

_SEEDS = 6
_TEMPERATURES = (0.0, 0.3, 0.5, 1.0, 1.5)
_RATE_HZ, _SETTLED, _FAST_HZ = 50, 25, 8.0
_DELAY = 4
"""Hops from a sound's end back to the instant that the answers at 80 ms describe."""
_HEARD_AT = LOOK_AHEADS_MS.index(80)
_SHUT = 0.05
_SURELY = (0.35, 0.75)
"""As `LipControl`: probabilities of closed lips between which they are made to meet."""


class Sampler:
    def __init__(self, weights: Path) -> None:
        self._network = open_network(weights)
        self.spent_s: list[float] = []

    def curves(self, answers: np.ndarray, temperature: float, seed: int) -> np.ndarray:
        """[n, hops, outputs] -> curves [n, hops, 15]."""
        mean = np.clip(answers[..., CURVE], 0, 1)
        if not temperature:
            return mean
        factors = [self._factors(rows, temperature, 1000 * seed + i) for i, rows in enumerate(answers)]
        return np.clip(mean * np.stack(factors), 0, 1)

    def _factors(self, rows: np.ndarray, temperature: float, seed: int) -> np.ndarray:
        variation, out = MouthVariation(self._network, temperature, seed), []
        for row in rows:
            began = time.perf_counter()
            out.append(variation.factors(row))
            self.spent_s.append(time.perf_counter() - began)
        return np.stack(out)


def figures(spoken: Spoken, sampler: Sampler) -> Iterator[str]:
    answers = spoken.answers[:, _SETTLED:, _HEARD_AT].float().numpy()
    at = np.arange(_SETTLED, spoken.answers.shape[1]) + 1 - _DELAY
    plain, closed = spoken.plain[:, at].float().numpy(), spoken.closed[:, at].numpy()
    varied = spoken.varied[:, :, at].float().numpy().swapaxes(0, 1)
    samples = {t: np.stack([sampler.curves(answers, t, s) for s in range(_SEEDS if t else 1)]) for t in _TEMPERATURES}
    yield from _spread(samples, varied)
    yield from _spectrum(samples[1.0] - samples[0.0], varied - plain)
    yield from _agreement(samples, plain)
    yield from _closures(samples, answers[..., CLOSED], closed)
    yield f"ms of a hop, median and 99th percentile: {_ms(sampler.spent_s, 50):.3f}, {_ms(sampler.spent_s, 99):.3f}"


def _spread(samples: dict[float, np.ndarray], varied: np.ndarray) -> Iterator[str]:
    """Standard deviation between draws of the same sound at the same instant."""
    wanted = _deviation(varied)
    yield "spread between draws: targets, then " + ", ".join(f"T={t:g}" for t in samples if t)
    for name, i in INDEX.items():
        rest = "".join(f"{_deviation(drawn)[i]:8.4f}" for t, drawn in samples.items() if t)
        yield f"  {name:16s}{wanted[i]:8.4f}{rest}"
    open_lips = samples[0.0][0, ..., 0] > 0.25
    for what, drawn in (("targets", varied), ("T=1", samples[1.0])):
        gap = drawn[..., 0][:, open_lips]
        relative = gap.std(0, ddof=1).mean() / gap.mean()
        yield f"  lip gap where it is open, {what}: coefficient of variation {relative:.3f}"
        yield f"  lip gap, {what}: {_lasting(drawn):.3f} of the variance lasts for a second or more"


def _deviation(drawn: np.ndarray) -> np.ndarray:
    """[draws, n, hops, 15] -> [15]."""
    return np.sqrt(drawn.var(0, ddof=1).mean((0, 1)))


def _lasting(drawn: np.ndarray) -> float:
    """Share of the variance of the lip gap that means over one second have."""
    change = (drawn - drawn.mean(0))[..., 0]
    blocks = change[:, :, : change.shape[2] // _RATE_HZ * _RATE_HZ].reshape(*change.shape[:2], -1, _RATE_HZ)
    return float(blocks.mean(-1).var() / change.var())


def _spectrum(sampled: np.ndarray, wanted: np.ndarray) -> Iterator[str]:
    """Share of the power of changes above 8 Hz, and their steps from hop to hop."""
    for what, change in (("targets", wanted), ("T=1", sampled)):
        power = (np.abs(np.fft.rfft(change * np.hanning(change.shape[2])[:, None], axis=2)) ** 2).mean((0, 1))
        hz = np.fft.rfftfreq(change.shape[2], 1 / _RATE_HZ)
        fast = power[hz > _FAST_HZ].sum(0) / power.sum(0)
        step = np.percentile(np.abs(np.diff(change[..., 0], axis=2)), 99)
        yield (f"changes above {_FAST_HZ:g} Hz, {what}: lip gap {fast[0]:.3f}, mean {fast.mean():.3f} of the power; "
               f"step of the gap, 99th percentile {step:.3f}")  # fmt: skip


def _agreement(samples: dict[float, np.ndarray], plain: np.ndarray) -> Iterator[str]:
    yield "correlation with the table's curves: gap, width, jaw, mean of all"
    wide, rounded = INDEX["lipWide"], INDEX["lipRound"]
    for t, drawn in samples.items():
        said, wanted = drawn[0], plain
        each = [_correlation(said[..., i], wanted[..., i]) for i in range(len(CURVES))]
        width = _correlation(said[..., wide] - said[..., rounded], wanted[..., wide] - wanted[..., rounded])
        yield f"  T={t:<4g} {each[0]:.3f} {width:.3f} {each[INDEX['jawOpen']]:.3f} {np.mean(each):.3f}"


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def _closures(samples: dict[float, np.ndarray], logit: np.ndarray, closed: np.ndarray) -> Iterator[str]:
    """Of every m, b and p that is heard: the least lip gap, as the network says it and as `LipControl` makes it."""
    heard = [(i, part) for i, row in enumerate(closed) for part in _runs(row) if (logit[i, part] > 0).any()]
    chance = 1 / (1 + np.exp(-logit))
    seal = 1 - np.vectorize(lambda p: smoothstep(*_SURELY, float(p)))(chance)
    yield f"lip gap in {len(heard)} closures that are heard: mean as said, share below {_SHUT:g} as said and as shown"
    for t, drawn in samples.items():
        least = np.array([[row[i, part].min() for i, part in heard] for row in drawn[..., 0]])
        shown = np.array([[(row[i] * seal[i])[part].min() for i, part in heard] for row in drawn[..., 0]])
        yield f"  T={t:<4g} {least.mean():.3f} {(least < _SHUT).mean():.3f} {(shown < _SHUT).mean():.4f}"


def _runs(row: np.ndarray) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row, [0]])))
    return [slice(a, b) for a, b in edges.reshape(-1, 2)]


def _ms(spent_s: list[float], percentile: float) -> float:
    return float(np.percentile(spent_s, percentile) * 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/a2m"))
    parser.add_argument("--speech-weights", type=Path, default=SPEECH_WEIGHTS)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--held-out", type=int, default=40, help="sessions of 8 s")
    options = parser.parse_args()
    spoken = Spoken.cached(options.out, options.held_out, options.speech_weights, held_out=True)
    for line in figures(spoken, Sampler(options.weights)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
