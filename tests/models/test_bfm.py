"""Reading a face model in the layout of BFM_model_front.mat, and refusing everything else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from golden.face_file import FLIP, UNIT, bfm_content
from scipy.io import savemat

from models.bfm import load_bfm, to_picture
from models.errors import InputError
from models.face import load_face_model
from models.raster import rasterise

Content = dict[str, Any]


@pytest.fixture
def content() -> Content:
    return bfm_content(load_face_model())


def saved(path: Path, content: Content, **options: bool) -> Path:
    savemat(path, content, **options)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_bfm(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


@pytest.mark.parametrize("compressed", [False, True])
def test_the_layout_is_understood(tmp_path: Path, content: Content, compressed: bool) -> None:
    ours = load_face_model()
    model = load_bfm(saved(tmp_path / "bfm.mat", content, do_compression=compressed))
    np.testing.assert_allclose(model.mean, UNIT * (ours.mean - ours.mean.mean(0)) * FLIP, atol=1e-6)
    np.testing.assert_allclose(model.mean.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(model.identity, UNIT * ours.identity * FLIP, atol=1e-6)
    np.testing.assert_array_equal(model.triangles, ours.triangles)
    np.testing.assert_array_equal(model.keypoints68, ours.keypoints68)
    np.testing.assert_allclose(model.ncc, ours.ncc, atol=1e-5)
    identity = np.linspace(-1, 1, 80).astype(np.float32)
    expected = UNIT * (ours.shape(identity) - ours.mean.mean(0)) * FLIP
    np.testing.assert_allclose(model.shape(identity), expected, atol=1e-5)
    assert not model.mean.flags.writeable


def test_the_camera_sees_it_upright_and_in_the_middle(tmp_path: Path, content: Content) -> None:
    model = load_bfm(saved(tmp_path / "bfm.mat", content))
    face = to_picture(model.mean, 256)
    assert face[152, 1] > face[10, 1] + 80  # the chin below the forehead
    assert face[4, 2] == face[:, 2].min()  # the tip of the nose nearest
    image = rasterise(face, model.triangles, model.ncc, (256, 256)).image
    covered = np.argwhere(image.any(axis=2))
    assert 90 < np.ptp(covered[:, 1]) < 200
    np.testing.assert_allclose(covered.mean(0), 127.5, atol=25)


def test_the_camera_in_numbers() -> None:
    points = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 5.0]])
    expected = [[111.5, 111.5, 10], [213.0, 111.5, 10], [111.5, 10.0, 10], [314.5, -91.5, 5]]
    np.testing.assert_allclose(to_picture(points, 224), expected, atol=1e-4)


def test_every_missing_array_is_named_at_once(tmp_path: Path, content: Content) -> None:
    del content["idBase"], content["keypoints"]
    message = refusal(saved(tmp_path / "x.mat", content))
    assert "idBase is missing; keypoints is missing; " in message
    assert "exBase" not in message


CHANGES: dict[str, tuple[Callable[[Content], dict[str, Any]], str]] = {
    "identity": (lambda c: {"idBase": c["idBase"][:, :79]}, "idBase is (1434, 79), not (1434, 80)"),
    "expression": (lambda c: {"exBase": c["exBase"].T}, "exBase is (64, 1434), not (1434, 64)"),
    "mean": (lambda c: {"meanshape": c["meanshape"][:, :-1]}, "meanshape has 1433 numbers"),
    "key points": (lambda c: {"keypoints": c["keypoints"][:, :5]}, "keypoints is (1, 5), not (1, 68)"),
    "triangles": (lambda c: {"tri": c["tri"].T}, "tri is (3, 852), not (3, 3)"),
    "no vertex 0": (lambda c: {"tri": c["tri"] - 1}, "tri names other vertices than 1 to 478"),
    "beyond": (lambda c: {"keypoints": c["keypoints"] + 400}, "keypoints names other vertices than 1 to 478"),
    "halves": (lambda c: {"tri": c["tri"] - 0.5}, "tri names other vertices than 1 to 478"),
    "text": (lambda c: {"tri": "three"}, "tri does not hold finite numbers"),
    "complex": (lambda c: {"exBase": c["exBase"] * 1j}, "exBase does not hold finite numbers"),
    "not a number": (lambda c: {"idBase": c["idBase"] * np.nan}, "idBase does not hold finite numbers"),
    "too large": (lambda c: {"idBase": c["idBase"].astype(float) + 1e300}, "idBase does not hold finite numbers"),
    "empty": (lambda c: {"meanshape": np.zeros((0, 0))}, "meanshape is (0, 0), not (1, 0)"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_wrong_array_is_named(tmp_path: Path, content: Content, change: str) -> None:
    changed, reason = CHANGES[change]
    assert reason in refusal(saved(tmp_path / "x.mat", content | changed(content)))


def test_other_files_are_refused(tmp_path: Path, content: Content) -> None:
    assert "no such file" in refusal(tmp_path / "missing.mat")
    assert "is a folder" in refusal(tmp_path)
    path = tmp_path / "x.mat"
    path.write_bytes(b"")
    assert "not a MATLAB file, or damaged" in refusal(path)
    path.write_bytes(b"cos\nsystem\n(S'true'\ntR." * 50)  # a pickle is not looked into
    assert "not a MATLAB file, or damaged" in refusal(path)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(500))
    assert "MATLAB 7.3" in refusal(path)
    whole = saved(path, content, do_compression=True).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refusal(path) or "missing" in refusal(path)
    path.write_bytes(whole[:3000] + bytes(b ^ 0xFF for b in whole[3000:3100]) + whole[3100:])
    assert "damaged" in refusal(path)
