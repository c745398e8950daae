"""Settings -> the WebRTC outputs."""

import os
from collections.abc import Callable, Mapping

from agent.plan import Plan
from models.errors import AgentError
from runtime.clock import Clock
from runtime.metrics import Metrics
from runtime.sinks import Sink

WHIP_TOKEN, TURN_USER, TURN_PASSWORD = "AGENT_WHIP_TOKEN", "AGENT_TURN_USER", "AGENT_TURN_PASSWORD"
"""Environment variables: what is secret is not said on a command line, which others can see."""


def open_webrtc(
    name: str, plan: Plan, status: Callable[[], Mapping[str, object]], clock: Clock, metrics: Metrics
) -> Sink:
    """`webrtc` or `whip:URL`. Raises InputError and AgentError as their constructors do."""
    try:
        from runtime.sinks.webrtc import WebRtc
        from runtime.sinks.whip import Whip, whip_policy
        from runtime.transports.ice import policy_for
    except ImportError as error:
        raise AgentError(f"--output {name} needs aiortc ({error}): pip install aiortc") from error
    config, sound = plan.config, plan.microphone is not None
    servers, user, password = config.ice_server, os.environ.get(TURN_USER, ""), os.environ.get(TURN_PASSWORD, "")
    if name == "webrtc":
        host = "127.0.0.1" if config.webrtc_host == "localhost" else config.webrtc_host
        return WebRtc(
            plan.size,
            config.fps,
            host=host,
            port=config.webrtc_port,
            policy=policy_for(host, servers, user, password),
            viewers=config.webrtc_viewers,
            sound=sound,
            status=status,
            clock=clock,
            metrics=metrics,
            title=config.portrait.stem,
        )
    url = name.removeprefix("whip:")
    return Whip(
        url,
        plan.size,
        config.fps,
        bearer=os.environ.get(WHIP_TOKEN, ""),
        policy=whip_policy(url, servers, user, password),
        sound=sound,
        clock=clock,
        metrics=metrics,
    )
