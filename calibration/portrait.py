"""Photo -> Portrait: find the face, place it on the canvas, part person and background."""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from calibration.background import on_background
from calibration.framing import Canvas, Framing
from calibration.sheet import person_sheet, with_person_beyond
from models.errors import InputError
from models.landmarks import face_width, find_faces, is_upside_down
from models.matte import fill_background, foreground_colours, person_matte
from models.portrait import PERSON_MARGIN, Portrait
from models.topology import CHIN, FOREHEAD_TOP

MIN_FACE_PX = 48
"""Width of the smallest usable face, ear to ear, in pixels of the photo."""
_UPRIGHT = 0.5  # cosine of the tilt beyond which a photo counts as turned
_SEARCH_PX = 2048  # faces in longer photos are looked for in a smaller copy
_FINE = 2  # times as fine as the picture the person is kept, so as not to blur in motion
_FINE_UP_TO_PX = 768  # in pictures up to this size
_MOST_ENLARGED = 0.75  # photos with fewer pixels than that gain nothing

Image = UInt8[np.ndarray, "h w 3"]


def prepare_portrait(
    photo: UInt8[np.ndarray, "h w 3"],
    size: tuple[int, int],
    background: str = "keep",
    name: str = "the photo",
    framing: Framing = "photo",
    landmarks: Float32[np.ndarray, "478 3"] | None = None,
) -> Portrait:
    """Finds the face and prepares everything that does not move.

    Args:
        photo: RGB.
        size: width and height of the output.
        background: as in `on_background`.
        name: what to call the photo in messages.
        framing: as in `Canvas.framed`.
        landmarks: of the face in pixels of the photo, where they are known; None looks for it.

    Raises:
        InputError: no human face, or one smaller than `MIN_FACE_PX`; a background that cannot be read.
    """
    landmarks, notes = choose_face(photo, name) if landmarks is None else (landmarks, ())
    canvas = Canvas.framed(framing, landmarks, (photo.shape[1], photo.shape[0]), size)
    worth_it = canvas.scale <= _MOST_ENLARGED and max(size) <= _FINE_UP_TO_PX
    fine = canvas.finer(_FINE if worth_it else 1, beyond=round(PERSON_MARGIN * max(size)))
    placed = fine.place(photo)
    on_sheet = placed.points(landmarks)
    corner = np.array([placed.left, placed.top, 0])
    on_part = (on_sheet - corner).astype(np.float32)
    matte = person_matte(placed.image, on_part)
    plate = fill_background(placed.image, matte, on_part)
    colours = foreground_colours(placed.image, matte, plate)
    sheet = person_sheet(fine, placed, colours, matte, on_part)
    photographed = fine.within(placed, placed.image, plate), fine.within(placed, matte, np.zeros_like(matte))
    image, whole_matte = (fine.reduced(layer) for layer in with_person_beyond(fine, placed, sheet, *photographed))
    portrait = Portrait(
        image=image,
        matte=whole_matte,
        person=sheet,
        person_scale=fine.times,
        person_margin=fine.beyond,
        background=fine.picture(placed, plate, plate),
        landmarks=fine.to_picture(on_sheet),
        notes=notes,
    )
    return on_background(portrait, background)


def choose_face(photo: Image, name: str) -> tuple[Float32[np.ndarray, "478 3"], tuple[str, ...]]:
    """Landmarks of the largest face, in pixels of the photo, and what to say about the photo.

    Raises InputError as `prepare_portrait` does.
    """
    factor = min(1.0, _SEARCH_PX / max(photo.shape[:2]))
    small = photo if factor == 1 else cv2.resize(photo, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    # Pixel centres: pixel x of the photo covers [x, x + 1) * factor.
    faces = [((face + [0.5, 0.5, 0]) / factor - [0.5, 0.5, 0]).astype(np.float32) for face in find_faces(small)]
    if not faces:
        raise InputError(f"{name} shows no human face; use a photo in which one face is large and looks this way")
    width = face_width(faces[0])
    if width < MIN_FACE_PX:
        raise InputError(
            f"the face in {name} is {width:.0f} pixels wide, at least {MIN_FACE_PX} are needed; "
            "use a larger photo or one taken nearer"
        )
    down = faces[0][CHIN, :2] - faces[0][FOREHEAD_TOP, :2]
    if down[1] < _UPRIGHT * np.linalg.norm(down) or is_upside_down(small, factor * faces[0]):
        raise InputError(f"the face in {name} lies on its side or head down; turn the photo upright")
    if len(faces) == 1:
        return faces[0], ()
    return faces[0], (f"shows {len(faces)} faces; the largest one is used",)
