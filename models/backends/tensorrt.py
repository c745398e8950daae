"""Networks built and run by TensorRT. Types are those of the exported network: nothing is narrowed by the builder."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.backends.built import BuiltFiles
from models.backends.spec import NetworkSpec
from models.errors import AgentError, InputError

_WORKSPACE_BYTES = 8 << 30

Progress = Callable[[str, int, int], bool]
"""Hears a phase of the build, the steps of it that are done, and all of its steps; False ends the build."""


def require_tensorrt() -> Any:
    """The package. Raises InputError where it or a GPU is missing."""
    if not torch.cuda.is_available():
        raise InputError(
            "TensorRT needs an NVIDIA GPU, and torch finds none; without one, --backend onnx is the fastest"
        )
    try:
        import tensorrt  # large, and optional
    except ImportError:
        raise InputError("TensorRT is missing: pip install 'portrait-agent[tensorrt]', or --backend auto") from None
    return tensorrt


def engine_name(spec: NetworkSpec) -> str:
    """Name of the file that holds the network as it was built for this GPU by this TensorRT."""
    return f"{spec.name}.{_here()}.engine"


def timing_cache_name() -> str:
    """Name of the file beside the networks' folders that holds what builds measured: the next ones take less time."""
    return f"timing.{_here()}.cache"


def _here() -> str:
    version = require_tensorrt().__version__
    return f"{torch.cuda.get_device_name()}.{version}".replace(" ", "-").replace("/", "-")


def build(onnx: Path, files: BuiltFiles, spec: NetworkSpec, progress: Progress) -> Path:
    """Builds the engine of an exported network, minutes; the file is replaced if it is there.

    Raises AgentError if TensorRT cannot build it, or `progress` ended it.
    """
    trt = require_tensorrt()
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(onnx)):
        reasons = "; ".join(str(parser.get_error(i)).strip() for i in range(parser.num_errors))
        raise AgentError(f"TensorRT {trt.__version__} cannot read {onnx.name}: {reasons}")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _WORKSPACE_BYTES)
    config.clear_flag(trt.BuilderFlag.TF32)
    config.progress_monitor = monitor = _monitor(trt, progress)  # must outlive the build
    shared = BuiltFiles(files.folder.parent)
    timing = config.create_timing_cache(_measured(shared)) or config.create_timing_cache(b"")
    config.set_timing_cache(timing, ignore_mismatch=False)
    plan = builder.build_serialized_network(network, config)
    del monitor
    if plan is None:
        raise AgentError(f"TensorRT {trt.__version__} could not build {spec.name}; its log above says why")
    engine = files.replace(engine_name(spec), lambda path: _write(path, plan))
    with suppress(AgentError):  # the next build takes longer, no more
        shared.replace(timing_cache_name(), lambda path: _write(path, config.get_timing_cache().serialize()))
    return engine


class TensorRtNetwork:
    """A built network on the GPU. It only enqueues, so it can be captured in a CUDA graph."""

    def __init__(self, engine: Path, spec: NetworkSpec) -> None:
        """Raises AgentError if the file is damaged or of another device or version."""
        trt = require_tensorrt()
        self._logger = trt.Logger(trt.Logger.ERROR)
        self._runtime = trt.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(engine.read_bytes())
        if self._engine is None:
            raise AgentError(f"{engine} cannot be used here; build it again: agent models build --backend tensorrt")
        self._context = self._engine.create_execution_context()
        self._known = {self._engine.get_tensor_name(k) for k in range(self._engine.num_io_tensors)}
        """Exporters leave out inputs that a network does not look at."""
        self._spec = spec

    def __call__(self, *tensors: Tensor) -> Tensor:
        """The output; the inputs lie on the GPU and stay alive until the current stream has come that far."""
        output = torch.empty(self._spec.output.shape, dtype=self._spec.output.torch_dtype, device="cuda")
        for spec, tensor in zip((*self._spec.inputs, self._spec.output), (*tensors, output), strict=True):
            assert tensor.is_contiguous() and tuple(tensor.shape) == spec.shape and tensor.dtype == spec.torch_dtype
            if spec.name in self._known:
                self._context.set_tensor_address(spec.name, tensor.data_ptr())
        if not self._context.execute_async_v3(torch.cuda.current_stream().cuda_stream):
            raise AgentError(f"TensorRT could not run {self._spec.name}; its log above says why")
        return output


def _monitor(trt: Any, progress: Progress) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # only known once the package is loaded
        """Tells of the outermost phases; called from several threads."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._steps: dict[str, int] = {}
            self._goes_on = True

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            """A phase has begun."""
            if parent_phase is None:
                self._steps[phase_name] = num_steps

        def step_complete(self, phase_name: str, step: int) -> bool:
            """A step is done; False ends the build."""
            if phase_name in self._steps:
                self._goes_on = progress(phase_name, step + 1, self._steps[phase_name]) and self._goes_on
            return self._goes_on

        def phase_finish(self, phase_name: str) -> None:
            """A phase has ended."""
            self._steps.pop(phase_name, None)

    return Monitor()


def _measured(shared: BuiltFiles) -> bytes:
    """By builds before; nothing where it cannot be read."""
    path = shared.find(timing_cache_name())
    try:
        return b"" if path is None else path.read_bytes()
    except OSError:
        return b""


def _write(path: Path, data: Any) -> None:
    path.write_bytes(memoryview(data))
