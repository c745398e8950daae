"""The square that is judged, and the pictures of a clip that are compared."""

import numpy as np
import pytest

from agent.eval.crop import SIDE, Crop
from agent.eval.filmed import film, first_picture, heads, on_canvas
from agent.voice import voice
from calibration.photo import read_photo
from models.errors import InputError
from tests.agent.clips import make_clip


def face(left, top, width, height):
    points = np.zeros((478, 3), np.float32)
    points[:468, 0], points[:468, 1] = np.linspace(left, left + width, 468), np.linspace(top, top + height, 468)
    return points


def test_the_square_is_1_8_faces_large_about_the_face():
    crop = Crop.around(face(200, 220, 80, 100), (512, 512), (512, 512))
    assert crop == Crop(left=150, top=180, side=180)


def test_the_square_stays_within_the_photo():
    assert Crop.around(face(10, 220, 80, 100), (512, 512), (512, 512)).left == 0
    padded = Crop.around(face(10, 180, 150, 200), (400, 200), (512, 512))
    assert padded == Crop(left=0, top=128, side=256), "a wide photo leaves bars above and below"


def test_points_go_where_their_pixels_go():
    image = np.zeros((512, 512, 3), np.uint8)
    crop = Crop(100, 60, 128)
    image[80:90, 120:130] = 255
    head = crop.of(image)
    assert head.shape == (SIDE, SIDE, 3) and (head[41:59, 41:59] > 250).all() and head[:38].max() < 10
    points = np.zeros((478, 3))
    points[0] = 124.5, 84.5, 7
    assert crop.points(points)[0] == pytest.approx([49.5, 49.5, 14])


@pytest.fixture(scope="module")
def counting(portrait_png, tmp_path_factory):
    """Ten pictures of a face at 25 a second, each darker than the one before."""
    photo = read_photo(portrait_png)[:256, 80:400]
    images = [(photo * (1 - 0.05 * i)).astype(np.uint8) for i in range(10)]
    return make_clip(tmp_path_factory.mktemp("clip") / "counting.mp4", images, 25)


def test_of_a_clip_the_pictures_nearest_to_the_instants_are_taken(counting):
    ms = 1_000_000
    instants = [0, 40 * ms, 75 * ms, 225 * ms, 360 * ms, 400 * ms, 900 * ms]
    found = dict(film(counting, (256, 256), instants, instants, Crop(60, 40, 128)))
    assert list(found) == instants[:5], "past the end there is none"
    whole = [on_canvas(first_picture(counting), (256, 256))]
    assert whole[0].shape == (256, 256, 3) and not whole[0][:24].any(), "a wide clip stands on black"
    brightness = [filmed.head.mean() for filmed in found.values()]
    parts = [value / brightness[0] for value in brightness]
    assert parts == pytest.approx([1, 0.95, 0.90, 0.70, 0.55], abs=0.04), "225 ms is nearer to 240 than to 200"
    assert all(filmed.landmarks is not None for filmed in found.values())


def test_without_a_crop_it_is_the_head_as_first_seen(counting):
    found = dict(film(counting, (256, 256), [0, 40_000_000, 80_000_000], [0, 80_000_000]))
    assert list(found) == [0, 80_000_000]
    first = found[0]
    middle = Crop.around(first.landmarks, (320, 256), (256, 256))
    assert first.crop == middle
    assert np.array_equal(first.head, middle.of(on_canvas(first_picture(counting), (256, 256))))


def test_heads_are_read_again_as_they_were(counting):
    instants = [0, 40_000_000, 80_000_000]
    found = dict(film(counting, (256, 256), instants, instants[1:]))
    again = dict(heads(counting, (256, 256), found, found[40_000_000].crop))
    assert list(again) == instants[1:]
    assert all(np.array_equal(head, found[due_ns].head) for due_ns, head in again.items())


def test_a_clip_without_a_face_is_refused(tmp_path):
    clip = make_clip(tmp_path / "grey.mp4", [np.full((128, 128, 3), 99, np.uint8)] * 4, 25)
    with pytest.raises(InputError, match=r"grey.mp4: no face is seen in it"):
        list(film(clip, (128, 128), [0, 80_000_000], [80_000_000]))


def test_a_voice_is_16_khz_mono(nodding):
    samples = voice(nodding)
    assert samples.dtype == np.int16 and len(samples) == pytest.approx(16_000, abs=1600) and samples.max() > 4000
