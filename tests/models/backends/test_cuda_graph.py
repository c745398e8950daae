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

    def __init__(self) -> None:
        self.weight = torch.full((1, 2), 3.0)

    def __call__(self, x: torch.Tensor, drive: torch.Tensor) -> torch.Tensor:
        return self.weight * x + drive


class Graph:
    """A captured graph holds addresses, no objects."""

    def replay(self) -> None: ...


class Ignored:
    """A stream or an event."""

    def __init__(self, *_: object) -> None: ...

    def synchronize(self) -> None: ...

    def record(self) -> None: ...


@pytest.fixture
def captures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modes of the captures so far."""
    modes: list[str] = []

    def graph(graph: Graph, stream: Ignored, capture_error_mode: str = "global") -> nullcontext[None]:
        modes.append(capture_error_mode)
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
    graphed = GraphedNetwork(network, SPEC, [torch.ones(1, 2)], torch.device("cpu"))
    weakref.finalize(graphed._graph, gone.append, "graph")
    del network
    gc.collect()
    assert gone == [], "its weights are read by every replay"
    graphed([(torch.ones(1, 2),)], [torch.ones(1, 2)])
    for _ in range(2):
        graphed.close()
    gc.collect()
    assert gone == ["graph", "network"]


def test_other_threads_may_use_the_device_during_a_capture(captures: list[str]) -> None:
    GraphedNetwork(Network(), SPEC, [torch.ones(1, 2)], torch.device("cpu"))
    assert captures == ["thread_local"]
