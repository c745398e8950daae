"""A microphone that other programs can choose, or a loudspeaker: sound delayed by the age of the picture."""

import logging
import sys
import threading
from collections.abc import Callable
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from models.errors import AgentError
from runtime.clock import Clock
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.report import OFFSET
from runtime.sinks.delayed_sound import DelayedSound
from runtime.sinks.loopback_output import LoopbackOutput
from runtime.sinks.sound_outputs import PulseOutput, SoundOutput
from runtime.sound import Sound

logger = logging.getLogger(__name__)

_LABEL = "Avatar microphone"
_RETRY_S = 1.0
_PATIENCE_S = 6.0  # a server that hangs is given up after five seconds


class VirtualMicrophone:
    """Plays what is heard so late that lips and voice meet; an output that goes is waited for.

    The delay is the age at which pictures are shown, and never less than what sound needs to get here. Nothing but
    this microphone ever waits for its device: that has a thread of its own.
    """

    shows: ClassVar[bool] = False

    def __init__(
        self,
        output: SoundOutput,
        picture_age_ns: Callable[[], int | None],
        metrics: Metrics,
        kind: str = "virtual-microphone",
    ) -> None:
        """`picture_age_ns`: how old pictures are when they are shown, smoothed; None while that is not known.

        `kind`: what its name begins with.
        """
        self.name = f"{kind}:{output.label}"
        self._output, self._picture_age_ns, self._metrics = output, picture_age_ns, metrics
        self._sound = DelayedSound()
        self._stop = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    @property
    def underruns(self) -> int:
        """How often there was no sound to play; silence was played in its place."""
        return self._sound.underruns

    def send(self, picture: Picture) -> None:
        """Learns how old pictures are now, and notes by how much sound is off. Raises AgentError if playing failed."""
        if self._failure is not None:
            raise AgentError(f"{self.name} failed: {self._failure}") from self._failure
        shown_ns = self._picture_age_ns()
        if shown_ns is None:
            return
        self._sound.aim(shown_ns)
        heard_ns = self._sound.age_ns
        if heard_ns is not None:
            self._metrics.add(OFFSET, shown_ns - heard_ns)

    def hear(self, sound: Sound) -> None:
        """Takes the next block of sound."""
        self._sound.add(sound)

    def close(self, complete: bool = True) -> None:
        """Ends the sound and frees the device, whether the run was `complete` or not. May be called twice."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join(_PATIENCE_S)
        if self._thread.is_alive():
            raise AgentError(f"{self.name} does not answer and was left behind")
        try:
            self._output.close()
        except AgentError as error:  # a server that has gone took everything with it
            logger.warning("%s could not be removed: %s", self.name, error)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._output.play(self._fill, self._stop)
            except OSError as error:
                self._sound.restart()
                logger.warning("%s is gone (%s): the picture goes on; waiting for it to come back", self.name, error)
                self._wait_for_output()
            except Exception as error:  # a fault of ours: the run must hear of it
                self._failure = error
                return

    def _wait_for_output(self) -> None:
        while not self._stop.wait(_RETRY_S):
            try:
                self._output.reopen()
            except (AgentError, OSError):
                continue
            logger.warning("%s is back", self.name)
            return

    def _fill(self, count: int, heard_ns: int) -> Float32[np.ndarray, "{count} 2"]:
        return self._sound.read(count, heard_ns)


def open_sound_output(wanted: str, clock: Clock, microphone: str | None) -> SoundOutput:
    """A new microphone named `wanted` on Linux; elsewhere the loopback device of that name. "" is the default.

    `microphone` is the name of the device that the agent listens to. Raises InputError.
    """
    makes_its_own = sys.platform == "linux"
    return PulseOutput(wanted or _LABEL, clock) if makes_its_own else LoopbackOutput(wanted, clock, microphone)
