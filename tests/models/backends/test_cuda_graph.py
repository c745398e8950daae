"""What a captured network keeps alive, on a stand-in for CUDA: a graph that runs again what was captured."""

import gc
import weakref
from contextlib import nullcontext

import pytest
import torch

from models.backends.cuda_graph import GraphedNetwork
from models.backends.spec import NetworkSpec, TensorSpec

SPEC = NetworkSpec("net", (TensorSpec("x", (1, 2)), TensorSpec("drive", (1, 2))), TensorSpec("y", (1, 2)))


class Network:
    """Owns weights, which the graph reads where they lie."""

    def __init__(self, weight: float = 3.0) -> None:
        self.weight = torch.full((1, 2), weight)

    def __call__(self, x: torch.Tensor, drive: torch.Tensor) -> torch.Tensor:
        return self.weight * (x + drive)


class Graph:
    """A captured graph holds addresses, no objects."""

    def __init__(self) -> None:
        self.replays = 0
        self.captured_in: Graph | None = None

    def pool(self) -> "Graph":
        return self.captured_in or self

    def replay(self) -> None:
        self.replays += 1


class Ignored:
    """A stream or an event."""

    def __init__(self, *_: object) -> None: ...

    def synchronize(self) -> None: ...

    def record(self) -> None: ...


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modes of the captures so far."""
    modes: list[str] = []

    def graph(graph: Graph, pool: Graph | None, stream: Ignored, capture_error_mode: str) -> nullcontext[None]:
        modes.append(capture_error_mode)
        graph.captured_in = pool
        return nullcontext()

    monkeypatch.setattr(torch.cuda, "Stream", Ignored)
    monkeypatch.setattr(torch.cuda, "Event", Ignored)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    return modes


def test_what_was_captured_lives_as_long_as_its_graph(captures: list[str]) -> None:
    network = Network()
    gone: list[str] = []
    weakref.finalize(network, gone.append, "network")
    graphed = GraphedNetwork([network], SPEC, [torch.ones(1, 2)], torch.device("cpu"))
    weakref.finalize(graphed._graphs[0], gone.append, "graph")
    del network
    gc.collect()
    assert gone == [], "its weights are read by every replay"
    graphed([(torch.ones(1, 2),)], [torch.ones(1, 2)])
    for _ in range(2):
        graphed.close()
    gc.collect()
    assert gone == ["graph", "network"]


def test_other_threads_may_use_the_device_during_a_capture(captures: list[str]) -> None:
    GraphedNetwork([Network()], SPEC, [torch.ones(1, 2)], torch.device("cpu"))
    assert captures == ["thread_local"]


def test_runs_share_inputs_and_memory_and_are_replayed_by_number(captures: list[str]) -> None:
    drive = torch.ones(1, 2)
    graphed = GraphedNetwork([Network(3.0), Network(5.0)], SPEC, [drive], torch.device("cpu"))
    first, second = graphed._graphs
    assert second.captured_in is first and len(captures) == 2
    avatar = (torch.ones(1, 2),)
    assert graphed([avatar], [drive], 1).tolist() == [[5.0, 5.0]]
    assert (first.replays, second.replays) == (0, 1)
    assert graphed([avatar], [drive]).tolist() == [[3.0, 3.0]]
    assert (first.replays, second.replays) == (1, 1)
