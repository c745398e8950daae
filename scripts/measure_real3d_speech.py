"""How near Real3D-Portrait's live expressions come to those of the whole clip, by look-ahead; and what they cost.

    python scripts/measure_real3d_speech.py SPEECH.wav --a2m MODEL.ckpt --hubert FOLDER
    python scripts/measure_real3d_speech.py SPEECH.wav            without weights: see below

Without weights both are filled with numbers made of their names, as in the tests, and log-mel frames mixed at random
stand in for HuBERT's features. A correlation is the mean (and the least) over the 64 coefficients.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from a2m.sound import read_wav
from scipy.signal import resample_poly
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent.parent))

from golden.fill import fill_tensors, generator

from models.audio.hubert import HOP, Hubert
from models.audio.hubert_file import load_hubert
from models.audio.hubert_stream import HubertStream
from models.audio.mel import BANDS, RATE_HZ, LogMel
from models.audio.pitch import PitchTracker, coarse
from models.real3d.audio_to_motion import FEATURES, AudioToMotion, load_audio_to_motion
from models.real3d.speech_stream import Delivery, MotionStream, step_noise

LOOK_AHEADS = (0, 2, 3, 4, 6, 10)
"""Motion frames of 40 ms."""
EDGE = 25
"""Frames at both ends that do not count."""
MANIFEST = Path(__file__).parent.parent / "tests" / "models" / "real3d" / "audio2secc_vae.json"


def load_network(checkpoint: Path | None) -> AudioToMotion:
    if checkpoint is None:
        return load_audio_to_motion(fill_tensors(json.loads(MANIFEST.read_text())))
    return load_audio_to_motion(torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]["model"])


def stand_in(sound: np.ndarray) -> Tensor:
    mel = LogMel().push(sound[: len(sound) // HOP * HOP])[1::2]
    mel = (mel - mel.mean(0)) / mel.std(0)
    mixed = 0.3 * mel @ generator("mixed").standard_normal((BANDS, FEATURES)) / BANDS**0.5
    return torch.from_numpy(mixed.astype(np.float32))


@torch.inference_mode()
def whole_clip(network: AudioToMotion, features: Tensor, f0: np.ndarray, delivery: Delivery) -> np.ndarray:
    pitch = torch.from_numpy(coarse(f0)[None])
    noise = delivery.temperature * step_noise(delivery.seed, 0, len(f0) // 8)
    amp = torch.tensor([[delivery.mouth_amp]])
    return network(features[None], pitch, torch.zeros_like(pitch), amp, noise[None])[0].numpy()


def likeness(live: np.ndarray, whole: np.ndarray) -> str:
    a, b = live[EDGE:-EDGE], whole[EDGE : len(live) - EDGE]
    each = [np.corrcoef(x, y)[0, 1] for x, y in zip(a.T, b.T, strict=True)]
    return f"{np.mean(each):.3f} ({np.min(each):.2f})"


def cost_of_hubert(hubert: Hubert, sound: np.ndarray) -> None:
    stream = HubertStream(hubert)
    stream.push(sound[: 3 * RATE_HZ])
    begun = time.process_time()
    stream.push(sound[3 * RATE_HZ : 3 * RATE_HZ + RATE_HZ // 5])
    print(f"HuBERT, live: {5 * (time.process_time() - begun):.2f} s of processor time per second of sound")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--a2m", type=Path)
    parser.add_argument("--hubert", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    samples, rate_hz = read_wav(args.speech)
    sound = resample_poly(samples, RATE_HZ, rate_hz).astype(np.float32)
    network = load_network(args.a2m)
    begun = time.process_time()
    f0 = PitchTracker().push(sound)
    print(f"pitch: {1e3 * (time.process_time() - begun) / (len(sound) / RATE_HZ):.1f} ms per second of sound")
    if args.hubert:
        hubert = load_hubert(args.hubert)
        cost_of_hubert(hubert, sound)
        with torch.inference_mode():
            features = hubert(torch.from_numpy((sound - sound.mean()) / sound.std())[None])[0]
    else:
        features = stand_in(sound)
    count = min(len(f0), len(features)) // 8 * 8
    features, f0 = features[:count], f0[:count]
    print("look-ahead | correlation | without chance | ms of processor time per second of sound")
    for ahead in LOOK_AHEADS:
        cells = []
        for delivery in (Delivery(), Delivery(temperature=0.0)):
            begun = time.process_time()
            live = MotionStream(network, delivery, ahead).push(features, f0)
            spent = 1e3 * (time.process_time() - begun) / (count / 50)
            cells.append(likeness(live, whole_clip(network, features, f0, delivery)))
        print(f"{40 * ahead:4d} ms | {' | '.join(cells)} | {spent:.0f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
