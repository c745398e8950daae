"""Pictures to look at: source, what was asked for, what was rendered, the enlarged picture and the PNCC."""

from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from real3d_training.batches import Batch
from real3d_training.drawing import Outcome
from real3d_training.recipe import StageName


def write_sheet(path: Path, stage: StageName, batch: Batch, outcome: Outcome) -> None:
    """A row per pair."""
    whole = stage == "sr"
    columns = [
        batch.source.picture if whole else batch.source.head,
        batch.target.picture if whole else batch.target.head,
        outcome.rendered,
        outcome.picture,
        batch.target.pncc,
    ]
    side = batch.source.picture.shape[-1]
    rows = [np.hstack([_pixels(column[i], side) for column in columns]) for i in range(len(batch.source.picture))]
    Image.fromarray(np.vstack(rows)).save(path, quality=90)


def figures(stage: StageName, batch: Batch, outcome: Outcome) -> dict[str, float]:
    """PSNR in dB (a picture's range is 255 levels): of the drawn pictures, and of the sources left as they are.

    Of the head alone in the stages before `sr`; `head`: within the wanted head's outline.
    """
    wanted, still = (view.picture if stage == "sr" else view.head for view in (batch.target, batch.source))
    seen, mask = outcome.picture.cpu().float().clamp(-1, 1), batch.target.head_mask
    everywhere = torch.ones_like(mask)
    return {
        "psnr": _psnr(seen, wanted, everywhere),
        "psnr_head": _psnr(seen, wanted, mask),
        "still": _psnr(still, wanted, everywhere),
        "still_head": _psnr(still, wanted, mask),
    }


def _psnr(seen: Tensor, wanted: Tensor, mask: Tensor) -> float:
    missed = ((seen - wanted).square() * mask).sum() / (3 * mask.sum())
    return round(float(10 * torch.log10(4 / missed)), 2)


def _pixels(image: Tensor, side: int) -> np.ndarray:
    values = ((image.cpu().float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    return cv2.resize(values, (side, side), interpolation=cv2.INTER_NEAREST)
