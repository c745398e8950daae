"""Several viewers of one broadcast: real peers, real codecs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCRtpReceiver
from av import AudioFrame, VideoFrame

from runtime.clock import FakeClock, MonotonicClock
from runtime.transports.broadcast import Broadcast, Rung
from runtime.transports.congestion import rates_for
from runtime.transports.encoding import SOUND_BLOCK, Encoded, VideoEncoder
from runtime.transports.peer import accept, answer, close_peer, offer, open_peer
from runtime.transports.tracks import EncodedTrack
from runtime.transports.viewer import Viewer
from tests.runtime.peers import HERE, run, until

SIZE = (128, 96)
RATES = rates_for(*SIZE)
CLOCK = MonotonicClock()


def grey(level: int) -> np.ndarray:
    i420 = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8)
    i420[: SIZE[1]] = level
    return i420


async def on_air(broadcast: Broadcast, level: int = 200) -> None:
    """A picture and two blocks of sound, every 40 ms."""
    sound = np.full((SOUND_BLOCK, 2), 0.1, np.float32)
    while True:
        now_ns = CLOCK.now_ns()
        broadcast.show(grey(level), now_ns)
        for k in range(2):
            broadcast.play(sound, now_ns + k * 20_000_000)
        await asyncio.sleep(0.04)


async def watch(broadcast: Broadcast, ended: list[Viewer], codec: str = "VP8") -> tuple[Viewer, RTCPeerConnection]:
    """A viewer, and the peer that watches."""
    viewer, peer = Viewer(open_peer(HERE), broadcast, RATES, CLOCK), open_peer(HERE)
    wanted = [c for c in RTCRtpReceiver.getCapabilities("video").codecs if c.name in (codec, "rtx")]
    peer.addTransceiver("video", "recvonly").setCodecPreferences(wanted)
    peer.addTransceiver("audio", "recvonly")
    text = await offer(peer, HERE)
    kinds = ("audio", "video")
    await accept(peer, await answer(viewer.peer, text, HERE, kinds, lambda: viewer.answer_media(True)), HERE)
    viewer.check()
    viewer.begin(lambda: ended.append(viewer))
    return viewer, peer


async def first(peer: RTCPeerConnection, kind: str) -> VideoFrame | AudioFrame:
    (receiver,) = (receiver for receiver in peer.getReceivers() if receiver.track.kind == kind)
    frame = await receiver.track.recv()
    assert isinstance(frame, VideoFrame | AudioFrame)
    return frame


@contextmanager
def airing(broadcast: Broadcast) -> Iterator[None]:
    task = asyncio.get_running_loop().create_task(on_air(broadcast))
    yield
    task.cancel()


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_two_watch_one_encode(codec: str) -> None:
    async def test() -> None:
        broadcast, ended = Broadcast(SIZE, 25, RATES, CLOCK), []
        with airing(broadcast):
            one, first_peer = await watch(broadcast, ended, codec)
            assert abs(int((await first(first_peer, "video")).to_ndarray()[40, 40]) - 200) < 6
            two, second_peer = await watch(broadcast, ended, codec)
            assert abs(int((await first(second_peer, "video")).to_ndarray()[40, 40]) - 200) < 6
            blocks = [(await first(second_peer, "audio")).to_ndarray() for _ in range(10)]
            assert max(int(np.abs(block).max()) for block in blocks) > 1000
            assert broadcast.encoders_opened == 1
            await first_peer.close()
            await until(lambda: ended == [one])
            await two.leave()
            await until(lambda: ended == [one, two])
            assert not broadcast.watched
            await until(lambda: second_peer.connectionState == "closed")

    run(test())


def test_one_that_vanishes_is_freed_and_the_other_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.transports.peer.SILENT_S", 1.0)

    async def test() -> None:
        broadcast, ended = Broadcast(SIZE, 25, RATES, CLOCK), []
        with airing(broadcast):
            lost, gone_peer = await watch(broadcast, ended)
            stays, peer = await watch(broadcast, ended)
            await first(gone_peer, "video")
            await first(peer, "video")
            transport = gone_peer.getTransceivers()[0].receiver.transport.transport
            for protocol in transport._connection._protocols:
                protocol.transport.close()  # the network is gone: no goodbye
            await until(lambda: ended == [lost])
            for _ in range(5):
                await first(peer, "video")
            await stays.leave()
            await close_peer(peer)
            await close_peer(gone_peer)

    run(test())


def test_pictures_are_left_out_for_who_does_not_fetch_them_and_go_on_with_a_key_picture() -> None:
    async def test() -> None:
        wanted = 0

        def want_key() -> None:
            nonlocal wanted
            wanted += 1

        track = EncodedTrack("video", want_key)
        encoder = VideoEncoder("VP8", SIZE, 25, RATES[0])

        def encoded(k: int, key: bool) -> Encoded:
            found = encoder.encode(grey(k), k * 40_000_000, key)
            assert found is not None
            return found

        for k in range(9):
            track.deliver(encoded(k, False))
        await asyncio.sleep(0)
        assert (track.dropped, wanted) == (5, 1)
        track.deliver(encoded(9, False))
        key = encoded(10, True)
        track.deliver(key)
        assert await track.recv() is key.packet
        track.stop()

    run(test())


def test_key_pictures_are_as_rare_as_they_may_be_however_often_they_are_asked_for() -> None:
    clock = FakeClock()
    broadcast = Broadcast(SIZE, 25, RATES, clock)
    rung, keys, shown = Rung("VP8", 0), 0, 0

    def deliver(encoded: Encoded) -> None:
        nonlocal keys, shown
        keys, shown = keys + encoded.is_key, shown + 1

    broadcast.watch(rung, deliver)
    for k in range(50):
        broadcast.want_key(rung)
        broadcast.show(grey(k), clock.now_ns())
        clock.advance(40_000_000)
    assert shown == 50
    assert 3 <= keys <= 4
    broadcast.ignore(rung, deliver)
    broadcast.show(grey(0), clock.now_ns())
    assert shown == 50


def test_both_tracks_count_from_the_same_instant() -> None:
    clock = FakeClock(7_000_000_000)
    broadcast = Broadcast(SIZE, 25, RATES, clock)
    found: list[Encoded] = []
    broadcast.watch(Rung("H264", 0), found.append)
    broadcast.listen(found.append)
    broadcast.show(grey(0), 9_500_000_000)
    broadcast.play(np.zeros((SOUND_BLOCK, 2), np.float32), 9_500_000_000)
    assert [float(one.packet.pts * one.packet.time_base) for one in found] == [2.5, 2.5]
