"""Cores, memory and clock."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Computer:
    """What a run has to live on."""

    cores: int
    """That this process may use."""
    load: float
    """How many processes wanted a core, on average over the last minute; 0 where the system does not say."""
    free_memory_bytes: int | None
    """Without swapping; None where the system does not say."""
    clock_step_s: float
    """Of the monotonic clock."""


def look_at_computer(root: Path = Path("/")) -> Computer:
    """Reads below `root`."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    load = os.getloadavg()[0] if sys.platform != "win32" else 0.0
    return Computer(cores, load, _free_memory_bytes(root / "proc/meminfo"), time.get_clock_info("monotonic").resolution)


def _free_memory_bytes(meminfo: Path) -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        return 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, ValueError, KeyError):
        return None
