"""The engine of Real3D-Portrait on the bundled portrait, with a stand-in for the networks."""

import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from calibration.background import on_background
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.motion import Motion, expression
from models.portrait import Portrait
from models.real3d import kernels
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.networks import PORTRAIT_SHAPES
from models.real3d.painter import CpuPainter
from models.real3d.portrait_state import PortraitState
from models.real3d.video_model import PortraitParts
from models.weights import Weights
from runtime.clock import MonotonicClock
from runtime.engines.real3d import Real3dEngine

BLINK = Motion(0, expression(eyeBlinkLeft=1, eyeBlinkRight=1))


class Networks:
    """An executor: the picture is the PNCC that it is given. Two callers at once are an error."""

    name, levels, device = "fake", 1, torch.device("cpu")

    def __init__(self, face: Real3dFace) -> None:
        self._paint = CpuPainter(face)
        self.drawn, self.together, self.closed, self._busy = 0, 0, 0, threading.Lock()
        self.parts: PortraitParts | None = None
        self.given: list[torch.Tensor] = []
        self.hold = threading.Event()
        self.hold.set()

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        self.parts = portrait
        return PortraitState(*[torch.zeros(1)] * len(PORTRAIT_SHAPES))

    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> np.ndarray:
        alone = self._busy.acquire(blocking=False)
        self.together += not alone
        self.drawn += 1
        pncc = self._paint(drive)
        self.given.append(pncc)
        self.hold.wait(30)
        if alone:
            self._busy.release()
        return ((pncc[0] + 1) * 127.5).to(torch.uint8).permute(1, 2, 0).numpy()

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(scope="module")
def portrait(portrait_png: Path) -> Portrait:
    return prepare_portrait(read_photo(portrait_png), (256, 256))


def test_prepared_it_draws_and_blinks_with_nothing_left_to_compile(
    weights: Weights, face: Real3dFace, portrait: Portrait
) -> None:
    networks = Networks(face)
    engine = Real3dEngine(weights, face, networks, print)
    avatar = engine.prepare(on_background(portrait, "#00ff00"))
    compiled = [len(kernel.signatures) for kernel in (kernels.to_bytes, kernels.from_bytes)]
    warm = [*networks.given]
    open_eyes, closed = engine.render(avatar, Motion(0)), engine.render(avatar, BLINK)
    assert [len(kernel.signatures) for kernel in (kernels.to_bytes, kernels.from_bytes)] == compiled == [1, 1]
    assert torch.equal(warm[0], networks.given[-1]), "the first that it drew has closed eyes"
    assert open_eyes.shape == (256, 256, 3) and not np.array_equal(open_eyes, closed)
    assert networks.parts is not None
    assert networks.parts.background.amax((0, 2, 3)).tolist() == [-1, 1, -1], "the background that was wished"
    for _ in range(2):
        engine.close()
    assert engine.backend == "fake" and not engine.portable and networks.closed == 2


def test_portraits_are_prepared_beside_a_picture_but_drawn_after_it(
    weights: Weights, face: Real3dFace, portrait: Portrait
) -> None:
    networks = Networks(face)
    engine, photo = Real3dEngine(weights, face, networks, print), on_background(portrait, "keep")
    avatar = engine.prepare(photo)
    drawn, networks.parts = networks.drawn, None
    networks.hold.clear()
    threads = [
        threading.Thread(target=engine.render, args=(avatar, BLINK)),
        threading.Thread(target=engine.prepare, args=(photo,)),
    ]
    for thread in threads:
        thread.start()
    threading.Timer(1.0, networks.hold.set).start()
    for thread in threads:
        thread.join(60)
    assert networks.drawn > drawn + 1 and networks.together == 0


@pytest.mark.parametrize(
    ("slow_s", "told"),
    [(0.03, []), (0.06, ["keeps this machine busy"]), (6.0, ["needs an NVIDIA GPU"])],
)
def test_slow_pictures_are_told_of_the_first_not_counted(
    weights: Weights,
    face: Real3dFace,
    portrait: Portrait,
    monkeypatch: pytest.MonkeyPatch,
    slow_s: float,
    told: list[str],
) -> None:
    now_ns, networks, said = 0, Networks(face), []

    def frame(*drive: object) -> np.ndarray:
        nonlocal now_ns
        networks.drawn += 1
        now_ns += 5_000_000_000 if networks.drawn == 1 else round(slow_s * 1e9)
        return np.zeros((512, 512, 3), np.uint8)

    monkeypatch.setattr(MonotonicClock, "now_ns", lambda clock: now_ns)
    networks.frame = frame
    Real3dEngine(weights, face, networks, said.append).prepare(on_background(portrait, "keep"))
    assert len(said) == len(told)
    for line, remedy in zip(said, told, strict=True):
        assert line.startswith(f"real3d takes {slow_s:.2g} s for a picture here (fake)") and remedy in line
