"""What the bench's camera films and its microphone hears: the bundled portrait, moved, and voices; always the same."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import accumulate, repeat
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from agent.bench.synthetic import BLOCK, CAMERA_FPS, SOUND_HZ, Samples, Still
from agent.look import first_look
from models.motion import Motion, expression
from runtime.engines.builtin import BuiltinEngine

Stills = list[Still]

PORTRAIT = Path(str(files("agent") / "example" / "portrait.png"))
"""Who is filmed, and who is shown."""

_SPEECH = Path(str(files("agent") / "example" / "speech.wav"))
_SIDE_PX = 480
_CYCLE = 2 * CAMERA_FPS  # frames after which the movement comes back to where it began
_YAW, _NOD = 0.16, 0.06  # radians
_JAW = 0.7
_HOLD_S = (1.0, 1.2)  # from one step to the next
_REST_S = 1.5  # before the first
_WORD_S = (7.10, 7.90)  # of the bundled speech: begins with an open vowel, after a pause
_PAUSE = 12  # blocks of it


class Face:
    """The face before the camera, drawn by the built-in engine."""

    def __init__(self) -> None:
        self._engine = BuiltinEngine()
        self._avatar = self._engine.prepare(first_look(PORTRAIT, (_SIDE_PX, _SIDE_PX), "head", "keep").portrait)

    def moving(self) -> Stills:
        """Two seconds of turning, nodding and speaking that begin at rest and can be repeated."""
        phases = np.linspace(0, 2 * np.pi, _CYCLE, endpoint=False)
        return [
            self._still(0.5 * _JAW * (1 - np.cos(3 * phase)), _YAW * np.sin(phase), _NOD * np.sin(2 * phase))
            for phase in phases
        ]

    def mouths(self) -> Stills:
        """At rest with the mouth shut, and wide open."""
        return [self._still(0.0, 0.0, 0.0), self._still(_JAW, 0.0, 0.0)]

    def _still(self, jaw: float, yaw: float, nod: float) -> Still:
        turned = np.array([nod, yaw, 0], np.float32)
        return self._engine.render(self._avatar, Motion(0, expression(jawOpen=jaw, mouthNeutral=1.0), turned))


def step_times_s(count: int) -> list[float]:
    """Instants of `count` steps after a rest, and of the end: at every phase between the input and the pictures."""
    gaps = np.random.default_rng(1).uniform(*_HOLD_S, count)
    return list(accumulate([_REST_S, *gaps]))


def mouth_film(mouths: Stills, times_s: list[float]) -> Iterator[Still]:
    """Two stills in turns, which change at these instants but the last, where the film ends."""
    edges = [0, *(round(s * CAMERA_FPS) for s in times_s)]
    for k, length in enumerate(np.diff(edges)):
        yield from repeat(mouths[k % 2], int(length))


def speech() -> Samples:
    """The bundled speech."""
    rate_hz, samples = wavfile.read(_SPEECH)
    return resample_poly(samples / 32768, SOUND_HZ, rate_hz).astype(np.float32)


def words(times_s: list[float]) -> Iterator[Samples]:
    """Silence, in which a word of the bundled speech sets in at these instants but the last, which is the end."""
    said = speech()[round(_WORD_S[0] * SOUND_HZ) : round(_WORD_S[1] * SOUND_HZ)]
    samples = np.zeros(round(times_s[-1] * SOUND_HZ), np.float32)
    for time_s in times_s[:-1]:
        at = (block_at(time_s) - _PAUSE) * BLOCK
        samples[at : at + len(said)] = said
    return blocks_of(samples)


def blocks_of(samples: Samples) -> Iterator[Samples]:
    """As a microphone gives it; what does not fill a block is left out."""
    return iter(samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK))


def block_at(time_s: float) -> int:
    """The block that begins nearest to an instant of a sound."""
    return round(time_s * SOUND_HZ / BLOCK)
