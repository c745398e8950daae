"""Real3D-Portrait as `--engine real3d` opens it, from weights that were brought in."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from agent.cli import main
from agent.engines import open_engine
from models.bfm import MODEL_FILE
from models.real3d import importing, paper, video_model
from models.real3d.folded import FrameNetwork
from models.real3d.levels import LEVELS, Level
from models.real3d.needs import FACE_DATA, VIDEO_FILE
from models.real3d.networks import LAYOUT
from models.real3d.portrait_state import PortraitState
from models.real3d.video_model import PortraitParts, VideoModel
from models.weight_store import StoredFile
from models.weights import TERMS, store_of
from tests.agent.clips import decode
from tests.agent.command import SMALL
from tests.models.real3d.released import NETWORKS, save_face_model, save_release

RED = (200, 10, 20)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_DATA", str(tmp_path / "data"))


class SmallModel(VideoModel):
    """With the entries of small releases."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        for name, layer in NETWORKS[0].network.build().named_children():
            self.add_module(name, layer)


class SmallFrame(FrameNetwork):
    """The driven face before red."""

    def __init__(self, model: VideoModel, *_: object, **__: object) -> None:
        nn.Module.__init__(self)
        assert isinstance(model, SmallModel)

    def forward(
        self, state: PortraitState, pncc_target: Tensor, camera: Tensor, kp_driving: Tensor, level: Level = LEVELS[0]
    ) -> Tensor:
        red = torch.tensor(RED).view(1, 3, 1, 1) / 127.5 - 1
        return torch.where(pncc_target > -1, pncc_target, red)


def small_state(model: VideoModel, parts: PortraitParts) -> PortraitState:
    return PortraitState(*(torch.zeros(1, *shape) for shape in LAYOUT.state.values()))


def save_zeros(path: Path, entries: dict[str, Tensor]) -> None:
    """A file of weights that are all zero: a hole on the disk."""
    header: dict[str, object] = {}
    end = 0
    for name, values in entries.items():
        begin, end = end, end + values.numel() * values.element_size()
        kind = "I64" if values.dtype == torch.int64 else "F32"
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [begin, end]}
    written = json.dumps(header).encode()
    written += b" " * (-len(written) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(written)) + written)
        file.truncate(file.tell() + end)


def test_weights_of_the_released_size_are_opened(one_thread: None) -> None:
    with store_of("real3d").replacing(0) as new:
        save_zeros(new.place(VIDEO_FILE), importing.NETWORKS[0].network.expected())
        save_face_model(new.place(MODEL_FILE))
        for name in (VIDEO_FILE, MODEL_FILE):
            size_bytes = (new.folder / name).stat().st_size
            new.add(StoredFile(name, size_bytes, "0" * 64, name, "0" * 64, "2026-01-01T00:00:00+00:00", ""))
    said: list[str] = []
    engine = open_engine("real3d", "torch", said.append)
    assert (engine.name, engine.levels) == ("real3d", 3) and engine.backend.startswith("torch ")
    engine.close()
    line, terms = said
    assert terms == TERMS["real3d"]
    assert all(name in line for name in FACE_DATA.files) and "agent models import real3d --face-data" in line


def test_a_run_draws_with_weights_that_were_brought_in(
    portrait_png: Path, wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "NETWORKS", NETWORKS)
    monkeypatch.setattr(video_model, "VideoModel", SmallModel)
    monkeypatch.setattr(paper, "FrameNetwork", SmallFrame)
    monkeypatch.setattr(paper, "prepare", small_state)
    release, face = save_release(tmp_path / "release"), save_face_model(tmp_path / MODEL_FILE)
    assert main(["models", "import", "real3d", "--checkpoint", str(release), "--face-model", str(face)]) == 0
    out, report = tmp_path / "talk.mp4", tmp_path / "r.json"
    chosen = ["--engine", "real3d", "--backend", "torch", *SMALL, "--report", str(report)]
    files = ["--portrait", str(portrait_png), "--microphone", str(wav), "--output", str(out)]
    assert main(["run", *files, *chosen]) == 0
    told = json.loads(report.read_text())
    assert (told["engine"], told["frames"]) == ("real3d", 25) and told["backend"].startswith("torch ")
    pictures = np.stack(decode(out)[0]).astype(int)
    red = (np.abs(pictures - RED) < 30).all(-1).mean((1, 2))
    assert pictures.shape == (25, 128, 128, 3) and (red > 0.05).all(), "around the face"
    assert np.ptp(pictures, 0).max() > 40, "the face moves"
