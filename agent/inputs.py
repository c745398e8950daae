"""What a run sees and hears: the devices and files of its plan, opened, and the drivers that make motion of them."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agent.config.run import Run
from agent.known_person import open_person, open_speaker
from agent.plan import STILL, Plan
from agent.probe import Probe
from calibration.person import PersonCheck
from calibration.profile_file import load_profile
from models.audio.speaker_layer import SpeakerLayer
from models.errors import InputError
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from models.one_face import OneFace
from runtime.answers import Answers
from runtime.clock import Clock
from runtime.drivers.face_video import FaceVideo, Watch
from runtime.drivers.mouth_cutter import MouthCutter
from runtime.drivers.mouth_sight import MouthSight
from runtime.frame import Frame
from runtime.ladder import Ladder
from runtime.sound import Sound
from runtime.sources import DeviceSource, Source
from runtime.sources.media import ClipFrames, ClipSound


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Opened, and what the profile knows of them."""

    camera: Source[Frame] | None
    microphone: Source[Sound] | None
    person: PersonCheck | None
    """Who may drive by the camera; None lets anybody."""
    speaker: SpeakerLayer | None
    """How the mouth goes with the driver's voice, where that was calibrated."""

    @property
    def answers(self) -> list[Answers]:
        """Of the drivers of what are devices."""
        return [source.answers for source in (self.camera, self.microphone) if isinstance(source, DeviceSource)]


NO_INPUTS = Inputs(None, None, None, None)


def open_inputs(plan: Plan, clock: Clock, say: Callable[[str], None], probe: Probe, opened: ExitStack) -> Inputs:
    """Opens what the plan names and the probe does not replace; `opened` closes it.

    Raises:
        InputError: a profile that does not go with the run, a device or file that cannot be used.
    """
    profile = None if plan.config.profile is None else load_profile(plan.config.profile)
    speaker = None if profile is None else open_speaker(profile, plan.config, say)
    person = None if profile is None or plan.camera is None else open_person(profile, plan.camera)
    camera = probe.camera
    if camera is None and plan.camera is not None:
        camera = open_camera(plan.camera, clock)
    if camera is not None:
        opened.callback(camera.close)
    microphone = probe.microphone
    if microphone is None and plan.microphone is not None:
        microphone = open_microphone(plan.microphone, clock)
    if microphone is not None:
        opened.callback(microphone.close)
    return Inputs(camera, microphone, person, speaker)


def open_camera(camera: Path | str, clock: Clock) -> Source[Frame]:
    """A file's pictures, or a camera; "" is the first that no program feeds. Raises InputError."""
    if isinstance(camera, Path):
        clip = ClipFrames(camera)
        if clip.info.is_still:
            raise InputError(f"--camera {camera} {STILL}")
        return clip
    from runtime.sources.camera import Camera
    from runtime.sources.devices import default_camera

    return Camera(camera or default_camera(), clock)


def open_microphone(microphone: Path | str, clock: Clock) -> Source[Sound]:
    """A file's sound, or a microphone; "" is the default one. Raises InputError."""
    if isinstance(microphone, Path):
        return ClipSound(microphone)
    from runtime.sources.microphone import Microphone

    return Microphone(microphone or None, clock)


def open_face_video(config: Run, person: PersonCheck | None, ladder: Ladder, watch: Watch | None = None) -> FaceVideo:
    """The driver of `--camera`, which looks at as many frames as the ladder says and shows them to `watch`."""
    model = load_face_model()
    mouth = MouthCutter(model) if config.mouth == "driver" else None
    sight = MouthSight(model) if config.mode == "both" else None
    absolute, tracker = config.motion == "absolute", OneFace(MediapipeTracker())
    return FaceVideo(tracker, model, person, absolute, mouth, sight, lambda: ladder.rung.track_every, watch)
