"""Eyes of PNCC pictures close as in the reference, each by itself, and nothing else changes; by torch as well."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from golden.dense_face import dense_face

from models.real3d import blink, torch_blink
from models.real3d.blink import eyes_closed
from models.real3d.pncc import PnccPainter
from tests.models.real3d import synthetic

Close = Callable[[np.ndarray, float, float], np.ndarray]


def by_torch(pncc: np.ndarray, right: float, left: float) -> np.ndarray:
    return torch_blink.eyes_closed(torch.from_numpy(pncc)[None], torch.tensor([[right, left]]))[0].numpy()


@pytest.fixture(params=[eyes_closed, by_torch])
def close(request: pytest.FixtureRequest) -> Close:
    return request.param


def dense_face_in_codes(seed: int) -> np.ndarray:
    rng, model = np.random.default_rng(seed), dense_face().model
    identity, expression = (rng.normal(size=count).astype(np.float32) / 2 for count in (80, 64))
    return PnccPainter(dense_face()).draw(model.shape(identity, expression))


def hole_with_background(empty: np.ndarray) -> blink._Hole:
    """The reference's hole of an eye: all that is empty in the window, background as well."""
    rows, columns = np.flatnonzero(empty.any(1)), np.flatnonzero(empty.any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return blink._Hole(empty[box], int(rows[0]), int(columns[0]))


@pytest.mark.parametrize("closure", [0.25, 0.5, 1.0])
def test_eyes_close_as_in_the_reference(
    golden: dict[str, np.ndarray], closure: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blink, "_eye_hole", hole_with_background)
    closed = eyes_closed(synthetic.coded_face(), closure, closure)
    off = np.abs(closed[:, 180:244:2, 140:372:4] - golden[f"blink/{closure:.2f}_sub"]).max(0)
    assert (off > 1e-3).mean() < 0.012  # of the strip of the eyes: where two lids are equally near
    assert off.max() < 0.1  # what was filled there is filled here


def test_shut_eyes_leave_no_hole(close: Close) -> None:
    face = synthetic.coded_face()
    closed = close(face, 1.0, 1.0)
    assert (face[:, 190:230, 140:370] == -1).all(0).any()
    assert not (closed[:, 190:230, 140:370] == -1).all(0).any()
    np.testing.assert_array_equal((closed == -1).all(0)[:190], (face == -1).all(0)[:190])


def test_each_eye_closes_by_itself(close: Close) -> None:
    face = synthetic.coded_face()
    right = close(face, 1.0, 0.0)
    changed = np.flatnonzero(np.abs(right - face).max(axis=(0, 1)) > 0.02)
    assert changed.min() > 140
    assert changed.max() < 240  # the subject's right is the picture's left
    left = close(face, 0.0, 1.0)
    assert np.flatnonzero(np.abs(left - face).max(axis=(0, 1)) > 0.02).min() > 270


def test_open_eyes_leave_the_picture_as_it_is(close: Close) -> None:
    face = synthetic.coded_face()
    np.testing.assert_array_equal(close(face, 0.0, -0.1), face)


def test_a_picture_without_eyes_is_only_rounded(close: Close) -> None:
    blank = np.full((3, 512, 512), 0.3, np.float32)
    np.testing.assert_allclose(close(blank, 1.0, 1.0), 165 / 127.5 - 1, atol=1e-6)


def test_a_narrow_faces_background_is_no_eye(close: Close) -> None:
    face = synthetic.coded_face()
    face[:, :, :200] = -1  # takes half of the right eye
    closed = close(face, 1.0, 1.0)
    assert (closed[:, :, :200] == -1).all()
    assert not (closed[:, 200:220, 300:340] == -1).all(0).any()


@pytest.mark.parametrize("closures", [(0.25, 0.5), (1.0, 1.0), (0.0, 0.77), (1e-4, 0.0)])
def test_torch_closes_them_alike(closures: tuple[float, float]) -> None:
    pictures = [dense_face_in_codes(0), dense_face_in_codes(1), synthetic.coded_face()]
    both = torch_blink.eyes_closed(torch.from_numpy(np.stack(pictures)), torch.tensor([closures] * 3)).numpy()
    for drawn, picture in zip(both, pictures, strict=True):
        expected = eyes_closed(picture, *closures)
        assert (np.abs(expected - picture).max(0) > 0.02).sum() > 20
        assert (np.abs(drawn - expected).max(0) > 1e-6).mean() < 1e-5, "but for equally near lids"


def test_pictures_of_a_batch_close_their_own_eyes() -> None:
    pictures = np.stack([synthetic.coded_face()] * 3)
    closures = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.5]])
    drawn = torch_blink.eyes_closed(torch.from_numpy(pictures), closures).numpy()
    for one, picture, (right, left) in zip(drawn, pictures, closures.tolist(), strict=True):
        np.testing.assert_allclose(one, eyes_closed(picture, right, left), atol=1e-6)
