"""The instrument before an output: no pixel of a camera gets there, so it writes down which one is shown."""

import threading
from dataclasses import replace

import numpy as np

from agent.bench.stamp import draw_stamp
from agent.bench.synthetic import Emissions
from runtime.picture import Picture


class Stamping:
    """Pictures that bear the code of the instant that they show while `on` is set."""

    def __init__(self, seen: Emissions, on: threading.Event) -> None:
        self._seen, self._on = seen, on

    def __call__(self, picture: Picture) -> Picture:
        """One with the code drawn; one that nobody moved as it is."""
        code = self._seen.code_at(picture.motion.pts_ns) if self._on.is_set() and picture.trail is not None else None
        if code is None:
            return picture
        image = np.array(picture.image)
        draw_stamp(image, code)
        return replace(picture, image=image)
