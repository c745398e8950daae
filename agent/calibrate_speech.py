"""`agent calibrate --speech`: a person who reads aloud in, the speech network's last layer for that person out."""

from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from agent.calibrate import check_calibration, describe, learnt_profile
from agent.calibration_page import CalibrationPage
from agent.config.calibrate import Calibrate
from agent.face_source import FaceSource
from agent.inputs import open_microphone
from agent.listening import Listening
from agent.plan import parse_input
from calibration.learn import Learner
from calibration.mouth_seen import MouthSeen
from calibration.person import PersonCheck
from calibration.profile import Profile
from calibration.profile_file import load_profile, save_profile
from calibration.reading import PASSAGE_S, PASSAGES, Reading
from calibration.speaker_fit import SpeakerFit, fit_speaker
from models.audio.speaker_layer import MEASURES
from models.audio.speech_mouth import network_digest
from models.errors import InputError
from models.face import load_face_model
from models.landmarks import Landmarks
from runtime.clock import MonotonicClock
from runtime.frame import Frame
from runtime.sources.paced import Paced

_LONGEST_NS = 180_000_000_000
"""Of a recording; the rest is left out."""
_PATIENCE_NS = 90_000_000_000
"""With a person who reads; then what was heard must do."""


class SpeechCalibration:
    """A calibration of the speech network that is ready to start. `stop` ends it early, and nothing is written then."""

    def __init__(self, config: Calibrate) -> None:
        """Checks settings, reads the profile that there is, opens camera and microphone. Raises InputError."""
        camera = parse_input(config.camera or "")
        check_calibration(config, camera)
        self._config = config
        self.live = config.realtime or not isinstance(camera, Path)
        """Whether a person is guided through it."""
        microphone = _microphone(config, camera)
        self._model = load_face_model()
        known = load_profile(config.output) if config.output.exists() else None
        self._person = None if known is None else PersonCheck(known, self._model, "give another --output")
        self._learner, self._seen, self._reading = Learner(self._model), MouthSeen(self._model), Reading()
        clock = MonotonicClock()
        start_ns = clock.now_ns() if self.live else None
        source = open_microphone(microphone, clock)
        if start_ns is not None and isinstance(microphone, Path):
            source = Paced(source, clock, start_ns)
        self._sound = Listening(source)
        try:
            self._faces = FaceSource(camera, clock, start_ns)
        except BaseException:
            self._sound.close()
            raise

    def stop(self) -> None:
        """Ends it after the current frame. Any thread."""
        self._sound.close()
        self._faces.stop()

    @property
    def frames(self) -> int:
        """Of a recording, about."""
        return self._faces.frames

    def learn(self, progress: Callable[[int], None]) -> list[str]:
        """Runs through a recording and says what was learnt; `progress` hears how many frames are done."""
        with closing(self._sound):
            self._sound.hear_all(_LONGEST_NS)
            for done, (frame, landmarks) in enumerate(self._faces, 1):
                if frame.pts_ns >= _LONGEST_NS:
                    break
                if landmarks is not None:
                    self._see(frame, landmarks)
                progress(done)
            return self._written()

    def guide(self, say: Callable[[str], None]) -> list[str]:
        """Lets a person read from a page or the terminal, and says what was learnt."""
        pressed: deque[str] = deque()  # by the page's thread
        page = CalibrationPage(pressed.append)
        with closing(page), closing(self._sound):
            say(f"open {page.url} and read aloud what it says; only a drawing of your face is shown there")
            with page.concluding(self._config.output.name):
                self._sound.start()
                self._read(say, page, pressed)
                return self._written()

    def _read(self, say: Callable[[str], None], page: CalibrationPage, pressed: deque[str]) -> None:
        reading, said, first_ns = self._reading, -1, None
        for frame, landmarks in self._faces:
            first_ns = frame.pts_ns if first_ns is None else first_ns
            while pressed:
                reading.skip() if pressed.popleft() == "skip" else reading.again()
            speech_s = self._sound.take()
            if landmarks is not None:
                self._see(frame, landmarks)
                reading.take(speech_s)
            page.show(reading, landmarks, frame.image.shape[1], frame.image.shape[0], self._note())
            if reading.ended or frame.pts_ns - first_ns > _PATIENCE_NS:
                break
            if reading.index != said:
                said = reading.index
                say(f"{said + 1} of {len(PASSAGES)}: {PASSAGES[said].title}: {PASSAGES[said].hint}")

    def _note(self) -> str:
        heard_s, enough_s = self._sound.heard.speech_s, PASSAGE_S * len(PASSAGES)
        if heard_s == 0:
            return "No speech is heard yet. Read on; if this stays, choose another microphone (--microphone)."
        return f"{self._reading.speech_s:.0f} of {enough_s:.0f} seconds of speech heard and seen."

    def _see(self, frame: Frame, landmarks: Landmarks) -> None:
        """Raises InputError when the face is not that of the profile."""
        if self._person is not None:
            self._person.knows(landmarks)
        else:
            self._learner.add(landmarks, frame.image.shape[1], frame.image.shape[0])
        self._seen.add(landmarks, frame.pts_ns)

    def _written(self) -> list[str]:
        if self._person is not None:
            self._person.require()
            known, lines = self._person.profile, []
        else:
            known = learnt_profile(self._learner, self._config)
            lines = describe(known)
        fit = fit_speaker(self._sound.heard, self._seen.times_s, self._seen.measures(known.neutral), network_digest())
        save_profile(self._changed(known, fit), self._config.output)
        return [*lines, *describe_speech(fit)]

    def _changed(self, known: Profile, fit: SpeakerFit) -> Profile:
        return replace(known, name=self._config.name or known.name, speech=fit.layer)


def describe_speech(fit: SpeakerFit) -> list[str]:
    """What was learnt, one thing a line."""
    later = f"{abs(fit.offset_ms)} ms {'later' if fit.offset_ms >= 0 else 'earlier'} than"
    parts = [
        f"{name} {before:.2f} to {after:.2f}"
        for name, before, after in zip(MEASURES, fit.before, fit.after, strict=True)
    ]
    return [
        f"heard and saw {fit.speech_s:.0f} s of speech; the picture comes {later} the sound",
        f"error on the last third, without and with what was learnt of the rest: {fit.before.mean():.2f} to "
        f"{fit.after.mean():.2f} ({', '.join(parts)}; 0 is what was seen, 1 a mouth that stands still)",
    ]


def _microphone(config: Calibrate, camera: Path | str) -> Path | str:
    """What is heard. Raises InputError for a file beside a device."""
    if config.fov is not None and config.output.exists():
        raise InputError("--fov has no use with --speech and a profile that exists: leave it out")
    if config.microphone is None:
        return camera if isinstance(camera, Path) else ""
    microphone = parse_input(config.microphone)
    if isinstance(microphone, Path) != isinstance(camera, Path):
        raise InputError("--camera and --microphone: give two files or two devices, which tell of the same moments")
    return microphone
