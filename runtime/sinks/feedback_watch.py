"""Whether the agent hears itself, looked after while it plays: a recording follows the system's default source."""

import logging
import threading

from models.errors import AgentError
from runtime.sinks.pulse_modules import PulseMicrophone

logger = logging.getLogger(__name__)

_EVERY_S = 3.0


class FeedbackWatch:
    """Looks on entering, and every three seconds until leaving, in a thread of its own: the server may be slow."""

    def __init__(self, microphone: PulseMicrophone) -> None:
        self._microphone = microphone
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"feedback:{microphone.label}", daemon=True)
        self.hears_itself = False
        """What was seen last."""

    def __enter__(self) -> "FeedbackWatch":
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self._look()

    def _look(self) -> None:
        try:
            now = self._microphone.hears_itself()
        except AgentError:  # a server that has gone is noticed by the stream
            return
        if now and not self.hears_itself:
            logger.warning("silence is played: %s", feedback(self._microphone.label))
        elif self.hears_itself and not now:
            logger.warning('the agent hears itself no more: "%s" is heard again', self._microphone.label)
        self.hears_itself = now


def feedback(label: str) -> str:
    """What is wrong, and the remedy."""
    return (
        f'the agent would hear itself: its microphone is its own output "{label}"; make the real microphone the '
        "default one (in the sound settings, or pactl set-default-source NAME)"
    )
