"""Glimpses: what is cut out of the camera's frames, how small they are, and what is not taken for one."""

import io
import random

import cv2
import numpy as np
import pytest
from PIL import Image

from runtime.frame import Frame
from runtime.glimpse import LONGEST_PX, MOST_BYTES, read_glimpse
from runtime.truth.glimpses import Glimpses
from tests.runtime.truth.filmed import photo


def of_photo() -> tuple[Glimpses, np.ndarray, np.ndarray]:
    image, face = photo()
    return Glimpses((image.shape[1], image.shape[0]), face), image, face


def decibels(one: np.ndarray, other: np.ndarray) -> float:
    small = cv2.resize(other, one.shape[1::-1], interpolation=cv2.INTER_AREA)
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - small) ** 2)))


def webp(image: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "WEBP", **options)
    return file.getvalue()


@pytest.mark.parametrize(("scale", "left", "top"), [(1.0, 0, 0), (0.6, 120, 40)])
def test_the_face_lies_where_the_photo_has_it(scale: float, left: int, top: int) -> None:
    glimpses, image, face = of_photo()
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = cv2.copyMakeBorder(small, top, 60, left, 60, cv2.BORDER_CONSTANT, value=(0, 255, 0))
    seen = (face * scale + [left, top, 0]).astype(np.float32)
    glimpses.follow(seen)
    glimpse = glimpses.take(Frame(frame, 0), None, wide=False)
    assert glimpse is not None
    picture = read_glimpse(glimpse.data)
    assert picture.shape[0] * image.shape[1] == picture.shape[1] * image.shape[0]
    assert decibels(picture, image) > 22
    assert decibels(np.roll(picture, 6, 1), image) < 17, "a few pixels beside it would be seen"


def test_where_the_frame_ends_a_blur_goes_on() -> None:
    glimpses, image, face = of_photo()
    narrow = np.ascontiguousarray(image[:, 60:420])
    glimpses.follow((face - [60, 0, 0]).astype(np.float32))
    picture = read_glimpse(glimpses.take(Frame(narrow, 0), None, wide=False).data)
    shown = slice(round(65 / 512 * picture.shape[1]), round(415 / 512 * picture.shape[1]))
    small = cv2.resize(image, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert decibels(picture[:, shown], small[:, shown]) > 22
    beside = slice(0, round(55 / 512 * picture.shape[1]))
    assert np.abs(np.diff(picture[:, beside].astype(float), axis=0)).mean() < 4 < picture[:, beside].std()


def test_of_a_frame_that_shows_little_the_face_is_larger_than_the_photo_s() -> None:
    _, image, face = of_photo()
    part = np.ascontiguousarray(image[20:220, 120:320])
    glimpses = Glimpses((image.shape[1], image.shape[0]), face)
    glimpses.follow((face - [120, 20, 0]).astype(np.float32))
    picture = read_glimpse(glimpses.take(Frame(part, 0), None, wide=False).data)
    there = 0.65 * len(picture)  # pixels that the frame is wide
    middle = face[:, :2].mean(0)
    left, top = middle / 512 * len(picture) - (middle - [120, 20]) * there / 200
    low, high = np.round([left + 4, top + 4]).astype(int), np.round([left + there - 4, top + there - 4]).astype(int)
    shown = picture[max(low[1], 0) : high[1], max(low[0], 0) : high[0]]
    scale = 200 / there
    begin = np.round((np.maximum(low, 0) - [left, top]) * scale).astype(int)
    size = np.round(np.array(shown.shape[1::-1]) * scale).astype(int)
    expected = part[begin[1] : begin[1] + size[1], begin[0] : begin[0] + size[0]]
    assert decibels(shown, expected) > 20


@pytest.mark.parametrize("at", [(-3000, 50), (4000, 4000)])
def test_a_face_beyond_the_frame_is_no_failure(at: tuple[int, int]) -> None:
    glimpses, image, face = of_photo()
    glimpses.follow((face + [*at, 0]).astype(np.float32))
    assert read_glimpse(glimpses.take(Frame(image, 0), None, wide=False).data).shape[0] > 0


def test_it_goes_with_the_face_slowly() -> None:
    glimpses, image, face = of_photo()
    frame = Frame(cv2.copyMakeBorder(image, 0, 0, 300, 300, cv2.BORDER_REFLECT), 0)
    glimpses.follow((face + [280, 0, 0]).astype(np.float32))  # since then the face has moved
    taken = [glimpses.take(frame, (face + [300, 0, 0]).astype(np.float32), wide=False) for _ in range(40)]
    levels = [decibels(read_glimpse(taken[k].data), image) for k in (0, 39)]
    assert levels[0] < 16 and levels[1] > 20


def test_for_somebody_else_it_grows_until_all_of_the_frame_is_in_it() -> None:
    _, image, face = of_photo()
    head = Glimpses((240, 240), (face - [100, 0, 0]).astype(np.float32))  # of a photo of the head alone
    head.follow(face)
    taken = [head.take(Frame(image, 0), face, wide=k > 0) for k in range(80)]
    assert decibels(read_glimpse(taken[0].data), image[:240, 100:340]) > 20
    assert decibels(read_glimpse(taken[-1].data), image) > 20


def test_before_any_face_there_is_none() -> None:
    glimpses, image, _ = of_photo()
    assert glimpses.take(Frame(image, 0), None, wide=False) is None
    assert glimpses.over().data == b""


def test_noise_fits_into_a_packet_too() -> None:
    glimpses, image, face = of_photo()
    glimpses.follow(face)
    noise = np.random.default_rng(0).integers(0, 256, image.shape, dtype=np.uint8)
    sizes = [len(glimpses.take(Frame(shown, 0), None, wide=False).data) for shown in (noise, image, noise)]
    assert max(sizes) <= MOST_BYTES < len(webp(cv2.resize(noise, (LONGEST_PX, LONGEST_PX)), quality=24))


def test_what_fits_into_no_packet_does_not_leave(monkeypatch) -> None:
    glimpses, image, face = of_photo()
    glimpses.follow(face)
    monkeypatch.setattr("runtime.truth.glimpses.MOST_BYTES", 20)
    assert glimpses.take(Frame(image, 0), None, wide=False) is None


def patched(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + value.to_bytes(2, "little") + data[at + 2 :]


GOOD = webp(np.full((96, 96, 3), 90, np.uint8), quality=20)
FLAT = np.full((LONGEST_PX + 2, 16, 3), 90, np.uint8)
HOSTILE = {
    "nothing": b"",
    "a head alone": GOOD[:30],
    "cut off": GOOD[:-2],
    "something behind": GOOD + b"EXIF",
    "a JPEG": cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes(),
    "without loss": webp(np.full((16, 16, 3), 90, np.uint8), lossless=True),
    "with metadata": webp(np.full((16, 16, 3), 90, np.uint8), exif=b"Exif\0\0" + bytes(20)),
    "transparent": webp(np.full((16, 16, 4), 90, np.uint8)),
    "too high": webp(FLAT, quality=20),
    "16383 wide by its head": patched(GOOD, 26, 0x3FFF),
    "no pixels": patched(GOOD, 28, 0),
    "too many bytes": webp(np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8), quality=90),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_only_the_plainest_picture_is_read(what: str) -> None:
    assert read_glimpse(GOOD).shape == (96, 96, 3)
    with pytest.raises(ValueError, match=r"."):
        read_glimpse(HOSTILE[what])


def test_whatever_comes_is_a_small_picture_or_none() -> None:
    draw, read = random.Random(0), 0
    for _ in range(1500):
        data = bytearray(GOOD)
        for _ in range(draw.randint(1, 4)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        try:
            read += max(read_glimpse(bytes(data)).shape[:2]) <= LONGEST_PX
        except ValueError:
            continue
    assert read > 0
