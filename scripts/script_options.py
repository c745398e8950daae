"""Options that training scripts refuse before any work, in one line."""

import argparse
from pathlib import Path

import torch

from models.errors import InputError


def check_least(options: argparse.Namespace, **least: float) -> None:
    """Raises InputError for an option that is given and smaller than its least."""
    for name, limit in least.items():
        value = getattr(options, name)
        if value is not None and not value >= limit:
            raise InputError(f"--{name.replace('_', '-')} {value}: give {limit:g} or more")


def make_folder(path: Path, option: str) -> None:
    """Makes it where it is not there. Raises InputError where it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{option} {path} cannot be made a folder ({error.strerror}): give another one") from None


def device_of(name: str) -> torch.device:
    """`name`: cpu or cuda. Raises InputError where there is no such GPU."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: torch finds no NVIDIA GPU here; leave it out to train on the CPU")
    return torch.device(name)
