"""Eyes of PNCC pictures close as in the reference, each by itself, and nothing else changes."""

import numpy as np
import pytest

from models.motion import Motion, expression
from models.real3d import blink
from models.real3d.blink import blinked, eyes_closed
from tests.models.real3d import synthetic


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


def test_shut_eyes_leave_no_hole() -> None:
    face = synthetic.coded_face()
    closed = eyes_closed(face, 1.0, 1.0)
    assert (face[:, 190:230, 140:370] == -1).all(0).any()
    assert not (closed[:, 190:230, 140:370] == -1).all(0).any()
    np.testing.assert_array_equal((closed == -1).all(0)[:190], (face == -1).all(0)[:190])


def test_each_eye_closes_by_itself() -> None:
    face = synthetic.coded_face()
    right = blinked(face, Motion(0, expression=expression(eyeBlinkRight=1)))
    changed = np.flatnonzero(np.abs(right - face).max(axis=(0, 1)) > 0.02)
    assert changed.min() > 140
    assert changed.max() < 240  # the subject's right is the picture's left
    left = blinked(face, Motion(0, expression=expression(eyeBlinkLeft=1)))
    assert np.flatnonzero(np.abs(left - face).max(axis=(0, 1)) > 0.02).min() > 270


def test_open_eyes_leave_the_picture_as_it_is() -> None:
    face = synthetic.coded_face()
    assert eyes_closed(face, 0.0, -0.1) is face


def test_a_picture_without_eyes_is_only_rounded() -> None:
    blank = np.full((3, 512, 512), 0.3, np.float32)
    np.testing.assert_allclose(eyes_closed(blank, 1.0, 1.0), 165 / 127.5 - 1, atol=1e-6)


def test_a_narrow_faces_background_is_no_eye() -> None:
    face = synthetic.coded_face()
    face[:, :, :200] = -1  # takes half of the right eye
    closed = eyes_closed(face, 1.0, 1.0)
    assert (closed[:, :, :200] == -1).all()
    assert not (closed[:, 200:220, 300:340] == -1).all(0).any()
