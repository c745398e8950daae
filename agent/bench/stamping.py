"""The instrument before an output: no pixel of a camera gets there, so it writes down which one is shown."""

import threading
from dataclasses import replace

import numpy as np

from agent.bench.stamp import draw_stamp
from agent.bench.synthetic import Emissions
from runtime.picture import Picture
from runtime.sinks import Sink
from runtime.sound import Sound


class Stamping:
    """Sink: `sink`, whose pictures bear the code of the instant that they show while `on` is set."""

    def __init__(self, sink: Sink, seen: Emissions, on: threading.Event) -> None:
        self.name, self.shows = sink.name, sink.shows
        self._sink, self._seen, self._on = sink, seen, on

    def send(self, picture: Picture) -> None:
        """Draws the code and passes the picture on; one that nobody moved as it is."""
        code = self._seen.code_at(picture.motion.pts_ns) if self._on.is_set() and picture.trail is not None else None
        if code is not None:
            image = np.array(picture.image)
            draw_stamp(image, code)
            picture = replace(picture, image=image)
        self._sink.send(picture)

    def hear(self, sound: Sound) -> None:
        """Passes it on."""
        self._sink.hear(sound)

    def close(self, complete: bool = True) -> None:
        """Closes the output."""
        self._sink.close(complete)
