"""What is opened for a call: the user's inputs, and the outputs that show the other end."""

from collections.abc import Callable
from dataclasses import fields, replace

from agent.config.call import Call
from agent.config.driving import Driving
from agent.config.run import Run
from agent.config.showing import Showing
from agent.plan import LOUDSPEAKER, Plan, is_file_output, is_virtual_microphone, make_plan, parse_input
from models.errors import InputError
from runtime.sinks.loudspeaker import find_loudspeaker
from runtime.sinks.virtual_camera_device import free_virtual_cameras


def plan_of(config: Call) -> Plan:
    """What moves the user's face, and where the other one is shown. Raises InputError."""
    options = {field.name: getattr(config, field.name) for base in (Showing, Driving) for field in fields(base)}
    if config.mode == "video" and config.microphone is None and not config.mute:
        camera = parse_input(config.camera or "")
        options["microphone"] = "" if isinstance(camera, str) else None  # a clip brings its own sound
    plan = make_plan(Run(**options, realtime=True), free_virtual_cameras())
    return replace(plan, microphone=None) if config.mute and config.mode == "video" else plan


def shown_plan(plan: Plan, outputs: tuple[str, ...]) -> Plan:
    """Of the session that shows the other end: its motion is seen, and its voice heard."""
    return replace(plan, config=replace(plan.config, mode="video"), camera=None, microphone="", outputs=outputs)


def with_voice(outputs: tuple[str, ...], speaker: str | None, say: Callable[[str], None]) -> tuple[str, ...]:
    """The outputs, and the loudspeaker where one is wanted. Raises InputError if one that is named is not there."""
    if speaker == "none":
        return outputs
    if speaker is None:
        if any(map(is_virtual_microphone, outputs)) or all(map(is_file_output, outputs)):
            return outputs
        try:
            find_loudspeaker("")
        except InputError as error:
            say(f"the other end is not heard: {error}")
            return outputs
        return (*outputs, LOUDSPEAKER)
    find_loudspeaker(speaker)
    return (*outputs, f"{LOUDSPEAKER}:{speaker}")
