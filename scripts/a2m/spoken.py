"""What the variation of the mouth is learned from: sounds, what the speech network says of them, and many mouths."""

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from a2m import manner, session, targets, voices
from a2m.listen import step_heads

DRAWS = 6
"""Ways in which the same sound is said."""
_TRAINED_SEED, _HELD_OUT_SEED = 31_000, 32_000


@dataclass(frozen=True, slots=True)
class Spoken:
    """Sessions of eight seconds; float16 where nothing else is said."""

    answers: Tensor
    """[n, 400, heads, outputs] of the speech network."""
    plain: Tensor
    """[n, 401, 15] curves by the table, 50 per second from instant 0."""
    varied: Tensor
    """[n, DRAWS, 401, 15] the same phones, said otherwise."""
    closed: Tensor
    """uint8 [n, 401]: 1 while m, b or p hold the lips together."""

    @staticmethod
    def cached(folder: Path, count: int, weights: Path, held_out: bool = False) -> "Spoken":
        """Made once for these weights, then read from `folder`; `held_out`: voices that nothing is learned from."""
        kind = "held_out" if held_out else "trained"
        path = folder / f"spoken_{kind}_{count}_{zlib.crc32(weights.read_bytes()):08x}.pt"
        if not path.exists():
            made = list(_make(count, weights, held_out))
            arrays = {f.name: torch.from_numpy(np.stack([getattr(s, f.name) for s in made])) for f in fields(Spoken)}
            folder.mkdir(parents=True, exist_ok=True)
            torch.save(arrays, path)
        return Spoken(**torch.load(path, weights_only=True))


@dataclass(frozen=True, slots=True)
class _Session:
    answers: np.ndarray
    plain: np.ndarray
    varied: np.ndarray
    closed: np.ndarray


def _make(count: int, weights: Path, held_out: bool) -> Iterator[_Session]:
    """espeak-ng's voices: what varies are lips, not engines."""
    seed = _HELD_OUT_SEED if held_out else _TRAINED_SEED
    engines, rng, heads = voices.Engines(), random.Random(seed), step_heads(weights)
    for i in range(count):
        numbers = np.random.default_rng(seed + i)
        voice = rng.choice(voices.HELD_OUT_VOICES if held_out else voices.TRAIN_VOICES)
        speaker = voices.Speaker("espeak", rng.choice(voices.TRAIN_LANGUAGES), voice)
        speech = session.clean(engines.utterances(speaker, rng), numbers)
        heard, loudness_db = session.record(speech, numbers, []), session.loudness_db(speech.samples)
        seconds = session.SECONDS + 0.02
        others = [
            targets.make(speech.segments, seconds, loudness_db, manner.varied(numbers, seconds)).curves[::2]
            for _ in range(DRAWS)
        ]
        yield _Session(
            heads(heard.features.astype(np.float32)).astype(np.float16),
            heard.curves,
            np.stack(others).astype(np.float16),
            (heard.closed == 1).astype(np.uint8),
        )
