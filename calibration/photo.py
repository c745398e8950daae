"""Picture files -> RGB pixels, safely."""

import io
import warnings
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from models.errors import InputError

MAX_PIXELS = 64_000_000
"""Photos with more pixels than this are refused unread (8000 x 8000)."""
_ENOUGH_PX = 3000  # of the shorter side: photos twice as large and more are read at a half, a third, ...
_REDUCIBLE = ("L", "RGB", "RGBA", "I", "F")  # modes of the library
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "AVIF", "PPM", "TGA", "ICO", "JPEG2000")
"""What is read; other formats of the library run programs or are of no use for photos."""
MAX_BYTES = 512 * 1024**2
"""Picture files larger than this are refused unread."""


def read_photo(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """RGB pixels of a picture file, as `decode_photo` gives them.

    Raises:
        InputError: no such file, not a picture, damaged, or more than `MAX_PIXELS`.
    """
    return decode_photo(read_file(path), str(path))


def read_file(path: Path) -> bytes:
    """What a picture file holds. Raises InputError: no such file, too large, or not to be read."""
    try:
        if not path.exists():
            raise InputError(f"{path}: no such file")
        if not path.is_file():
            raise InputError(f"{path} is a folder; give a picture file")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES >> 20} MB; give a picture file, such as a JPEG")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None


def decode_photo(data: bytes, name: str) -> UInt8[np.ndarray, "h w 3"]:
    """RGB pixels of a picture file's bytes, turned upright (EXIF), grey, 16-bit and transparent pictures included.

    Pictures that are far larger than any output are given at a fraction of their size, which saves a gigabyte.

    Raises:
        InputError: not a picture, damaged, or more than `MAX_PIXELS`; calls it `name`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=_formats()) as file:
                if file.width * file.height > MAX_PIXELS:
                    raise InputError(f"{name} has {file.width}x{file.height} pixels; scale it to 8000x8000 or less")
                file.draft(None, (_ENOUGH_PX, _ENOUGH_PX))  # JPEG only, before it is decoded
                ImageOps.exif_transpose(file, in_place=True)
                return _to_rgb(_reduced(file))
    except UnidentifiedImageError:
        raise InputError(f"{name} is not a picture (JPEG, PNG, WebP, ... are read)") from None
    except Image.DecompressionBombError:
        raise InputError(f"{name} has too many pixels; scale it to 8000x8000 or less") from None
    except (OSError, SyntaxError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} is damaged and cannot be decoded ({error})") from None


@cache
def _formats() -> tuple[str, ...]:
    """Those of `_FORMATS` that this build of the library knows."""
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _reduced(image: Image.Image) -> Image.Image:
    factor = min(image.size) // _ENOUGH_PX
    return image.reduce(factor) if factor > 1 and image.mode in _REDUCIBLE else image


def _to_rgb(image: Image.Image) -> UInt8[np.ndarray, "h w 3"]:
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep_grey(image)
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        image = _to_srgb(image, profile)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.array(image.convert("RGB"))


def _from_deep_grey(image: Image.Image) -> UInt8[np.ndarray, "h w 3"]:
    """Grey of 16 or 32 bits or floating point: the format's full range becomes 0..255."""
    grey = np.array(image, np.float32)
    top = float(grey.max(initial=0))
    if image.mode == "F":
        full = 1.0 if top <= 1 else 255.0
    else:
        full = 65535.0 if image.mode.startswith("I;16") or top <= 65535 else 2.0**31 - 1
    grey *= 255 / full
    grey += 0.5
    return cv2.cvtColor(np.clip(grey, 0, 255, out=grey).astype(np.uint8), cv2.COLOR_GRAY2RGB)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours of a wide-gamut photo as sRGB; a profile that cannot be read is ignored."""
    try:
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return image if converted is None else converted
