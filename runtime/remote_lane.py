"""The lane of a call's other end: motion and sound that come over a network in place of a driver's."""

from collections.abc import Callable, Iterator

from models.motion import Motion
from runtime.clock import Clock
from runtime.lane import Lane
from runtime.metrics import Metrics
from runtime.ring import Ring
from runtime.sound import Sound
from runtime.trail import Driven

_BLOCKS = 100  # two seconds


class FarSounds:
    """Source[Sound]: what the other end says, until `close`."""

    def __init__(self) -> None:
        self._ring: Ring[Sound] = Ring(_BLOCKS)

    @property
    def lost(self) -> int:
        """Blocks that nobody took in time."""
        return self._ring.dropped

    def __iter__(self) -> Iterator[Sound]:
        """Yields blocks in order; waits while there is none."""
        while not self._ring.closed:
            sound = self._ring.take(None)
            if sound is not None:
                yield sound

    def put(self, sound: Sound) -> None:
        """Takes the next block. Any thread; never blocks."""
        self._ring.put(sound)

    def close(self) -> None:
        """Ends the iterator."""
        self._ring.close()


class RemoteLane(Lane[Sound]):
    """Moves the face by motions that are worked out anew for every picture. For live runs; ends with its sounds."""

    def __init__(
        self, sounds: FarSounds, motion_at: Callable[[int], Motion | None], metrics: Metrics, clock: Clock
    ) -> None:
        """`motion_at`: the motion to show at an instant of the clock; None before the first."""
        super().__init__("video", sounds, None, metrics, audible=True, clock=clock)
        self._motion_at, self._now_ns = motion_at, clock.now_ns

    @property
    def newest(self) -> Driven | None:
        """The motion to show now."""
        now_ns = self._now_ns()
        motion = self._motion_at(now_ns)
        return None if motion is None else Driven(motion, motion.pts_ns, now_ns, now_ns, far=True)
