"""Training's flow-VAE, its exported step and the manners it learns from; the network only where torch is installed."""

from pathlib import Path

import numpy as np
import pytest
from a2m import manner, targets
from a2m.segments import Segment

from models.audio.curves import INDEX

LOUD = np.zeros(1000)
SAID = [Segment(0.5, 0.7, "a"), Segment(0.7, 0.8, "m"), Segment(0.8, 1.0, "a"), Segment(1.0, 1.2, "u")]


def ways(count: int = 40) -> np.ndarray:
    """[count, 200, 15] curves of the same phones."""
    rng = np.random.default_rng(0)
    return np.stack([targets.make(SAID, 2.0, LOUD, manner.varied(rng, 2.0)).curves for _ in range(count)])


def test_the_same_phones_are_not_said_twice_alike() -> None:
    made, plain = ways(), targets.make(SAID, 2.0, LOUD).curves
    for name, second in (("lipGap", 0.6), ("jawOpen", 0.9), ("lipRound", 1.1)):
        drawn = made[:, round(second * targets.RATE_HZ), INDEX[name]]
        middle = plain[round(second * targets.RATE_HZ), INDEX[name]]
        assert drawn.mean() == pytest.approx(middle, rel=0.15)
        assert 0.05 < drawn.std() / middle < 0.3


def test_varied_lips_close_for_m_b_and_p_all_the_same() -> None:
    closed = targets.make(SAID, 2.0, LOUD).closed == 1
    assert closed.sum() >= 9
    assert not ways()[:, closed, INDEX["lipGap"]].any()


def test_a_style_outlasts_a_phone() -> None:
    said = [Segment(0.1 * k, 0.1 * (k + 1), "a") for k in range(80)]
    rng = np.random.default_rng(0)
    wide = [manner.varied(rng, 8.0) for _ in range(60)]
    drawn = np.log([[how(segment).target[INDEX["lipGap"]] for segment in said] for how in wide])
    near, far = (np.corrcoef(drawn[:, :-k].ravel(), drawn[:, k:].ravel())[0, 1] for k in (2, 60))
    assert near > 0.4
    assert abs(far) < 0.2


torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from a2m import variation_step  # noqa: E402
from a2m.network import CLOSED, OUTPUTS  # noqa: E402
from a2m.variation import HOPS_PER_LATENT, LATENTS, Variation, spread  # noqa: E402


@pytest.fixture
def net() -> Variation:
    torch.manual_seed(0)
    net = Variation()
    for coupling in net.couplings:
        torch.nn.init.normal_(coupling.mean.weight, std=0.3)  # at first they move nothing
    return net.eval()


def given(hops: int = 80) -> tuple["torch.Tensor", "torch.Tensor"]:
    return torch.randn(2, hops, OUTPUTS), torch.randn(2, hops // HOPS_PER_LATENT, LATENTS)


def test_no_noise_changes_nothing(net: Variation) -> None:
    answers, noise = given()
    assert (net(answers, 0 * noise) == 1).all()
    assert (net(answers, noise) - 1).abs().max() > 0.05


def test_the_flow_runs_both_ways(net: Variation) -> None:
    answers, noise = given()
    heard = net.hear(answers)[0][:, ::HOPS_PER_LATENT]
    latents = net.prior(noise, heard)
    assert (latents - noise).abs().max() > 0.1
    torch.testing.assert_close(net.noise(latents, heard), noise, atol=1e-5, rtol=1e-4)


def test_factors_know_nothing_of_later_sound_or_noise(net: Variation) -> None:
    answers, noise = given()
    plain, other_answers, other_noise = net(answers, noise), answers.clone(), noise.clone()
    other_answers[:, 40:], other_noise[:, 10:] = 0, 0
    changed = net(other_answers, other_noise)
    torch.testing.assert_close(changed[:, :40], plain[:, :40])
    assert not torch.allclose(changed[:, 40:], plain[:, 40:])


def test_the_lip_gap_of_closed_lips_keeps_its_size(net: Variation) -> None:
    answers, noise = given()
    answers[..., CLOSED] = 12
    factors = net(answers, noise)
    assert (factors[..., INDEX["lipGap"]] - 1).abs().max() < 1e-4
    assert (factors[..., INDEX["jawOpen"]] - 1).abs().max() > 0.01


def test_latents_are_reached_in_even_steps() -> None:
    latents = torch.tensor([4.0, 8.0])[None, :, None]
    torch.testing.assert_close(spread(latents)[0, :, 0], torch.arange(1.0, 9.0))


def test_the_exported_step_says_what_the_network_says(net: Variation, tmp_path: Path) -> None:
    variation_step.write(net, tmp_path / "net.onnx")
    assert variation_step.difference(net, tmp_path / "net.onnx") < 1e-5
    torch.manual_seed(1)
    assert variation_step.difference(Variation(), tmp_path / "net.onnx") > 0.01


def test_learning_raises_the_bound(net: Variation) -> None:
    answers, _ = given()
    plain = torch.rand(2, 80, 15)
    varied = plain * torch.exp(0.2 * torch.randn(2, 20, 15)).repeat_interleave(4, 1)
    optimiser = torch.optim.Adam(net.parameters(), 5e-3)
    values = []
    for _ in range(25):
        bound = net.bound(answers, plain, varied)
        optimiser.zero_grad()
        (bound.divergence - bound.likelihood).backward()
        optimiser.step()
        values.append((bound.likelihood - bound.divergence).item())
    assert values[-1] > values[0] + 1
