"""How near what Talk3D hears live comes to what it hears of the whole clip, by look-ahead, and what that does to it.

    python scripts/measure_talk3d_speech.py SPEECH.wav --driver driver.safetensors --wav2vec model.safetensors
    python scripts/measure_talk3d_speech.py SPEECH.wav            without weights: see below

Without weights all networks are filled with numbers made of their names, as in the tests: speech then moves the planes
in no sensible way. A correlation is that of all numbers over all frames, each less its mean over the frames.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from a2m.sound import read_wav
from safetensors.torch import load_file
from scipy.signal import resample_poly
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.fill import fill_tensors
from golden.talk3d import filled_weights
from golden.talk3d_inputs import frame_and_null, normal

from models.audio.hubert_stream import HubertStream
from models.audio.mel import RATE_HZ
from models.talk3d.audio_windows import PER_FRAME, frame_sound
from models.talk3d.checkpoint_file import Driver
from models.talk3d.delta_planes import PlaneFeatures
from models.talk3d.speech_scores import SpeechScores, load_speech_scores
from models.talk3d.speech_stream import BEFORE, LOOK_AHEAD_NS, REACH

AHEADS = (0, 4, 10)
"""Scores of 20 ms."""
STEP = 6
"""Planes are computed of every so manieth frame."""


def load_driver(path: Path | None) -> Driver:
    driver = Driver().eval().requires_grad_(False)
    driver.load_state_dict(filled_weights("deltaplane_predictor", "conditions") if path is None else load_file(path))
    return driver


def load_scores(path: Path | None) -> SpeechScores:
    if path is not None:
        return load_speech_scores(path)
    network = SpeechScores().eval().requires_grad_(False)
    network.load_state_dict(fill_tensors({name: tuple(v.shape) for name, v in network.state_dict().items()}))
    return network


def live_scores(network: SpeechScores, sound: np.ndarray, ahead: int) -> np.ndarray:
    return network.lm_head(HubertStream(network.wav2vec2, PER_FRAME, BEFORE, ahead).push(sound)).numpy()


def tokens(driver: Driver, scores: np.ndarray, count: int) -> Tensor:
    frame, _ = frame_and_null()
    heard = torch.from_numpy(np.stack([frame_sound(scores, k) for k in range(count)]))
    others = [values.expand(count, *values.shape[1:]) for values in frame[1:]]
    return driver.conditions(frame._replace(sound=heard, **dict(zip(frame._fields[1:], others, strict=True))))


def planes(driver: Driver, features: PlaneFeatures, told: Tensor) -> Tensor:
    return torch.cat([driver.deltaplane_predictor(features, row[None]) for row in told[::STEP]])


def correlation(live: Tensor, whole: Tensor) -> float:
    a, b = (values - values.mean(0) for values in (live, whole))
    return float((a * b).sum() / (a.norm() * b.norm()))


@torch.inference_mode()
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--driver", type=Path)
    parser.add_argument("--wav2vec", type=Path)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    samples, rate_hz = read_wav(args.speech)
    sound = resample_poly(samples, RATE_HZ, rate_hz).astype(np.float32)[: round(args.seconds * RATE_HZ)]
    driver, network = load_driver(args.driver), load_scores(args.wav2vec)
    whole = network(torch.from_numpy((sound - sound.mean()) / sound.std())[None])[0].numpy()
    count = (len(whole) - max(AHEADS) - REACH) // PER_FRAME
    features = driver.deltaplane_predictor.read(torch.unflatten(normal("pred_planes", 1, 96, 256, 256), 1, (3, 32)))
    told = tokens(driver, whole, count)
    moved = planes(driver, features, told)
    print(f"{count} frames; the engine looks {LOOK_AHEAD_NS / 1e6:.0f} ms ahead")
    print("look-ahead | token of speech | planes | processor time per second of sound")
    for ahead in AHEADS:
        begun = time.process_time()
        scores = live_scores(network, sound, ahead)
        spent = (time.process_time() - begun) / args.seconds
        live = tokens(driver, scores, count)
        cells = correlation(live[:, 0], told[:, 0]), correlation(planes(driver, features, live), moved)
        print(f"{20 * (REACH + ahead + 2):6d} ms | {cells[0]:.3f} | {cells[1]:.3f} | {spent:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
