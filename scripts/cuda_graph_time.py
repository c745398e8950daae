"""What a GPU takes for work, without the host's part in it."""

import statistics
from collections.abc import Callable

import torch


def replayed_ms(work: Callable[[], object], repeats: int) -> float:
    """The median of work that is captured in a CUDA graph and replayed."""
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    spent = []
    for _ in range(repeats):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        spent.append(start.elapsed_time(end))
    return statistics.median(spent)
