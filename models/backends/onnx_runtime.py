"""Networks run by ONNX Runtime, on a GPU where its package has one, else on the CPU."""

from pathlib import Path

import torch
from torch import Tensor

from models.backends.spec import NetworkSpec


class OnnxNetwork:
    """A network from an ONNX file. Inputs and output are read and written where they lie. Not thread-safe."""

    def __init__(self, path: Path, spec: NetworkSpec, threads: int = 0) -> None:
        """`threads`: on the CPU; 0 leaves it to ONNX Runtime."""
        import onnxruntime  # a second to load: only for those who run it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
        self._session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        on_gpu = self._session.get_providers()[0] == wanted[0]
        self.device = torch.device("cuda" if on_gpu else "cpu")
        self._spec = spec
        self._looked_at = {each.name for each in self._session.get_inputs()}  # exporters leave out the others

    def __call__(self, *tensors: Tensor) -> Tensor:
        """The output, on `device`, where the inputs lie, too."""
        output = self._spec.output.zeros(self.device)
        binding = self._session.io_binding()
        given = [tensor.contiguous() for tensor in tensors]
        for spec, tensor in zip(self._spec.inputs, given, strict=True):
            kind = tensor.device.type, tuple(tensor.shape), tensor.dtype
            assert kind == (self.device.type, spec.shape, spec.torch_dtype), f"{spec.name}: {kind}"  # an address alone
            if spec.name in self._looked_at:
                where = self.device.type, 0, spec.numpy_dtype, spec.shape, tensor.data_ptr()
                binding.bind_input(spec.name, *where)
        result = self._spec.output
        binding.bind_output(result.name, self.device.type, 0, result.numpy_dtype, result.shape, output.data_ptr())
        if self.device.type == "cuda":
            torch.cuda.current_stream().synchronize()  # ONNX Runtime has a stream of its own
        self._session.run_with_iobinding(binding)
        return output
