"""One process per GPU (torch's own DDP), or as many as are asked for on the CPU."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


def in_processes(count: int, work: Callable[..., None], *given: Any) -> None:
    """Calls `work(rank, *given)` in so many processes that share gradients; torchrun's are used where it started us."""
    if "RANK" in os.environ:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        work(int(os.environ["LOCAL_RANK"]), *given)
        dist.destroy_process_group()
    elif count == 1:
        work(0, *given)
    else:
        with tempfile.TemporaryDirectory() as folder:
            mp.spawn(_joined, (count, Path(folder) / "meeting", work, given), nprocs=count)


def _joined(rank: int, count: int, meeting: Path, work: Callable[..., None], given: tuple[Any, ...]) -> None:
    kind = "nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(kind, init_method=f"file://{meeting}", rank=rank, world_size=count)
    try:
        work(rank, *given)
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """Of this process among all."""
    return dist.get_rank() if dist.is_initialized() else 0


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
