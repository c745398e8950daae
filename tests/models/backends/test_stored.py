"""Networks whose features have 16 bits, as a GPU computes them, against float32; weights made by rule."""

from pathlib import Path

import pytest
import torch
from golden.rounded import RoundedProducts, emulated_frame
from golden.talk3d_files import filled
from torch import Tensor, nn

from models.backends.layout import stored_as
from models.backends.onnx_runtime import OnnxNetwork
from models.backends.open_executor import built_files, exported_frame
from models.backends.picture_bytes import to_picture
from models.backends.torch_executor import TorchExecutor
from models.backends.verdict import ENOUGH_DB
from models.gfpgan import restoration, style_decoder
from models.gfpgan.restoration import Restoration
from models.goha.frame_network import NARROW, narrowed
from models.goha.model import Goha
from models.metrics.pictures import psnr_db
from models.stylegan import GREATEST, activated
from models.talk3d.model import Talk3D
from models.talk3d.paper import STORED, talk3d_paper
from tests.models.talk3d.personal import tiny

pytestmark = pytest.mark.usefixtures("one_thread")

HALF = torch.float16


def test_what_is_stored_otherwise_is_a_copy_that_shares_the_rest() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.Linear(3, 4), nn.BatchNorm2d(4)).requires_grad_(False)
    before = {name: values.clone() for name, values in network.state_dict().items()}
    assert stored_as(network, torch.float32) is network
    copy = stored_as(network, HALF, ("0", "1", "2"), (nn.Linear,))
    assert {values.dtype for values in (*copy[0].parameters(), *copy[2].parameters())} == {HALF}
    assert copy[2].running_mean.dtype == HALF and copy[2].num_batches_tracked.dtype == torch.int64
    assert copy[1].weight is network[1].weight, "a kind that keeps its type"
    assert stored_as(network, HALF, ("2",))[0].weight is network[0].weight, "a part that was not named"
    assert all(torch.equal(before[name], values) for name, values in network.state_dict().items())
    assert all(values.dtype != HALF for values in network.state_dict().values())


def test_features_are_cut_off_where_16_bits_would_end() -> None:
    values = torch.tensor([[[[-1e4, -1.0, 1.0, 1e4]]]])
    assert activated(values.to(HALF)).flatten().tolist() == pytest.approx([-GREATEST, -0.2, 1, GREATEST], rel=1e-3)
    assert activated(values).flatten().tolist() == pytest.approx([-2e3, -0.2, 1, 1e4])
    longest = torch.full((1, 512, 3, 3), GREATEST, dtype=HALF)
    unit = torch.full((1, 512, 3, 3), (2 / (512 * 9)) ** 0.5, dtype=HALF)
    with torch.no_grad(), RoundedProducts():
        assert nn.functional.conv2d(longest, unit).isfinite().all()


@pytest.fixture
def thin(monkeypatch: pytest.MonkeyPatch) -> Restoration:
    """GFPGAN with an eighth of its channels."""
    for module in (restoration, style_decoder):
        monkeypatch.setattr(module, "WIDTHS", tuple(width // 8 for width in module.WIDTHS))
    return filled(Restoration(), "restoration.")


def rough() -> Tensor:
    random = torch.Generator().manual_seed(0)
    return nn.functional.interpolate(torch.rand(1, 3, 16, 16, generator=random) * 2 - 1, (512, 512), mode="bilinear")


def drawn(network: Restoration) -> Tensor:
    with torch.no_grad(), RoundedProducts():
        return to_picture(network(rough(), network.stylegan_decoder.stored_noise()).clamp(-1, 1))


@pytest.mark.parametrize("styles", [1.0, 3e4])
def test_gfpgan_in_16_bits_draws_the_same(thin: Restoration, styles: float) -> None:
    """However large the styles are, by which features are scaled."""
    for layer in thin.stylegan_decoder.modules():
        if isinstance(layer, style_decoder.ModulatedConvolution) and layer.unit:
            layer.modulation.weight.mul_(styles)
            layer.modulation.bias.mul_(styles)
    want, got = drawn(thin), drawn(stored_as(thin, HALF, restoration.NARROW, restoration.WIDE))
    assert want.float().std() > 50
    assert psnr_db(got.numpy(), want.numpy()) > ENOUGH_DB + 10


@pytest.mark.parametrize("restored", [False, True])
def test_a_frame_of_talk3d_in_16_bits_is_the_reference_s(
    restored: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """As torch runs it, and exported."""
    if restored:
        request.getfixturevalue("thin")
    paper = talk3d_paper(filled(Talk3D(restored, tiny.SIZE, tiny.WIDTHS)), torch.linspace(-2, 2, 512))
    executor, trial = TorchExecutor(paper, torch.device("cpu")), paper.trial()
    state = executor.prepare(trial.parts)
    want = executor.frame(state, trial.second)
    db = {stored: psnr_db(emulated_frame(paper, stored, state, trial.second), want) for stored in STORED}
    assert want.std() > 10
    assert db["float32"] > 90 > db["float16"] > ENOUGH_DB + 10
    path = exported_frame(paper, built_files(paper, tmp_path), "float16", lambda line: None)
    network = OnnxNetwork(path, paper.layout.frame_spec("float16"))
    fresh = paper.painter(torch.device("cpu"))(state, trial.second)
    picture = network(*paper.seen(paper.stored_as(state, HALF)), *fresh)[0].numpy()
    assert psnr_db(picture, want) > ENOUGH_DB + 10


def test_what_goha_chooses_and_where_it_is_stays_in_32_bits() -> None:
    with torch.device("meta"):
        model = Goha().requires_grad_(False)
        narrow = narrowed(model, HALF)
    for name, values in narrow.named_parameters():
        of_styles = any(part in name for part in ("modulation", "style_mlp"))
        of_colours = ".to_rgb" in name and "modulated_conv" not in name
        drawn = tuple(f"neural_layers.gfpgan.{part}" for part in restoration.NARROW)
        drawing = name.startswith(drawn) and not of_styles and not of_colours
        assert (values.dtype == HALF) == (drawing or name.startswith(NARROW)), name
    assert all(values.dtype != HALF for values in model.parameters())
