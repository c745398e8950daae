"""Photo -> Portrait: read any picture safely, find the face, place it on the canvas, part person and background."""

import io
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageCms, ImageColor, ImageOps, UnidentifiedImageError

from models.errors import InputError
from models.landmarks import face_width, find_faces
from models.matte import fill_background, foreground_colours, person_matte
from models.portrait import Portrait

MAX_PIXELS = 64_000_000
"""Photos with more pixels than this are refused unread (8000 x 8000)."""
MAX_BYTES = 512 * 1024**2
"""Picture files larger than this are refused unread."""
MIN_FACE_PX = 48
"""Width of the smallest usable face, ear to ear, in pixels of the photo."""
_WORKING_PX = 2048  # longer photos are scaled down to this before anything else


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

    Raises:
        InputError: not a picture, damaged, or more than `MAX_PIXELS`; calls it `name`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as file:
                if file.width * file.height > MAX_PIXELS:
                    raise InputError(f"{name} has {file.width}x{file.height} pixels; scale it to 8000x8000 or less")
                return _to_rgb(ImageOps.exif_transpose(file))
    except UnidentifiedImageError:
        raise InputError(f"{name} is not a picture (JPEG, PNG, WebP, ... are read)") from None
    except Image.DecompressionBombError:
        raise InputError(f"{name} has too many pixels; scale it to 8000x8000 or less") from None
    except (OSError, SyntaxError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} is damaged and cannot be decoded ({error})") from None


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
    grey = np.asarray(image, np.float64)
    top = float(grey.max(initial=0))
    if image.mode == "F":
        full = 1.0 if top <= 1 else 255.0
    else:
        full = 65535.0 if image.mode.startswith("I;16") or top <= 65535 else 2.0**31 - 1
    return cv2.cvtColor(np.clip(grey * (255 / full) + 0.5, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours of a wide-gamut photo as sRGB; a profile that cannot be read is ignored."""
    try:
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return image if converted is None else converted


@dataclass(frozen=True, slots=True)
class Canvas:
    """Where the photo lies on the output picture: scaled, centred, padded."""

    width: int
    height: int
    scale: float
    left: int
    top: int
    photo_width: int
    photo_height: int

    @classmethod
    def fit(cls, photo_size: tuple[int, int], size: tuple[int, int]) -> "Canvas":
        """The largest centred placement of a photo (width, height) on a canvas (width, height)."""
        (pw, ph), (w, h) = photo_size, size
        scale = min(w / pw, h / ph)
        width, height = min(w, max(1, round(pw * scale))), min(h, max(1, round(ph * scale)))
        return cls(w, h, scale, (w - width) // 2, (h - height) // 2, width, height)

    def place(self, image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h2 w2 c"]:
        """The picture at the canvas's scale, not yet padded."""
        size = (self.photo_width, self.photo_height)
        if (image.shape[1], image.shape[0]) == size:
            return image
        interpolation = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_CUBIC
        return cv2.resize(image, size, interpolation=interpolation)

    def points(self, landmarks: Float32[np.ndarray, "478 3"]) -> Float32[np.ndarray, "478 3"]:
        """Landmarks of the photo -> landmarks on the canvas."""
        # Pixel centres: photo pixel x covers [x, x + 1) * scale on the canvas.
        half = 0.5 * (self.scale - 1)
        return (landmarks * self.scale + [self.left + half, self.top + half, 0]).astype(np.float32)


def prepare_portrait(
    photo: UInt8[np.ndarray, "h w 3"],
    size: tuple[int, int],
    background: str = "keep",
    name: str = "the photo",
) -> Portrait:
    """Finds the face and prepares everything that does not move.

    Args:
        photo: RGB.
        size: width and height of the output.
        background: as in `on_background`.
        name: what to call the photo in messages.

    Raises:
        InputError: no human face, or one smaller than `MIN_FACE_PX`; a background that cannot be read.
    """
    longest = max(photo.shape[:2])
    if longest > _WORKING_PX:
        factor = _WORKING_PX / longest
        size_px = (max(1, round(photo.shape[1] * factor)), max(1, round(photo.shape[0] * factor)))
        photo = cv2.resize(photo, size_px, interpolation=cv2.INTER_AREA)
    else:
        factor = 1.0
    landmarks, notes = _choose_face(photo, factor, name)
    canvas = Canvas.fit((photo.shape[1], photo.shape[0]), size)
    image = canvas.place(photo)
    corner = np.array([canvas.left, canvas.top, 0], np.float32)
    on_photo = canvas.points(landmarks) - corner
    matte = person_matte(image, on_photo)
    plate = fill_background(image, matte, on_photo)
    foreground = foreground_colours(image, matte, plate)
    pad = (
        canvas.top,
        size[1] - canvas.top - image.shape[0],
        canvas.left,
        size[0] - canvas.left - image.shape[1],
    )
    portrait = Portrait(
        image=_pad(image, plate, pad),
        matte=cv2.copyMakeBorder(matte, *pad, cv2.BORDER_CONSTANT, value=0),
        foreground=cv2.copyMakeBorder(foreground, *pad, cv2.BORDER_REPLICATE),
        background=_pad(plate, plate, pad),
        landmarks=canvas.points(landmarks),
        notes=notes,
    )
    return on_background(portrait, background)


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


def _choose_face(
    photo: UInt8[np.ndarray, "h w 3"], factor: float, name: str
) -> tuple[Float32[np.ndarray, "478 3"], tuple[str, ...]]:
    faces = find_faces(photo)
    if not faces:
        raise InputError(f"{name} shows no human face; use a photo in which one face is large and looks this way")
    width = face_width(faces[0]) / factor
    if width < MIN_FACE_PX:
        raise InputError(
            f"the face in {name} is {width:.0f} pixels wide, at least {MIN_FACE_PX} are needed; "
            "use a larger photo or one taken nearer"
        )
    if len(faces) == 1:
        return faces[0], ()
    return faces[0], (f"{name} shows {len(faces)} faces; the largest one is used",)


def _pad(
    image: UInt8[np.ndarray, "h w 3"], plate: UInt8[np.ndarray, "h w 3"], pad: tuple[int, int, int, int]
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """`image` with borders of the blurred `plate`."""
    if not any(pad):
        return image
    border = cv2.copyMakeBorder(
        plate, *pad, cv2.BORDER_REFLECT_101 if min(image.shape[:2]) > max(pad) else cv2.BORDER_REPLICATE
    )
    border = cv2.GaussianBlur(border, (0, 0), 0.03 * max(border.shape))
    top, _, left, _ = pad
    border[top : top + image.shape[0], left : left + image.shape[1]] = image
    return border


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
