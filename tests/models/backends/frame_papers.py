"""All papers whose frames are drawn by networks, with weights made by rule."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from golden import goha, goha_inputs, real3d, talk3d
from golden.dense_face import dense_face
from golden.goha_fill import FRAME_DECODER

from models.backends.paper import Paper, Stored
from models.face import load_face_model
from models.goha.model import Goha
from models.goha.paper import goha_paper
from models.real3d.paper import real3d_paper
from models.real3d.video_model import VideoModel
from models.small.model import SmallModel
from models.small.paper import load_small_paper, small_paper
from models.talk3d.model import Talk3D
from models.talk3d.paper import talk3d_paper

_LATENT = torch.linspace(-2, 2, 512)


@dataclass(frozen=True, slots=True)
class FramePaper:
    """One of them."""

    filled: Callable[[], Paper]
    without_values: Callable[[], Paper]
    """On the device that has none."""
    shown: str
    """Of the state, a tensor whose sign every picture shows."""
    stored: Stored = "float32"
    """Type of features in which these weights are known to draw what the reference draws."""


def _on_meta(make: Callable[[], Paper]) -> Callable[[], Paper]:
    def made() -> Paper:
        with torch.device("meta"):
            return make()

    return made


def _still(model: torch.nn.Module) -> torch.nn.Module:
    return model.eval().requires_grad_(False)


FRAME_PAPERS = {
    "real3d": FramePaper(
        lambda: real3d_paper(real3d.filled_model(), dense_face()),
        _on_meta(lambda: real3d_paper(_still(VideoModel()), dense_face())),
        "background",
        "float16",
    ),
    "goha": FramePaper(
        lambda: goha_paper(goha.filled_model(FRAME_DECODER), goha_inputs.face()),
        _on_meta(lambda: goha_paper(_still(Goha()), goha_inputs.face())),
        "canonical",
    ),
    "talk3d": FramePaper(
        lambda: talk3d_paper(talk3d.filled_model(), _LATENT),
        _on_meta(lambda: talk3d_paper(_still(Talk3D(restored=False)), _LATENT)),
        "planes",
        "float16",
    ),
    "talk3d restored": FramePaper(
        lambda: talk3d_paper(talk3d.filled_model(restored=True), _LATENT),
        _on_meta(lambda: talk3d_paper(_still(Talk3D(restored=True)), _LATENT)),
        "planes",
    ),
    "small": FramePaper(
        lambda: load_small_paper()[0],
        _on_meta(lambda: small_paper(_still(SmallModel()), load_face_model())),
        "texture",
    ),
}
