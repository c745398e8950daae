"""How long after a step before the camera, or a word, the picture changes: no stamp is needed for that."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from agent.bench.reader import thumb_of
from agent.bench.scene import Face, block_at, blocks_of, mouth_film, speech, words
from agent.bench.synthetic import BLOCK_NS, CAMERA_FPS, SOUND_HZ
from agent.config.run import Run
from agent.config.size import parse_size
from agent.inputs import open_face_video
from agent.look import first_look
from agent.speech_driver import open_speech
from models.motion import Motion
from runtime.drivers.idle import Idle
from runtime.engines.builtin import BuiltinEngine
from runtime.frame import Frame
from runtime.ladder import Ladder
from runtime.mix import mix
from runtime.sound import Sound

_BEFORE = 3  # pictures before a step, which show what was there
_AFTER_NS = 750_000_000
_LEAST_CHANGE = 4.0  # grey levels, where the thumbnail changes most


def responses_ms(
    steps_ns: Sequence[int], at_ns: Int64[np.ndarray, "n"], thumbs: UInt8[np.ndarray, "n h w"]
) -> Float64[np.ndarray, "m"]:
    """Milliseconds from each step to the first picture that has gone half of the way to the furthest one after it.

    Steps after which no picture differs from those before are left out.
    """
    found = []
    for step_ns in steps_ns:
        before = thumbs[at_ns < step_ns][-_BEFORE:].astype(np.float64)
        after = (at_ns >= step_ns) & (at_ns < step_ns + _AFTER_NS)
        if len(before) and after.any():
            change = thumbs[after] - before.mean(axis=0)
            furthest = change[np.linalg.norm(change, axis=(1, 2)).argmax()]
            if abs(furthest).max() >= _LEAST_CHANGE:
                share = (change * furthest).sum(axis=(1, 2)) / (furthest**2).sum()
                found.append((at_ns[after][share >= 0.5][0] - step_ns) / 1e6)
    return np.array(found, np.float64)


def own_response_ms(config: Run, times_s: list[float]) -> float:
    """The same of filters and networks alone, median: every value driven and drawn as if that took no time at all.

    0 where the mouth opens with the sound or before it, as it may with a look-ahead.
    """
    engine, idle = BuiltinEngine(), Idle(config.seed, config.liveliness, config.blinks)
    avatar = engine.prepare(first_look(config.portrait, parse_size(config.size), config.framing, "keep").portrait)
    at_ns, thumbs = [], []
    for motion in _driven(config, times_s):
        pair = (motion, None) if config.mode == "video" else (None, motion)
        mixed = mix(config.mode, motion.pts_ns, idle.at(motion.pts_ns, 0), *pair)
        at_ns.append(motion.pts_ns)
        thumbs.append(thumb_of(engine.render(avatar, mixed)))
    found = responses_ms(step_instants_ns(config.mode, times_s), np.array(at_ns), np.array(thumbs))
    return float(np.median(found)) if len(found) else 0.0


def step_instants_ns(mode: str, times_s: list[float]) -> list[int]:
    """When the steps are, from the beginning of the film or sound on: on its frames or blocks; the end is none."""
    if mode == "video":
        return [round(round(s * CAMERA_FPS) * 1e9 / CAMERA_FPS) for s in times_s[:-1]]
    return [block_at(s) * BLOCK_NS for s in times_s[:-1]]


def _driven(config: Run, times_s: list[float]) -> Iterator[Motion]:
    if config.mode == "video":
        face = open_face_video(config, None, Ladder(config.fps, tracks=False))
        for k, still in enumerate(mouth_film(Face().mouths(), times_s)):
            yield from face.push(Frame(still, round(k * 1e9 / CAMERA_FPS)))
        face.close()
    else:
        ear = open_speech(config, True, None, lambda line: None)
        heard_before = list(blocks_of(speech()))  # a voice whose level is known opens the mouth further
        for k, block in enumerate(chain(heard_before, words(times_s)), -len(heard_before)):
            yield from ear.push(Sound(block[:, None], SOUND_HZ, k * BLOCK_NS))
        ear.close()
