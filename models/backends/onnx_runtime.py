"""Networks run by ONNX Runtime, on a GPU where its package has one, else on the CPU."""

from pathlib import Path

import torch
from torch import Tensor

from models.backends.spec import NetworkSpec


class OnnxNetwork:
    """A network from an ONNX file. Inputs and output are read and written where they lie. Not thread-safe.

    On the CPU its threads wait without taking a core's time from camera, tracking and sound.
    """

    def __init__(self, path: Path, spec: NetworkSpec) -> None:
        """`spec`: of the exported network."""
        import onnxruntime  # a second to load: only for those who run it

        wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
        providers = [name for name in wanted if name in onnxruntime.get_available_providers()]
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
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
