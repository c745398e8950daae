"""What senders and receivers of pictures and sound report about them (RTCP)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiortc import RTCRtpReceiver, RTCRtpSender
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    unpack_remb_fci,
)

_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Hearing:
    """Whom reports are told, in the peer's loop."""

    lost: Callable[[float], None]
    """The share of packets that was lost since the last report."""
    estimated: Callable[[int], None]
    """What the receiver believes that the line bears, bit/s."""
    missed: Callable[[], None]
    """It asks for packets again."""
    may_resend: Callable[[], bool]
    """Whether lost packets may be sent again."""
    key_wanted: Callable[[], None]
    """It can go on with a key picture only."""


def hear_reports(sender: RTCRtpSender, hearing: Hearing) -> None:
    """Tells `hearing` what the receiver of a sender's pictures reports; aiortc then acts on it as before."""
    handle = sender._handle_rtcp_packet

    async def handle_and_tell(packet: Any) -> None:
        _tell(packet, sender._ssrc, hearing)
        if not isinstance(packet, RtcpRtpfbPacket) or hearing.may_resend():
            await handle(packet)

    vars(sender)["_handle_rtcp_packet"] = handle_and_tell  # aiortc shows none of it


def report_rarely(end: RTCRtpSender | RTCRtpReceiver) -> None:
    """Lets reports leave every 5 seconds, as RFC 3550 6.2 has it: aiortc sends one a second."""
    send, due_s = end._send_rtcp, 0.0

    async def send_rarely(said: Any) -> None:
        nonlocal due_s
        first = said[0] if isinstance(said, list) else said
        if isinstance(first, RtcpSrPacket | RtcpRrPacket):
            if asyncio.get_running_loop().time() < due_s:
                return
            due_s = asyncio.get_running_loop().time() + _EVERY_S
        await send(said)

    vars(end)["_send_rtcp"] = send_rarely  # aiortc cannot be told


def _tell(packet: Any, ssrc: int, hearing: Hearing) -> None:
    match packet:
        case RtcpRrPacket() | RtcpSrPacket():
            for report in packet.reports:
                if report.ssrc == ssrc:
                    hearing.lost(report.fraction_lost / 256)
        case RtcpRtpfbPacket():
            hearing.missed()
        case RtcpPsfbPacket(fmt=kind) if kind in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            hearing.key_wanted()
        case RtcpPsfbPacket(fmt=kind) if kind == RTCP_PSFB_APP:
            try:
                hearing.estimated(unpack_remb_fci(packet.fci)[0])
            except ValueError:
                return
