"""In simulated time: a sender whose clock is another, a network with its own mind, and a receiver at 25 pictures a
second. A packet brings two new motions and the one before them."""

import heapq

import numpy as np
import pytest

from models.motion import Motion, expression, lerp
from runtime.transports.playout import FADE_NS, MOST_NS, PREDICTED_NS, Playout
from tests.models.motions import talking

TICK_NS = 40_000_000
JOURNEY_NS = 30_000_000
BEGIN_NS = 5_000_000_000  # on the sender's clock
OURS_NS = 1_000_000_000_000  # the same instant on ours


def values(motion: Motion) -> np.ndarray:
    return np.concatenate([motion.expression, motion.rotation, motion.translation])


class Call:
    """What is shown at each tick, and the true age of it."""

    def __init__(
        self, seconds: int = 20, loss: float = 0.0, jitter_ns: int = 0, drift: float = 0.0, seed: int = 0
    ) -> None:
        self.sent = talking(seconds * 25, seed, round(TICK_NS * (1 + drift)), BEGIN_NS)
        draw, playout = np.random.default_rng(seed), Playout()
        waiting: list[tuple[int, int]] = []
        self.shown: list[Motion] = []
        self.ages_ms: list[float] = []
        for k in range(len(self.sent)):
            now_ns = OURS_NS + k * TICK_NS
            if k % 2 and draw.random() >= loss:
                heapq.heappush(waiting, (now_ns + JOURNEY_NS + int(draw.uniform(0, max(1, jitter_ns))), k))
            while waiting and waiting[0][0] <= now_ns + TICK_NS // 2:
                at_ns, newest = heapq.heappop(waiting)
                playout.push(tuple(self.sent[max(0, newest - 2) : newest + 1]), at_ns)
            shown = playout.at(now_ns + TICK_NS // 2)
            if shown is not None:
                self.shown.append(shown)
                self.ages_ms.append((now_ns + TICK_NS // 2 - shown.pts_ns + JOURNEY_NS) / 1e6)

    def longest_freeze_ms(self) -> float:
        longest = since = 0
        for before, after in zip(self.shown[25:], self.shown[26:], strict=False):
            since = since + 1 if np.abs(values(after) - values(before)).max() < 1e-3 else 0
            longest = max(longest, since)
        return (longest + 1) * TICK_NS / 1e6


@pytest.mark.parametrize(
    ("loss", "jitter_ms", "most_ms"), [(0.0, 0, 120), (0.1, 20, 150), (0.2, 20, 150), (0.2, 60, 150)]
)
def test_losses_and_jitter_neither_freeze_nor_age_the_face(loss: float, jitter_ms: int, most_ms: float) -> None:
    call = Call(loss=loss, jitter_ns=jitter_ms * 1_000_000)
    assert call.longest_freeze_ms() <= 120
    assert np.percentile(call.ages_ms[50:], 95) <= most_ms
    assert min(motion.confidence for motion in call.shown) > 0.8


def test_without_faults_what_is_shown_is_what_was_sent() -> None:
    call = Call()
    for shown in call.shown[30:]:
        at = (shown.pts_ns - OURS_NS - JOURNEY_NS) / TICK_NS
        k = int(at)
        sent = lerp(call.sent[k], call.sent[k + 1], at - k)
        assert np.abs(shown.rotation - sent.rotation).max() < 0.006
    assert len(call.shown) > 480


@pytest.mark.parametrize("drift", [300e-6, -300e-6])
def test_a_clock_that_is_off_does_not_add_up(drift: float) -> None:
    call = Call(seconds=60, loss=0.05, jitter_ns=10_000_000, drift=drift)
    early, late = np.mean(call.ages_ms[50:300]), np.mean(call.ages_ms[-250:])
    assert abs(late - early) < 25
    assert max(call.ages_ms[50:]) < 160


def arrived(playout: Playout, motions: list[Motion], until: int | None = None) -> int:
    """Gives each motion on its own, at once; returns our instant of the last."""
    for motion in motions[:until]:
        playout.push((motion,), motion.pts_ns + OURS_NS)
    return motions[: until or len(motions)][-1].pts_ns + OURS_NS


def test_a_gap_is_predicted_then_eased_out_and_taken_up_again_without_a_jump() -> None:
    playout = Playout()
    turning = [
        Motion(k * TICK_NS, rotation=np.array([0, 0.01 * min(k, 60), 0], np.float32), expression=expression())
        for k in range(90)
    ]
    steps, shown = [], []
    for k in range(90):
        now_ns = OURS_NS + k * TICK_NS
        if not 40 <= k < 60:
            playout.push((turning[k],), now_ns)
        motion = playout.at(now_ns)
        assert motion is not None
        shown.append(motion)
        if k:
            steps.append(abs(float(motion.rotation[1] - shown[-2].rotation[1])))
    assert shown[44].rotation[1] > shown[41].rotation[1] + 0.005  # it goes on turning
    assert shown[43].confidence == 1
    assert shown[39 + (MOST_NS + PREDICTED_NS + FADE_NS) // TICK_NS + 1].confidence == 0
    assert max(steps[:40]) < 0.013
    assert max(steps[60:]) < 0.12  # of 0.2 that it is behind: the rest follows
    assert shown[-1].confidence == 1


def test_late_twice_and_out_of_order_changes_nothing() -> None:
    motions, plain, mixed = talking(30), Playout(), Playout()
    for k, motion in enumerate(motions):
        plain.push((motion,), OURS_NS + k * TICK_NS)
    for k in range(0, 30, 2):
        now_ns = OURS_NS + (k + 1) * TICK_NS
        mixed.push((motions[k + 1],), now_ns)
        mixed.push((motions[k],), now_ns)
        mixed.push((motions[k], motions[k + 1]), now_ns)
    at_ns = OURS_NS + 29 * TICK_NS
    first, second = plain.at(at_ns), mixed.at(at_ns)
    assert first is not None and second is not None
    assert len(mixed._motions) == len(plain._motions)


def test_a_sender_that_starts_anew_is_followed_and_one_stray_packet_is_not() -> None:
    playout = Playout()
    now_ns = arrived(playout, talking(30))
    [stray] = talking(1, begin_ns=900_000_000_000)
    playout.push((stray,), now_ns + TICK_NS)
    assert len(playout._motions) > 20
    anew = talking(10, begin_ns=900_000_000_000)
    for k, motion in enumerate(anew):
        playout.push((motion,), now_ns + (k + 2) * TICK_NS)
    shown = playout.at(now_ns + 12 * TICK_NS)
    assert shown is not None and playout._motions[-1] is anew[-1]


def test_memory_is_bounded() -> None:
    playout = Playout()
    for k, motion in enumerate(talking(2000, step_ns=1_000_000)):
        playout.push((motion,), OURS_NS + k * 1_000_000)
    assert len(playout._motions) <= 1001
