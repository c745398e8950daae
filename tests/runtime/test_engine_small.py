"""The engine of the small model: what its networks are given, and what becomes of their pictures."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.backends.state_store import StateStore
from models.backends.torch_executor import TorchExecutor
from models.errors import AgentError
from models.face import load_face_model
from models.metrics.pictures import psnr_db
from models.motion import Motion, expression
from models.portrait import Portrait
from models.private_store import PrivateStore
from models.small.drive import Drive
from models.small.model import SmallModel
from models.small.paper import STATE, load_small_paper, small_paper
from models.small.portrait_state import PortraitParts, PortraitState
from models.topology import CHIN, FOREHEAD_TOP, LOWER_LIP, UPPER_LIP
from runtime.engines import Engine
from runtime.engines.builtin import BuiltinEngine
from runtime.engines.small import SmallEngine

SIZE = 320
RED = (200, 10, 20)


class Networks:
    """An executor that draws a red disc in the middle of the window."""

    name, levels, device = "fake", 2, torch.device("cpu")

    def __init__(self) -> None:
        self.portraits: list[PortraitParts] = []
        self.drives: list[Drive] = []
        self.drawn_at: list[int] = []

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        self.portraits.append(portrait)
        return PortraitState(*(torch.full((1,), 1.0) for _ in STATE.names))

    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> np.ndarray:
        self.drives.append(drive)
        self.drawn_at.append(level)
        y, x = np.mgrid[:256, :256] - 127.5
        return np.where((x**2 + y**2 < 20**2)[..., None], (*RED, 255), 0).astype(np.uint8)

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def portrait(portrait_png: Path) -> Portrait:
    return prepare_portrait(read_photo(portrait_png)[:280, 90:370], (SIZE, SIZE))


def face_middle(portrait: Portrait) -> np.ndarray:
    return portrait.landmarks[[CHIN, FOREHEAD_TOP], :2].mean(0)


def red_middle(picture: np.ndarray) -> np.ndarray:
    return np.argwhere((np.abs(picture[..., :3].astype(int) - RED) < 20).all(-1)).mean(0)[::-1]


def test_the_head_goes_where_the_face_goes(portrait: Portrait) -> None:
    networks = Networks()
    engine = SmallEngine(networks, lambda line: None)
    assert isinstance(engine, Engine) and (engine.name, engine.levels, engine.portable) == ("small", 2, False)
    avatar = engine.prepare(portrait)
    picture = engine.render(avatar, Motion(0), level=1)
    assert networks.drawn_at[-1] == 1 and picture.shape == portrait.image.shape
    assert np.linalg.norm(red_middle(picture) - face_middle(portrait)) < 12
    aside = engine.render(avatar, Motion(0, translation=np.array([0.3, 0, 0], np.float32)))
    width = float(np.linalg.norm(portrait.landmarks[33, :2] - portrait.landmarks[263, :2]))
    went = red_middle(aside) - red_middle(picture)
    assert went[0] == pytest.approx(0.3 * width, rel=0.1) and abs(went[1]) < 2
    foot = np.s_[-20:, 100:-100]
    assert np.abs(picture[foot].astype(int) - portrait.image[foot]).mean() < 3, "the torso is the photo's"
    assert np.abs(aside[foot].astype(int) - picture[foot]).mean() > 1, "it follows the head a little"


def test_networks_are_given_the_face_and_its_turn(portrait: Portrait) -> None:
    networks = Networks()
    engine = SmallEngine(networks, lambda line: None)
    avatar = engine.prepare(portrait)
    assert len(networks.portraits) == 1, "the planes of a portrait are made once"
    engine.render(avatar, Motion(0))
    engine.render(avatar, Motion(0, expression(jawOpen=0.8), np.array([0, 0.3, 0], np.float32)))
    rest, moved = networks.drives[-2:]
    gap = [float((d.canonical[0, LOWER_LIP[5]] - d.canonical[0, UPPER_LIP[5]]).norm()) for d in (rest, moved)]
    assert gap[1] > gap[0] + 0.1
    turn = moved.rotation[0] @ rest.rotation[0].T
    assert float(torch.acos((turn.trace() - 1) / 2)) == pytest.approx(0.3, abs=1e-3)


def test_networks_that_fail_are_told_in_one_line_with_a_remedy(portrait: Portrait) -> None:
    networks = Networks()
    engine = SmallEngine(networks, lambda line: None)
    avatar = engine.prepare(portrait)

    def fail(state: PortraitState, drive: Drive, level: int = 0) -> np.ndarray:
        raise RuntimeError("[ONNXRuntimeError] : 6 : no memory\nframe #0: here\n")

    networks.frame = fail  # type: ignore[method-assign]
    told = r"the networks of small fail on fake \(RuntimeError: .* 6 : no memory frame #0: here\): free memory, or"
    with pytest.raises(AgentError, match=told):
        engine.render(avatar, Motion(0))


def test_without_a_background_pictures_are_transparent(portrait: Portrait) -> None:
    engine = SmallEngine(Networks(), lambda line: None)
    picture = engine.render(engine.prepare(replace(portrait, background=None)), Motion(0))
    assert picture.shape == (SIZE, SIZE, 4)
    x, y = face_middle(portrait).round().astype(int)
    assert picture[y, x, 3] == 255 and picture[5, 5, 3] == 0 and picture[-5, SIZE // 2, 3] > 250


def test_the_weights_that_come_along_show_the_portrait_and_move_it(
    portrait: Portrait, tmp_path: Path, one_thread: None
) -> None:
    paper, digest = load_small_paper()
    states = StateStore(PrivateStore(tmp_path), digest, paper.state)
    engine = SmallEngine(TorchExecutor(paper, torch.device("cpu")), lambda line: None, states)
    teacher = BuiltinEngine()
    avatar, taught = engine.prepare(portrait), teacher.prepare(portrait)
    rest = engine.render(avatar, Motion(0))
    assert np.array_equal(rest, engine.render(avatar, Motion(0)))
    assert psnr_db(rest, portrait.image) > 26
    turned = Motion(0, rotation=np.array([0.05, 0.25, 0], np.float32))
    assert psnr_db(engine.render(avatar, turned), teacher.render(taught, turned)) > 22
    smile = Motion(0, expression(mouthSmileLeft=1, mouthSmileRight=1))
    wanted = teacher.render(taught, smile).astype(int) - teacher.render(taught, Motion(0))
    drawn = engine.render(avatar, smile).astype(int) - rest
    assert (wanted * drawn).sum() / (wanted**2).sum() > 0.4, "as much of a smile as is asked for"
    engine.close()


def test_the_weights_that_come_along_draw_mouth_and_lids_as_no_unlearnt_ones_do(
    portrait: Portrait, one_thread: None
) -> None:
    torch.manual_seed(1)
    unlearnt = small_paper(SmallModel().eval().requires_grad_(False), load_face_model())
    said = Motion(0, expression(jawOpen=0.8, mouthPucker=0.4, eyeBlinkLeft=1, eyeBlinkRight=1, eyeSquintLeft=0.5))
    teacher = BuiltinEngine()
    wanted = teacher.render(teacher.prepare(portrait), said)
    inside = face_box(portrait)
    near = []
    for paper in (load_small_paper()[0], unlearnt):
        engine = SmallEngine(TorchExecutor(paper, torch.device("cpu")), lambda line: None)
        drawn = engine.render(engine.prepare(portrait), said)
        near.append(psnr_db(drawn[inside], wanted[inside]))
        engine.close()
    assert near[0] > near[1] + 2, near


def face_box(portrait: Portrait) -> tuple[slice, slice]:
    (left, top), (right, bottom) = (f(portrait.landmarks[:, :2], 0).astype(int) for f in (np.min, np.max))
    return slice(top, bottom), slice(left, right)
