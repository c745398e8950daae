"""The engine of GOHA around its networks: what they are given, and what becomes of their pictures."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from golden.face_file import goha_content
from scipy.io import savemat

from calibration.background import on_background
from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.backends.state_store import StateStore
from models.errors import InputError
from models.face import load_face_model
from models.goha.coefficients import CoefficientNetwork
from models.goha.crop import cut_out, five_points, square_of
from models.goha.drive import Drive
from models.goha.face import GohaFace, load_goha_face
from models.goha.paper import STATE
from models.goha.person_reader import PersonReader
from models.goha.portrait_state import PortraitParts, PortraitState
from models.motion import Motion, expression
from models.portrait import Portrait
from models.private_store import PrivateStore
from runtime.engines import Engine
from runtime.engines.goha import GohaEngine

WIDTH, HEIGHT = 400, 300
RED = (200, 10, 20)
EXEMPLAR = torch.zeros(1, 3, 512, 512)


class Networks:
    """An executor that draws a red disc in the middle of the square."""

    name, levels, device = "fake", 3, torch.device("cpu")

    def __init__(self) -> None:
        self.portraits: list[PortraitParts] = []
        self.drives: list[tuple[PortraitState, Drive]] = []
        self.drawn_at: list[int] = []
        self.is_open = True

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        self.portraits.append(portrait)
        return PortraitState(*(torch.full((1,), float(len(self.portraits))) for _ in STATE.names))

    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> np.ndarray:
        assert self.is_open
        self.drives.append((state, drive))
        self.drawn_at.append(level)
        y, x = np.mgrid[:512, :512] - 255.5
        return np.where((x**2 + y**2 < 40**2)[..., None], (*RED, 255), 0).astype(np.uint8)

    def close(self) -> None:
        self.is_open = False


class Rows(CoefficientNetwork):
    """Reads every face alike."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return 0.1 * torch.sin(torch.arange(257.0))[None]


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> GohaFace:
    """Our own, in the layout of the licensed one, grey."""
    path = tmp_path_factory.mktemp("face") / "face.mat"
    savemat(path, goha_content(load_face_model()))
    return load_goha_face(path)


@pytest.fixture(scope="module")
def photo(portrait_png: Path) -> Portrait:
    return prepare_portrait(read_photo(portrait_png), (WIDTH, HEIGHT))


@pytest.fixture(scope="module")
def keep(photo: Portrait) -> Portrait:
    return on_background(photo, "keep")


def opened(face: GohaFace, reader: PersonReader | None = None, states: StateStore | None = None):
    networks = Networks()
    reader = reader or PersonReader(None, EXEMPLAR)
    return GohaEngine(face, reader, networks, lambda line: None, states), networks


@pytest.fixture(scope="module")
def prepared(face: GohaFace, keep: Portrait):
    """The engine, its networks and an avatar of the bundled portrait."""
    engine, networks = opened(face)
    return engine, networks, engine.prepare(keep)


def disc(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Middle and area of what is red."""
    found = np.argwhere((np.abs(picture.astype(int) - RED) <= 1).all(2))
    return found.mean(0)[::-1], len(found)


def test_the_person_is_cut_out_with_the_face_in_the_middle(prepared, face: GohaFace, keep: Portrait) -> None:
    engine, networks, _ = prepared
    assert isinstance(engine, Engine) and not engine.portable and engine.levels == 3
    picture = networks.portraits[0].picture[0].permute(1, 2, 0).numpy()
    assert picture.shape == (512, 512, 3) and (picture[216:296, 216:296] > -1).any(2).mean() > 0.99
    points = five_points(keep.landmarks[load_face_model().keypoints68, :2])
    square = square_of(points, five_points(face.model.mean[face.model.keypoints68]))
    assert 0.2 < np.linalg.norm(points[1] - points[0]) / square.side < 0.35
    matte, photo = (cut_out(x, square) for x in (np.rint(255 * keep.matte).astype(np.uint8), keep.image))
    assert (picture[matte == 0] == -1).all() and 0.05 < (matte == 0).mean() < 0.7
    np.testing.assert_allclose(picture[matte == 255], photo[matte == 255] / 127.5 - 1, atol=1e-6)


def test_the_face_model_is_painted_with_the_portraits_smile(prepared) -> None:
    parts = prepared[1].portraits[0]
    assert parts.face.shape == (1, 3, 224, 224)
    shown = (parts.face[0] > -1).all(0)
    assert 0.1 < shown.float().mean() < 0.9 and not shown[0].any()
    middle = np.argwhere(shown.numpy()).mean(0)
    np.testing.assert_allclose(middle, 112, atol=15)


def test_at_rest_the_networks_are_given_the_portrait_as_it_is(prepared) -> None:
    engine, networks, avatar = prepared
    engine.render(avatar, Motion(0))
    _, drive = networks.drives[-1]
    np.testing.assert_allclose(drive.camera, networks.portraits[0].camera, atol=1e-5)


def test_turning_moves_the_camera_and_speaking_and_blinking_the_face(prepared) -> None:
    engine, networks, avatar = prepared
    engine.render(avatar, Motion(0))
    engine.render(avatar, Motion(0, rotation=np.array([0, 0.3, 0], np.float32)))
    engine.render(avatar, Motion(0, expression(jawOpen=0.7)))
    engine.render(avatar, Motion(0, expression(eyeBlinkLeft=1.0)))
    rest, turned, speaking, blinking = (drive for _, drive in networks.drives[-4:])
    np.testing.assert_array_equal(turned.expression, rest.expression)
    assert (turned.camera - rest.camera)[0, :16].abs().max() > 0.2
    for moved in (speaking, blinking):
        np.testing.assert_array_equal(moved.camera, rest.camera)
        assert (moved.expression - rest.expression).abs().max() > 0.05


def test_the_person_stands_before_the_background_and_goes_where_the_head_goes(face: GohaFace, photo: Portrait) -> None:
    engine, _ = opened(face)
    green = on_background(photo, "#00ff00")
    avatar = engine.prepare(green)
    rest = engine.render(avatar, Motion(0))
    moved = engine.render(avatar, Motion(0, translation=np.array([0.5, 0, 0], np.float32)))
    nearer = engine.render(avatar, Motion(0, translation=np.array([0, 0, -2], np.float32)))
    assert rest.shape == (HEIGHT, WIDTH, 3)
    (at, area), (then, _), (_, grown) = (disc(picture) for picture in (rest, moved, nearer))
    eyes = np.linalg.norm(np.subtract(*green.landmarks[[33, 263], :2]))
    np.testing.assert_allclose(then - at, [0.5 * eyes, 0], atol=0.08 * eyes)
    assert 1.4 < grown / area < 1.8, "a fifth nearer"
    around = at.astype(int) + [100 * area**0.5 / 80, 0]
    assert rest[int(around[1]), int(around[0])].tolist() == [0, 255, 0], "nothing of the photo is left in the square"
    matte = green.matte[..., None]
    still = np.rint(matte * green.image + (1 - matte) * green.background)
    np.testing.assert_array_equal(rest[:, [0, -1]], still[:, [0, -1]])


def test_a_network_that_reads_faces_says_how_the_person_looks(face: GohaFace, keep: Portrait) -> None:
    engine, networks = opened(face, PersonReader(Rows(), EXEMPLAR))
    avatar = engine.prepare(keep)
    engine.render(avatar, Motion(0))
    row = Rows()(EXEMPLAR)[0]
    np.testing.assert_allclose(networks.drives[-1][1].expression[0], row[80:144], atol=1e-5)
    plain = opened(face)
    plain[0].prepare(keep)
    (given,), (other,) = networks.portraits, plain[1].portraits
    different = {
        each.name for each in fields(given) if not torch.equal(*(getattr(x, each.name) for x in (given, other)))
    }
    assert different == {"face", "rest", "light", "pose"}, "its textures are all zero here"


def test_a_picture_is_drawn_at_the_level_that_is_asked_for(prepared) -> None:
    engine, networks, avatar = prepared
    for level in (2, 0):
        engine.render(avatar, Motion(0), level)
    engine.render(avatar, Motion(0))
    assert networks.drawn_at[-3:] == [2, 0, 0]


def test_each_avatar_keeps_its_own_state_and_the_next_start_does_not_run_the_portraits_networks(
    face: GohaFace, keep: Portrait, tmp_path: Path
) -> None:
    keepable, drawn = replace(keep, keepable=True), []
    engine, networks = opened(face, states=StateStore(PrivateStore(tmp_path), "a1", STATE))
    for _ in range(2):
        engine.render(engine.prepare(keepable), Motion(0))
        drawn.append(networks.drives[-1][0])
    assert len(networks.portraits) == 1 and drawn[0] is not drawn[1]
    assert all(torch.equal(old, new) for old, new in zip(*drawn, strict=True))
    other = engine.prepare(replace(keep, image=255 - keep.image))
    engine.render(other, Motion(0))
    assert not torch.equal(networks.drives[-1][0].keep, drawn[0].keep)


def test_a_portrait_without_background_is_refused_in_one_line(face: GohaFace, photo: Portrait) -> None:
    engine, networks = opened(face)
    with pytest.raises(InputError, match="goha draws no transparent pictures; choose another background or engine"):
        engine.prepare(on_background(photo, "transparent"))
    assert not networks.portraits
    for _ in range(2):
        engine.close()
    assert not networks.is_open
