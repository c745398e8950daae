"""Brings the released files of Real3D-Portrait into the user's store: checked, and converted once."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import torch
from torch import Tensor, nn

from models.audio.hubert_file import load_hubert
from models.checkpoint import faults, named_tensors, network_entries, read_content, size_bytes, write_tensors
from models.errors import InputError
from models.real3d.audio_to_motion import AudioToMotion
from models.real3d.face import MODEL_FILE, load_real3d_face
from models.real3d.needs import AUDIO, FACE_DATA, FACE_MODEL, HUBERT, SEGMENTER, VIDEO
from models.real3d.release import Given, Source, find_checkpoints, find_others, step_of
from models.real3d.video_model import VideoModel
from models.weight_part import Part
from models.weight_store import CHUNK_BYTES, Progress, Replacement, StoredFile, WeightStore, sha256

_TFLITE = b"TFL3"  # from the fifth byte on


@dataclass(frozen=True, slots=True)
class Network:
    """One of the released networks. All its tensors are kept as they are; whoever loads them may fold them."""

    part: Part
    folder: str
    """Of its checkpoints in the release."""
    build: Callable[[], nn.Module]

    def expected(self) -> dict[str, Tensor]:
        """Its entries, without values."""
        with torch.device("meta"):
            return dict(self.build().state_dict())


NETWORKS = (Network(VIDEO, "secc2plane_torso_orig", VideoModel), Network(AUDIO, "audio2secc_vae", AudioToMotion))


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """A checkpoint that was read and found good."""

    source: Source
    sha256: str
    step: int | None
    tensors: dict[str, Tensor]


class Import:
    """An import that is ready to start."""

    def __init__(self, given: Given, networks: Sequence[Network]) -> None:
        """Looks for the files; `networks` are usually `NETWORKS`. Raises InputError for what is not there."""
        wanted = [network for network in networks if network.part.needed or not given.without_audio]
        folders = [network.folder for network in wanted]
        self._checkpoints = [path for each in given.checkpoints for path in find_checkpoints(each, folders)]
        self._others = list(find_others(given))
        if not self._checkpoints and not self._others:
            raise InputError("nothing to import: give --checkpoint, --face-model or what else you have (see --help)")
        self._expected = {network.part: network.expected() for network in wanted} if self._checkpoints else {}
        self._dropped = [n.part for n in networks if n not in wanted] if self._checkpoints else []
        converted = sum(size_bytes(entries.values()) for entries in self._expected.values())
        self._new_bytes = converted + sum(other.path.stat().st_size for other in self._others)
        self.total_bytes = self._new_bytes + sum(path.stat().st_size for path in self._checkpoints)
        """Of work, as the progress counts it."""

    def run(self, store: WeightStore, progress: Progress) -> None:
        """Imports everything or nothing. Raises InputError for files of no use, AgentError if they cannot be stored."""
        checkpoints = self._read(progress)
        with store.replacing(self._new_bytes) as new:
            for part in self._dropped:
                new.place(part.files[0])
            for read in checkpoints:
                path = new.place(read.source.name)
                write_tensors(read.tensors, path)
                digest = sha256(path, progress)
                new.add(_record(read.source, path, read.sha256, digest, len(read.tensors), read.step))
            for source in self._others:
                new.add(_bring(source, new, progress))
            self._check_others(new)

    def _read(self, progress: Progress) -> list[_Checkpoint]:
        """The networks that are wanted. Raises InputError; all faults of all files are in one line."""
        read: dict[Part, _Checkpoint] = {}
        wrong: list[str] = []
        for path in self._checkpoints:
            content = read_content(path)
            entries = network_entries(content, path)
            part = max(self._expected, key=lambda part: len(self._expected[part].keys() & entries.keys()))
            if part in read:
                raise InputError(f"{read[part].source.path} and {path} are both the {part.title}; give one of them")
            if found := faults(entries, self._expected[part]):
                wrong.append(f"{path} is not the {part.title} that was released: {'; '.join(found)}")
            step = content.get("global_step")
            read[part] = _Checkpoint(
                source=Source(path, part, part.files[0]),
                sha256=sha256(path, progress),
                step=step if isinstance(step, int) else step_of(path),
                tensors={name: entries[name] for name in self._expected[part] if name in entries},
            )
        wrong += [f"there is no {part.title}: {_remedy(part)}" for part in self._expected if part not in read]
        if wrong:
            raise InputError(". ".join(wrong))
        return list(read.values())

    def _check_others(self, new: Replacement) -> None:
        """Raises InputError, with the names that the user gave, for files that the engine could not use."""
        given = {source.part for source in self._others}
        try:
            if given & {FACE_MODEL, FACE_DATA}:
                if MODEL_FILE not in new:
                    raise InputError("--face-data belongs to a face model: give --face-model with it")
                load_real3d_face(new.folder)
            if HUBERT in given:
                load_hubert(new.folder / HUBERT.files[0])
            if SEGMENTER in given and not _is_tflite(new.folder / SEGMENTER.files[0]):
                raise InputError(f"{new.folder / SEGMENTER.files[0]} is not a .tflite model; give {SEGMENTER.source}")
        except InputError as error:
            message = str(error)
            for source in self._others:
                message = message.replace(str(new.folder / source.name), str(source.path))
            raise InputError(message) from None


def _remedy(part: Part) -> str:
    return f"give {part.source}" + ("" if part.needed else ", or --without-audio")


def _bring(source: Source, new: Replacement, progress: Progress) -> StoredFile:
    """Copies a file, or turns torch's format into safetensors. Raises InputError if the source is of no use."""
    target = new.place(source.name)
    if source.path.suffix == ".bin":
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


def _is_tflite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8)[4:] == _TFLITE
