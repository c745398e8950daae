"""The networks on a GPU: from a drive to its picture one CUDA graph per frame, one for each level of quality."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from models.backends.cuda_graph import GraphedNetwork, Run
from models.backends.cuda_math import repeatable
from models.backends.layout import channels_last
from models.real3d.drive import Drive
from models.real3d.executor import Picture
from models.real3d.face import Real3dFace
from models.real3d.folded import FrameNetwork
from models.real3d.folded_adapter import FoldedRenderer
from models.real3d.fused_renderer import FusedRenderer, has_triton
from models.real3d.levels import LEVELS
from models.real3d.networks import PORTRAIT_SHAPES, FramePicture, Stored, driven_spec
from models.real3d.painter import Painter, painter_on
from models.real3d.portrait_state import PortraitState, prepare
from models.real3d.trial import trial_drive
from models.real3d.video_model import PortraitParts, VideoModel


class GraphExecutor:
    """Executor whose frames are replayed: what comes from the host is the drive, what goes back is the picture.

    Portraits are prepared on a stream of their own, in any one other thread.
    """

    def __init__(
        self,
        name: str,
        model: VideoModel,
        face: Real3dFace,
        device: torch.device,
        runs: Mapping[int, Sequence[Run]],
        stored: Stored,
    ) -> None:
        """Captures the frame network at every level, for each number of avatars that is to be drawn at once.

        All levels are captured here, milliseconds each: in a run that is late already, none has to be.

        Args:
            name: as in reports.
            model: is moved to the device.
            face: that drives count in.
            device: a GPU.
            runs: what runs the frame network at each level, by the number of avatars; as many levels for each.
            stored: type of its features.
        """
        repeatable()
        self.name = name
        self._model, self.device = model.to(device), device
        self._stored = getattr(torch, stored)
        paint = painter_on(device, face)
        self._graphs = {
            batch: GraphedNetwork(
                [driven(run, paint) for run in of_levels], driven_spec(stored, batch), _example(batch), device
            )
            for batch, of_levels in runs.items()
        }
        self.levels = min(len(of_levels) for of_levels in runs.values())
        self._preparing = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        """What frames need of a portrait; waits until it is there, which frames do not."""
        with torch.cuda.stream(self._preparing):
            state = prepare(self._model, portrait.to(self.device)).stored_as(self._stored)
            self._preparing.synchronize()
        return state

    def frame(self, state: PortraitState, drive: Drive, level: int = 0) -> Picture:
        """One picture."""
        return self.frame_batch([state], drive, level)[0]

    def frame_batch(
        self, states: Sequence[PortraitState], drive: Drive, level: int = 0
    ) -> UInt8[np.ndarray, "b 512 512 3"]:
        """One picture of each avatar; for a number of them that was captured."""
        return self._graphs[len(states)](states, drive, level).numpy().copy()

    def close(self) -> None:
        """Frees the graphs and their memory."""
        for graph in self._graphs.values():
            graph.close()
        self._graphs.clear()


def driven(run: Run, paint: Painter) -> Run:
    """The frame network with the drive, one by one, in place of what is painted of it."""

    def from_drive(*tensors: Tensor) -> Tensor:
        drive = Drive(*tensors[len(PORTRAIT_SHAPES) :])
        return run(*tensors[: len(PORTRAIT_SHAPES)], paint(drive), drive.camera, drive.key_points)

    return from_drive


def _example(batch: int) -> Drive:
    return Drive(*(values.expand(batch, *values.shape[1:]) for values in trial_drive()))


def torch_runs(model: VideoModel, device: torch.device, stored: Stored) -> list[Run]:
    """The frame network by torch at every level, channels last; all share its weights."""
    renderer = FusedRenderer if has_triton() else FoldedRenderer
    network = channels_last(FrameNetwork(model.to(device), getattr(torch, stored), renderer))
    return [FramePicture(network, level) for level in LEVELS]
