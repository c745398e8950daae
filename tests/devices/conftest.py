"""The virtual machine, and what its guests report."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from vm.boot import ROOT, boot
from vm.build import SHARE, build
from vm.debian import UnavailableError

from calibration.photo import read_photo
from tests.agent.clips import make_clip

Guest = Callable[[str, float], dict[str, Any]]

_CPU = {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": ""}  # kernels compiled here serve there, too
_WEBCAM_SIDE = 384


@pytest.fixture(scope="session")
def guest() -> Guest:
    """Runs `tests.devices.guest.NAME` for so many seconds at most, and returns its report."""
    try:
        build()
    except UnavailableError as error:
        pytest.skip(f"no virtual machine: {error}")

    def run(name: str, limit_s: float) -> dict[str, Any]:
        settings = {"PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1", **_caches(Path("/mnt"))}
        try:
            status, said = boot(name, [sys.executable, "-m", f"tests.devices.guest.{name}"], settings, limit_s)
        except UnavailableError as error:
            pytest.skip(f"no virtual machine: {error}")
        report = SHARE / name / "report.json"
        written = report.read_text() if report.exists() else ""
        assert status == 0, f"the guest {name} failed: {said[-3000:]}{written}"
        return json.loads(written)

    return run


@pytest.fixture(scope="session")
def prepared(guest: Guest, portrait_png: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Who is before the guest's webcam; its portrait and compiled kernels, which would take it minutes to make."""
    face = cv2.resize(read_photo(portrait_png), (_WEBCAM_SIDE, _WEBCAM_SIDE), interpolation=cv2.INTER_AREA)
    np.save(SHARE / "webcam.npy", cv2.cvtColor(face, cv2.COLOR_RGB2YUV_I420))
    folder = tmp_path_factory.mktemp("prepared")
    clip = make_clip(folder / "clip.mp4", [face] * 5, 5)
    words = ["run", f"--portrait={portrait_png}", "--mode=video", f"--camera={clip}", "--size=256"]
    code = "from agent.program import program; program()"
    command = [sys.executable, "-c", code, *words, f"--output={folder / 'out.mp4'}"]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **_caches(SHARE)})


@pytest.fixture(scope="session")
def run_report(guest: Guest, prepared: None) -> dict[str, Any]:
    """Of `agent run` between a webcam and all that watch: booted once for all of its tests."""
    return guest("run", 2400)


def _caches(share: Path) -> dict[str, str]:
    for name in ("agent", "numba"):
        (SHARE / "cache" / name).mkdir(parents=True, exist_ok=True)
    return {"AGENT_CACHE": f"{share}/cache/agent", "NUMBA_CACHE_DIR": f"{share}/cache/numba", **_CPU}
