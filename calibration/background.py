"""What stands behind the person."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import ImageColor

from calibration.photo import read_photo
from models.errors import InputError
from models.portrait import Portrait


def on_background(portrait: Portrait, choice: str) -> Portrait:
    """A portrait that has the photo's own background, before another one; cheap.

    Args:
        portrait: from `prepare_portrait` with "keep".
        choice: "keep", "blur", "transparent", a colour ("#RRGGBB" or a CSS name) or the path of a picture.

    Raises:
        InputError: a background that cannot be read.
    """
    plate = portrait.background
    if plate is None:
        raise ValueError("the portrait has lost its background")
    check_background(choice)
    h, w = plate.shape[:2]
    match choice:
        case "keep":
            return portrait
        case "blur":
            return replace(portrait, background=cv2.GaussianBlur(plate, (0, 0), 0.03 * max(h, w)))
        case "transparent":
            return replace(portrait, background=None)
    if _exists(Path(choice)):
        return on_picture(portrait, read_photo(Path(choice)))
    return replace(portrait, background=np.full((h, w, 3), ImageColor.getrgb(choice)[:3], np.uint8))


def on_picture(portrait: Portrait, picture: UInt8[np.ndarray, "h w 3"]) -> Portrait:
    """The portrait before the middle of an RGB picture, which fills the output."""
    height, width = portrait.matte.shape
    h, w = picture.shape[:2]
    scale = max(width / w, height / h)
    crop_h, crop_w = (max(1, min(side, round(out / scale))) for side, out in ((h, height), (w, width)))
    top, left = (h - crop_h) // 2, (w - crop_w) // 2
    middle = picture[top : top + crop_h, left : left + crop_w]  # first, since the whole may be long beyond measure
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return replace(portrait, background=cv2.resize(middle, (width, height), interpolation=interpolation))


def still(portrait: Portrait) -> UInt8[np.ndarray, "h w 3"]:
    """The person as the photo shows them, before the portrait's background: RGB, to be shown before an engine draws."""
    if portrait.background is None:
        return portrait.image
    matte = portrait.matte[..., None]
    return (portrait.image * matte + portrait.background * (1 - matte) + np.float32(0.5)).astype(np.uint8)


def check_background(choice: str) -> None:
    """Raises InputError if `choice` is no background, as far as can be told without opening a picture."""
    if choice in ("keep", "blur", "transparent") or _exists(Path(choice)):
        return
    try:
        ImageColor.getrgb(choice)
    except ValueError:
        raise InputError(
            f"background '{choice}' is neither keep, blur, transparent, a colour (#204060), nor a picture that exists"
        ) from None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any file's
        return False
