"""The networks on a GPU, one CUDA graph per frame."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from models.backends.cuda_graph import GraphedNetwork, Run
from models.backends.cuda_math import repeatable
from models.real3d.executor import Picture
from models.real3d.folded import FrameNetwork
from models.real3d.fused_renderer import has_triton
from models.real3d.networks import FramePicture, Stored, frame_spec
from models.real3d.portrait_state import PortraitState, prepare
from models.real3d.torso_motion import KeyPoints
from models.real3d.trial import trial_drive
from models.real3d.video_model import Image, PortraitParts, VideoModel


class GraphExecutor:
    """Executor whose frames are replayed. Portraits are prepared on a stream of their own, in any one other thread."""

    def __init__(
        self, name: str, model: VideoModel, device: torch.device, runs: Mapping[int, Run], stored: Stored
    ) -> None:
        """Captures the frame network for each number of avatars that is to be drawn at once.

        Args:
            name: as in reports.
            model: is moved to the device.
            device: a GPU.
            runs: what runs the frame network, by the number of avatars.
            stored: type of its features.
        """
        repeatable()
        self.name = name
        self._model, self.device = model.to(device), device
        self._stored = getattr(torch, stored)
        self._graphs = {
            batch: GraphedNetwork(run, frame_spec(stored, batch), trial_drive(), device) for batch, run in runs.items()
        }
        self._preparing = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def prepare(self, portrait: PortraitParts) -> PortraitState:
        """What frames need of a portrait; waits until it is there, which frames do not."""
        with torch.cuda.stream(self._preparing):
            state = prepare(self._model, portrait.to(self.device)).stored_as(self._stored)
            self._preparing.synchronize()
        return state

    def frame(
        self, state: PortraitState, pncc_target: Image, camera: Float[Tensor, "1 25"], key_points: KeyPoints
    ) -> Picture:
        """One picture."""
        return self.frame_batch([state], pncc_target, camera, key_points)[0]

    def frame_batch(
        self,
        states: Sequence[PortraitState],
        pncc_target: Image,
        camera: Float[Tensor, "b 25"],
        key_points: KeyPoints,
    ) -> UInt8[np.ndarray, "b 512 512 3"]:
        """One picture of each avatar; for a number of them that was captured."""
        drawn = self._graphs[len(states)](states, (pncc_target, camera, key_points))
        return drawn.numpy().copy()

    def close(self) -> None:
        """Frees the graphs and their memory."""
        for graph in self._graphs.values():
            graph.close()
        self._graphs.clear()


def torch_run(model: VideoModel, device: torch.device, stored: Stored) -> Run:
    """The frame network by torch, laid out for tensor cores."""
    network = FrameNetwork(model.to(device), getattr(torch, stored), fused=has_triton())
    return FramePicture(channels_last(network))


def channels_last(network: FrameNetwork) -> FrameNetwork:
    """The network, its 2-D kernels laid out channels last; feature maps then follow."""
    for values in (*network.parameters(), *network.buffers()):
        if values.ndim == 4:
            values.data = values.data.contiguous(memory_format=torch.channels_last)
    return network
