"""What is opened for a call: the user's inputs, and the outputs that show the other end."""

from collections.abc import Callable
from dataclasses import fields, replace

from agent.config.call import Call
from agent.config.driving import Driving
from agent.config.run import Run
from agent.config.showing import Showing
from agent.plan import LOUDSPEAKER, Plan, is_file_output, is_virtual_microphone, make_plan, parse_input
from agent.webrtc import ice_of, say_what_servers_lack
from models.errors import InputError
from runtime.page_server import check_address
from runtime.sinks.loudspeaker import find_loudspeaker
from runtime.sinks.virtual_camera_device import free_virtual_cameras
from runtime.transports.call_control import MOST_NAME
from runtime.transports.ice import policy_for
from runtime.transports.links import parse_link, public_origin
from runtime.transports.listener import PORT


def check_call(config: Call, say: Callable[[str], None]) -> None:
    """What can be known to be wrong before anything slow begins.

    Raises InputError: an option that has no use, or an address, port or server that cannot be used.
    """
    if config.listen == bool(config.link):
        raise InputError("give either a link (agent call 'http://...#token=...'), or --listen to be given one")
    if config.link:
        parse_link(config.link)
        for option in ("host", "port", "public_url"):
            if getattr(config, option) != getattr(Call, option):
                raise InputError(f"--{option.replace('_', '-')} has no use with a link: leave it out, or give --listen")
    if len(config.name) > MOST_NAME:
        raise InputError(f"--name has {len(config.name)} characters: give {MOST_NAME} or fewer")
    if config.mode == "audio" and config.guard != "off":
        raise InputError("--guard has no use in --mode audio: leave it out, or give --mode video or both")
    if config.port is not None and not 0 <= config.port <= 65_535:
        raise InputError(f"--port {config.port}: give 0 to 65535")
    public_origin("--public-url", config.public_url)
    policy_for(config.host, **ice_of(config))
    if config.listen:
        check_address(config.host, PORT if config.port is None else config.port, config.port is not None)
    say_what_servers_lack(config, say)


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
