"""The virtual camera on real v4l2loopback, 0.12.7 and 0.15.0: what is chosen, what is read, what is said."""

import pytest

from tests.devices.guest.modules import COUNT

pytestmark = [pytest.mark.devices, pytest.mark.timeout(1500)]
both = pytest.mark.parametrize("module", ["old", "new"])


@pytest.fixture(scope="module")
def report(guest):
    return guest("modules", 900)


@both
def test_pictures_arrive_byte_for_byte(report, module):
    seen = report[f"{module} exclusive"]
    assert (seen["v4l2-ctl"], seen["opencv"]) == (COUNT, COUNT)


@both
def test_it_is_a_camera_from_the_first_picture_on(report, module):
    seen = report[f"{module} exclusive"]
    assert (seen["camera before"], seen["camera while fed"]) == (False, True)


@both
def test_the_first_free_device_is_taken_and_fed_ones_are_refused(report, module):
    seen = report[f"{module} exclusive"]
    assert (seen["first"], seen["free then"], seen["second"]) == ("/dev/video10", ["/dev/video11"], "/dev/video11")
    assert "is fed by another program" in seen["all fed"]
    assert "virtual camera Avatar is fed by another program" in seen["named and fed"]


@both
def test_a_feeder_that_leaves_room_for_others_is_left_alone(report, module):
    seen = report[f"{module} shared"]
    assert seen["beside a feeder"] == "/dev/video11"
    assert "virtual camera Avatar is fed by another program" in seen["named"]
    assert "/dev/video10 is invisible to browsers and Zoom" in seen["invisible"]


def test_the_old_module_opens_once_and_the_remedy_is_named(report):
    seen = report["old exclusive"]
    assert not seen["again"]
    assert "v4l2loopback older than 0.13 allows it once" in seen["refusal"]
    assert "modprobe -r v4l2loopback && sudo modprobe v4l2loopback" in seen["refusal"]


def test_the_new_module_opens_again_and_again(report):
    seen = report["new exclusive"]
    assert seen["again"]
    assert seen["v4l2-ctl again"] == COUNT


def test_a_size_that_a_watcher_holds_is_named(report):
    assert "is still watched at 256x128: close the program" in report["new exclusive"]["other size while watched"]


def test_without_the_module_the_remedy_is_named(report):
    assert report["no module"].startswith("no virtual camera: sudo apt install v4l2loopback-dkms && sudo modprobe")
