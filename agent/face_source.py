"""A camera or a recording as a calibration looks at it: frames, and the face in each."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import cv2

from agent.inputs import open_camera
from models.landmarks import Landmarks, MediapipeTracker
from runtime.clock import Clock
from runtime.frame import Frame
from runtime.sources import Source
from runtime.sources.media import probe
from runtime.sources.paced import Paced


class FaceSource:
    """Frames with the landmarks of their face. `stop` ends it early."""

    def __init__(self, camera: Path | str, clock: Clock, start_ns: int | None = None) -> None:
        """Opens the camera; a file is played at its own speed from `start_ns` on, else as fast as it is read.

        Raises InputError.
        """
        cv2.setNumThreads(1)
        self._camera, self._stopped = camera, False
        source = open_camera(camera, clock)
        self._source: Source[Frame] = source
        if start_ns is not None and isinstance(camera, Path):
            self._source = Paced(source, clock, start_ns)

    @property
    def frames(self) -> int:
        """Of a recording, about."""
        assert isinstance(self._camera, Path)
        info = probe(self._camera)
        return max(1, round(info.pictures_ns * (info.fps or 25) / 1e9))

    def stop(self) -> None:
        """Ends it after the current frame. Any thread."""
        self._stopped = True
        self._source.close()

    def __iter__(self) -> Iterator[tuple[Frame, Landmarks | None]]:
        """Closes the camera at the end. Raises KeyboardInterrupt there if it was stopped."""
        with ExitStack() as opened:
            opened.callback(self._source.close)
            tracker = opened.enter_context(closing(MediapipeTracker()))
            for frame in self._source:
                yield frame, tracker.track(frame.image)
        if self._stopped:
            raise KeyboardInterrupt
