import asyncio
from types import SimpleNamespace

from aiortc import RTCRtpSender
from aiortc.rtp import RtcpByePacket, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket

from runtime.transports import reports

SENDER = RtcpSrPacket(ssrc=1, sender_info=RtcpSenderInfo(0, 0, 0, 0))


def test_reports_leave_rarely_and_a_goodbye_at_once(monkeypatch) -> None:
    sent: list[object] = []

    async def send(said: object) -> None:
        sent.append(said)

    async def script() -> None:
        end = RTCRtpSender("audio", SimpleNamespace(state="new"))
        vars(end)["_send_rtcp"] = send
        monkeypatch.setattr(reports, "_EVERY_S", 1e6)
        reports.report_rarely(end)
        for said in ([SENDER], [SENDER], RtcpRrPacket(ssrc=1), [RtcpByePacket(sources=[1])]):
            await end._send_rtcp(said)

    asyncio.run(script())
    assert [type(said[0] if isinstance(said, list) else said) for said in sent] == [RtcpSrPacket, RtcpByePacket]
