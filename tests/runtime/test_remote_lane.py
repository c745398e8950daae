"""The lane of a call's other end, in a real loop with a clock that jumps."""

import threading

import numpy as np
import pytest

from models.motion import Motion, expression
from runtime.clock import MonotonicClock
from runtime.drivers.idle import Idle
from runtime.engines.undrawn import UndrawnEngine
from runtime.ladder import RUNGS, Ladder
from runtime.loop import Loop
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.remote_lane import FarSounds, RemoteLane
from runtime.sinks.far_end import FarEnd
from runtime.sound import Sound


@pytest.mark.alone
def test_motion_is_asked_for_at_every_picture_and_the_end_of_sound_ends_the_run() -> None:
    clock, metrics, sounds = MonotonicClock(), Metrics(), FarSounds()
    asked: list[int] = []
    given: list[Motion] = []

    def motion_at(now_ns: int) -> Motion | None:
        asked.append(now_ns)
        if len(asked) == 20:
            sounds.put(Sound(np.full((960, 2), 0.5, np.float32), 48_000, now_ns))
        if len(asked) == 40:
            sounds.close()
        return None if len(asked) < 10 else Motion(now_ns - 60_000_000, expression(jawOpen=0.5))

    far_end = FarEnd(given.append, lambda: 50_000_000)
    loop = Loop(
        mode="video", lanes=[RemoteLane(sounds, motion_at, metrics, clock)], idle=Idle(), engine=UndrawnEngine(),
        avatar=None, sinks=[far_end], fps=50, clock=clock, metrics=metrics,
        ladder=Ladder(50, RUNGS[:1], tracks=False), start_ns=clock.now_ns(),
    )  # fmt: skip
    run = threading.Thread(target=loop.run_live)
    run.start()
    run.join(20)
    assert not run.is_alive()
    assert len(asked) >= 40
    assert given[0]["jawOpen"] == 0 and abs(given[-1]["jawOpen"] - 0.5) < 1e-6
    assert asked[-1] - given[-1].pts_ns < 200_000_000
    assert 50 < metrics.percentiles("picture age far end").p50_ms < 200
    assert far_end.say(960, clock.now_ns()).shape == (960, 2)


def test_the_voice_leaves_as_late_as_the_motion() -> None:
    far_end = FarEnd(lambda motion: None, lambda: 200_000_000)

    rate, block = 48_000, 480
    heard = []
    for k in range(600):
        at_ns = k * 10_000_000
        t = at_ns + np.arange(block) * 1_000_000_000 // rate
        wave = np.where(t % 1_000_000_000 < 50_000_000, 0.5, 0.0).astype(np.float32)[:, None]
        far_end.hear(Sound(wave, rate, at_ns))
        far_end.send(Picture(np.zeros((0, 0, 3), np.uint8), Motion(at_ns), at_ns))
        heard.append(far_end.say(block, at_ns + 10_000_000)[:, 0])
    loud = np.flatnonzero(np.concatenate(heard) > 0.25) / rate + 0.01
    begins = [t for k, t in enumerate(loud) if k == 0 or t - loud[k - 1] > 0.5]
    assert len(begins) >= 2
    assert all(abs(t % 1 - 0.2) < 0.02 for t in begins[1:])
