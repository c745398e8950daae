"""What pictures are compared by."""

from pathlib import Path

import pytest
import torch
from golden.fill import fill_tensors

from models.errors import InputError
from models.metrics.lpips import Lpips
from models.talk3d.personal.identity import Identity, read_identity
from models.talk3d.personal.likeness import Learned, Likeness, Structure
from models.talk3d.personal.schedule import ramped, stepped
from tests.models.metrics.files import alexnet, saved

pytestmark = pytest.mark.usefixtures("one_thread")


def pictures() -> torch.Tensor:
    rows = torch.linspace(-1, 1, 64)
    return (rows[:, None] * rows).expand(2, 3, 64, 64).contiguous()


@pytest.mark.parametrize("kind", ["structure", "lpips"])
def test_the_same_is_alike_and_more_of_another_is_less(kind: str, tmp_path: Path) -> None:
    likeness: Likeness = Structure() if kind == "structure" else Learned(Lpips.read(*saved(tmp_path, *alexnet())))
    wanted = pictures()
    noise = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(0))
    unlike = [float(likeness.unlike(wanted + share * noise, wanted)) for share in (0.0, 0.05, 0.2)]
    assert unlike[0] == pytest.approx(0, abs=1e-6) and 1e-4 < unlike[1] < unlike[2]
    alone = (
        likeness.unlike((wanted + 0.2 * noise)[:1], wanted[:1]),
        likeness.unlike((wanted + 0.2 * noise)[1:], wanted[1:]),
    )
    assert float(sum(alone)) == pytest.approx(unlike[2], rel=1e-4), "a sum over the batch"


def test_where_tuning_may_stop_is_known_of_the_released_network_alone() -> None:
    alex, vgg = Learned(Lpips("alexnet")), Learned(Lpips("vgg16"))
    assert (alex.name, alex.settled) == ("LPIPS", (0.006, 0.2))
    assert vgg.name != alex.name and vgg.settled is None


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not ArcFace's IR-SE50"):
        read_identity(saved(tmp_path, alexnet()[0])[0])


def test_a_face_is_its_own(tmp_path: Path) -> None:
    shapes = {name: tuple(values.shape) for name, values in Identity().state_dict().items()}
    assert len(shapes) > 300 and shapes["body.23.res_layer.5.fc1.weight"] == (32, 512, 1, 1)
    torch.save(fill_tensors(shapes), tmp_path / "model_ir_se50.pth")
    network = read_identity(tmp_path / "model_ir_se50.pth")
    assert float(network.unlike(pictures(), pictures())) == pytest.approx(0, abs=1e-5)
    assert float(network.unlike(pictures(), -pictures())) > 1e-3


def test_rates_rise_and_fall_as_the_released_code_has_them() -> None:
    assert ramped(0, 600) == 0 and ramped(15, 600) == 0.5 and ramped(300, 600) == 1
    assert ramped(525, 600) == pytest.approx(0.5) and ramped(599, 600) < 1e-3
    assert stepped(1) == 1 and stepped(2) == 0.98 and stepped(4) == pytest.approx(0.98**2)
