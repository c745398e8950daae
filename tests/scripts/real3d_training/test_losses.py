"""Losses worked out by hand, the discriminator, a user's VGG, and what untrained networks are."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from real3d_training import losses  # noqa: E402
from real3d_training.beginning import follow_spectra, new_model  # noqa: E402
from real3d_training.discriminator import DualDiscriminator, gradient_penalty  # noqa: E402
from real3d_training.perceptual import Perceptual  # noqa: E402
from real3d_training.recipe import RECIPES, Moment  # noqa: E402

from models.errors import InputError  # noqa: E402
from models.real3d.torso_layers import SpectralConv2d  # noqa: E402
from models.triplane import Sample  # noqa: E402
from tests.scripts.real3d_training.made_up import TINY  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")


def test_pixels_beyond_the_mask_count_less() -> None:
    mask = torch.tensor([[[[1.0, 0.0]]]])
    assert losses.masked_l1(torch.zeros(1, 3, 1, 2), torch.ones(1, 3, 1, 2), mask, 0.2).item() == pytest.approx(0.6)


def test_a_mask_is_widened_by_a_25th_of_the_picture() -> None:
    mask = torch.zeros(1, 1, 128, 128)
    mask[..., 64, 64] = 1
    assert losses.widened(mask).sum().item() == 11**2


def test_a_box_is_cut_out() -> None:
    image = torch.arange(64.0).expand(1, 3, 64, 64)  # each column its own value
    seen = losses.part(image, torch.tensor([[0.25, 0.0, 0.5, 1.0]]))
    assert seen.shape == (1, 3, 8, 8)
    assert seen[0, 0, 0].tolist() == pytest.approx([16.5 + 2 * k for k in range(8)], abs=1e-4)


def test_the_likeness_of_a_picture_with_itself_is_perfect_and_a_blur_costs() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    blurred = torch.nn.functional.avg_pool2d(image, 5, 1, 2)
    assert losses.structure(image, image).item() == pytest.approx(0, abs=1e-5)
    assert losses.structure(blurred, image).item() > 0.5


def test_the_laplacian_loss_is_nothing_where_changes_are_even() -> None:
    before, after = torch.zeros(1, 2, 2), torch.full((1, 2, 2), 4.0)
    around = torch.stack([before, after], 1)
    assert losses.bent(around, torch.full((1, 2, 2), 2.0)).item() == 0
    assert losses.bent(around, torch.full((1, 2, 2), 5.0)).item() == 3


def test_undecided_opacities_and_wrong_outlines_cost() -> None:
    mask = torch.tensor([[[[1.0, 0.0]]]])
    assert losses.entropy(torch.tensor([0.5])).item() == 1
    assert losses.entropy(torch.tensor([0.0, 1.0])).item() < 1e-3
    assert losses.outline(mask, mask).item() == 0
    assert losses.outline(1 - mask, mask).item() == 2
    masks = torch.tensor([[[[1.0, 0.0, 0.0]]], [[[1.0, 1.0, 0.0]]]])
    each = [losses.outline(torch.full((1, 1, 1, 3), value), masks[k : k + 1]) for k, value in enumerate((0.2, 0.9))]
    both = losses.outline(torch.tensor([0.2, 0.9])[:, None, None, None].expand(2, 1, 1, 3), masks)
    assert both.item() == pytest.approx(sum(each).item() / 2), "the mean over pictures"
    assert losses.outline(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)).item() == 0, "head and background as one"


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_decided_opacities_of_half_precision_have_an_entropy_and_a_slope(kind: torch.dtype) -> None:
    opacity = torch.tensor([0.0, 0.5, 1.0], dtype=kind, requires_grad=True)
    found = losses.entropy(opacity)
    found.backward()
    assert opacity.grad is not None
    assert found.item() == pytest.approx(1 / 3, abs=1e-3) and opacity.grad.isfinite().all()


def test_densities_that_change_quickly_cost_more() -> None:
    def steep(gain: float) -> float:
        def field(at: torch.Tensor) -> Sample:
            return Sample(at, gain * at[..., :1])

        return losses.smooth_density(field, torch.Generator().manual_seed(0), torch.zeros(2, 1), 500).item()

    assert steep(0) == 0
    assert steep(20) == pytest.approx(2 * steep(10))


def test_the_gradient_penalty_is_that_of_the_slope() -> None:
    class Sloping(torch.nn.Module):
        def forward(self, picture, rendered, camera):
            return 3 * picture.sum((1, 2, 3)) + rendered.sum((1, 2, 3))

    found = gradient_penalty(Sloping(), torch.zeros(2, 3, 2, 2), torch.zeros(2, 3, 1, 1), torch.zeros(2, 25))
    assert found.item() == (9 * 12 + 3) / 2


def test_the_discriminator_compares_picture_and_rendering_and_knows_the_camera() -> None:
    torch.manual_seed(0)
    judge = DualDiscriminator(TINY)
    picture, rendered, camera = torch.randn(4, 3, 64, 64), torch.randn(4, 3, 16, 16), torch.randn(4, 25)
    scores = judge(picture, rendered, camera)
    assert scores.shape == (4,)
    for changed in ((-picture, rendered, camera), (picture, -rendered, camera), (picture, rendered, -camera)):
        assert not torch.allclose(judge(*changed), scores)


@pytest.mark.parametrize("count", [1, 4])
def test_the_discriminator_has_slopes_in_half_precision(count: int) -> None:
    torch.manual_seed(0)
    judge, picture = DualDiscriminator(TINY), torch.randn(1, 3, 64, 64).expand(count, -1, -1, -1)  # none differ
    with torch.autocast("cpu", torch.float16):
        scores = judge(picture, picture[..., ::4, ::4], torch.randn(count, 25))
    scores.sum().backward()
    slopes = [p.grad for p in judge.parameters() if p.grad is not None]
    assert slopes and all(slope.isfinite().all() for slope in slopes)


def vgg(path: Path) -> Path:
    torch.manual_seed(0)
    layers = {0: (3, 4), 2: (4, 4), 5: (4, 8), 7: (8, 8), 10: (8, 8)}  # two, two and one convolutions
    content = {f"features.{n}.weight": torch.randn(o, i, 3, 3) for n, (i, o) in layers.items()}
    content |= {f"features.{n}.bias": torch.randn(o) for n, (_, o) in layers.items()}
    torch.save(content, path)
    return path


def test_a_user_s_vgg_sees_differences(tmp_path: Path) -> None:
    network = Perceptual(vgg(tmp_path / "vgg.pth"))
    assert network._stages == [[0, 2], [5, 7], [10]]
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    assert network(image, image).item() == 0
    network(image, torch.zeros(1, 3, 32, 32)).backward()
    assert image.grad is not None and image.grad.abs().sum() > 0


def test_other_weights_are_no_vgg(tmp_path: Path) -> None:
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"features\.0\.weight"):
        Perceptual(tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("features.2.bias", None),
        ("features.2.weight", torch.zeros(4, 3, 3, 3)),
        ("features.2.weight", torch.zeros(4)),
        ("features.2.weight", torch.full((4, 4, 3, 3), float("nan"))),
    ],
)
def test_a_damaged_vgg_is_one_line(tmp_path: Path, name: str, value: torch.Tensor | None) -> None:
    path = vgg(tmp_path / "vgg.pth")
    content = torch.load(path, weights_only=True)
    content.pop(name)
    torch.save(content if value is None else {**content, name: value}, path)
    with pytest.raises(InputError, match=name):
        Perceptual(path)


def test_untrained_networks_are_decided_by_the_seed() -> None:
    one, same, other = (new_model(TINY, seed).state_dict() for seed in (1, 1, 2))
    assert all(value.isfinite().all() for value in one.values())
    assert all(torch.equal(value, same[name]) for name, value in one.items())
    assert not torch.equal(one["decoder.net.0.weight"], other["decoder.net.0.weight"])


def test_spectral_norms_follow_their_weights() -> None:
    network = next(module for module in new_model(TINY, 1).modules() if isinstance(module, SpectralConv2d))
    with torch.no_grad():
        network.weight_orig.normal_()
    for _ in range(200):
        follow_spectra(network)
    assert torch.linalg.matrix_norm(network.normalised_weight().flatten(1), 2).item() == pytest.approx(1, abs=1e-3)


def test_a_short_run_passes_through_the_published_course() -> None:
    recipe = RECIPES["motion"]
    begun, heard = (Moment(step, 500, recipe, 1) for step in (0, 400))
    assert not begun.heard and not begun.judged and heard.heard
    assert Moment(380, 500, recipe, 1).judged and not Moment(399, 500, recipe, 1).heard
    assert begun.rate(1.0, begins=recipe.others_from) == 0
    assert heard.rate(1.0, ends=recipe.adversary_from) == 0
    assert Moment(100, 500, recipe, 1).rate(1.0) == pytest.approx(0.5 ** (50_000 / recipe.half_life))
