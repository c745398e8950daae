"""A picture of nobody: where somebody is heard and not seen."""

import cv2
import numpy as np

from models.portrait import Portrait

_GROUND, _FIGURE = (38, 40, 43), (92, 96, 101)  # RGB


def outline(size: tuple[int, int]) -> Portrait:
    """Head and shoulders in one colour, without a face. `size`: width and height."""
    width, height = size
    unit = min(width, height)
    matte = np.zeros((height, width), np.float32)
    for down, across, tall in ((0.42, 0.15, 0.19), (1.0, 0.36, 0.33)):
        middle = (width // 2, round(height / 2 + (down - 0.5) * unit))
        cv2.ellipse(matte, middle, (round(across * unit), round(tall * unit)), 0, 0, 360, 1.0, cv2.FILLED, cv2.LINE_AA)
    matte = cv2.GaussianBlur(matte, (0, 0), 1.0)
    person = np.dstack([matte * channel for channel in _FIGURE] + [matte * 255]).round().astype(np.uint8)
    return Portrait(
        image=np.full((height, width, 3), _FIGURE, np.uint8),
        matte=matte,
        person=person,
        person_scale=1,
        person_margin=0,
        background=np.full((height, width, 3), _GROUND, np.uint8),
        landmarks=np.zeros((478, 3), np.float32),
    )
