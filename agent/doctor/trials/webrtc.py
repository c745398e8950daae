"""The WebRTC page: opened, joined as a viewer does, and watched until a picture comes."""

import asyncio

import aiohttp
import numpy as np
from aiortc import RTCPeerConnection
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame
from jaxtyping import UInt8

from agent.doctor.trials.output import OutputTrial
from agent.doctor.trials.pattern import compare_pattern, draw_pattern
from agent.plan import Plan
from models.errors import AgentError
from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.sinks.webrtc import PATH, WebRtc
from runtime.transports.ice import IcePolicy
from runtime.transports.joining import join
from runtime.transports.links import parse_link
from runtime.transports.peer import open_peer

_PATIENCE_S = 10.0
_EVERY_S = 0.04


def try_webrtc(plan: Plan) -> OutputTrial:
    """Opens the page where a run would, and watches it from this machine."""
    clock, metrics, policy = MonotonicClock(), Metrics(), IcePolicy()
    try:
        sink = WebRtc(
            plan.size,
            plan.config.fps,
            port=plan.config.webrtc_port,
            policy=policy,
            viewers=1,
            sound=False,
            status=dict,
            say=lambda line: None,
            clock=clock,
            metrics=metrics,
        )
    except AgentError as error:
        return OutputTrial("webrtc", refusal=str(error))
    try:
        difference = compare_pattern(asyncio.run(asyncio.wait_for(_watch(sink, plan.size, policy), _PATIENCE_S)))
    except AgentError as error:
        difference = str(error)
    except (TimeoutError, MediaStreamError):
        difference = "no picture comes"
    finally:
        sink.close()
    return OutputTrial("webrtc", sink.url.partition("#")[0], difference=difference)


async def _watch(sink: WebRtc, size: tuple[int, int], policy: IcePolicy) -> UInt8[np.ndarray, "h w 3"]:
    """The first picture that a viewer gets."""
    peer = open_peer(policy)
    peer.addTransceiver("video", "recvonly")
    async with aiohttp.ClientSession() as http:
        session = await join(http, parse_link(sink.url), PATH, peer, policy)
        feeding = asyncio.create_task(_feed(sink, size))
        try:
            return await _first_picture(peer)
        finally:
            feeding.cancel()
            await session.leave()


async def _feed(sink: WebRtc, size: tuple[int, int]) -> None:
    image, clock = draw_pattern(size), MonotonicClock()
    while True:
        await asyncio.to_thread(sink.send, Picture(image, Motion(0), clock.now_ns()))
        await asyncio.sleep(_EVERY_S)


async def _first_picture(peer: RTCPeerConnection) -> UInt8[np.ndarray, "h w 3"]:
    frame = await peer.getReceivers()[0].track.recv()
    assert isinstance(frame, VideoFrame)
    return frame.to_ndarray(format="rgb24")
