"""Everything that a run would use, tried one after the other."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.doctor.facts.video import LoopbackModule
from agent.doctor.trials.camera import CameraTrial, try_camera
from agent.doctor.trials.engine import EngineTrial, try_engine
from agent.doctor.trials.microphone import MicrophoneTrial, try_microphone
from agent.doctor.trials.output import OutputTrial
from agent.doctor.trials.preview import try_preview
from agent.doctor.trials.profile import ProfileTrial, try_profile
from agent.doctor.trials.video_file import try_video_file
from agent.doctor.trials.virtual_camera import try_virtual_camera
from agent.doctor.trials.virtual_microphone import try_virtual_microphone
from agent.doctor.trials.warnings import collected_warnings
from agent.doctor.trials.webrtc import try_webrtc
from agent.plan import Plan, is_file_output, is_virtual_microphone, is_webrtc


@dataclass(frozen=True, slots=True)
class Trials:
    """What came of them."""

    camera: CameraTrial | None
    """None where the run has no camera."""
    microphone: MicrophoneTrial | None
    """None where the run has no microphone."""
    profile: ProfileTrial | None
    """None where the run has no profile."""
    outputs: tuple[OutputTrial, ...]
    engine: EngineTrial
    warnings: tuple[str, ...]
    """What the run would warn of meanwhile."""


def try_everything(plan: Plan, loopback: LoopbackModule, say: Callable[[str], None]) -> Trials:
    """Tries what a run of this plan would use; `say` hears what is being tried."""
    camera, microphone = None, None
    with collected_warnings() as warnings:
        if isinstance(plan.camera, str):
            say("the camera")
            camera = try_camera(plan.camera)
        if isinstance(plan.microphone, str):
            say("the microphone")
            microphone = try_microphone(plan.microphone)
        path = plan.config.profile
        profile = None if path is None else try_profile(path, plan.config)
        outputs = []
        for output in plan.outputs:
            say(f"the output {output}")
            outputs.append(_try_output(output, plan, loopback, microphone))
        say(f"the engine {plan.config.engine}")
        engine = try_engine(plan)
    return Trials(camera, microphone, profile, tuple(outputs), engine, tuple(dict.fromkeys(warnings)))


def _try_output(output: str, plan: Plan, loopback: LoopbackModule, microphone: MicrophoneTrial | None) -> OutputTrial:
    if is_file_output(output):
        return try_video_file(output, plan.size, plan.config.fps)
    if output == "preview":
        return try_preview(plan.size)
    if output == "webrtc":
        return try_webrtc(plan)
    if is_webrtc(output):
        return OutputTrial(output, untried="trying it would go on air there")
    if is_virtual_microphone(output):
        return try_virtual_microphone(output, microphone.name if microphone else None)
    if loopback.opens_once:
        return OutputTrial(output, untried="trying it would use it up")
    return try_virtual_camera(output, plan.size, plan.config.fps)
