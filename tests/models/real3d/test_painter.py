"""Torch paints on any device what is painted on the CPU, and without looking at a value."""

import numpy as np
import pytest
import torch
from golden.dense_face import dense_face
from torch import Tensor, nn

from models.backends.graph_executor import driven
from models.real3d.drive import Drive
from models.real3d.face import Real3dFace
from models.real3d.networks import PORTRAIT_SHAPES
from models.real3d.painter import CpuPainter, TorchPainter, painter_on
from models.real3d.paper import real3d_paper
from models.real3d.pncc import PnccPainter
from models.real3d.torch_pncc import TorchPnccPainter
from models.real3d.trial import second_drive, trial_drive
from models.real3d.video_model import VideoModel

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def painter() -> TorchPnccPainter:
    return TorchPnccPainter(dense_face(), CPU)


def both() -> Drive:
    return Drive(*(torch.cat(values) for values in zip(trial_drive(), second_drive(), strict=True)))


def test_a_batch_is_painted_as_on_the_cpu() -> None:
    drawn, expected = TorchPainter(dense_face(), CPU)(both()), CpuPainter(dense_face())(both())
    assert drawn.shape == expected.shape == (2, 3, 512, 512)
    assert (expected > -1).all(1).float().mean() > 0.3
    off = (drawn - expected).abs().amax(1)
    assert (off > 0.01).float().mean() < 1e-4, "but where rounding moves an edge over a pixel's centre"
    assert off.median() < 1e-5


@pytest.mark.parametrize("deviations", [0.0, 1.0, 2.0])
def test_of_the_same_vertices_every_pixel_is_the_same(painter: TorchPnccPainter, deviations: float) -> None:
    rng, face = np.random.default_rng(0), dense_face()
    identity, expression = (deviations * rng.normal(size=count).astype(np.float32) for count in (80, 64))
    vertices = face.model.shape(identity, (expression / 2).astype(np.float32))
    expected = PnccPainter(face).draw(vertices)
    drawn = painter.draw(torch.from_numpy(vertices)[None])[0].numpy()
    np.testing.assert_allclose(drawn, expected, atol=1e-6)


def test_what_leaves_the_picture_wraps_round_nowhere(painter: TorchPnccPainter) -> None:
    face = dense_face()
    vertices = face.model.mean + np.float32([0.9, -0.9, 0])
    drawn = painter.draw(torch.from_numpy(vertices)[None])[0].numpy()
    expected = PnccPainter(face).draw(vertices)
    assert (expected[:, :, -1] > -1).any() and (expected[:, -1] > -1).any()
    np.testing.assert_allclose(drawn, expected, atol=1e-6)


def test_triangles_without_area_are_not_drawn(painter: TorchPnccPainter) -> None:
    flat = dense_face().model.mean * np.float32([1, 0, 1])
    assert (painter.draw(torch.from_numpy(flat)[None]) == -1).all()


class Painting(nn.Module):
    """A painter that can be traced."""

    def __init__(self, face: Real3dFace) -> None:
        super().__init__()
        self.paint = TorchPainter(face, torch.device("meta"))

    def forward(self, *tensors: Tensor) -> Tensor:
        return self.paint(Drive(*tensors))


def test_no_value_is_looked_at_and_no_index_list_travels_to_the_device(face: Real3dFace) -> None:
    drive = tuple(value.to("meta") for value in trial_drive())
    painting = Painting(face)
    program = torch.export.export(painting, drive)
    calls = [str(node.target) for node in program.graph.nodes if "aten" in str(node.target)]
    names = {call.split(".")[1] for call in calls}
    assert {"scatter_reduce_", "argmin"} <= names
    assert not names & {"index_put_", "item", "nonzero", "masked_select"}
    painter = painting.paint._painter
    there = [value for part in (painter, painter._raster) for value in vars(part).values() if isinstance(value, Tensor)]
    assert len(program.constants) == len(there), "an index list would be one more"


def test_networks_paint_where_they_run(face: Real3dFace) -> None:
    assert isinstance(painter_on(CPU, face), CpuPainter)
    assert isinstance(painter_on(torch.device("meta"), face), TorchPainter)


def test_a_driven_network_is_given_what_is_painted() -> None:
    state, drive = [torch.full((1,), float(i)) for i in range(len(PORTRAIT_SHAPES))], trial_drive()

    def run(*tensors: Tensor) -> Tensor:
        given.extend(tensors)
        return torch.zeros(1)

    given: list[Tensor] = []
    with torch.device("meta"):
        paper = real3d_paper(VideoModel(), dense_face())
    driven(run, lambda state, drive: (state.points + drive.expression, drive.camera), paper)(*state, *drive)
    expected = (*state, state[list(PORTRAIT_SHAPES).index("points")] + drive.expression, drive.camera)
    assert len(given) == len(expected)
    assert all(torch.equal(*pair) for pair in zip(given, expected, strict=True))
