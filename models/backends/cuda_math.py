"""How this process computes on GPUs."""

import torch


def repeatable() -> None:
    """From now on: convolutions in full float32, not in TF32, and by kernels that are chosen alike in every run."""
    cudnn = torch.backends.cudnn
    cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic = False, False, True
