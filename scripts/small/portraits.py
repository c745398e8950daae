"""The photos that the small model learns from, cut around their faces. What each one's status is: the model card."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from calibration.photo import read_photo
from calibration.portrait import choose_face, prepare_portrait
from models.portrait import Portrait
from models.topology import CHIN, FOREHEAD_TOP

SIZE = 288
"""Of portraits, pixels."""
_FACE_HEIGHTS = 2.7
TRAINED = {
    "astronaut.png": "e51090bfeb7d3f8562b9b5eef784a66003a023f54675083925727adbc072f2b6",
    "mona_lisa.jpg": "84a6bfcb3346951cef85c0b0bb07856794e0b04d5b65322c18d77198fbf43f2a",
    "painting_girl.jpg": "9c368d9aa2eea0c5319b7d76e3b6c339819e49565ef064933a4511c11b581549",
    "bar_maid.jpg": "9ad3fc44e6f406e64d95536272956bdbcda7df1e5fd223e2253078cfa63d9167",
}
"""Files in the folder of portraits that are learnt from, and the SHA-256 of those that the weights come from."""


def load(path: Path, mirrored: bool = False) -> Portrait:
    """A portrait without background. Raises InputError as `prepare_portrait` does."""
    photo = read_photo(path)
    if mirrored:
        photo = np.ascontiguousarray(photo[:, ::-1])
    face, _ = choose_face(photo, path.name)
    height = float(np.linalg.norm(face[CHIN, :2] - face[FOREHEAD_TOP, :2]))
    side = round(_FACE_HEIGHTS * height)
    corner = np.rint((face[CHIN, :2] + face[FOREHEAD_TOP, :2]) / 2 - side / 2).astype(int)
    cut = photo[tuple(slice(max(c, 0), c + side) for c in corner[::-1])]
    before = [(max(-int(c), 0), max(int(c) + side - n, 0)) for c, n in zip(corner[::-1], photo.shape[:2], strict=True)]
    square = np.pad(cut, [*before, (0, 0)], mode="edge")
    square = cv2.resize(square, (SIZE, SIZE), interpolation=cv2.INTER_AREA if side > SIZE else cv2.INTER_CUBIC)
    return replace(prepare_portrait(square, (SIZE, SIZE), name=path.name), background=None)
