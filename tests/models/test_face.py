"""The committed face model: symmetry, what each shape does, and that the surface stays whole."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import models.face
from models.errors import AgentError
from models.face import FaceModel, load_face_model
from models.landmarks import DEPTH
from models.motion import COEFFICIENTS, INDEX, RESIDUAL_COUNT, expression
from models.topology import (
    CHIN,
    FOREHEAD_TOP,
    LEFT_IRIS,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    LOWER_LIP,
    OUTER_EYE_CORNERS,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
    RIGID,
    SURFACE_COUNT,
    UPPER_LIP,
)

LEFT_CORNER, RIGHT_CORNER = 291, 61
OPENING = {"jawOpen", "mouthClose", "mouthFunnel"} | {
    f"mouth{name}{side}" for name in ("UpperUp", "LowerDown") for side in ("Left", "Right")
}
EMPTY = {"tongueOut", "mouthNeutral"}


@pytest.fixture(scope="module")
def model() -> FaceModel:
    return load_face_model()


def shape(model: FaceModel, **coefficients: float) -> np.ndarray:
    return model.mean + np.tensordot(expression(**coefficients), model.expression, 1)


def both(name: str) -> dict[str, float]:
    return {f"{name}Left": 1.0, f"{name}Right": 1.0}


def mirrored(model: FaceModel, points: np.ndarray) -> np.ndarray:
    return points[model.mirror] * np.array([-1, 1, 1], np.float32)


def areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, k], :2].astype(np.float64) for k in range(3))
    return 0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])


def inner_gap(points: np.ndarray) -> np.ndarray:
    return points[LOWER_LIP, 1] - points[UPPER_LIP, 1]


def lid_gap(points: np.ndarray, side: str) -> float:
    upper, lower = (LEFT_UPPER_LID, LEFT_LOWER_LID) if side == "Left" else (RIGHT_UPPER_LID, RIGHT_LOWER_LID)
    return float(points[lower[4], 1] - points[upper[4], 1])


def test_mean_face_is_in_canonical_space(model: FaceModel) -> None:
    right, left = model.mean[list(OUTER_EYE_CORNERS)]
    assert np.linalg.norm(left - right) == pytest.approx(1, abs=1e-5)
    assert left[0] > 0 > right[0]
    np.testing.assert_allclose(model.mean[RIGID].mean(0), 0, atol=2e-3)
    assert model.mean[CHIN, 2] == pytest.approx(model.mean[FOREHEAD_TOP, 2], abs=1e-4)
    assert model.mean[CHIN, 1] > 1 > 0 > model.mean[FOREHEAD_TOP, 1]
    assert model.mean[4, 2] == model.mean[:SURFACE_COUNT, 2].min()  # the tip of the nose is nearest


def test_mean_face_is_neutral(model: FaceModel) -> None:
    np.testing.assert_array_equal(model.mean[UPPER_LIP], model.mean[LOWER_LIP])
    assert abs(model.mean[LEFT_CORNER, 1] - model.mean[13, 1]) < 0.01
    assert 0.06 < lid_gap(model.mean, "Left") < 0.14


def test_mirror_is_an_involution_with_left_at_positive_x(model: FaceModel) -> None:
    np.testing.assert_array_equal(model.mirror[model.mirror], np.arange(len(model.mirror)))
    assert model.mirror[RIGHT_CORNER] == LEFT_CORNER
    np.testing.assert_array_equal(model.mirror[RIGHT_UPPER_LID], LEFT_UPPER_LID)
    np.testing.assert_allclose(mirrored(model, model.mean), model.mean, atol=1e-6)


def test_left_and_right_shapes_are_mirror_images_and_others_symmetric(model: FaceModel) -> None:
    for name, field in zip(COEFFICIENTS, model.expression, strict=True):
        if name.startswith("residual"):
            sign = 1 if int(name[-2:]) % 2 == 0 else -1
            np.testing.assert_allclose(mirrored(model, field), sign * field, atol=1e-6, err_msg=name)
            continue
        other = name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")
        np.testing.assert_allclose(mirrored(model, field), model.expression[INDEX[other]], atol=1e-6, err_msg=name)


def test_left_shapes_move_the_subjects_left_more(model: FaceModel) -> None:
    for name in COEFFICIENTS:
        if name.endswith("Left") and name not in ("jawLeft", "mouthLeft"):
            moved = np.linalg.norm(model.expression[INDEX[name]], axis=1)
            left, right = moved[model.mean[:, 0] > 0.02].max(), moved[model.mean[:, 0] < -0.02].max()
            assert left > 1.3 * right, name


def test_only_the_two_empty_shapes_are_empty(model: FaceModel) -> None:
    size = np.linalg.norm(model.expression, axis=2).max(1)
    assert {name for name, s in zip(COEFFICIENTS, size, strict=True) if s == 0} == EMPTY
    assert size.max() < 0.3
    assert size[size > 0].min() > 0.015


def test_triangles_are_wound_alike_and_cover_the_skin_once(model: FaceModel) -> None:
    directed = np.concatenate([model.triangles[:, [i, (i + 1) % 3]] for i in range(3)])
    assert len(np.unique(directed, axis=0)) == len(directed)
    assert len(model.triangles) == 852
    folded = areas(model.mean, model.triangles) <= 0
    assert folded.sum() <= 2  # the nostrils' outer edges turn away from the camera


def test_strips_fill_the_holes(model: FaceModel) -> None:
    wide = shape(model, jawOpen=1.0, **both("eyeWide"))
    strips = np.concatenate([model.mouth_strip, model.eye_strips])
    assert len(model.mouth_strip) == 18
    assert len(model.eye_strips) == 28
    assert (areas(wide, strips) > 0).all()
    surface = np.concatenate([model.triangles, strips])
    edges, count = np.unique(
        np.sort(np.concatenate([surface[:, [i, (i + 1) % 3]] for i in range(3)]), axis=1),
        axis=0,
        return_counts=True,
    )
    assert count.max() == 2
    assert len(edges[count == 1]) == 36  # what is left open is the face oval


@pytest.mark.parametrize("name", [n for n in COEFFICIENTS if n not in EMPTY | {"mouthClose"}])
def test_no_triangle_flips(model: FaceModel, name: str) -> None:
    # mouthClose is left out: alone it crosses the lips by what jawOpen would part them
    rest, moved = (areas(p, model.triangles) for p in (model.mean, shape(model, **{name: 1.0})))
    assert not ((rest > 0) & (moved <= 0)).any()


@pytest.mark.parametrize(
    "combination",
    [{"jawOpen": 1.0, "mouthClose": 1.0}, {"jawOpen": 1.0, "mouthPucker": 1.0}, both("mouthSmile")],
    ids=["closed over open jaw", "pucker over open jaw", "smile"],
)
def test_no_triangle_flips_in_common_combinations(model: FaceModel, combination: dict[str, float]) -> None:
    rest, moved = (areas(p, model.triangles) for p in (model.mean, shape(model, **combination)))
    assert not ((rest > 0) & (moved <= 0)).any()


def test_jaw_opens_the_mouth_and_close_shuts_it(model: FaceModel) -> None:
    half, full = inner_gap(shape(model, jawOpen=0.5)), inner_gap(shape(model, jawOpen=1.0))
    assert full[5] > 0.12
    assert (full[1:-1] > half[1:-1]).all()
    assert (half[1:-1] > 0).all()
    closed = shape(model, jawOpen=1.0, mouthClose=1.0)
    np.testing.assert_allclose(closed[LOWER_LIP], closed[UPPER_LIP], atol=1e-5)
    assert closed[CHIN, 1] - model.mean[CHIN, 1] > 0.12


def test_other_shapes_keep_the_lips_together(model: FaceModel) -> None:
    for name in set(COEFFICIENTS) - OPENING:
        field = model.expression[INDEX[name]]
        np.testing.assert_allclose(field[LOWER_LIP], field[UPPER_LIP], atol=1e-3, err_msg=name)


def test_opening_shapes_open(model: FaceModel) -> None:
    for name in OPENING - {"mouthClose"}:
        assert inner_gap(shape(model, **{name: 1.0})).max() > 0.04, name


def test_blink_closes_the_lids_exactly(model: FaceModel) -> None:
    for side, upper, lower in (
        ("Left", LEFT_UPPER_LID, LEFT_LOWER_LID),
        ("Right", RIGHT_UPPER_LID, RIGHT_LOWER_LID),
    ):
        closed = shape(model, **{f"eyeBlink{side}": 1.0})
        np.testing.assert_allclose(closed[upper], closed[lower], atol=1e-5)


def test_lids_follow_gaze_and_wide_and_squint(model: FaceModel) -> None:
    rest = lid_gap(model.mean, "Left")
    gap = {n: lid_gap(shape(model, **{f"eye{n}Left": 1.0}), "Left") for n in ("LookDown", "LookUp", "Wide", "Squint")}
    assert gap["Squint"] < gap["LookDown"] < 0.9 * rest
    assert rest < gap["LookUp"] < gap["Wide"]


def test_gaze_moves_the_iris_to_the_named_side(model: FaceModel) -> None:
    centre = {n: model.expression[INDEX[f"eyeLook{n}Left"], LEFT_IRIS[0]] for n in ("In", "Out", "Up", "Down")}
    assert centre["Out"][0] > 0.05
    assert centre["In"][0] < -0.05
    assert centre["Up"][1] < -0.03
    assert centre["Down"][1] > 0.03


def test_smile_widens_lifts_the_corners_back_and_the_cheeks(model: FaceModel) -> None:
    moved = shape(model, **both("mouthSmile")) - model.mean
    assert moved[LEFT_CORNER, 0] - moved[RIGHT_CORNER, 0] > 0.12
    assert moved[LEFT_CORNER, 1] < -0.05
    assert moved[LEFT_CORNER, 2] > 0.03
    assert moved[425, 1] < -0.03
    line = moved[UPPER_LIP, 1]
    assert (np.diff(line[:6]) > 0).all()  # a bow from corner to middle
    assert np.abs(np.diff(line, 2)).max() < 0.02  # without a kink


def test_mouth_shapes_do_what_they_are_called(model: FaceModel) -> None:
    def width(name: str) -> float:
        return float(np.ptp(shape(model, **{name: 1.0})[[LEFT_CORNER, RIGHT_CORNER], 0]))

    rest = float(np.ptp(model.mean[[LEFT_CORNER, RIGHT_CORNER], 0]))
    assert width("mouthPucker") < 0.7 * rest
    assert width("mouthFunnel") < 0.8 * rest
    assert width("mouthStretchLeft") > 1.1 * rest
    field = {name: model.expression[INDEX[name]] for name in COEFFICIENTS}
    assert field["mouthPucker"][13, 2] < -0.04
    assert field["mouthFrownLeft"][LEFT_CORNER, 1] > 0.04
    assert field["mouthLeft"][13, 0] > 0.05
    assert field["jawLeft"][CHIN, 0] > 0.05
    assert field["jawForward"][CHIN, 2] < -0.04
    assert field["mouthShrugLower"][14, 1] < -0.02
    for name, lip, towards in (("mouthRollUpper", 0, 1), ("mouthRollLower", 17, -1)):
        assert towards * field[name][lip, 1] > 0.02
        assert field[name][13, 2] > 0.01


def test_brows_cheeks_and_nose_do_what_they_are_called(model: FaceModel) -> None:
    field = {name: model.expression[INDEX[name]] for name in COEFFICIENTS}
    inner, outer = 336, 300
    assert field["browDownLeft"][inner, 1] > 0.04
    assert field["browInnerUp"][inner, 1] < -0.06 < field["browInnerUp"][outer, 1]
    assert field["browOuterUpLeft"][outer, 1] < -0.06 < field["browOuterUpLeft"][inner, 1]
    assert field["cheekSquintLeft"][330, 1] < -0.03
    assert field["cheekPuff"][427, 2] < -0.03 < 0.03 < field["cheekPuff"][427, 0]
    assert field["noseSneerLeft"][358, 1] < -0.03


def test_residuals_are_small_orthogonal_to_named_shapes_and_to_rigid_motion(model: FaceModel) -> None:
    as_made = np.array([1, 1, DEPTH])  # before their depth was put right
    skin = model.mean[:SURFACE_COUNT] / as_made
    fields = model.expression[:, :SURFACE_COUNT] / as_made
    residual, named = fields[-RESIDUAL_COUNT:], fields[: -RESIDUAL_COUNT - 1]
    np.testing.assert_allclose(np.linalg.norm(residual, axis=2).max(1), 0.05, atol=1e-5)
    rigid = np.concatenate([np.cross(np.eye(3)[:, None], skin), np.broadcast_to(np.eye(3)[:, None], (3, *skin.shape))])
    others = np.concatenate([named[np.abs(named).max((1, 2)) > 0], rigid])
    flat, against = residual.reshape(RESIDUAL_COUNT, -1), others.reshape(len(others), -1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    against /= np.linalg.norm(against, axis=1, keepdims=True)
    assert np.abs(flat @ against.T).max() < 1e-5
    np.testing.assert_allclose(flat @ flat.T, np.eye(RESIDUAL_COUNT), atol=1e-5)


def test_arrays_are_read_only_and_loaded_once(model: FaceModel) -> None:
    assert load_face_model() is model
    with pytest.raises(ValueError, match="read-only"):
        model.mean[0, 0] = 1.0


def test_the_file_is_small_and_says_where_it_comes_from() -> None:
    path = Path(models.face.__file__).parent / "data" / "face_model.npz"
    assert path.stat().st_size < 700_000
    with np.load(path) as data:
        assert "public-domain" in str(data["provenance"])


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped"])
def test_a_damaged_file_is_an_agent_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    (tmp_path / "data").mkdir()
    copy = tmp_path / "data" / "face_model.npz"
    shutil.copy(Path(models.face.__file__).parent / "data" / "face_model.npz", copy)
    content = bytearray(copy.read_bytes())
    match damage:
        case "missing":
            copy.unlink()
        case "cut":
            copy.write_bytes(content[: len(content) // 2])
        case "flipped":
            content[5000:5100] = bytes(b ^ 0xFF for b in content[5000:5100])
            copy.write_bytes(content)
    monkeypatch.setattr(models.face, "files", lambda package: tmp_path)
    with pytest.raises(AgentError, match="face model"):
        load_face_model.__wrapped__()
