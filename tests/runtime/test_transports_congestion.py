"""Which rate a line bears, on simulated lines."""

import random
from collections import deque

import pytest

from runtime.transports.congestion import SOUND_BPS, Congestion, rates_for

MS = 1_000_000
RATES = rates_for(512, 512)


class Line:
    """Carries `bps`, and stores what is too much for so long: 25 pictures a second, and sound between them. A packet
    goes there and back each 100 ms.
    """

    def __init__(self, bps: float, store_s: float = 1.0) -> None:
        self.bps, self.store_s = bps, store_s
        self.congestion = Congestion(RATES, 0)
        self.now_ns = 0
        self.stored_bits = 0.0
        self.changes = self.pauses = 0
        self.queue_ms: list[float] = []
        self._under_way: deque[tuple[int, int]] = deque()  # back at, sent at

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            self._tick()

    def _tick(self) -> None:
        self.now_ns += 10 * MS
        if self.now_ns % (40 * MS) == 0 and not self.congestion.paused:
            self.stored_bits += 1.08 * RATES[self.congestion.rung] / 25
        self.stored_bits += (SOUND_BPS - self.bps) * 0.01
        self.stored_bits = min(max(self.stored_bits, 0.0), self.store_s * self.bps)
        waits_ns = round(self.stored_bits / self.bps * 1e9)
        self.queue_ms.append(waits_ns / MS)
        rung, paused = self.congestion.rung, self.congestion.paused
        if self.now_ns % (100 * MS) == 0:
            self._under_way.append((self.now_ns + 20 * MS + waits_ns, self.now_ns))
            while self._under_way and self._under_way[0][0] <= self.now_ns:
                back_ns, sent_ns = self._under_way.popleft()
                self.congestion.round_trip(self.now_ns, back_ns - sent_ns)
            if self._under_way:
                self.congestion.overdue(self.now_ns, self._under_way[0][1])
        self.changes += self.congestion.rung != rung
        self.pauses += self.congestion.paused and not paused


def test_a_good_line_gets_the_best_pictures_all_the_time() -> None:
    line = Line(2e6)
    line.run(60)
    assert (line.congestion.rung, line.changes) == (0, 0)


def test_a_line_that_falls_is_followed_and_comes_back() -> None:
    line = Line(2e6)
    line.run(5)
    line.bps = 280_000
    line.run(2.5)
    assert line.pauses == 1 and not line.congestion.paused, "what follows the first pause is borne"
    line.queue_ms.clear()
    line.run(20)
    line.queue_ms.sort()
    assert line.queue_ms[len(line.queue_ms) * 95 // 100] <= 200
    line.bps = 2e6
    line.run(8)
    assert line.congestion.rung == 0


def test_a_try_that_fails_gives_way_to_the_rate_before_even_if_the_pause_is_short() -> None:
    congestion, now_ns = Congestion(RATES, 0), 2000 * MS
    congestion.lost(now_ns, 0.3)
    congestion.lost(now_ns, 0.0)
    while congestion.rung:
        now_ns += 100 * MS
        congestion.round_trip(now_ns, 20 * MS)
    for k in (1, 2):
        congestion.round_trip(now_ns + k * 100 * MS, 200 * MS)
    assert congestion.paused
    congestion.round_trip(now_ns + 300 * MS, 20 * MS)
    assert (congestion.rung, congestion.paused) == (1, False)


def test_tries_become_rare_where_they_fail() -> None:
    line = Line(300_000)
    line.run(30)
    line.changes = 0
    line.run(30)
    assert line.changes <= 2 * 30 / 4


def test_somebody_busy_is_no_congestion() -> None:
    line = Line(2e6)
    for _ in range(5):
        line.run(3)
        line.congestion.overdue(line.now_ns, line.now_ns - 200 * MS)
        line.congestion.overdue(line.now_ns, line.now_ns - 300 * MS)
        assert line.congestion.paused
        line.run(0.2)
        assert not line.congestion.paused
    assert (line.congestion.rung, line.changes) == (0, 0)


def test_losses_without_waiting_take_a_step_a_second() -> None:
    congestion = Congestion(RATES, 0)
    for k in range(1, 20):
        congestion.lost(k * 100 * MS, 0.3)
    assert congestion.rung == 2
    for k in range(20, 40):
        congestion.round_trip(k * 100 * MS, 20 * MS)
    assert congestion.rung == 2  # still lossy: no climbing
    congestion.lost(4000 * MS, 0.0)
    for k in range(40, 90):
        congestion.round_trip(k * 100 * MS, 20 * MS)
    assert congestion.rung == 0


@pytest.mark.parametrize("jitter_ms", [80, 115])
def test_uneven_round_trips_do_not_end_tries(jitter_ms: int) -> None:
    congestion, draw, pauses = Congestion(RATES, 0), random.Random(0), 0
    for k in range(1, 400):
        now_ns, paused = k * 100 * MS, congestion.paused
        if k in (30, 45, 60):
            congestion.lost(now_ns, 0.3)
            congestion.lost(now_ns, 0.0)
        congestion.round_trip(now_ns, round((20 + draw.uniform(0, jitter_ms)) * MS))
        pauses += congestion.paused and not paused
    assert (congestion.rung, pauses) == (0, 0)


def test_a_receiver_that_misses_packets_shortens_the_patience() -> None:
    alone, witnessed = Congestion(RATES, 0), Congestion(RATES, 0)
    witnessed.missed(10_000 * MS)
    for congestion in (alone, witnessed):
        congestion.round_trip(9_000 * MS, 20 * MS)
        congestion.round_trip(10_010 * MS, 200 * MS)
    assert (alone.paused, witnessed.paused) == (False, True)


def test_the_receivers_estimate_counts_where_it_has_fallen() -> None:
    congestion = Congestion(RATES, 0)
    congestion.round_trip(9_000 * MS, 20 * MS)
    for bps in (1_200_000, 700_000):
        congestion.estimated(9_950 * MS, bps)
    congestion.round_trip(10_000 * MS, 200 * MS)
    assert congestion.paused
    assert not congestion.may_resend(10_000 * MS)
    congestion.round_trip(10_300 * MS, 20 * MS)
    assert 1.08 * RATES[congestion.rung] <= 0.4 * 700_000 < 1.08 * RATES[congestion.rung - 1]
    assert congestion.may_resend(10_900 * MS)


@pytest.mark.parametrize("size", [(64, 64), (512, 512), (1920, 1080)])
def test_rates(size: tuple[int, int]) -> None:
    rates = rates_for(*size)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == 150_000
