"""SyncNet as a loss: it sees what `agent eval` shows it, and what it says reaches the networks that hear."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.metrics.face_cutter import FaceCutter, cut_face, square
from models.metrics.sync import SyncNet
from models.talk3d.personal.delta import CLIPS, TAKEN, Delta, clip_frames, clips, fresh_driver, moved_planes, subject
from models.talk3d.personal.likeness import Structure
from models.talk3d.personal.lip_sync import LipSync, face_cuts
from models.talk3d.personal.losses import Losses
from tests.models.metrics.files import saved
from tests.models.talk3d.personal import tiny

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def syncnet(tmp_path_factory: pytest.TempPathFactory) -> SyncNet:
    """Of the published layout, taught nothing."""
    torch.manual_seed(0)
    return SyncNet.read(saved(tmp_path_factory.mktemp("syncnet"), SyncNet().state_dict())[0])


@pytest.mark.parametrize("box", [(100.0, 90.0, 40.0), (20.0, 140.0, 61.3)], ids=["within", "beyond the edge"])
def test_faces_are_cut_as_for_the_measure(box: tuple[float, float, float]) -> None:
    image = np.random.default_rng(0).integers(0, 255, (12, 12, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    wanted = cut_face(image, np.array(box))
    pictures = torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1
    squares = torch.tensor(square(np.array(box)) / len(image), dtype=torch.float32)[None]
    found = face_cuts(pictures, squares)[0].permute(1, 2, 0).numpy()
    assert np.abs(found - wanted).max() < 8, "OpenCV places samples on 32nds of a pixel"
    assert np.abs(found - wanted).mean() < 0.5


def test_the_loss_is_what_the_measure_says_of_the_footage_itself(syncnet: SyncNet) -> None:
    footage, first = tiny.footage(11), 3
    cutter = FaceCutter(footage.faces[0] * tiny.SIZE.picture)
    faces = []
    for image, points in zip(footage.pictures, footage.faces * tiny.SIZE.picture, strict=True):
        faces += cutter.take(image, points)
    lips = syncnet.lips(np.stack(faces + cutter.rest()))[first]
    voice = syncnet.voice(footage.voice.reshape(-1), first + 1)[first]
    numbers = [first + k for k in TAKEN]
    own = torch.cat([footage.picture(k) for k in numbers])
    said = LipSync(syncnet, footage).apart(own, numbers, [first])
    assert float(said) == pytest.approx(float((lips - voice).norm()), rel=1e-3)
    other = LipSync(syncnet, footage).apart(-own, numbers, [first])
    assert float(other) != pytest.approx(float(said), rel=1e-3), "drawn frames take the place of the video's"


def test_a_clip_s_frames_are_those_that_it_begins_with() -> None:
    for step in range(20):
        numbers, begins = clip_frames("delta", step, 20), clips("delta", step, 20)
        assert numbers == [begin + k for begin in begins for k in TAKEN] and len(begins) == CLIPS


def test_what_it_says_reaches_the_networks_that_make_planes_and_nothing_else(syncnet: SyncNet) -> None:
    footage = tiny.footage(11)
    who = subject(tiny.generator(), torch.zeros(512), torch.zeros(11, 2))
    driver = fresh_driver(tiny.SIZE.planes, tiny.WIDTHS).train()
    numbers = clip_frames("delta", 0, footage.learnt)
    seen = who.view(moved_planes(driver, who, footage, numbers, None), numbers, 8).picture
    LipSync(syncnet, footage).apart(seen, numbers, clips("delta", 0, footage.learnt)).backward()
    reached = {
        name for name, values in driver.named_parameters() if values.grad is not None and values.grad.abs().sum() > 0
    }
    assert {f"deltaplane_predictor.Upnet.Upnet3_{plane}.conv1.weight" for plane in ("xy", "yz", "zx")} <= reached
    assert all(values.grad is None for part in (syncnet, who.generator) for values in part.parameters())


def test_it_counts_after_so_many_times_through_the_frames(syncnet: SyncNet, tmp_path: Path) -> None:
    footage = tiny.footage(11)
    who = subject(tiny.generator(), torch.zeros(512), torch.zeros(11, 2))

    def losses(heard_after: int, network: SyncNet | None) -> list[float]:
        schedule = replace(tiny.SCHEDULE, heard_after=heard_after)
        stage = Delta(who, footage, Losses(Structure(), None, network), schedule, tiny.WIDTHS)
        return [stage.step(number) for number in (4, 5)]

    alone, never, later = losses(0, None), losses(1, syncnet), losses(0, syncnet)
    assert footage.learnt // CLIPS == 5
    assert never == alone
    assert later[0] == alone[0] and later[1] > alone[1]
