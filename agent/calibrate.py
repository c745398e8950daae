"""`agent calibrate`: a camera or a recording in, a profile out."""

import os
from collections import deque
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from agent.calibration_page import CalibrationPage
from agent.config.calibrate import Calibrate
from agent.face_source import FaceSource
from agent.plan import parse_input
from calibration.guide import Guide
from calibration.learn import Learner
from calibration.profile import Profile
from calibration.profile_file import is_profile, save_profile
from models.errors import InputError
from models.face import load_face_model
from runtime.clock import MonotonicClock

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
        self._config = config
        camera = parse_input(config.camera or "")
        check_calibration(config, camera)
        self.live = config.realtime or not isinstance(camera, Path)
        """Whether a person is guided through it."""
        self._model = load_face_model()
        self._learner = Learner(self._model)
        clock = MonotonicClock()
        self._faces = FaceSource(camera, clock, clock.now_ns() if self.live else None)

    def stop(self) -> None:
        """Ends it after the current frame. Any thread."""
        self._faces.stop()

    @property
    def frames(self) -> int:
        """Of a recording, about."""
        return self._faces.frames

    def learn(self, progress: Callable[[int], None]) -> list[str]:
        """Runs through a recording and says what was learnt; `progress` hears how many frames are done."""
        for done, (frame, landmarks) in enumerate(self._faces, 1):
            if landmarks is not None:
                self._learner.add(landmarks, frame.image.shape[1], frame.image.shape[0])
            progress(done)
        return self._written()

    def guide(self, say: Callable[[str], None]) -> list[str]:
        """Guides a person on a page and in the terminal, and says what was learnt."""
        guide = Guide(self._learner, self._model)
        pressed: deque[str] = deque()  # by the page's thread
        page = CalibrationPage(pressed.append)
        said = -1
        with closing(page):
            say(f"open {page.url} and follow it; only a drawing of your face is shown there")
            with page.concluding(self._config.output.name):
                for frame, landmarks in self._faces:
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
                        say(f"{said + 1} of {len(guide.steps)}: {guide.steps[said].title}. {guide.steps[said].hint}")
                return self._written()

    def _written(self) -> list[str]:
        profile = learnt_profile(self._learner, self._config)
        save_profile(profile, self._config.output)
        return describe(profile)


def learnt_profile(learner: Learner, config: Calibrate) -> Profile:
    """The profile of the faces that were seen. Raises InputError as `Learner.profile` does."""
    made = datetime.now().astimezone().isoformat(timespec="seconds")
    return learner.profile(config.name or config.output.name.partition(".")[0], made, config.fov)


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


def check_calibration(config: Calibrate, camera: Path | str) -> None:
    """Raises InputError for settings that cannot be."""
    least, most = _FIELDS_OF_VIEW_DEG
    if config.fov is not None and not least <= config.fov <= most:
        raise InputError(f"--fov {config.fov:g}: give {least} to {most} degrees")
    if config.microphone is not None and not config.speech:
        raise InputError("--microphone has no use without --speech: leave it out, or give --speech")
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
