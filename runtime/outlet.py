"""An outlet: a sink with its own thread, a slot for pictures and a ring for sound, so that it delays only itself."""

import threading
from collections.abc import Callable

from models.errors import AgentError
from runtime.clock import Clock
from runtime.frame import Picture, Sound
from runtime.metrics import Metrics
from runtime.ring import Ring
from runtime.sinks import Sink
from runtime.slot import Slot
from runtime.trail import Step, note

_SOUND_BLOCKS = 512  # about five seconds of 10 ms blocks
_IDLE_S = 0.05
_PATIENCE_S = 5.0


class Outlet:
    """Feeds one sink from its own named thread."""

    def __init__(self, sink: Sink, clock: Clock, metrics: Metrics, fail: Callable[[BaseException], None]) -> None:
        self.sink = sink
        self._clock, self._metrics, self._fail = clock, metrics, fail
        self._pictures: Slot[Picture] = Slot()
        self._sounds: Ring[Sound] = Ring(_SOUND_BLOCKS)
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)

    @property
    def replaced(self) -> int:
        """Pictures that the sink was too slow for."""
        return self._pictures.replaced

    @property
    def sounds_lost(self) -> int:
        """Blocks of sound that the sink was too slow for."""
        return self._sounds.dropped

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def send(self, picture: Picture) -> None:
        """Offers a picture. Never blocks."""
        self._pictures.put(picture)

    def hear(self, sound: Sound) -> None:
        """Offers a block of sound, which does not wait for the next picture. Never blocks."""
        self._sounds.put(sound)
        self._pictures.nudge()

    def finish(self) -> bool:
        """Lets the sink have what is waiting and ends the thread; false if the sink does not come back."""
        self._pictures.close()
        self._sounds.close()
        if self._thread.ident is not None:
            self._thread.join(_PATIENCE_S)
        return not self._thread.is_alive()

    def unresponsive(self) -> AgentError:
        """What to say when `finish` gave up."""
        return AgentError(f"the output {self.sink.name} does not answer and was left behind")

    def _run(self) -> None:
        try:
            while True:
                ending = self._pictures.closed
                picture = self._pictures.take(0 if ending else _IDLE_S)
                while (sound := self._sounds.take(0)) is not None:
                    self.sink.hear(sound)
                if picture is not None:
                    self._send(picture)
                elif ending:
                    return
        except BaseException as error:  # else the loop would feed a thread that is gone
            self._fail(error)

    def _send(self, picture: Picture) -> None:
        begun = Step("wait for output", self._clock.now_ns())
        with self._metrics.measure(f"sink {self.sink.name}"):
            self.sink.send(picture)
        if picture.trail is not None:
            note(self._metrics, self.sink.name, picture.trail, [begun, Step("send", self._clock.now_ns())])
