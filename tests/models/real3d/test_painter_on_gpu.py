"""Pictures painted on a GPU."""

import pytest
import torch
from golden.dense_face import dense_face

from models.real3d.painter import CpuPainter, TorchPainter
from models.real3d.trial import second_drive, trial_drive

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
]


def test_pictures_are_painted_on_the_device_as_on_the_cpu() -> None:
    cuda = torch.device("cuda")
    paint = TorchPainter(dense_face(), cuda)
    for drive in (trial_drive(), second_drive()):
        given, expected = drive.to(cuda), CpuPainter(dense_face())(drive)
        torch.cuda.set_sync_debug_mode("error")
        try:
            drawn = paint(given)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        assert float(((drawn.cpu() - expected).abs().amax(1) > 0.01).float().mean()) < 1e-4
