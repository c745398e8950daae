"""Sound that is heard a wished time after it was captured, whatever the clocks at both ends do."""

import threading
from collections import deque

import numpy as np
from jaxtyping import Float32

from runtime.sinks.playhead import Playhead
from runtime.sinks.sound_line import RATE_HZ, SoundLine
from runtime.sinks.stretch import REACH
from runtime.sound import Sound

_MOST = 0.005  # by which sound is ever played faster or slower: a twelfth of a semitone
_SLEW = 0.004  # of it for a wish that has changed
_SMOOTH_S = 1.0  # over which the trembling of measured latencies is averaged
_PULL_S = 5.0  # in which an error is taken back
_MOST_DRIFT = 0.001  # of a clock; quartz stays below 0.0002

_ASTRAY_S, _ASTRAY_BLOCKS = 0.04, 20  # an error so large, for so many blocks, is a clock that has jumped
_LONGEST_S = 1.5
_KEPT = 3 * RATE_HZ  # of what nobody reads

_FIRST_S = 0.1  # the delay where nobody has wished for one ...
_PATIENCE_S = 2.0  # ... within so long after the silence at first
_REMEMBERED_S = 3.0  # of how late sound arrives
_SPREAD_S = 0.03  # sound that is later than usual by more is not waited for
_LATEST_S = 1.0  # nothing arrives so late: there is a gap
_SPARE = REACH + RATE_HZ // 500  # samples that should be there beyond those that are played


class DelayedSound:
    """A line of sound between a capture and an output that each have a clock of their own. Thread-safe.

    The speed at which it is read follows the measured instants at which the output is heard, as a proportional and
    integral controller, and never leaves 1 +- 0.005. It jumps, cross-faded, only where these instants do, by 0.04 s: an
    output that lost sound. What has not arrived when it is due is silence, faded; a delay that is too short for sound
    to arrive is lengthened.
    """

    def __init__(self, hold_s: float = 2.0) -> None:
        """`hold_s`: of silence at first, until the output's latencies count: devices that have just begun report wild
        ones.
        """
        self._hold_s = hold_s
        self._lock = threading.Lock()  # guards all below
        self._line = SoundLine(follow_drift=True)
        self._playhead: Playhead | None = None
        self._holes = 0  # of earlier playheads
        self._wish_s: float | None = None
        self._delay_s = _FIRST_S
        self._since_ns: int | None = None
        self._last_read: tuple[int, int, float] | None = None  # end of the line, instant, how late sound was
        self._late_s: deque[tuple[int, float]] = deque()
        self._error_s = self._drift = 0.0
        self._astray = 0

    @property
    def age_ns(self) -> int | None:
        """How old sound is when it is heard, as measured; None before the first."""
        with self._lock:
            return None if self._playhead is None else round((self._delay_s + self._error_s) * 1e9)

    @property
    def underruns(self) -> int:
        """How often sound was missing when it was due."""
        with self._lock:
            return self._holes + (self._playhead.holes if self._playhead else 0)

    def add(self, sound: Sound) -> None:
        """Takes the next block of sound; three seconds of what nobody reads are kept."""
        with self._lock:
            self._line.add(sound)
            if self._line.end is not None:
                self._line.forget(self._line.end - _KEPT)

    def aim(self, delay_ns: int) -> None:
        """Wishes for a delay from capture to being heard; it is approached by 4 ms a second."""
        with self._lock:
            self._wish_s = min(max(delay_ns * 1e-9, 0.0), _LONGEST_S)

    def restart(self) -> None:
        """The output begins anew: sound fades in again at the delay that it should have then."""
        with self._lock:
            self._leave_playhead()
            self._since_ns = None

    def read(self, count: int, heard_ns: int) -> Float32[np.ndarray, "{count} 2"]:
        """The next samples for the output, which measures that the first of them is heard at `heard_ns`."""
        with self._lock:
            if self._line.end is None:
                return np.zeros((count, 2), np.float32)
            here = self._line.position(heard_ns)
            self._note_lateness(self._line.end, heard_ns, (here + count + _SPARE - self._line.end) / RATE_HZ)
            if self._playhead is None:
                if not self._may_begin(heard_ns):
                    return np.zeros((count, 2), np.float32)
                self._playhead = Playhead(self._line, self._wanted(here))
            return np.ascontiguousarray(self._follow(self._playhead, here, count).T)

    def _note_lateness(self, end: int, heard_ns: int, late_s: float) -> None:
        """Remembers how late sound was that has arrived since the last read: as late as that read found it, at most.

        `end` is the line's. While nothing arrives, nothing is remembered nor forgotten.
        """
        before, self._last_read = self._last_read, (end, heard_ns, late_s)
        if before is None or before[0] == end or before[2] >= _LATEST_S:
            return
        self._late_s.append(before[1:])
        while before[1] - self._late_s[0][0] > _REMEMBERED_S * 1e9:
            self._late_s.popleft()

    def _may_begin(self, heard_ns: int) -> bool:
        """Whether all that decides on the delay is known, or was waited for for long enough."""
        self._since_ns = self._since_ns or heard_ns
        if heard_ns - self._since_ns < 1e9 * (self._hold_s + (_PATIENCE_S if self._wish_s is None else 0)):
            return False
        self._delay_s, self._error_s, self._drift = self._target_s(), 0.0, 0.0
        return True

    def _target_s(self) -> float:
        """The delay that is wished for, or the least that sound has time enough to arrive in."""
        wish_s = _FIRST_S if self._wish_s is None else self._wish_s
        late_s = sorted(late_s for _, late_s in self._late_s)
        return max(wish_s, min(late_s[-1], late_s[len(late_s) // 2] + _SPREAD_S)) if late_s else wish_s

    def _wanted(self, here: int) -> float:
        """The position in the line that is to be heard where undelayed sound would be at `here`."""
        return here - self._delay_s * RATE_HZ

    def _follow(self, playhead: Playhead, here: int, count: int) -> Float32[np.ndarray, "2 {count}"]:
        """The next samples, at a speed that brings the playhead to where it should be."""
        error_s = (self._wanted(here) - playhead.at) / RATE_HZ
        self._astray = self._astray + 1 if abs(error_s) > _ASTRAY_S else 0
        if self._astray >= _ASTRAY_BLOCKS:
            return self._jump(playhead, self._wanted(here), count)
        block_s = count / RATE_HZ
        believed_s = min(max(error_s, -_ASTRAY_S), _ASTRAY_S)
        self._error_s += (believed_s - self._error_s) * min(1.0, block_s / _SMOOTH_S)
        pull = self._error_s / _PULL_S
        if abs(pull) < _MOST_DRIFT:
            drift = self._drift + pull * block_s / (4 * _PULL_S)
            self._drift = min(max(drift, -_MOST_DRIFT), _MOST_DRIFT)
        slew = min(max((self._target_s() - self._delay_s) / block_s, -_SLEW), _SLEW)
        self._delay_s += slew * block_s
        return playhead.take(count, 1.0 + min(max(pull + self._drift - slew, -_MOST), _MOST))

    def _jump(self, playhead: Playhead, at: float, count: int) -> Float32[np.ndarray, "2 {count}"]:
        """Cross-fades to another position."""
        left = playhead.take(count, 1.0)
        self._leave_playhead()
        self._playhead, self._error_s = Playhead(self._line, at), 0.0
        gains = np.linspace(0.0, 1.0, count, dtype=np.float32)
        return left * (1 - gains) + self._playhead.take(count, 1.0) * gains

    def _leave_playhead(self) -> None:
        if self._playhead is not None:
            self._holes += self._playhead.holes
        self._playhead, self._astray = None, 0
