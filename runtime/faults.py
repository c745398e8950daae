"""Failures that a live run survives: counted, told once a burst, timed so that what never recovers can be given up."""

import logging

from models.errors import AgentError, InputError

_log = logging.getLogger(__name__)

LASTING_NS = 5_000_000_000
"""What has failed for so long without a success is given up."""
UNTRIED_NS = 1_000_000_000
"""The same for what has never succeeded: something is wrong with the set-up."""
_BURST_NS = 10_000_000_000  # failures that are nearer belong together


class Faults:
    """The failures of one part of a run. One thread uses it; others may read the count."""

    def __init__(self, part: str, meanwhile: str) -> None:
        """`part`: what fails, as in "the video driver"; `meanwhile`: what happens until it works again."""
        self._part, self._meanwhile = part, meanwhile
        self._worked = False
        self._failing_ns: int | None = None  # since when
        self._last_ns: int | None = None
        self.count = 0
        """Failures so far."""

    def failed(self, error: Exception, now_ns: int) -> int:
        """Counts a failure at an instant; returns for how long (ns) there has been no success."""
        self.count += 1
        if self._failing_ns is None:
            self._failing_ns = now_ns
        if self._last_ns is None or now_ns - self._last_ns > _BURST_NS:
            _log.warning("%s failed (%s): %s", self._part, in_words(error), self._meanwhile)
        self._last_ns = now_ns
        return now_ns - self._failing_ns

    def endured(self, error: Exception, now_ns: int) -> None:
        """Counts a failure. Raises AgentError if it has gone on for too long, or if `error` is an AgentError."""
        if isinstance(error, AgentError):
            self.count += not isinstance(error, InputError)  # a refusal is no failure
            raise error
        if self.failed(error, now_ns) >= (LASTING_NS if self._worked else UNTRIED_NS):
            raise AgentError(f"{self._part} fails again and again: {in_words(error)}") from error

    def worked(self) -> None:
        """The part did what it should."""
        self._worked, self._failing_ns = True, None


def in_words(error: BaseException) -> str:
    """An exception in one line, without a full stop."""
    text = str(error) if isinstance(error, AgentError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split()).rstrip(":.")
