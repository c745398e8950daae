"""`agent bench`."""

import json

from agent.bench.latency import LatencyBench
from agent.config.bench import Bench
from agent.interrupt import interruptible
from agent.terminal import say


def bench(config: Bench) -> None:
    """Measures and prints the figures."""
    with interruptible(at_once=True) as interrupt:
        task = LatencyBench(config, say)
        interrupt.stop_with(task.stop)
        figures = task.run()
    print(json.dumps(figures.as_dict(), indent=2) if config.json else figures)
