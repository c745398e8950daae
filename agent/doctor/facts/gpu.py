"""NVIDIA's driver, and what torch makes of it."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT_S = 20.0  # the driver's first answer after the start of a machine is slow


@dataclass(frozen=True, slots=True)
class Torch:
    """The torch that is installed."""

    version: str
    cuda: str
    """The CUDA that it was built for; empty if it was built for none."""
    sees_gpu: bool


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first GPU."""

    has_device: bool
    """Whether the kernel has one of NVIDIA's."""
    fault: str
    """What nvidia-smi complains of; empty if nothing."""
    name: str
    driver: str
    """Version."""
    cuda: str
    """The newest CUDA that the driver knows."""
    free_mb: int
    torch: Torch | None
    """None where it is not there, or no engine wants it."""


def look_at_gpu(with_torch: bool, root: Path = Path("/")) -> Gpu:
    """Importing torch takes seconds: `with_torch` asks for it."""
    torch = _torch() if with_torch else None
    has_device = (root / "dev/nvidiactl").exists() or (root / "proc/driver/nvidia/version").exists()
    try:
        listed = _smi("--query-gpu=name,driver_version,memory.free", "--format=csv,noheader,nounits")
        name, driver, free = (part.strip() for part in listed.splitlines()[0].split(","))
        free_mb = int(free) if free.isdecimal() else 0  # "[N/A]" where memory is the computer's
        cuda = re.search(r"CUDA Version: ([\d.]+)", _smi())
    except FileNotFoundError:
        return Gpu(has_device, "nvidia-smi is not installed" if has_device else "", "", "", "", 0, torch)
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        return Gpu(has_device, _complaint(error), "", "", "", 0, torch)
    return Gpu(True, "", name, driver, cuda[1] if cuda else "", free_mb, torch)


def _smi(*arguments: str) -> str:
    done = subprocess.run(["nvidia-smi", *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    return done.stdout


def _complaint(error: Exception) -> str:
    told = (error.stdout or error.stderr or "") if isinstance(error, subprocess.CalledProcessError) else ""
    return " ".join(told.split()) or f"nvidia-smi gives no answer ({type(error).__name__})"


def _torch() -> Torch | None:
    try:
        import torch
    except (ImportError, OSError):  # OSError: a library under it
        return None
    return Torch(torch.__version__, torch.version.cuda or "", torch.cuda.is_available())
