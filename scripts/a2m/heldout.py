"""Held-out sets: voices, languages and an engine that training never hears; and how well a network does on them."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2m import flite, session, text, timbre, voices
from a2m.losses import delayed
from a2m.network import CLOSED, CURVE, LOOK_AHEADS_MS, SPEECH, VISEME, SpeechNet
from a2m.stream import Batch, collate
from models.audio.curves import CURVES, INDEX

LOOK_AHEAD_MS = 80
_SEED = 20_000
_SETTLED = 25
"""Hops left out at the start of a session."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Batches by name: "voices", "languages", "engine"."""

    sets: dict[str, Batch]

    @staticmethod
    def cached(path: Path, minutes: float) -> "HeldOut":
        """Made once, then read from `path`."""
        if not path.exists():
            sets = {name: collate(make(name, round(minutes * 60 / session.SECONDS))) for name in MAKERS}
            torch.save({name: _tensors(batch) for name, batch in sets.items()}, path)
        return HeldOut({name: Batch(**tensors) for name, tensors in torch.load(path).items()})

    def figures(self, answers: Callable[[Tensor], Tensor]) -> dict[str, dict[str, float]]:
        """Correlations and rates on every set; `answers`: [batch, 2 n, 66] -> [batch, n, OUTPUTS] at 80 ms."""
        return {name: _figures(answers, batch) for name, batch in self.sets.items()}


def of_network(net: SpeechNet) -> Callable[[Tensor], Tensor]:
    """The answers of a network while it is being trained."""

    def answers(features: Tensor) -> Tensor:
        net.eval()
        with torch.no_grad():
            return torch.cat([net(part)[LOOK_AHEADS_MS.index(LOOK_AHEAD_MS)] for part in features.split(16)])

    return answers


def _tensors(batch: Batch) -> dict[str, Tensor]:
    return {name: getattr(batch, name) for name in Batch.__dataclass_fields__}


def make(name: str, count: int) -> list[session.Session]:
    """So many sessions of one set."""
    engines, rng = voices.Engines(), random.Random(_SEED)
    return [MAKERS[name](engines, rng, np.random.default_rng(_SEED + i), i) for i in range(count)]


def _voices(engines: voices.Engines, rng: random.Random, numbers: np.random.Generator, _: int) -> session.Session:
    speech = session.clean(engines.utterances(voices.held_out(rng), rng), numbers)
    return session.record(speech, numbers, [])


def _languages(engines: voices.Engines, rng: random.Random, numbers: np.random.Generator, _: int) -> session.Session:
    speaker = voices.held_out(rng, voices.HELD_OUT_LANGUAGES)
    return session.record(session.clean(engines.utterances(speaker, rng), numbers), numbers, [])


def _engine(_: voices.Engines, rng: random.Random, numbers: np.random.Generator, i: int) -> session.Session:
    """Flite as it is, in a quiet room."""
    voice = flite.VOICES[i % len(flite.VOICES)]
    said = (flite.say(text.sentence("en", rng), voice) for _ in iter(int, 1))
    speech = session.clean(said, numbers, timbre.NEUTRAL)
    sound = 0.08 * speech.samples + numbers.standard_normal(len(speech.samples)).astype(np.float32) * 3e-4
    return session.heard(sound, speech.targets, warm=True)


MAKERS = {"voices": _voices, "languages": _languages, "engine": _engine}


def _figures(answers: Callable[[Tensor], Tensor], batch: Batch) -> dict[str, float]:
    hops = LOOK_AHEAD_MS // 20
    said = answers(batch.features)[:, _SETTLED:].numpy()
    curves, visemes, closed, speech = (
        delayed(x, hops)[:, _SETTLED:].numpy() for x in (batch.curves, batch.visemes, batch.closed, batch.speech)
    )
    each = {c: _correlation(said[..., i], curves[..., i]) for c, i in INDEX.items()}
    wide, rounded = INDEX["lipWide"], INDEX["lipRound"]
    shut, vowel, other = said[..., CLOSED] > 0, np.isin(visemes, _VOWELS), closed == 2
    return {
        "gap": each["lipGap"],
        "width": _correlation(said[..., wide] - said[..., rounded], curves[..., wide] - curves[..., rounded]),
        "jaw": each["jawOpen"],
        "mean": round(float(np.mean([each[c] for c in CURVES])), 4),
        "viseme": round(float((said[..., VISEME].argmax(-1) == visemes).mean()), 4),
        "closed_found": round(float(shut[closed == 1].mean()), 4),
        "closed_in_vowels": round(float(shut[vowel].mean()), 4),
        "closed_in_stops": round(float(shut[other].mean()), 4),
        "speech": round(float(((said[..., SPEECH] > 0) == (speech > 0)).mean()), 4),
        "error": round(float(np.abs(said[..., CURVE] - curves).mean()), 4),
    }


_VOWELS = range(10, 17)
"""Numbers of the vowels in `phones.VISEMES`."""


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return round(float(np.corrcoef(a.ravel(), b.ravel())[0, 1]), 4)
