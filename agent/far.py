"""Whom a session shows in place of its user."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runtime.change import Nobody, Upload
from runtime.lane import Lane
from runtime.metrics import Metrics
from runtime.stage import Over


@dataclass(frozen=True, slots=True)
class Far:
    """Somebody at the other end of a call."""

    portrait: Callable[[], Upload | Nobody]
    """Waits for their portrait. Raises AgentError if nobody will come."""
    lane: Callable[[Metrics], Lane[Any]]
    """Their motion and voice."""
    over: Over
    """What their camera sees, over the portrait, when they show it."""
    status: Callable[[], dict[str, Any]]
    """What to say of them beside the figures."""
