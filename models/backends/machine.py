"""This machine, as far as what a backend draws may depend on it."""

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

_PACKAGES = ("onnxruntime", "onnxruntime-gpu", "triton", "tensorrt")
_DRIVER = Path("/proc/driver/nvidia/version")


def machine() -> str:
    """Device, driver and the versions of all that computes on it, in one line."""
    on_gpu = torch.cuda.is_available()
    told = [torch.cuda.get_device_name() if on_gpu else f"CPU {torch.backends.cpu.get_cpu_capability()}"]
    if on_gpu:
        with suppress(OSError, IndexError):  # Linux alone tells it so
            told.append(" ".join(_DRIVER.read_text().splitlines()[0].split()))
        told.append(f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}")  # type: ignore[no-untyped-call]
    told.append(f"torch {torch.__version__}")
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            told.append(f"{package} {version(package)}")
    return ", ".join(told)
