"""Measures the speech network: every figure beside what is demanded of it.

    python scripts/evaluate_a2m.py --talk FOLDER_WITH_VIDEOS_OF_PEOPLE_TALKING

Needs the `train` extra, espeak-ng and flite. The videos serve this test alone: nothing is learned from them.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from a2m import closures, grid, robustness, talk
from a2m.heldout import HeldOut
from a2m.listen import Listener, step_answers
from a2m.sound import read_wav
from a2m.talk import Clip

from models.audio.mel import RATE_HZ
from models.audio.speech_mouth import LOOK_AHEADS_MS, WEIGHTS

_SPEECH = Path(__file__).parent.parent / "agent" / "example" / "speech.wav"


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: float
    demand: float | None = None
    at_most: bool = False

    def __str__(self) -> str:
        if self.demand is None:
            return f"{self.name:62s} {self.value:8.4g}"
        holds = self.value <= self.demand if self.at_most else self.value >= self.demand
        sign = "<=" if self.at_most else ">="
        return f"{self.name:62s} {self.value:8.4g}   {sign} {self.demand:<7g} {'' if holds else 'MISSED'}"


def held_out(weights: Path, cache: Path, minutes: float) -> Iterator[Figure]:
    figures = HeldOut.cached(cache, minutes).figures(step_answers(weights))
    demands = {"gap": 0.82, "width": 0.75, "jaw": 0.80}
    for key, demand in demands.items():
        yield Figure(f"held-out voices, {key}", figures["voices"][key], demand)
    for key in demands:
        yield Figure(f"held-out languages, {key}: below the voices", figures["voices"][key] - figures["languages"][key],
                     0.03, at_most=True)  # fmt: skip
    for key in ("mean", "viseme", "closed_found", "closed_in_vowels", "closed_in_stops", "speech"):
        yield Figure(f"held-out voices, {key}", figures["voices"][key])
    yield Figure("unknown engine, gap", figures["engine"]["gap"], 0.72)
    for key in ("width", "jaw", "mean"):
        yield Figure(f"unknown engine, {key}", figures["engine"][key])


def unknown_engine(listener: Listener) -> Iterator[Figure]:
    rates = closures.of_flite(listener)
    for voice, rate in rates.items():
        yield Figure(f"unknown engine {voice}: m/b/p found", rate.found, 0.90)
        yield Figure(f"unknown engine {voice}: vowels falsely closed", rate.in_vowels, 0.05, at_most=True)
        yield Figure(f"unknown engine {voice}: other consonants falsely closed", rate.in_consonants)


def real(listener: Listener, clips: list[Clip], look_ahead_ms: int) -> Iterator[Figure]:
    warm = [listener.hear(clip.sound, look_ahead_ms, warm=True) for clip in clips]
    cold = [listener.hear(clip.sound, look_ahead_ms) for clip in clips]
    noisy = [listener.hear(_with_noise(clip.sound, 10.0), look_ahead_ms, warm=True) for clip in clips]
    loud = [talk.loudness(clip.sound) for clip in clips]
    name = f"real speakers, {look_ahead_ms} ms"
    for curve, demand in (("lipGap", 0.65), ("width", 0.50), ("jawOpen", 0.70)):
        said = [(h.times, h[curve]) for h in warm]
        value = talk.agreement(clips, curve, said)
        yield Figure(f"{name}, {curve}", value, demand)
        for lag_s in (-0.06, -0.04, 0.0, 0.02):
            yield Figure(f"{name}, {curve}, lag {lag_s * 1000:+.0f} ms", talk.agreement(clips, curve, said, lag_s))
        yield Figure(f"{name}, {curve}, heard for the first time",
                     talk.agreement(clips, curve, [(h.times, h[curve]) for h in cold]))  # fmt: skip
        yield Figure(f"{name}, {curve}, noise at 10 dB",
                     talk.agreement(clips, curve, [(h.times, h[curve]) for h in noisy]))  # fmt: skip
        shifts = range(1, len(clips))
        others = [talk.agreement(clips, curve, said[k:] + said[:k]) for k in shifts]
        yield Figure(f"{name}, {curve}, sound of another clip, mean", float(np.mean(others)), 0.20, at_most=True)
        yield Figure(f"{name}, {curve}, sound of another clip, greatest", float(np.max(others)))
        baseline = talk.agreement(clips, curve, loud)
        if curve == "lipGap":
            yield Figure(f"{name}, lipGap above loudness", value - baseline, 0.20, at_most=False)
        yield Figure(f"{name}, {curve}, loudness alone", baseline)
    for what, values in (("logit", [h.closed for h in warm]), ("gap curve", [-h["lipGap"] for h in warm])):
        ranked, count = grid.closure_area(clips, warm, values)
        demand = 0.95 if what == "logit" else None
        yield Figure(f"{name}, {count} m/b/p against vowels, area under the ROC, {what}", ranked, demand)
        seen = closures.of_clips(clips, [(h.times, v) for h, v in zip(warm, values, strict=True)])
        yield Figure(f"{name}, pictures of closed against open lips, area, {what}", talk.area(*seen))


def robust(listener: Listener, weights: Path, sounds: list[np.ndarray], minutes: float) -> Iterator[Figure]:
    for name, (mean, greatest) in robustness.non_speech(listener).items():
        yield Figure(f"{name}: mean gap", mean, 0.03, at_most=True)
        yield Figure(f"{name}: greatest gap", greatest, 0.10, at_most=True)
    for name, change in robustness.changes(listener, sounds).items():
        yield Figure(f"{name}: RMS change of the curves", change, 0.03, at_most=True)
    yield Figure("chunks of 1 to 4000 samples: greatest difference", robustness.chunks(weights, sounds[0]), 1e-5, True)
    spent_ms = robustness.seconds_per_hop(weights, sounds[0]) * 1000
    yield Figure("ms per hop of 20 ms, median", float(np.median(spent_ms)), 0.5, at_most=True)
    yield Figure("ms per hop of 20 ms, 99th percentile", float(np.percentile(spent_ms, 99)))
    if minutes:
        yield Figure(f"change after {minutes:g} minutes", robustness.drift(weights, sounds[0], minutes), 0.01, True)


def _with_noise(sound: np.ndarray, snr_db: float) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(len(sound))
    return (sound + noise * sound.std() * 10 ** (-snr_db / 20)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--talk", type=Path, help="folder with videos of people talking")
    parser.add_argument("--held-out", type=Path, default=Path("out/a2m/held_out.pt"), help="made if it is not there")
    parser.add_argument("--held-out-minutes", type=float, default=4.0)
    parser.add_argument("--soak-minutes", type=float, default=0.0, help="look for drift over so long")
    options = parser.parse_args()
    torch.set_num_threads(1)
    listener = Listener(options.weights)
    samples, rate_hz = read_wav(_SPEECH)
    example = np.interp(np.arange(0, len(samples), rate_hz / RATE_HZ), np.arange(len(samples)), samples)
    sounds = [example.astype(np.float32)]
    options.held_out.parent.mkdir(parents=True, exist_ok=True)
    _show(held_out(options.weights, options.held_out, options.held_out_minutes))
    _show(unknown_engine(listener))
    if options.talk:
        clips = talk.load(options.talk)
        sounds += [clip.sound for clip in clips]
        for look_ahead_ms in LOOK_AHEADS_MS:
            figures = real(listener, clips, look_ahead_ms)
            _show(f for f in figures if look_ahead_ms == 80 or f.demand is not None)
    _show(robust(listener, options.weights, sounds, options.soak_minutes))


def _show(figures: Iterator[Figure]) -> None:
    for figure in figures:
        print(figure, flush=True)
    print()


if __name__ == "__main__":
    main()
