"""The networks against the released code: names of all weights, and what every stage gives for weights made by rule."""

from collections.abc import Iterator

import pytest
import torch
from golden.fill import read_manifest
from golden.real3d import GROUPS, Real3d
from golden.real3d_inputs import DRIVING_POINTS, MANIFEST, camera, pncc_target

from models.real3d import folded_adapter
from models.real3d.folded import FrameNetwork
from models.real3d.levels import LEVELS, Level
from models.real3d.networks import FramePicture
from models.real3d.portrait_state import prepare
from models.real3d.trial import trial_drive, trial_portrait
from models.real3d.video_model import SAMPLES, SIDE, PortraitParts, VideoModel, load_video_model
from models.volume import Field, Rays, Rendered, render

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]  # half a minute of processor time, on whatever machine

CHEAP = {"ma": 7, "appearance": 1, "i2p": 6, "decoder": 2}
"""Groups that are run here, and how many stages each passes; `scripts/check_golden.py` runs all."""


@pytest.fixture(scope="module")
def real3d() -> Iterator[Real3d]:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    yield Real3d()
    torch.set_num_threads(threads)


@pytest.fixture
def unfilled() -> VideoModel:
    """Shapes alone: no memory, no time."""
    with torch.device("meta"):
        return VideoModel().eval().requires_grad_(False)


def test_weights_have_the_released_names_and_shapes(unfilled: VideoModel) -> None:
    assert {name: tuple(values.shape) for name, values in unfilled.state_dict().items()} == read_manifest(MANIFEST)


def test_a_missing_weight_is_noticed(unfilled: VideoModel) -> None:
    weights = unfilled.state_dict()
    del weights["decoder.net.0.bias"]
    with pytest.raises(RuntimeError, match=r"decoder\.net\.0\.bias"):
        load_video_model(weights)


@pytest.mark.parametrize("group", CHEAP)
def test_stages_are_those_of_the_released_code(real3d: Real3d, group: str) -> None:
    before = set(real3d.comparison.measured)
    with torch.inference_mode():
        GROUPS[group](real3d)
    new = [m for name, m in real3d.comparison.measured.items() if name not in before]
    assert len(new) == CHEAP[group]
    assert [m for m in new if not m.good] == []


def test_the_folded_picture_is_that_of_the_released_code(real3d: Real3d) -> None:
    """Through adapter, renderer, torso and composite, all folded; the planes are those of the reference."""
    with torch.inference_mode():
        real3d.model.cano_img2plane_backbone.forward = lambda head: real3d.canonical  # seconds, and measured above
        state = prepare(real3d.model, real3d.portrait)
        image = FrameNetwork(real3d.model)(state, pncc_target(), camera(), DRIVING_POINTS)
        real3d.comparison.measure("model.image", image)
    assert real3d.comparison.measured["model.image"].good


def test_each_level_looks_at_fewer_points(unfilled: VideoModel, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[Level] = []

    def rendering(field: Field, rays: Rays, cube: float, even: int, drawn: int) -> Rendered:
        looked_at.append(Level(round(rays.directions.shape[1] ** 0.5), even, drawn))
        return render(field, rays, cube, even, drawn)

    monkeypatch.setattr(folded_adapter, "render", rendering)
    device, drive, portrait = torch.device("meta"), trial_drive(), trial_portrait()
    state, network = prepare(unfilled, portrait.to(device)), FrameNetwork(unfilled)
    fresh = [value.to(device) for value in (portrait.pncc_source, drive.camera, drive.key_points)]
    for level in LEVELS:
        assert FramePicture(network, level)(*state, *fresh).shape == (1, 512, 512, 3)
    assert tuple(looked_at) == LEVELS and LEVELS[0] == (SIDE, SAMPLES, SAMPLES)
    points = [level.side**2 * (level.even + level.drawn) for level in LEVELS]
    assert points == sorted(set(points), reverse=True)


def test_a_frame_depends_on_no_value_and_waits_for_nothing(unfilled: VideoModel) -> None:
    """Without values there is nothing to branch on or to wait for; and no index list travels to the device."""
    with torch.device("meta"):
        image, points = torch.empty(1, 3, 512, 512), torch.empty(1, 68, 3)
        parts = PortraitParts(image, image, image, torch.empty(1, 6, 512, 512), points, image, image)
        state = prepare(unfilled, parts)
        frame = torch.export.export(FrameNetwork(unfilled), (state, image, torch.empty(1, 25), points))
    calls = {str(node.target) for node in frame.graph.nodes if "aten" in str(node.target)} - {"aten.to.dtype"}
    names = {call.split(".")[1] for call in calls}
    assert "grid_sampler" in names
    assert not names & {"index", "index_put_", "item", "lift_fresh_copy", "nonzero", "masked_select", "to"}
