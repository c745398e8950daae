"""Whether the kernels written for the GPU can run."""

from importlib.util import find_spec

import torch


def runs_triton(device: torch.device) -> bool:
    """Whether Triton's kernels, `volume_triton` among them, run on the device; import them only then."""
    return device.type == "cuda" and find_spec("triton") is not None
