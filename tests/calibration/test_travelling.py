"""Portraits as they travel, and what pretends to be one."""

import io
import struct

import numpy as np
import pytest
import skimage.data
from PIL import Image

from calibration.photo import decode_photo, read_photo
from calibration.portrait import choose_face
from calibration.travelling import LONGEST_PX, MOST_BYTES, pack, unpack
from models.errors import InputError

FACE_END = 4 + 478 * 3 * 2


@pytest.fixture(scope="module")
def photo(portrait_png):
    return read_photo(portrait_png)


@pytest.fixture(scope="module")
def packed(photo):
    return pack(photo, "me.png")


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def test_what_arrives_is_the_portrait_with_its_face_and_nothing_else(photo, packed):
    arrived = unpack(packed, "the portrait")
    pixels = decode_photo(arrived.picture, "the portrait")
    assert np.abs(pixels.astype(int) - photo).mean() < 2
    assert np.abs(arrived.landmarks - choose_face(photo, "me.png")[0]).max() <= 1 / 32 + 1e-4
    with Image.open(io.BytesIO(arrived.picture)) as file:
        assert not file.getexif() and set(file.info) == set()
    with Image.open(io.BytesIO(packed[FACE_END:])) as file:
        assert not file.getexif() and "icc_profile" not in file.info


def test_a_large_photo_is_made_small_with_its_landmarks(photo, packed):
    large = np.repeat(np.repeat(photo, 3, 0), 3, 1)
    arrived = unpack(pack(large, "me.png"), "the portrait")
    assert decode_photo(arrived.picture, "").shape[:2] == (LONGEST_PX, LONGEST_PX)
    small = unpack(packed, "the portrait").landmarks
    assert np.abs(arrived.landmarks / 2 - small).mean() < 1


def test_what_is_no_person_does_not_leave():
    with pytest.raises(InputError, match=r"cat\.jpg shows no human face"):
        pack(skimage.data.chelsea(), "cat.jpg")


def test_pictures_made_to_harm_are_refused(photo, packed):
    face, picture = packed[:FACE_END], packed[FACE_END:]
    image = Image.fromarray(photo)
    png = io.BytesIO()
    image.save(png, "PNG")
    frame = picture.index(b"\xff\xc0") + 5
    large, bomb = (picture[:frame] + struct.pack(">HH", side, side) + picture[frame + 4 :] for side in (4000, 60_000))
    moved = np.frombuffer(face[4:], "<i2").reshape(-1, 3) + np.array([400, 0, 0], "<i2")
    wild = np.frombuffer(face[4:], "<i2").copy()
    wild[0] = 32_767
    for data, reason in {
        b"": "not in the form",
        face: "not in the form",
        b"F" + packed[1:]: "not in the form",
        packed + bytes(MOST_BYTES): "not in the form",
        face + b"nonsense": "cannot be decoded",
        face + picture[: len(picture) // 2]: "cannot be decoded",
        face + png.getvalue(): "cannot be decoded",
        face + large: "no RGB picture",
        face + bomb: "cannot be decoded",
        face + jpeg(image.resize((LONGEST_PX + 2, 512))): "no RGB picture",
        face + jpeg(image.resize((512, 8))): "no RGB picture",
        face + jpeg(image.convert("L")): "no RGB picture",
        face + jpeg(image.convert("CMYK")): "no RGB picture",
        face + jpeg(Image.fromarray(skimage.data.chelsea())): "shows no human face",
        b"face" + moved.astype("<i2").tobytes() + picture: "another face",
        b"face" + wild.tobytes() + picture: "another face",
    }.items():
        with pytest.raises(InputError, match=f"the portrait .*{reason}"):
            unpack(data, "the portrait")
