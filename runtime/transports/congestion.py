"""Congestion: which of a few bitrates a line bears, from round trips, losses and what the receiver estimates.

A line that cannot carry what is sent stores it: round trips grow at once, losses come when the store is full. Then
pictures pause until the store has drained, and go on well below the rate that the line seems to bear; where it drains
at once it was none, only somebody busy. Where nothing has been wrong for a while, the next higher rate is tried, sooner
where packets hardly wait; if they then wait longer than they did, the rate before comes back, and the next try waits
twice as long.
"""

from collections import deque
from collections.abc import Sequence

SOUND_BPS = 60_000
"""What a voice takes on the wire."""
_OVERHEAD = 1.08  # of packets over their payload

_BASE_NS = 30_000_000_000  # the shortest round trip of so long is one without waiting
_CALM_NS, _LONG_NS = 50_000_000, 120_000_000  # waiting that means nothing, and that means something ...
_IN_A_ROW = 2  # ... where it is seen so often, or where another witness says the same
_WITNESS_NS = 600_000_000
_DRAINED_NS = 40_000_000
_HICCUP_NS, _LONGEST_PAUSE_NS = 200_000_000, 2_000_000_000
_GRACE_NS = 500_000_000  # after a pause the first picture is a large one

_LOSSY, _CLEAN = 0.12, 0.03  # shares of packets
_SHRUNK = 0.9  # an estimate that has fallen so far means it
_BETWEEN_NS = 1_000_000_000  # steps for losses, which are reported seldom
_TRIAL_NS = 5_000_000_000  # a rate that was borne for so long is borne
_HOLD_NS, _LONGEST_HOLD_NS = 2_000_000_000, 6_000_000_000  # until the first try after a fall ...
_NEXT_NS = 1_000_000_000  # ... and from a try that is borne to the next
_EASY_NS, _EASY = 12_000_000, 0.5  # where packets hardly wait, a hold is so much shorter
_USUAL, _SAMPLES = 0.75, 50  # of so many newest waitings so large a part is no longer than what is usual
_NEWEST = 0.2  # part of the newest waiting in the mean
_CAUTION = 0.4  # of what the line seems to bear: what did not fit into its store is not seen


class Congestion:
    """Of one line. Instants are on the run's clock; one thread uses it."""

    def __init__(self, rates_bps: Sequence[int], now_ns: int) -> None:
        """`rates_bps`: of pictures, the highest first."""
        self.rung = 0
        """Index of the rate that is to be used."""
        self.paused = False
        """Whether no picture is to be sent, for a moment."""
        self.waiting_ns = 0
        """How long packets lately waited on their way, by their round trip."""
        self._rates_bps = rates_bps
        self._trips: deque[tuple[int, int]] = deque()  # whose length never falls: the first is the shortest
        self._long, self._calm_ns = 0, now_ns
        self._changed_ns = self._resumed_ns = now_ns - _GRACE_NS
        self._witness_ns = self._paused_ns = now_ns - _WITNESS_NS
        self._borne_bps = 0.0
        self._loss = 0.0
        self._estimate_bps = 0
        self._hold_ns, self._climbed = _HOLD_NS, False
        self._waits: deque[int] = deque(maxlen=_SAMPLES)
        self._usual_ns = 0  # waiting before the first of the tries that are under way
        self._mean_ns = 0.0  # of the waiting, lately

    def may_resend(self, now_ns: int) -> bool:
        """Whether the line has room for packets that were lost: else they would only be late, and others with them."""
        return not self.paused and self.waiting_ns < _LONG_NS and now_ns - self._resumed_ns > _GRACE_NS

    def round_trip(self, now_ns: int, trip_ns: int) -> None:
        """A packet has come back after `trip_ns`."""
        self._waited(now_ns, trip_ns - self._shortest_ns(now_ns, trip_ns))

    def overdue(self, now_ns: int, since_ns: int) -> None:
        """One that was sent at an instant has not come back yet, nor has a later one."""
        waited_ns = now_ns - since_ns - (self._trips[0][1] if self._trips else 0)
        if waited_ns > _LONG_NS:
            self._waited(now_ns, waited_ns)

    def lost(self, now_ns: int, share: float) -> None:
        """The receiver reports which share of packets was lost since its last report."""
        self._loss = share
        if share > _LOSSY and not self.paused and now_ns - self._changed_ns > _BETWEEN_NS:
            self._step(now_ns, self.rung + 1)

    def estimated(self, now_ns: int, bps: int) -> None:
        """The receiver estimates what the line bears."""
        if bps < _SHRUNK * self._estimate_bps and bps < self._rates_bps[self.rung] * _OVERHEAD:
            self._witness_ns = now_ns
        self._estimate_bps = bps

    def missed(self, now_ns: int) -> None:
        """The receiver misses packets."""
        self._witness_ns = now_ns

    def _shortest_ns(self, now_ns: int, trip_ns: int) -> int:
        while self._trips and self._trips[-1][1] >= trip_ns:
            self._trips.pop()
        self._trips.append((now_ns, trip_ns))
        while now_ns - self._trips[0][0] > _BASE_NS:
            self._trips.popleft()
        return self._trips[0][1]

    def _waited(self, now_ns: int, waited_ns: int) -> None:
        self.waiting_ns = waited_ns
        if self.paused:
            if waited_ns < _DRAINED_NS or now_ns - self._paused_ns > _LONGEST_PAUSE_NS:
                self._go_on(now_ns)
            return
        self._mean_ns += _NEWEST * (waited_ns - self._mean_ns)
        if waited_ns < _CALM_NS:
            self._calm_ns = now_ns
        if now_ns - self._resumed_ns < _GRACE_NS:
            return
        self._waits.append(waited_ns)
        is_trial = self._climbed and now_ns - self._changed_ns < _TRIAL_NS
        bearable_ns = min(self._usual_ns + _CALM_NS, _LONG_NS) if is_trial else _LONG_NS
        self._long = self._long + 1 if waited_ns > bearable_ns else 0
        if self._long >= _IN_A_ROW or (self._long and now_ns - self._witness_ns < _WITNESS_NS):
            sent_bps = self._rates_bps[self.rung] * _OVERHEAD + SOUND_BPS
            self._borne_bps = sent_bps / (1 + waited_ns / max(now_ns - self._calm_ns, 1)) - SOUND_BPS
            self.paused, self._paused_ns = True, now_ns
        elif waited_ns < _CALM_NS:
            self._try_more(now_ns)

    def _go_on(self, now_ns: int) -> None:
        """With the rate before one that failed, else with less than the line bears, by how fast packets began to wait
        or as the receiver has come to believe.
        """
        paused_ns = now_ns - self._paused_ns
        self.paused, self._resumed_ns, self._long, self._calm_ns = False, now_ns, 0, now_ns
        self._mean_ns = float(_LONG_NS)
        self._waits.clear()
        if self._climbed and self._paused_ns - self._changed_ns < _TRIAL_NS:
            self._hold_ns = min(2 * self._hold_ns, _LONGEST_HOLD_NS)
            self._step(now_ns, self.rung + 1)
            return
        if paused_ns < _HICCUP_NS:
            return
        self._hold_ns = _HOLD_NS
        if now_ns - self._witness_ns < paused_ns + _WITNESS_NS and self._estimate_bps:
            self._borne_bps = min(self._borne_bps, self._estimate_bps)
        if paused_ns > _LONGEST_PAUSE_NS:
            self._borne_bps = 0
        bearable_bps = _CAUTION * self._borne_bps
        fitting = (rung for rung, bps in enumerate(self._rates_bps) if bps * _OVERHEAD <= bearable_bps)
        self._step(now_ns, max(next(fitting, len(self._rates_bps)), self.rung + 1))

    def _try_more(self, now_ns: int) -> None:
        settled_ns = now_ns - max(self._changed_ns, self._resumed_ns)
        if self._climbed and settled_ns > _TRIAL_NS:
            self._hold_ns, self._climbed = _HOLD_NS, False
        hold_ns = _NEXT_NS if self._climbed else round(self._hold_ns * (_EASY if self._mean_ns < _EASY_NS else 1))
        if self.rung and settled_ns > hold_ns and self._loss < _CLEAN:
            if not self._climbed:
                self._usual_ns = sorted(self._waits)[int(_USUAL * len(self._waits))]
            self._step(now_ns, self.rung - 1)
            self._climbed = True

    def _step(self, now_ns: int, rung: int) -> None:
        self.rung = min(rung, len(self._rates_bps) - 1)
        self._changed_ns, self._climbed, self._long = now_ns, False, 0


def rates_for(width: int, height: int) -> list[int]:
    """The rates for pictures of this size, bit/s: 900 000 at 512x512, down to what any line bears."""
    rate = 900_000 * (width * height / 512**2) ** 0.75
    rates = []
    while rate > 1.2 * _LOWEST_BPS:
        rates.append(round(rate))
        rate *= 0.62
    return [*rates, _LOWEST_BPS]


_LOWEST_BPS = 150_000
