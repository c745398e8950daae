"""What a run takes from a profile: the guard of the camera, and the mouth that goes with the voice."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from agent.config.run import Run
from calibration.person import PersonCheck
from calibration.profile import Profile
from models.audio.speaker_layer import SpeakerLayer
from models.audio.speech_mouth import network_digest
from models.errors import InputError
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from runtime.sources.media import ClipFrames


def open_speaker(profile: Profile, config: Run, say: Callable[[str], None]) -> SpeakerLayer | None:
    """How the profile's mouth goes with the voice, where the run listens and the profile knows it.

    Raises:
        InputError: in --mode audio, a profile without it.
    """
    if config.mode == "video":
        return None
    speech = profile.speech
    if speech is None and config.mode == "audio":
        raise InputError(
            f"--profile {config.profile} knows the face and not the voice, which alone counts in --mode audio: run "
            "agent calibrate --speech, or leave it out"
        )
    if speech is not None and speech.network != network_digest():
        say(
            f"--profile {config.profile}: how the mouth goes with the voice was learnt for another speech network and "
            "is left out; run agent calibrate --speech again"
        )
        return None
    return speech


def open_person(profile: Profile, camera: Path | str) -> PersonCheck:
    """The guard of `--profile`. A recording is judged here, before any output is opened; a camera while it runs."""
    person = PersonCheck(profile, load_face_model())
    if isinstance(camera, Path):
        with closing(MediapipeTracker()) as tracker:
            person.watch(tracker.track(frame.image) for frame in ClipFrames(camera))
    return person
