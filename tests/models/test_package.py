"""Avatar packages: what comes out is what went in, and what is not one is refused."""

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from calibration.photo import read_photo
from calibration.portrait import prepare_portrait
from models.builtin.avatar import BuiltinAvatar
from models.builtin.constants import TABLE
from models.builtin.package import MOST_BYTES, Package
from models.builtin.packing import pack
from models.errors import InputError
from models.face import load_face_model
from tests.models.hostile_packages import hostile, put_together, taken_apart


@pytest.fixture(scope="module")
def portrait(portrait_png):
    return prepare_portrait(read_photo(portrait_png), (512, 512))


@pytest.fixture(scope="module")
def packed(portrait):
    return pack(BuiltinAvatar(portrait, load_face_model()))


def picture(package: Package, name: str) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(package.pictures[name])).convert("RGB"))


def test_a_package_holds_the_portrait(portrait, packed):
    package = Package.from_bytes(packed)
    landmarks = package.arrays["landmarks"].T * package.numbers["units"]["landmarks"]
    assert np.abs(landmarks[:, :2] - portrait.landmarks[:, :2]).max() < 0.02
    margin, matte = package.numbers["parts"]["person"]["margin"], picture(package, "matte")[..., 0]
    inner = np.s_[margin : margin + 512, margin : margin + 512]
    assert np.abs(matte[inner] / 255 - portrait.matte).mean() < 0.01
    off = picture(package, "sheet")[inner].astype(float) - portrait.image
    assert np.sqrt((off[portrait.matte > 0.99] ** 2).mean()) < 6
    assert picture(package, "backdrop").shape == (512, 512, 3)


def test_a_photo_of_512_pixels_takes_at_most_100_kilobytes(packed):
    assert len(packed) <= 100_000


def test_constants_travel_in_the_package(packed):
    assert Package.from_bytes(packed).numbers["constants"] == json.loads(json.dumps(TABLE))


def test_the_same_avatar_gives_the_same_package(portrait, packed):
    assert pack(BuiltinAvatar(portrait, load_face_model())) == packed


def test_a_package_read_is_a_package_written(packed):
    assert Package.from_bytes(Package.from_bytes(packed).to_bytes()).numbers == Package.from_bytes(packed).numbers


def test_nothing_is_packed_without_a_background(portrait_png):
    portrait = prepare_portrait(read_photo(portrait_png), (128, 128), "transparent")
    with pytest.raises(InputError, match="background"):
        pack(BuiltinAvatar(portrait, load_face_model()))


def test_a_package_too_large_for_readers_is_not_written(packed):
    package = Package.from_bytes(packed)
    with pytest.raises(ValueError, match="bytes"):
        Package(package.numbers, package.arrays | {"more": _noise()}, package.pictures).to_bytes()


def _noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, MOST_BYTES, np.uint8)


def test_damaged_and_hostile_packages_are_refused(packed):
    assert Package.from_bytes(put_together(*taken_apart(packed)))  # what they are made from is good
    for what, data in hostile(packed).items():
        with pytest.raises(InputError) as refused:
            Package.from_bytes(data)
        assert "\n" not in str(refused.value), what


def test_bits_that_flipped_raise_nothing_else(packed):
    draw = np.random.default_rng(0)
    for _ in range(200):
        data = bytearray(packed)
        for at in draw.integers(0, 3000, 3):
            data[at] ^= 1 << int(draw.integers(8))
        try:
            Package.from_bytes(bytes(data))
        except InputError:
            continue
