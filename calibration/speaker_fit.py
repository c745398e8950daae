"""A person's own last layer of the speech network: what was heard and what was seen at the same time -> SpeakerLayer.

The network's own layer is brought to the person's level and spread, then bent towards what was seen by ridge
regression on what the layer is given, and brought to the spread again: least squares alone would make a dull mouth of
an uncertain one. Errors are counted as 1 less the concordance of heard and seen, for the same reason: a mouth that
stays at its mean has an error of 1, one that does what was seen of 0.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from calibration.mouth_heard import MouthHeard
from models.audio.curves import CURVES
from models.audio.speaker_layer import HEADS, HIDDEN, INPUTS, LARGEST, MEASURES, SpeakerLayer, applies, measures
from models.audio.speech_mouth import LOOK_AHEADS_MS
from models.errors import InputError

LEAST_SPEECH_S = 4.0

_HEAD = LOOK_AHEADS_MS.index(80)  # by which offset and ridge are chosen
_OFFSETS_S = np.arange(-20, 21) / 100
_ELSEWHERE_S, _ELSEWHERE_STEP_S = 1.0, 0.1  # from where on sound and picture have nothing to do with one another
_LEAST_AGREEMENT, _LEAST_ABOVE = 0.3, 3.0  # correlation; standard deviations of what is found elsewhere
_RIDGES = (1e6, 100.0, 30.0, 10.0, 3.0, 1.0)  # in mean squares of what the layer is given; the first lets nothing bend
_WORTH = 0.02  # by which part of the error a softer ridge must be better
_FOLDS = 4
_FITTED, _BETWEEN_S = 2 / 3, 0.25  # of the speech, then a pause, then what is held out
_GAINS = (0.5, 2.0)  # of a measure's spread

Measures = Float[np.ndarray, "n 3"]


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerFit:
    """A layer that has proved itself."""

    layer: SpeakerLayer
    offset_ms: int
    """How much later the pictures came than the sound."""
    speech_s: float
    """Seconds of speech with a face."""
    before: Float[np.ndarray, "3"]
    """Errors of `MEASURES` in what was held out, as the network has them: mean over its look-aheads."""
    after: Float[np.ndarray, "3"]
    """The same, by a layer that was fitted to the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Heard by one head and seen at the same instants."""

    answers: Float32[np.ndarray, "n outputs"]
    hidden: Float32[np.ndarray, "n 96"]
    seen: Measures
    weight: Float32[np.ndarray, "n"]
    """0..1: whether somebody speaks, lips not pressed together."""

    def __getitem__(self, rows: np.ndarray) -> "Together":
        """Some of the instants."""
        return Together(self.answers[rows], self.hidden[rows], self.seen[rows], self.weight[rows])

    @property
    def said(self) -> Measures:
        """What the network says of the measures."""
        return measures(self.answers[:, : len(CURVES)].astype(np.float64))


def fit_speaker(heard: MouthHeard, times_s: Float[np.ndarray, "n"], seen: Measures, network: str) -> SpeakerFit:
    """Fits and proves a layer for the weights of that digest.

    Args:
        heard: the recording's sound.
        times_s: when each picture was taken, on the sound's clock, ascending.
        seen: gap, width and jaw in each picture, from `MouthSeen`.
        network: see `network_digest`.

    Raises:
        InputError: too little speech with a face, a mouth that does not move with the sound, or no gain.
    """
    speech_s = count_speech_s(heard, times_s)
    if speech_s < LEAST_SPEECH_S:
        raise InputError(
            f"{speech_s:.1f} s of speech with a face were heard and seen, at least {LEAST_SPEECH_S:.0f} are needed and "
            "20 are good; read aloud for longer, close to the microphone"
        )
    offset_s = find_offset(heard, times_s, seen)
    heads = [together(heard, times_s - offset_s, seen, head) for head in range(HEADS)]
    fitted, held_out = split(heads[_HEAD].weight, times_s)
    ridge = best_ridge(heads[_HEAD][fitted])
    trial = SpeakerLayer(network, np.stack([refit(head[fitted], ridge) for head in heads]))
    nothing = SpeakerLayer(network, np.zeros_like(trial.weights))
    before, after = (
        np.mean([error(layer, i, head[held_out]) for i, head in enumerate(heads)], axis=0) for layer in (nothing, trial)
    )
    if not after.mean() < before.mean():
        raise InputError(
            f"what was learnt does not hold: on the last third of the speech the mouth's error is {after.mean():.2f}, "
            f"without it {before.mean():.2f}; read for longer, in good light, close to the microphone"
        )
    layer = SpeakerLayer(network, np.stack([refit(head, ridge) for head in heads]))
    return SpeakerFit(layer, round(offset_s * 1000), speech_s, before, after)


def find_offset(heard: MouthHeard, times_s: Float[np.ndarray, "n"], seen: Measures) -> float:
    """How much later the pictures came than the sound, seconds: where gap and jaw agree best.

    Raises:
        InputError: they agree nowhere within 0.2 s, or no better there than anywhere else.
    """
    near = [_agreement(together(heard, times_s - offset_s, seen, _HEAD)) for offset_s in _OFFSETS_S]
    best = int(np.argmax(near))
    elsewhere = _elsewhere(together(heard, times_s, seen, _HEAD), times_s)
    least = max(_LEAST_AGREEMENT, float(np.mean(elsewhere) + _LEAST_ABOVE * np.std(elsewhere)))
    if best in (0, len(near) - 1) or near[best] < least:
        raise InputError(
            f"the mouth that is seen does not move with the sound (correlation {near[best]:.2f}, needed {least:.2f}): "
            "the face must be the speaker's, sound and picture within 0.2 s of one another, the mouth well lit"
        )
    return float(_OFFSETS_S[best])


def split(
    weight: Float32[np.ndarray, "n"], times_s: Float[np.ndarray, "n"]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Instants to fit to, and later ones to be judged by."""
    fitted = np.cumsum(weight) <= _FITTED * weight.sum()
    return fitted, times_s > times_s[fitted].max(initial=times_s[0]) + _BETWEEN_S


def refit(part: Together, ridge: float) -> Float32[np.ndarray, "3 98"]:
    """Weights of one head."""
    weight = part.weight.astype(np.float64)
    hidden = part.hidden.astype(np.float64)
    middle = _mean(hidden, weight)
    centred = hidden - middle
    leaning = ridge * weight.sum() * float(_mean(centred**2, weight).mean()) + 1e-9
    normal = (centred * weight[:, None]).T @ centred + leaning * np.eye(HIDDEN)
    out = np.zeros((len(MEASURES), INPUTS))
    for row, (said, seen) in enumerate(zip(part.said.T, part.seen.T, strict=True)):
        mean_said, mean_seen = _mean(said, weight), _mean(seen, weight)
        spread = _spread(said, weight)
        gain = np.clip(_spread(seen, weight) / max(spread, 1e-6), *_GAINS)
        missing = seen - mean_seen - gain * (said - mean_said)
        bend = np.linalg.solve(normal, (centred * weight[:, None]).T @ missing)
        bent = gain * (said - mean_said) + centred @ bend
        wider = gain * spread / max(_spread(bent, weight), 1e-6)
        out[row, 0] = wider * gain - 1
        out[row, 1:-1] = wider * bend
        out[row, -1] = mean_seen - wider * (gain * mean_said + middle @ bend)
    return np.clip(out, -LARGEST, LARGEST).astype(np.float32)


def error(layer: SpeakerLayer, head: int, part: Together) -> Float[np.ndarray, "3"]:
    """1 less the concordance of what the layer says and what was seen, per measure: 0 best, 1 for what is constant."""
    curves = layer.curves(head, part.answers, part.hidden)
    return _discord(measures(curves.astype(np.float64)), part.seen, part.weight.astype(np.float64))


def best_ridge(part: Together) -> float:
    """How much a layer should keep to the network's own, by folds that follow one another in time."""
    folds = np.minimum(np.cumsum(part.weight) / part.weight.sum() * _FOLDS, _FOLDS - 1).astype(int)

    def judged(ridge: float) -> float:
        errors = []
        for fold in range(_FOLDS):
            weights = np.zeros((HEADS, len(MEASURES), INPUTS), np.float32)
            weights[_HEAD] = refit(part[folds != fold], ridge)
            errors.append(error(SpeakerLayer("", weights), _HEAD, part[folds == fold]))
        return float(np.mean(errors))

    best = _RIDGES[0]
    least = judged(best)
    for ridge in _RIDGES[1:]:
        value = judged(ridge)
        if value < (1 - _WORTH) * least:
            best, least = ridge, value
    return best


def together(heard: MouthHeard, times_s: Float[np.ndarray, "n"], seen: Measures, head: int) -> Together:
    """What one head said at the instants of the pictures, and what was seen there."""
    answers, hidden = heard.at(times_s, head)
    return Together(answers, hidden, seen, applies(answers) * heard.covers(times_s, head))


def count_speech_s(heard: MouthHeard, times_s: Float[np.ndarray, "n"]) -> float:
    """Time in speech, a picture counting until the next one, a tenth of a second at most."""
    if len(times_s) < 2 or heard.speech_s == 0:
        return 0.0
    lasts = np.minimum(np.diff(times_s), 0.1)
    return float(lasts @ applies(heard.at(times_s, _HEAD)[0])[:-1])


def _agreement(part: Together) -> float:
    """Mean correlation of gap and jaw."""
    weight = part.weight.astype(np.float64)
    gap, jaw = (correlation(part.said[:, i], part.seen[:, i], weight) for i in (0, 2))
    return (gap + jaw) / 2


def _elsewhere(part: Together, times_s: Float[np.ndarray, "n"]) -> list[float]:
    """Agreement with pictures of other times: what chance gives."""
    interval_s = float(np.median(np.diff(times_s)))
    first, step = (max(1, round(s / interval_s)) for s in (_ELSEWHERE_S, _ELSEWHERE_STEP_S))
    return [
        _agreement(Together(part.answers, part.hidden, np.roll(part.seen, shift, axis=0), part.weight))
        for shift in range(first, max(first + 1, len(times_s) - first), step)
    ]


def _mean(x: Float[np.ndarray, "n *m"], weight: Float[np.ndarray, "n"]) -> Float[np.ndarray, "*m"]:
    return np.asarray(np.average(x, axis=0, weights=weight + 1e-12))


def _spread(x: Float[np.ndarray, "n"], weight: Float[np.ndarray, "n"]) -> float:
    return float(np.sqrt(_mean((x - _mean(x, weight)) ** 2, weight)))


def correlation(a: Float[np.ndarray, "n"], b: Float[np.ndarray, "n"], weight: Float[np.ndarray, "n"]) -> float:
    """Weighted."""
    a, b = a - _mean(a, weight), b - _mean(b, weight)
    return float(_mean(a * b, weight) / max(_spread(a, weight) * _spread(b, weight), 1e-9))


def _discord(a: Measures, b: Measures, weight: Float[np.ndarray, "n"]) -> Float[np.ndarray, "3"]:
    apart = _mean(a, weight) - _mean(b, weight)
    spreads = [_mean((x - _mean(x, weight)) ** 2, weight) for x in (a, b)]
    return np.asarray(_mean((a - b) ** 2, weight) / (spreads[0] + spreads[1] + apart**2 + 1e-9))
