"""`--metrics-port`: the run's figures for Prometheus while it lasts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def served_metrics(
    port: int | None, status: Callable[[], dict[str, Any]], say: Callable[[str], None]
) -> Iterator[None]:
    """Serves `status` at `port` during the body; None for not at all. Raises InputError if the port is taken."""
    if port is None:
        yield
        return
    from runtime.metrics_page import MetricsPage  # aiohttp: a third of a second that others need not pay

    page = MetricsPage(port, status)
    say(f"metrics: {page.url}")
    try:
        yield
    finally:
        page.close()
