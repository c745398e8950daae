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

    def __init__(self, run: Run, spec: NetworkSpec, example: Sequence[Tensor], device: torch.device) -> None:
        """`example`: of what comes from the CPU with every frame, the last inputs; numbers that a frame could have."""
        self._run: Run | None = run
        """The graph reads the weights, and all else that it owns, where they lie: it has to live as long."""
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            self._inputs = StaticInputs(spec, len(example), device)
            self._inputs.take(example)
            for _ in range(_ROUNDS):
                run(*self._inputs.tensors)
            self._stream.synchronize()
            self._graph: torch.cuda.CUDAGraph | None = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
                self._output = run(*self._inputs.tensors)
        pinned = device.type == "cuda"
        self._downloaded = torch.empty(spec.output.shape, dtype=spec.output.torch_dtype, pin_memory=pinned)
        self._done = torch.cuda.Event()  # type: ignore[no-untyped-call]

    @torch.inference_mode()
    def __call__(self, avatars: Sequence[Sequence[Tensor]], fresh: Sequence[Tensor]) -> Tensor:
        """The output for these avatars, one for each of the batch: on the CPU, until the next call. Not once closed."""
        assert self._graph is not None
        with torch.cuda.stream(self._stream):
            self._inputs.hold(avatars)
            self._inputs.take(fresh)
            self._graph.replay()
            self._downloaded.copy_(self._output, non_blocking=True)
            self._done.record()
        self._done.synchronize()
        return self._downloaded

    def close(self) -> None:
        """Frees the graph, then what it read. May be called twice."""
        self._graph = None
        self._run = None
