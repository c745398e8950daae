"""`agent calibrate`: a camera or a recording in, a profile out."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

import cv2

from agent.build import open_camera
from agent.calibration_page import CalibrationPage
from agent.config import Calibrate
from agent.plan import parse_input
from calibration.guide import STEPS, Guide
from calibration.learn import Learner
from calibration.profile import Profile
from calibration.profile_file import is_profile, save_profile
from models.errors import InputError
from models.face import load_face_model
from models.landmarks import Landmarks, MediapipeTracker
from runtime.clock import MonotonicClock
from runtime.frame import Frame
from runtime.sources import Source
from runtime.sources.media import probe
from runtime.sources.paced import Paced

_EXPRESSIONS = {
    "mouthSmile": "a smile",
    "jawOpen": "an open mouth",
    "mouthPucker": "a pucker",
    "browInnerUp": "raised brows",
}
_FIELDS_OF_VIEW_DEG = (20, 150)


class Calibration:
    """A calibration that is ready to start. `stop` ends it early, and nothing is written then."""

    def __init__(self, config: Calibrate) -> None:
        """Checks settings and opens the camera. Raises InputError."""
        cv2.setNumThreads(1)
        self._config = config
        self._camera = parse_input(config.camera or "")
        _check(config, self._camera)
        self.live = config.realtime or not isinstance(self._camera, Path)
        """Whether a person is guided through it."""
        self._model = load_face_model()
        self._learner = Learner(self._model)
        self._stopped = False
        clock = MonotonicClock()
        source = open_camera(self._camera, clock)
        paced = self.live and isinstance(self._camera, Path)
        self._source: Source[Frame] = Paced(source, clock, clock.now_ns()) if paced else source

    def stop(self) -> None:
        """Ends it after the current frame. Any thread."""
        self._stopped = True
        self._source.close()

    @property
    def frames(self) -> int:
        """Of a recording, about."""
        assert isinstance(self._camera, Path)
        info = probe(self._camera)
        return max(1, round(info.pictures_ns * (info.fps or 25) / 1e9))

    def learn(self, progress: Callable[[int], None]) -> Profile:
        """Runs through a recording; `progress` hears how many frames are done."""
        for done, (frame, landmarks) in enumerate(self._faces(), 1):
            if landmarks is not None:
                self._learner.add(landmarks, frame.image.shape[1], frame.image.shape[0])
            progress(done)
        return self._written()

    def guide(self, say: Callable[[str], None]) -> Profile:
        """Guides a person on a page and in the terminal."""
        guide = Guide(self._learner, self._model)
        pressed: deque[str] = deque()  # by the page's thread
        page = CalibrationPage(pressed.append)
        said = -1
        with closing(page):
            say(f"open {page.url} and follow it; only a drawing of your face is shown there")
            try:
                for frame, landmarks in self._faces():
                    height, width = frame.image.shape[:2]
                    while pressed:
                        guide.skip() if pressed.popleft() == "skip" else guide.again()
                    if landmarks is not None:
                        guide.see(landmarks, frame.pts_ns, width, height)
                    page.show(guide, landmarks, width, height)
                    if guide.ended:
                        break
                    if guide.index != said:
                        said = guide.index
                        say(f"{said + 1} of {len(STEPS)}: {STEPS[said].title}. {STEPS[said].hint}")
                profile = self._written()
            except InputError as error:
                page.end(str(error), good=False)
                raise
            page.end(f"Your profile is {self._config.output.name}. You can close this page.", good=True)
            return profile

    def _faces(self) -> Iterator[tuple[Frame, Landmarks | None]]:
        with ExitStack() as opened:
            opened.callback(self._source.close)
            tracker = opened.enter_context(closing(MediapipeTracker()))
            for frame in self._source:
                yield frame, tracker.track(frame.image)
        if self._stopped:
            raise KeyboardInterrupt

    def _written(self) -> Profile:
        config = self._config
        made = datetime.now().astimezone().isoformat(timespec="seconds")
        name = config.name or config.output.name.partition(".")[0]
        profile = self._learner.profile(name, made, config.fov)
        save_profile(profile, config.output)
        return profile


def describe(profile: Profile) -> list[str]:
    """What was learnt and what was missing, one thing a line."""
    made = {name: profile.saw(shape) for shape, name in _EXPRESSIONS.items()}
    made["a blink"] = profile.eyes_closed is not None
    seen, missing = ([name for name, was in made.items() if was is wanted] for wanted in (True, False))
    lines = [f"learnt from {profile.frames} frames with a face: rest{''.join(f', {name}' for name in seen)}"]
    if missing:
        lines.append(f"never saw {', '.join(missing)}; there the usual ranges stay")
    if profile.field_of_view_source == "default":
        lines.append(
            f"the camera's field of view is taken to be {profile.field_of_view_deg:.0f} degrees: a face alone does not "
            "tell; give --fov where you know it"
        )
    return lines


def _check(config: Calibrate, camera: Path | str) -> None:
    """Raises InputError for settings that cannot be."""
    least, most = _FIELDS_OF_VIEW_DEG
    if config.fov is not None and not least <= config.fov <= most:
        raise InputError(f"--fov {config.fov:g}: give {least} to {most} degrees")
    if config.realtime and not isinstance(camera, Path):
        raise InputError("--realtime plays a file: give --camera FILE with it, or leave it out")
    output = config.output
    if not output.parent.is_dir():
        raise InputError(f"--output {output}: the folder {output.parent} does not exist; make it first")
    if output.is_dir():
        raise InputError(f"--output {output} is a folder; give the name of a file")
    if not os.access(output.parent, os.W_OK):
        raise InputError(f"--output {output}: the folder {output.parent} cannot be written to; choose another")
    if output.exists() and not is_profile(output):
        raise InputError(f"--output {output} exists and is not a profile; choose another name")
