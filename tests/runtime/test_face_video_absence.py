"""Video driver: which absences of a face are told, and how often."""

import pytest

from tests.runtime.face_script import CLOSED_EYES, FRAME_NS, face, seen, warnings, watch


def test_a_long_absence_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    driver, _ = seen(face(), *[None] * 49)
    watch(driver, 50)
    assert warnings(caplog) == []  # not two seconds yet
    watch(driver, 200, 50 * FRAME_NS)
    assert len(warnings(caplog)) == 1
    assert "no face" in warnings(caplog)[0]
    driver.close()
    assert len(warnings(caplog)) == 1


def test_short_absences_do_not_add_up(caplog: pytest.LogCaptureFixture) -> None:
    driver, _ = seen(face(), *[None] * 40, face(), *[None] * 40, face())
    watch(driver, 90)
    assert warnings(caplog) == []


def test_a_face_that_is_no_reference_yet_is_not_absent(caplog: pytest.LogCaptureFixture) -> None:
    driver, _ = seen(*[None] * 45, face(**CLOSED_EYES))
    watch(driver, 60)
    assert warnings(caplog) == []


def test_the_next_absence_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    driver, _ = seen(*[None] * 60, face(), *[None] * 60, face())
    watch(driver, 130)
    assert len(warnings(caplog)) == 2


def test_a_clip_without_a_face_is_told_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    driver, script = seen(None)
    watch(driver, 10)
    assert warnings(caplog) == []
    driver.close()
    driver.close()
    assert len(warnings(caplog)) == 1
    assert "no face" in warnings(caplog)[0]
    assert script.closed >= 1


def test_a_clip_with_a_face_ends_quietly(caplog: pytest.LogCaptureFixture) -> None:
    driver, script = seen(face())
    watch(driver, 10)
    driver.close()
    assert warnings(caplog) == []
    assert script.closed == 1
