"""Brings files that others released into the user's store: checked, and converted once."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.checkpoint import faults, named_tensors, read_content, size_bytes, write_tensors
from models.errors import InputError
from models.weight_part import Part
from models.weight_store import CHUNK_BYTES, Progress, Replacement, Stock, StoredFile, WeightStore, sha256

_TORCH, _SAFETENSORS = (".bin", ".pt", ".pth"), ".safetensors"
"""Names of files in torch's format end so."""

Entries = Callable[[Any, Path], dict[str, Any]]
"""A network's entries in what a checkpoint holds. Raises InputError if there are none; the path is for the message."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is there, and what it becomes in the store."""

    path: Path
    part: Part
    name: str
    """In the store."""


@dataclass(frozen=True, slots=True)
class Network:
    """One of the released networks. All its tensors are kept as they are; whoever loads them may fold them."""

    part: Part
    build: Callable[[], nn.Module]
    entries: Entries
    step_key: str
    """Under which its checkpoints say how long they were trained."""
    step_of: Callable[[Path], int | None] = field(default=lambda path: None)
    """What a checkpoint's name says of that."""
    read: Callable[[Path], Any] = read_content
    """What is in a checkpoint: a dictionary. Raises InputError."""
    remark: Callable[[Path], str] = field(default=lambda path: "")
    """What a user should know of a checkpoint, by the files beside it, as a line; empty if nothing."""
    sized: Callable[[Mapping[str, Any]], nn.Module] | None = None
    """The same, as large as entries say, where others than the released one may be brought in."""

    def expected(self, entries: Mapping[str, Any] | None = None) -> dict[str, Tensor]:
        """Its entries, without values; `entries`: those that are there, whose size they may have."""
        with torch.device("meta"):
            network = self.build() if self.sized is None or entries is None else self.sized(entries)
        return dict(network.state_dict())


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be brought in."""

    checkpoints: Sequence[tuple[Path, Sequence[Network]]] = ()
    """Each with the networks that it may hold, all read alike; which of them it is its entries tell."""
    wanted: Sequence[Network] = ()
    """All of these have to be among the checkpoints, or in the present set."""
    dropped: Sequence[Part] = ()
    """Networks that the user does without from now on."""
    others: Sequence[Source] = ()
    """Files that are no checkpoints."""
    check: Callable[[Replacement], None] = field(default=lambda new: None)
    """Raises InputError, by the names of files in the new set, for those that the engine could not use."""


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """A checkpoint that was read and found good."""

    source: Source
    sha256: str
    step: int | None
    tensors: dict[str, Tensor]
    remark: str


class Import:
    """An import that is ready to start."""

    def __init__(self, request: Request) -> None:
        """Raises InputError if there is nothing to do."""
        if not request.checkpoints and not request.others:
            raise InputError("nothing to import: give --checkpoint or what else you have (see --help)")
        self._request = request
        networks = {each.part: each for _, holds in request.checkpoints for each in holds}.values()
        converted = sum(size_bytes(network.expected().values()) for network in networks)
        self._others_bytes = sum(other.path.stat().st_size for other in request.others)
        given = sum(path.stat().st_size for path, _ in request.checkpoints)
        self.total_bytes = converted + self._others_bytes + given
        """Of work, as the progress counts it; networks are taken to be as large as the released ones."""

    def run(self, store: WeightStore, progress: Progress) -> tuple[str, ...]:
        """Imports everything or nothing; returns what the user should know of it, one line each.

        Raises InputError for files of no use, AgentError if they cannot be stored.
        """
        checkpoints = self._read(store.current(), progress)
        converted = sum(size_bytes(read.tensors.values()) for read in checkpoints)
        with store.replacing(converted + self._others_bytes) as new:
            for part in self._request.dropped:
                new.place(part.files[0])
            for read in checkpoints:
                path = new.place(read.source.name)
                write_tensors(read.tensors, path)
                digest = sha256(path, progress)
                new.add(_record(read.source, path, read.sha256, digest, len(read.tensors), read.step))
            for source in self._request.others:
                new.add(_bring(source, new, progress))
            self._check(new)
        return tuple(read.remark for read in checkpoints if read.remark)

    def _read(self, present: Stock, progress: Progress) -> list[_Checkpoint]:
        """The networks that are wanted. Raises InputError; all faults of all files are in one line."""
        read: dict[Part, _Checkpoint] = {}
        wrong: list[str] = []
        for path, holds in self._request.checkpoints:
            network, content, entries, expected = self._network_in(path, holds)
            part = network.part
            if part in read:
                raise InputError(f"{read[part].source.path} and {path} are both the {part.title}; give one of them")
            if found := faults(entries, expected):
                wrong.append(
                    f"{path} is not the {part.title} that was released: {'; '.join(found)}{_or_without([part])}"
                )
            step = content.get(network.step_key)
            read[part] = _Checkpoint(
                source=Source(path, part, part.files[0]),
                sha256=sha256(path, progress),
                step=step if isinstance(step, int) else network.step_of(path),
                tensors={name: entries[name] for name in expected if name in entries},
                remark=network.remark(path),
            )
        wanted = [network.part for network in self._request.wanted if network.part not in read]
        missing = [part for part in wanted if present.fault(part.files[0])]
        wrong += [f"there is no {part.title}: give {part.source}{_or_without([part])}" for part in missing]
        if wrong:
            raise InputError(". ".join(wrong))
        return list(read.values())

    def _network_in(
        self, path: Path, holds: Sequence[Network]
    ) -> tuple[Network, Any, dict[str, Any], dict[str, Tensor]]:
        """The one of these networks that a checkpoint holds, its content, the network's entries and what they should
        be."""
        try:
            content = holds[0].read(path)
            entries = [network.entries(content, path) for network in holds]
        except InputError as error:
            wanted = " or ".join(dict.fromkeys(network.part.source for network in holds))
            raise InputError(f"{error}; wanted: {wanted}{_or_without([network.part for network in holds])}") from None
        expected = [network.expected(its) for network, its in zip(holds, entries, strict=True)]
        alike = [len(wanted.keys() & its.keys()) for wanted, its in zip(expected, entries, strict=True)]
        best = alike.index(max(alike))
        return holds[best], content, entries[best], expected[best]

    def _check(self, new: Replacement) -> None:
        """Raises InputError, with the names that the user gave, for files that the engine could not use."""
        try:
            self._request.check(new)
        except InputError as error:
            message = str(error)
            for source in self._request.others:
                message = message.replace(str(new.folder / source.name), str(source.path))
            raise InputError(message) from None


def _or_without(parts: Sequence[Part]) -> str:
    """How to do without all of these, if that is possible."""
    options = {part.without for part in parts}
    return f", or leave it out with {options.pop()}" if len(options) == 1 and "" not in options else ""


def _bring(source: Source, new: Replacement, progress: Progress) -> StoredFile:
    """Copies a file, or turns torch's format into safetensors if that is kept. Raises InputError: of no use."""
    target = new.place(source.name)
    if source.path.suffix in _TORCH and target.suffix == _SAFETENSORS:
        content = named_tensors(read_content(source.path), source.path)
        write_tensors(content, target)
        return _record(source, target, sha256(source.path), sha256(target, progress), len(content))
    digest = _copy(source.path, target, progress)
    return _record(source, target, digest, digest)


def _copy(source: Path, target: Path, progress: Progress) -> str:
    """The content's SHA-256. Raises InputError if it cannot be read, OSError if it cannot be written."""
    digest = hashlib.sha256()
    try:
        file = source.open("rb")
    except OSError as error:
        raise InputError(f"{source} cannot be read: {error.strerror or error}") from None
    with file, target.open("wb") as copy:
        while chunk := file.read(CHUNK_BYTES):
            copy.write(chunk)
            digest.update(chunk)
            progress(len(chunk))
    return digest.hexdigest()


def _record(
    source: Source, path: Path, source_digest: str, digest: str, tensors: int | None = None, step: int | None = None
) -> StoredFile:
    return StoredFile(
        name=source.name,
        size_bytes=path.stat().st_size,
        sha256=digest,
        source=source.path.name,
        source_sha256=source_digest,
        imported=datetime.now().astimezone().isoformat(timespec="seconds"),
        licence=source.part.licence,
        tensors=tensors,
        step=step,
    )
