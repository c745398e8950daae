"""What changes from frame to frame is copied, and nothing else."""

import torch

from models.backends.spec import NetworkSpec, TensorSpec
from models.backends.static_inputs import StaticInputs

SPEC = NetworkSpec(
    "fake",
    (TensorSpec("planes", (2, 3)), TensorSpec("points", (2, 1), "float16"), TensorSpec("drive", (2, 2))),
    TensorSpec("y", (2, 3)),
)


def avatar(value: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.full((1, 3), value), torch.full((1, 1), value, dtype=torch.float16)


def test_each_avatar_has_its_place_and_stays_there() -> None:
    inputs = StaticInputs(SPEC, 1, torch.device("cpu"))
    planes, points, _ = inputs.tensors
    first, second, third = avatar(1), avatar(2), avatar(3)
    inputs.hold([first, second])
    assert planes[:, 0].tolist() == points[:, 0].tolist() == [1, 2]
    first[0].fill_(9)
    inputs.hold([first, third])
    assert planes[:, 0].tolist() == [1, 3], "the first was there already: nothing is copied"
    inputs.hold([second])
    inputs.hold([first])
    assert planes[:, 0].tolist() == [9, 3]


def test_the_memory_that_was_captured_is_written_to() -> None:
    inputs = StaticInputs(SPEC, 1, torch.device("cpu"))
    where = [tensor.data_ptr() for tensor in inputs.tensors]
    inputs.hold([avatar(1), avatar(2)])
    drive = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    inputs.take([drive])
    drive.zero_()
    assert inputs.tensors[2].tolist() == [[1, 2], [3, 4]]
    assert [tensor.data_ptr() for tensor in inputs.tensors] == where
