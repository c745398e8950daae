"""The networks on a GPU: from a drive to its picture one CUDA graph per frame, one for each level of quality."""

from collections.abc import Mapping, Sequence
from typing import Generic

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from models.backends.cuda_graph import GraphedNetwork, Run
from models.backends.cuda_math import repeatable
from models.backends.executor import Picture
from models.backends.paper import DriveT, Painter, Paper, PartsT, StateT, Stored


class GraphExecutor(Generic[PartsT, StateT, DriveT]):
    """Executor whose frames are replayed: what comes from the host is the drive, what goes back is the picture.

    Portraits are prepared on a stream of their own, in any one other thread.
    """

    def __init__(
        self,
        name: str,
        paper: Paper[PartsT, StateT, DriveT],
        device: torch.device,
        runs: Mapping[int, Sequence[Run]],
        stored: Stored,
    ) -> None:
        """Captures the frame network at every level, for each number of avatars that is to be drawn at once.

        All levels are captured here, milliseconds each: in a run that is late already, none has to be.

        Args:
            name: as in reports.
            paper: whose model is moved to the device.
            device: a GPU.
            runs: what runs the frame network at each level, by the number of avatars; as many levels for each.
            stored: type of its features.
        """
        repeatable()
        self.name, self.device = name, device
        self._paper, self._stored = paper, getattr(torch, stored)
        paper.model.to(device)
        paint, drive = paper.painter(device), paper.trial().drive
        self._graphs = {
            batch: GraphedNetwork(
                [driven(run, paint, paper) for run in of_levels],
                paper.layout.driven_spec(stored, batch),
                [values.expand(batch, *values.shape[1:]) for values in drive],
                device,
            )
            for batch, of_levels in runs.items()
        }
        self.levels = min(len(of_levels) for of_levels in runs.values())
        self._preparing = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def prepare(self, portrait: PartsT) -> StateT:
        """What frames need of a portrait; waits until it is there, which frames do not."""
        with torch.cuda.stream(self._preparing):
            state = self._paper.prepare(portrait.to(self.device), self._stored)
            self._preparing.synchronize()
        return state

    def frame(self, state: StateT, drive: DriveT, level: int = 0) -> Picture:
        """One picture."""
        return self.frame_batch([state], drive, level)[0]

    def frame_batch(self, states: Sequence[StateT], drive: DriveT, level: int = 0) -> UInt8[np.ndarray, "b h w c"]:
        """One picture of each avatar; for a number of them that was captured."""
        return self._graphs[len(states)](states, drive, level).numpy().copy()

    def close(self) -> None:
        """Frees the graphs and their memory."""
        for graph in self._graphs.values():
            graph.close()
        self._graphs.clear()


def driven(run: Run, paint: Painter[StateT, DriveT], paper: Paper[PartsT, StateT, DriveT]) -> Run:
    """The frame network with the whole state and the drive, one by one, in place of what is painted of them."""
    kept = len(paper.state.names)

    def from_drive(*tensors: Tensor) -> Tensor:
        state, drive = paper.state.make(tensors[:kept]), paper.drive(tensors[kept:])
        return run(*paper.seen(state), *paint(state, drive))

    return from_drive
