"""One process per GPU (torch's own DDP), or as many as are asked for on the CPU."""

import os
import pickle
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from models.errors import AgentError

_BACKENDS = {"cpu": "gloo", "cuda": "nccl"}


def in_processes(count: int, device: str, work: Callable[..., None], *given: Any) -> None:
    """Calls `work(rank, *given)` in so many processes that share gradients; torchrun's are used where it started us.

    Raises the AgentError that one of them raised. `device`: cpu or cuda.
    """
    if "RANK" in os.environ:
        dist.init_process_group(_BACKENDS[device])
        work(int(os.environ["LOCAL_RANK"]), *given)
        dist.destroy_process_group()
    elif count == 1:
        work(0, *given)
    else:
        with tempfile.TemporaryDirectory() as folder:
            group = Group(count, _BACKENDS[device], Path(folder))
            try:
                mp.spawn(_joined, (group, work, given), nprocs=count)
            except mp.ProcessRaisedException as error:
                if (fault := group.fault(error.error_index)).exists():
                    raise pickle.loads(fault.read_bytes()) from None
                raise


@dataclass(frozen=True, slots=True)
class Group:
    """Processes of one run."""

    count: int
    backend: str
    folder: Path
    """Where they meet; for this run alone."""

    def fault(self, rank: int) -> Path:
        """Holds the AgentError that one has raised."""
        return self.folder / f"fault_{rank}"


def _joined(rank: int, group: Group, work: Callable[..., None], given: tuple[Any, ...]) -> None:
    meeting = f"file://{group.folder / 'meeting'}"
    dist.init_process_group(group.backend, init_method=meeting, rank=rank, world_size=group.count)
    try:
        work(rank, *given)
    except AgentError as error:
        group.fault(rank).write_bytes(pickle.dumps(error))
        raise
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """Of this process among all."""
    return dist.get_rank() if dist.is_initialized() else 0


def processes() -> int:
    """How many there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def shared(network: nn.Module) -> nn.Module:
    """The same with gradients that are means over the processes; its running norms are those of all, on GPUs."""
    if not dist.is_initialized():
        return network
    if next(network.parameters()).is_cuda:
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return DistributedDataParallel(network, [torch.cuda.current_device()], find_unused_parameters=True)
    return DistributedDataParallel(network, find_unused_parameters=True)


def mean_over_processes(value: Tensor) -> Tensor:
    """The mean of a number that each process has."""
    if not dist.is_initialized():
        return value
    total = value.clone()
    dist.all_reduce(total)
    return total / dist.get_world_size()
