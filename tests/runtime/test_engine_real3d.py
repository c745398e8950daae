"""The engine of Real3D-Portrait around its networks: what they are given, and what becomes of their pictures."""

from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import ClassVar

import numpy as np
import pytest
import torch

from calibration.background import on_background
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.backends.state_store import StateStore
from models.errors import InputError
from models.face import load_face_model
from models.motion import Motion, expression
from models.portrait import Portrait
from models.private_store import PrivateStore
from models.real3d.camera import camera_labels
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.needs import SEGMENTER, SEGMENTER_FILE
from models.real3d.networks import STATE
from models.real3d.painter import CpuPainter
from models.real3d.portrait_state import PortraitState
from models.real3d.segmentation import BACKGROUND, BODY_SKIN, CLOTHES, FACE_SKIN, HAIR, OTHERS
from models.real3d.video_model import PortraitParts
from models.real3d.window import Window, window_of
from models.weights import Weights
from runtime.engines import Engine
from runtime.engines.real3d import Real3dEngine

WIDTH, HEIGHT = 400, 300
RED = (200, 10, 20)
MOUTH = np.s_[310:360, 180:330]  # of the coded faces, which always look straight out


class Networks:
    """An executor whose pictures are red all over, and take as long as is said by `clock`."""

    name, levels, device = "fake", 2, torch.device("cpu")

    def __init__(self) -> None:
        self.portraits: list[PortraitParts] = []
        self.states: list[PortraitState] = []
        self.drives: list[tuple[PortraitState, Drive]] = []
        self.drawn_at: list[int] = []
        self.is_open, self.now_ns, self.picture_ns = True, 0, 0

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        self.portraits.append(portrait)
        self.states.append(PortraitState(*(torch.full((1,), float(len(self.states))) for _ in PortraitState._fields)))
        return self.states[-1]

    def frame(self, state, drive, level=0):
        assert self.is_open
        self.now_ns += self.picture_ns
        self.drives.append((state, drive))
        self.drawn_at.append(level)
        return np.full((512, 512, 3), RED, np.uint8)

    def close(self) -> None:
        self.is_open = False


class Brought:
    """A user's own segmenter: clothes in the lower half, hair above."""

    used: ClassVar[list["Brought"]] = []

    def __init__(self, path: Path) -> None:
        self.path, self.closed = path, 0
        self.used.append(self)

    def __enter__(self) -> "Brought":
        return self

    def __exit__(self, *reason: object) -> None:
        self.closed += 1

    def __call__(self, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        classes = np.full(image.shape[:2], HAIR, np.uint8)
        classes[256:] = CLOTHES
        return classes


@pytest.fixture(scope="module")
def photo(portrait_png: Path) -> Portrait:
    return prepare_portrait(read_photo(portrait_png), (WIDTH, HEIGHT))


@pytest.fixture(scope="module")
def keep(photo: Portrait) -> Portrait:
    return on_background(photo, "keep")


@pytest.fixture(scope="module")
def window(keep: Portrait) -> Window:
    window = window_of(keep.landmarks, WIDTH, HEIGHT)
    assert window.side < WIDTH, "else nothing stands around it"
    return window


@pytest.fixture(scope="module")
def prepared(weights: Weights, face: Real3dFace, keep: Portrait):
    """The engine, its networks and an avatar of the bundled portrait."""
    networks = Networks()
    engine = Real3dEngine(weights, face, networks, lambda line: None)
    return engine, networks, engine.prepare(keep)


def levels(signed: torch.Tensor) -> np.ndarray:
    """A network's picture in 0..255."""
    return np.rint((signed[0].permute(1, 2, 0).numpy() + 1) * 127.5).astype(np.uint8)


def test_a_portrait_is_parted_for_the_networks(prepared, keep: Portrait, window: Window) -> None:
    engine, networks, _ = prepared
    assert isinstance(engine, Engine)
    parts, image = networks.portraits[0], window.cut(keep.image)
    segments = parts.segments[0].numpy()
    assert set(np.unique(segments)) == {0, 1} and (segments.sum(0) == 1).all()
    assert {BACKGROUND, HAIR, FACE_SKIN, BODY_SKIN, CLOTHES} <= set(np.unique(segments.argmax(0)))
    head = segments[[HAIR, FACE_SKIN, OTHERS]].any(0)
    np.testing.assert_array_equal(levels(parts.head), np.where(head[..., None], image, 0))
    dressed = segments[CLOTHES] > 0
    np.testing.assert_array_equal(levels(parts.torso)[dressed], image[dressed])
    np.testing.assert_array_equal(levels(parts.background), window.cut(keep.background))


def test_the_face_model_lies_on_the_portraits_face(prepared, keep: Portrait, window: Window) -> None:
    parts, points = prepared[1].portraits[0], prepared[1].portraits[0].key_points[0].numpy()
    vertices = load_face_model().keypoints68 + 1  # as the networks know them; the first vertices are the landmarks
    np.testing.assert_allclose(points[:, :2], window.landmarks(keep.landmarks)[vertices, :2] / 256 - 1, atol=0.02)
    assert not points[:, 2].any()
    smiling, neutral = ((each[0].numpy() == -1).all(0) for each in (parts.pncc_source, parts.pncc_canonical))
    assert smiling[MOUTH].sum() > 4 * neutral[MOUTH].sum(), "teeth show on the photo"


def test_at_rest_the_networks_are_given_the_portrait_as_it_is(prepared, face: Real3dFace) -> None:
    engine, networks, avatar = prepared
    engine.render(avatar, Motion(0))
    state, drive = networks.drives[-1]
    assert state is networks.states[0]
    np.testing.assert_allclose(CpuPainter(face)(drive), networks.portraits[0].pncc_source, atol=1e-6)
    np.testing.assert_allclose(drive.key_points, networks.portraits[0].key_points, atol=1e-6)
    straight = camera_labels(np.zeros(3, np.float32), np.zeros(3, np.float32))
    np.testing.assert_array_equal(drive.camera[0, 16:], straight[16:])


def test_turning_moves_the_camera_and_speaking_the_face(prepared) -> None:
    engine, networks, avatar = prepared
    engine.render(avatar, Motion(0))
    engine.render(avatar, Motion(0, rotation=np.array([0, 0.3, 0], np.float32)))
    engine.render(avatar, Motion(0, expression(jawOpen=0.7)))
    rest, turned, speaking = (drive for _, drive in networks.drives[-3:])
    np.testing.assert_array_equal(turned.expression, rest.expression)
    moved = (turned.camera - rest.camera)[0, :16].abs().max()
    assert moved > 0.2 and (turned.key_points - rest.key_points).abs().max() > 0.01
    np.testing.assert_array_equal(speaking.camera, rest.camera)
    assert (speaking.expression != rest.expression).any()
    assert (speaking.key_points - rest.key_points)[..., 1].max() > 0.02


def test_a_picture_is_drawn_at_the_level_that_is_asked_for(prepared) -> None:
    engine, networks, avatar = prepared
    assert engine.levels == 2
    for level in (1, 0):
        engine.render(avatar, Motion(0), level)
    engine.render(avatar, Motion(0))
    assert networks.drawn_at[-3:] == [1, 0, 0]


@pytest.mark.parametrize("background", ["keep", "#00ff00"])
def test_the_drawn_square_is_pasted_into_the_portrait(
    weights: Weights, face: Real3dFace, photo: Portrait, window: Window, background: str
) -> None:
    networks, portrait = Networks(), on_background(photo, background)
    engine = Real3dEngine(weights, face, networks, lambda line: None)
    picture = engine.render(engine.prepare(portrait), Motion(0))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    inner, square = slice(window.side // 4, -window.side // 4), np.zeros((HEIGHT, WIDTH), bool)
    square[window.top : window.top + window.side, window.left : window.left + window.side] = True
    drawn = picture[square].reshape(window.side, window.side, 3)
    assert (drawn[inner, inner] == RED).all()
    matte = portrait.matte[..., None]
    still = np.rint(matte * portrait.image + (1 - matte) * portrait.background)
    np.testing.assert_array_equal(picture[~square], still[~square])
    assert (np.abs(drawn[inner, 0] - still[square].reshape(drawn.shape)[inner, 0]) <= 16).all(), "begins softly"
    if background != "keep":
        assert (picture[[0, -1, 0], [0, 0, -1]] == (0, 255, 0)).all(1).any()
        assert networks.portraits[0].background.amax((0, 2, 3)).tolist() == [-1, 1, -1]


def test_each_avatar_keeps_its_own_state(weights: Weights, face: Real3dFace, keep: Portrait) -> None:
    networks = Networks()
    engine = Real3dEngine(weights, face, networks, lambda line: None)
    first, second = engine.prepare(keep), engine.prepare(replace(keep, background=255 - keep.background))
    for avatar, state in ((first, 0), (second, 1), (first, 0)):
        engine.render(avatar, Motion(0))
        assert networks.drives[-1][0] is networks.states[state]


def test_the_next_start_does_not_run_the_portraits_networks(
    weights: Weights, face: Real3dFace, keep: Portrait, tmp_path: Path
) -> None:
    networks, drawn = Networks(), []
    for _ in range(2):
        engine = Real3dEngine(
            weights, face, networks, lambda line: None, StateStore(PrivateStore(tmp_path), "a1", STATE)
        )
        engine.prepare(replace(keep, keepable=True))
        drawn.append(networks.drives[-1][0])
    assert len(networks.portraits) == 1 and drawn[1] is not drawn[0]
    assert [torch.equal(old, new) for old, new in zip(*drawn, strict=True)] == [True] * len(PortraitState._fields)
    engine.prepare(keep)
    assert len(networks.portraits) == 2, "what came from a page is not kept"


def test_a_portrait_without_background_is_refused_in_one_line(
    weights: Weights, face: Real3dFace, photo: Portrait
) -> None:
    networks = Networks()
    with pytest.raises(InputError, match="no transparent pictures; choose another background or engine") as caught:
        Real3dEngine(weights, face, networks, print).prepare(on_background(photo, "transparent"))
    assert "\n" not in str(caught.value) and not networks.portraits


def test_the_networks_are_freed_after_the_picture_that_is_being_drawn(
    weights: Weights, face: Real3dFace, keep: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = Networks()
    engine = Real3dEngine(weights, face, networks, lambda line: None)
    avatar = engine.prepare(keep)
    closing, draw = Thread(target=engine.close), networks.frame

    def frame(*drawn: object, **level: int) -> np.ndarray:
        closing.start()
        closing.join(0.2)
        return draw(*drawn, **level)

    monkeypatch.setattr(networks, "frame", frame)
    engine.render(avatar, Motion(0))
    closing.join()
    assert not networks.is_open


def test_a_brought_segmenter_tells_the_parts_and_is_closed_once(
    weights: Weights, face: Real3dFace, keep: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.engines.real3d.MulticlassSegmenter", Brought)
    monkeypatch.setattr(Brought, "used", [])
    networks = Networks()
    absent = tuple(part for part in weights.absent if part is not SEGMENTER)
    engine = Real3dEngine(replace(weights, absent=absent), face, networks, lambda line: None)
    engine.prepare(keep)
    assert (networks.portraits[0].segments[0, HAIR, :256] == 1).all()
    assert (networks.portraits[0].segments[0, CLOTHES, 256:] == 1).all()
    engine.close()
    engine.close()
    (segmenter,) = Brought.used
    assert segmenter.path == weights.folder / SEGMENTER_FILE and segmenter.closed == 1
    assert not networks.is_open
