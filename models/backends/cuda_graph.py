"""A network as one CUDA graph per frame: uploads, one replay, one download."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from models.backends.spec import NetworkSpec
from models.backends.static_inputs import StaticInputs

Run = Callable[..., Tensor]
"""Enqueues a network's work for its inputs, one by one, on the current stream; waits for nothing."""
_ROUNDS = 3
"""Runs before the capture: kernels are chosen, compiled and loaded."""


class GraphedNetwork:
    """Captured when made; other threads may use the device meanwhile. Afterwards one thread at a time calls it."""

    def __init__(self, runs: Sequence[Run], spec: NetworkSpec, example: Sequence[Tensor], device: torch.device) -> None:
        """Captures a graph of each run; they share their inputs and, as one is replayed at a time, their memory.

        Args:
            runs: of the same network, at one quality or another.
            spec: of all of them.
            example: of what comes from the CPU with every frame, the last inputs; numbers that a frame could have.
            device: a GPU.
        """
        self._runs = tuple(runs)
        """Graphs read the weights, and all else that a run owns, where they lie: these have to live as long."""
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._graphs: list[torch.cuda.CUDAGraph] = []
        self._outputs: list[Tensor] = []
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            self._inputs = StaticInputs(spec, len(example), device)
            self._inputs.take(example)
            for run in self._runs:
                self._capture(run)
        pinned = device.type == "cuda"
        self._downloaded = torch.empty(spec.output.shape, dtype=spec.output.torch_dtype, pin_memory=pinned)
        self._done = torch.cuda.Event()  # type: ignore[no-untyped-call]

    def _capture(self, run: Run) -> None:
        for _ in range(_ROUNDS):
            run(*self._inputs.tensors)
        self._stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        pool = self._graphs[0].pool() if self._graphs else None
        with torch.cuda.graph(graph, pool=pool, stream=self._stream, capture_error_mode="thread_local"):
            self._outputs.append(run(*self._inputs.tensors))
        self._graphs.append(graph)

    @torch.inference_mode()
    def __call__(self, avatars: Sequence[Sequence[Tensor]], fresh: Sequence[Tensor], run: int = 0) -> Tensor:
        """The output of a run for these avatars, one for each of the batch: on the CPU, until the next call.

        Not once closed.
        """
        with torch.cuda.stream(self._stream):
            self._inputs.hold(avatars)
            self._inputs.take(fresh)
            self._graphs[run].replay()
            self._downloaded.copy_(self._outputs[run], non_blocking=True)
            self._done.record()
        self._done.synchronize()
        return self._downloaded

    def close(self) -> None:
        """Frees the graphs, then what they read. May be called twice."""
        self._graphs.clear()
        self._runs = ()
