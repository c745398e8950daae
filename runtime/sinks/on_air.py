"""What both WebRTC outputs do with pictures and sound: encode them once, for everybody who watches."""

import threading

import cv2

from models.errors import AgentError
from runtime.clock import Clock
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.report import OFFSET, picture_age_ns
from runtime.sinks.delayed_sound import DelayedSound
from runtime.sound import Sound
from runtime.transports.broadcast import Broadcast
from runtime.transports.congestion import rates_for
from runtime.transports.encoding import SOUND_BLOCK, SOUND_HZ

_BLOCK_NS = SOUND_BLOCK * 1_000_000_000 // SOUND_HZ
_LATEST_NS = 200_000_000  # blocks that are later are left out
_PATIENCE_S = 2.0


class OnAir:
    """Pictures as they are due, and sound as late as they leave, on one broadcast."""

    def __init__(self, name: str, size: tuple[int, int], fps: int, *, sound: bool, clock: Clock, metrics: Metrics):
        """`name`: of the output; `sound`: whether there is any."""
        self.rates_bps = rates_for(*size)
        self.broadcast = Broadcast(size, fps, self.rates_bps, clock)
        self.sound = sound
        self._name, self._clock, self._metrics = name, clock, metrics
        self._delayed = DelayedSound()
        self._stop = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._speak, name=f"{name} sound", daemon=True)
        if sound:
            self._thread.start()

    @property
    def age_ms(self) -> float | None:
        """How old pictures are when they leave; None before the first."""
        age_ns = picture_age_ns(self._metrics, [self._name])
        return None if age_ns is None else age_ns / 1e6

    @property
    def underruns(self) -> int:
        """How often there was no sound to send; silence was sent in its place."""
        return self._delayed.underruns

    def send(self, picture: Picture) -> None:
        """Encodes and hands over one picture, if anybody watches. Raises AgentError if sending sound failed."""
        if self._failure is not None:
            raise AgentError(f"the sound of {self._name} failed: {self._failure}") from self._failure
        if self.broadcast.watched:
            self.broadcast.show(cv2.cvtColor(picture.image, cv2.COLOR_RGB2YUV_I420), picture.due_ns)
        shown_ns = picture_age_ns(self._metrics, [self._name])
        if self.sound and shown_ns is not None:
            self._delayed.aim(shown_ns)
            heard_ns = self._delayed.age_ns
            if heard_ns is not None:
                self._metrics.add(OFFSET, shown_ns - heard_ns)

    def hear(self, sound: Sound) -> None:
        """Takes the next block of sound."""
        if self.sound:
            self._delayed.add(sound)

    def close(self) -> None:
        """Ends the sound. May be called twice."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE_S)

    def _speak(self) -> None:
        """The thread: a block every 20 ms, on absolute instants."""
        due_ns = self._clock.now_ns()
        try:
            while self._clock.wait_until(due_ns, self._stop):
                late_ns = self._clock.now_ns() - due_ns
                if late_ns > _LATEST_NS:
                    due_ns += late_ns // _BLOCK_NS * _BLOCK_NS
                self.broadcast.play(self._delayed.read(SOUND_BLOCK, due_ns), due_ns)
                due_ns += _BLOCK_NS
        except Exception as error:  # the run must hear of it
            self._failure = error
