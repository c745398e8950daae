"""The small networks: what they do before they have learnt anything, and where a ray meets a surface."""

import numpy as np
import pytest
import torch

from models.builtin.body import build_body
from models.face import load_face_model
from models.motion import expression
from models.portrait import Portrait
from models.small.code_picture import CodePainter
from models.small.frame_box import box_of
from models.small.lifting import front_of, lift
from models.small.model import SmallModel
from models.small.motion_adapter import MotionAdapter, unchanged
from models.small.reading import pixel_centres
from models.small.renderer import Planes, Renderer, Seen
from models.small.settings import FEATURES, RAYS, SAMPLES
from models.small.skin import even_skin
from models.small.super_resolution import SuperResolution


@pytest.fixture(autouse=True)
def few_threads(one_thread: None) -> None:
    torch.manual_seed(3)


def turn(yaw: float) -> torch.Tensor:
    c, s = np.cos(yaw), np.sin(yaw)
    return torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]]).float()[None]


@torch.inference_mode()
def test_a_new_model_shows_the_portrait_itself(portrait: Portrait) -> None:
    model, box = load_face_model(), box_of(load_face_model())
    body = build_body(portrait, model)
    lifted = lift(portrait.person, body.uv, front_of(body, body.puppet.rest, box), body)
    texture = torch.from_numpy(lifted.texture).permute(2, 0, 1)[None] / 255
    paint, rest = CodePainter(model, box), body.puppet.rest
    codes, places = (torch.from_numpy(x)[None] for x in (paint(rest), paint.places(rest)))
    skin = even_skin(texture, codes)
    net = SmallModel().eval()
    planes, condition = net.planes(texture, torch.from_numpy(lifted.geometry)[None])
    still = net.draw(planes, texture, skin, unchanged(codes), turn(0))
    inner = np.s_[:, :, 80:190, 80:176]
    assert (still - texture)[inner].abs().mean() < 0.03
    turned = net.draw(planes, texture, skin, unchanged(codes), turn(0.3))
    assert (turned - texture)[inner].abs().mean() > 0.05
    change = net.adapter(codes, codes, places, condition)
    assert torch.equal(change.codes, codes) and change.shift.abs().max() == 0, "no change of expression, none of place"


@torch.inference_mode()
def test_an_adapter_moves_what_the_codes_say() -> None:
    model, box = load_face_model(), box_of(load_face_model())
    paint = CodePainter(model, box)
    faces = [
        model.shape(expression=values).astype(np.float64)
        for values in (None, expression(mouthSmileLeft=1, mouthSmileRight=1))
    ]
    rest, smile, places = (torch.from_numpy(x)[None] for x in (*map(paint, faces), paint.places(faces[0])))
    change = MotionAdapter().eval()(rest, smile, places, torch.zeros(1, 32, 64, 64))
    moved = (change.at_rest - unchanged(rest).at_rest)[0]
    corner = moved[:, 104:112, 96:104].mean((1, 2))
    assert corner[0] < -0.01 and corner[1] > 0.005, (
        "the left corner's place shows what was nearer to the middle, and lower"
    )
    assert moved[:, :40].abs().max() < 1e-3, "the forehead stays"


def painted(**moved: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Code pictures at rest and under an expression, and the places of the codes at rest."""
    model = load_face_model()
    paint = CodePainter(model, box_of(model))
    faces = [model.shape(expression=values).astype(np.float64) for values in (None, expression(**moved))]
    rest, then, places = (torch.from_numpy(x)[None] for x in (*map(paint, faces), paint.places(faces[0])))
    return rest, then, places


@torch.inference_mode()
def test_lids_that_come_down_bring_the_skin_above_the_eye() -> None:
    rest, blink, places = painted(eyeBlinkLeft=1)
    change = MotionAdapter().eval()(rest, blink, places, torch.zeros(1, 32, 64, 64))
    lid = (rest[0, 2] < 1) & (blink[0, 2] == 1)
    assert lid.sum() > 40
    assert (change.at_rest - unchanged(rest).at_rest)[0, 1][lid].mean() < -0.01, "from higher up"
    texture = torch.full((1, 4, 256, 256), 1.0)
    texture[:, :3] = 0.6
    texture[0, :3, 48:208, 48:208][:, rest[0, 2] < 1] = 0.1
    assert (even_skin(texture, rest)[0, :, lid] - 0.6).abs().max() < 0.01


@torch.inference_mode()
def test_what_lies_under_the_chin_comes_along_with_it() -> None:
    rest, opened, places = painted(jawOpen=1)
    net = MotionAdapter().eval()
    up = -(net(rest, opened, places, torch.zeros(1, 32, 64, 64)).at_rest - unchanged(rest).at_rest)[0, 1, :, 80]
    chin = int(opened[0, 2, :, 80].nonzero().max())
    assert up[chin] > 0.03 and abs(up[chin + 1] / up[chin] - 1) < 0.2, "hardly a step at the outline"
    assert 0.5 * up[chin] < up[chin + 8] < up[chin + 1], "and less and less"
    assert up[:60].abs().max() < 2e-3


@torch.inference_mode()
def test_no_white_of_an_eye_is_seen_between_closed_lids() -> None:
    """Colours are mixed where lids meet, not the places from which they come."""
    model, box = load_face_model(), box_of(load_face_model())
    paint = CodePainter(model, box)
    shut = expression(eyeBlinkLeft=1, eyeBlinkRight=1)
    faces = [model.shape(expression=values).astype(np.float64) for values in (None, shut)]
    rest, blink, places = (torch.from_numpy(x)[None] for x in (*map(paint, faces), paint.places(faces[0])))
    eyes = torch.zeros(256, 256, dtype=torch.bool)
    eyes[100:125, 90:166] = rest[0, 2, 52:77, 42:118] < 1
    texture = torch.ones(1, 4, 256, 256)
    texture[0, :3] = 0.4 + 0.5 * eyes
    change = MotionAdapter().eval()(rest, blink, places, torch.zeros(1, 32, 64, 64))
    grid = pixel_centres(RAYS).T.unflatten(1, (RAYS, RAYS))[None] + 1 / 256
    seen = Seen(torch.zeros(1, FEATURES, RAYS, RAYS), torch.ones(1, 1, RAYS, RAYS), grid)
    drawn = SuperResolution().eval()(seen, change, texture, torch.full((1, 3, 160, 160), 0.4))
    assert eyes.sum() > 100 and drawn[0, 0][eyes].max() < 0.6


@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("yaw", [0.0, 0.35])
@torch.inference_mode()
def test_rays_meet_a_slope_where_it_is(yaw: float, samples: int) -> None:
    """A flat head, as deep as 0.2 x: exact between samples, however few."""
    net, grid = Renderer().eval(), pixel_centres(64)
    depth = 0.2 * grid[:, 0].view(64, 64)
    edge = ((grid.view(64, 64, 2)).abs().amax(-1) - 0.6).clamp(-0.3, 0.3)
    planes = Planes(
        torch.cat([torch.zeros(FEATURES, 64, 64), torch.stack([depth, edge])])[None], torch.zeros(1, 16, 64, 64)
    )
    seen = net(planes, unchanged(torch.zeros(1, 3, 160, 160)), turn(yaw), grid, RAYS, samples)
    rows = slice(26, 38)
    inner = seen.opacity[0, 0, rows, 26:38]
    assert inner.min() > 0.97
    assert seen.opacity[0, 0, :6].max() < 0.02 and seen.opacity[0, 0, :, :6].max() < 0.02
    across = grid.view(64, 64, 2)[rows, 26:38, 0]
    # u = x cos + z sin with z = 0.2 x (the window is seen along z, the head turned by yaw).
    expected = across / (np.cos(yaw) + 0.2 * np.sin(yaw))
    assert (seen.place[0, 0, rows, 26:38] - expected).abs().max() < 0.012
