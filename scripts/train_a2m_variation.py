"""Trains the natural variation of the mouth on top of the speech network; writes models/data/mouth_variation.onnx.

The speech network stays as it is: its answers are all that is heard of the sound, so the variation goes on top of any
weights that answer in the same terms. Needs the `train` extra and espeak-ng. The speech is made and heard first, and
kept in --out for the next time with the same speech weights.

    python scripts/train_a2m_variation.py --out out/a2m
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from a2m import variation_step
from a2m.losses import delayed
from a2m.network import LOOK_AHEADS_MS
from a2m.spoken import DRAWS, Spoken
from a2m.variation import Bound, Variation
from torch import Tensor, nn

from models.audio.speech_mouth import WEIGHTS as SPEECH_WEIGHTS
from models.audio.variation import WEIGHTS

_HOP_MS = 20
_EXACT = 1e-5
_HEARD_AT = LOOK_AHEADS_MS.index(80)


def train(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    trained = Spoken.cached(options.out, options.sessions, options.speech_weights)
    held_out = Spoken.cached(options.out, options.held_out, options.speech_weights, True)
    net, rng = Variation(), np.random.default_rng(options.seed)
    optimiser = torch.optim.AdamW(net.parameters(), options.rate, betas=(0.9, 0.98), weight_decay=0.01)
    started = time.monotonic()
    for step in range(options.steps):
        done = step / options.steps
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1.0, (step + 1) / 50, 0.02 + 1 - max(0.0, done - 0.3) / 0.7)
        chosen = rng.integers(0, len(trained.plain), options.batch)
        bound = net.bound(*batch(trained, chosen, int(rng.integers(DRAWS)), int(rng.integers(len(LOOK_AHEADS_MS)))))
        loss = min(1.0, 0.05 + done / 0.3) * bound.divergence - bound.likelihood
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}/{options.steps}  {_said(bound)}  {time.monotonic() - started:.0f} s", flush=True)
    net.eval()
    torch.save(net.state_dict(), options.out / "variation.pt")
    report(net, held_out)
    variation_step.write(net, options.weights)
    difference = variation_step.difference(net, options.weights)
    if difference > _EXACT:
        raise SystemExit(f"the exported step differs from the network by {difference:.1e}: look at variation_step.Step")


def batch(spoken: Spoken, chosen: np.ndarray, draw: int, head: int) -> tuple[Tensor, Tensor, Tensor]:
    """Answers, curves by the table, curves said otherwise: each [batch, 400, ...], all about the same instants."""
    hops = LOOK_AHEADS_MS[head] // _HOP_MS
    plain, varied = spoken.plain[chosen].float(), spoken.varied[chosen, draw].float()
    return spoken.answers[chosen][:, :, head].float(), delayed(plain, hops), delayed(varied, hops)


def report(net: Variation, held_out: Spoken) -> None:
    """The bound on voices that nothing was learned from, beside simpler densities of the same curves."""
    everyone = np.arange(len(held_out.plain))
    parts = [batch(held_out, everyone, draw, _HEARD_AT) for draw in range(DRAWS)]
    with torch.no_grad():
        bounds = [net.bound(*part) for part in parts]
    mean = Bound(*(torch.stack([getattr(b, name) for b in bounds]).mean() for name in ("likelihood", "divergence")))
    print(f"held-out voices: {_said(mean)}")
    changes = torch.stack([varied - plain for _, plain, varied in parts])
    print(f"  independent Gaussian of every curve    {_gaussian(changes):7.2f}")
    keep = (changes[..., 1:, :] * changes[..., :-1, :]).sum((0, 1, 2)) / (changes[..., :-1, :] ** 2).sum((0, 1, 2))
    innovations = changes[..., 1:, :] - keep * changes[..., :-1, :]
    print(f"  first-order Gauss-Markov of every curve {_gaussian(innovations):6.2f}")


def _gaussian(values: Tensor) -> float:
    """Nats per hop of values [..., 15] under their own Gaussians, none narrower than the network may be."""
    sigma = values.flatten(0, -2).std(0).clamp(min=0.01)
    return float((-0.5 * (values / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)).sum(-1).mean())


def _said(bound: Bound) -> str:
    total = (bound.likelihood - bound.divergence).item()
    return f"bound {total:6.2f} nats per hop (likelihood {bound.likelihood:6.2f}, divergence {bound.divergence:5.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/a2m"), help="the speech that was made, the last network")
    parser.add_argument("--speech-weights", type=Path, default=SPEECH_WEIGHTS, help="the speech network")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the finished variation")
    parser.add_argument("--sessions", type=int, default=320, help="of 8 s, to learn from")
    parser.add_argument("--held-out", type=int, default=40, help="sessions of other voices")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
