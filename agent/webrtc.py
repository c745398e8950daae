"""Settings -> the WebRTC outputs."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from agent.config.showing import Showing
from agent.plan import Plan
from models.errors import AgentError, InputError
from runtime.clock import Clock
from runtime.metrics import Metrics
from runtime.sinks import Sink

WHIP_TOKEN, WHEP_TOKEN = "AGENT_WHIP_TOKEN", "AGENT_WHEP_TOKEN"
TURN_USER, TURN_PASSWORD = "AGENT_TURN_USER", "AGENT_TURN_PASSWORD"
"""Environment variables: what is secret is not said on a command line, which others can see."""

_LEAST_TOKEN = 16  # characters


def ice_of(config: Showing) -> dict[str, Any]:
    """What `policy_for` and `whip_policy` are told of the way through networks."""
    return {
        "servers": config.ice_server,
        "user": os.environ.get(TURN_USER, ""),
        "password": os.environ.get(TURN_PASSWORD, ""),
        "relayed": config.relay_only,
    }


def say_what_servers_lack(config: Showing, say: Callable[[str], None]) -> None:
    """Of a policy that was taken."""
    relays = any(server.lower().startswith(("turn:", "turns:")) for server in config.ice_server)
    if relays and not (os.environ.get(TURN_USER) and os.environ.get(TURN_PASSWORD)):
        say(f"{TURN_USER} and {TURN_PASSWORD} are not set: most TURN servers relay nothing without them")


def open_webrtc(
    name: str,
    plan: Plan,
    status: Callable[[], Mapping[str, object]],
    say: Callable[[str], None],
    clock: Clock,
    metrics: Metrics,
) -> Sink:
    """`webrtc` or `whip:URL`. Raises InputError and AgentError as their constructors do."""
    try:
        from runtime.sinks.webrtc import WebRtc
        from runtime.sinks.whip import Whip, whip_policy
        from runtime.transports.ice import policy_for
        from runtime.transports.links import public_origin
    except ImportError as error:
        raise AgentError(f"--output {name} needs aiortc ({error}): pip install aiortc") from error
    config, sound = plan.config, plan.microphone is not None
    if name == "webrtc":
        host = "127.0.0.1" if config.webrtc_host == "localhost" else config.webrtc_host
        token = os.environ.get(WHEP_TOKEN, "")
        if 0 < len(token) < _LEAST_TOKEN:
            raise InputError(f"{WHEP_TOKEN} is easily guessed: give {_LEAST_TOKEN} characters or more, or none")
        policy = policy_for(host, **ice_of(config))
        say_what_servers_lack(config, say)
        return WebRtc(
            plan.size,
            config.fps,
            host=host,
            port=config.webrtc_port,
            policy=policy,
            viewers=config.webrtc_viewers,
            sound=sound,
            status=status,
            say=say,
            clock=clock,
            metrics=metrics,
            token=token,
            public=public_origin("--webrtc-public-url", config.webrtc_public_url),
        )
    url = name.removeprefix("whip:")
    policy = whip_policy(url, **ice_of(config))
    say_what_servers_lack(config, say)
    return Whip(
        url,
        plan.size,
        config.fps,
        bearer=os.environ.get(WHIP_TOKEN, ""),
        policy=policy,
        sound=sound,
        clock=clock,
        metrics=metrics,
    )
