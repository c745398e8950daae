"""An outlet: a sink with its own thread, a slot for pictures and a ring for sound, so that it delays only itself."""

import threading
from collections.abc import Callable
from typing import TypeVar

from models.errors import AgentError
from runtime.answers import Answers
from runtime.clock import Clock
from runtime.faults import Faults
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.ring import Ring
from runtime.sinks import Sink
from runtime.slot import Slot
from runtime.sound import Sound
from runtime.trail import Step, note

_SOUND_BLOCKS = 512  # about five seconds of 10 ms blocks
_IDLE_S = 0.05
_PATIENCE_S = 5.0
_SILENT_PATIENCE_S = 0.3  # with one that has not answered for long

T = TypeVar("T", Picture, Sound)


class Outlet:
    """Feeds one sink from its own named thread.

    What a sink fails to take is left out and counted. One that says itself that it is lost (an AgentError), or that
    takes nothing for seconds, is fed no more. One whose driver does not come back is told, and waited for.
    """

    def __init__(
        self, sink: Sink, clock: Clock, metrics: Metrics, lost: Callable[["Outlet", BaseException], None]
    ) -> None:
        """`lost` hears at once, in the outlet's thread, why the sink is fed no more."""
        self.sink = sink
        self.failure: BaseException | None = None
        """Why the sink is fed no more."""
        self.answers = Answers(f"the output {sink.name}", "it misses pictures until it does", clock)
        self._clock, self._metrics, self._lost = clock, metrics, lost
        self._picture_faults = Faults(f"the output {sink.name}", "it misses a picture")
        self._sound_faults = Faults(f"the sound of the output {sink.name}", "it misses some")
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

    @property
    def faults(self) -> int:
        """How often the sink failed and the run went on."""
        return self._picture_faults.count + self._sound_faults.count + self.answers.count

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def send(self, picture: Picture) -> None:
        """Offers a picture. Never blocks."""
        self._pictures.put(picture)
        self.answers.look()

    def hear(self, sound: Sound) -> None:
        """Offers a block of sound, which does not wait for the next picture. Never blocks."""
        self._sounds.put(sound)
        self._pictures.nudge()

    def finish(self) -> bool:
        """Lets the sink have what is waiting and ends the thread; false if the sink does not come back."""
        self._pictures.close()
        self._sounds.close()
        if self._thread.ident is not None:
            self._thread.join(_SILENT_PATIENCE_S if self.answers.silent else _PATIENCE_S)
        return not self._thread.is_alive()

    def check(self) -> None:
        """Raises what the sink was given up for."""
        if self.failure is not None:
            raise self.failure

    def unresponsive(self) -> AgentError:
        """What to say when `finish` gave up."""
        return AgentError(f"the output {self.sink.name} does not answer and was left behind")

    def _run(self) -> None:
        try:
            while True:
                ending = self._pictures.closed
                picture = self._pictures.take(0 if ending else _IDLE_S)
                while (sound := self._sounds.take(0)) is not None:
                    self._give(sound, self.sink.hear, self._sound_faults)
                if picture is not None:
                    self._give(picture, self._show, self._picture_faults)
                elif ending:
                    return
        except BaseException as error:  # else the loop would feed a thread that is gone
            self._pictures.close()
            self._sounds.close()
            self.failure = error
            self._lost(self, error)

    def _give(self, value: T, take: Callable[[T], None], faults: Faults) -> None:
        try:
            with self.answers.asked():
                take(value)
        except Exception as error:
            faults.endured(error, self._clock.now_ns())
        else:
            faults.worked()

    def _show(self, picture: Picture) -> None:
        begun = Step("wait for output", self._clock.now_ns())
        with self._metrics.measure(f"sink {self.sink.name}"):
            self.sink.send(picture)
        if picture.trail is not None:
            note(self._metrics, self.sink.name, picture.trail, [begun, Step("send", self._clock.now_ns())])
