"""Portraits' states on disk: the networks that see a portrait alone run once for it, not at every start."""

import hashlib
from functools import cache

import safetensors
import torch
from safetensors.torch import load, save

from models.backends.built import sources_of
from models.folders import cache_folder
from models.portrait import Portrait
from models.private_store import PrivateStore
from models.real3d.avatar import Preparation
from models.real3d.executor import Executor
from models.real3d.portrait_state import PortraitState
from models.real3d.video_model import PortraitParts


class StateStore:
    """States in a `PrivateStore`, by what the networks were given, and by which networks and executor."""

    def __init__(self, entries: PrivateStore, weights_sha256: str) -> None:
        """`entries` holds nothing else; `weights_sha256`: of the video model's file."""
        self._entries, self._weights = entries, weights_sha256

    def preparation(self, portrait: Portrait, executor: Executor) -> Preparation:
        """How to come by a portrait's state: from the store, else from the executor and then kept."""

        def prepare(parts: PortraitParts) -> PortraitState:
            key = self._key(parts, executor.name)
            state = _decode(self._entries.load(key))
            if state is None:
                state = executor.prepare(parts)
                self._entries.save(key, _encode(state))
            return PortraitState(*(tensor.to(executor.device).contiguous() for tensor in state))

        return prepare if portrait.keepable else executor.prepare

    def _key(self, parts: PortraitParts, executor: str) -> str:
        """A hexadecimal number."""
        key = hashlib.blake2b(_recipe(), digest_size=32)
        key.update(f"{self._weights} {executor} {torch.__version__}\0".encode())
        for name in parts.__slots__:
            tensor = getattr(parts, name).contiguous()
            key.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
            key.update(tensor.numpy().data)
        return key.hexdigest()


def default_states(weights_sha256: str) -> StateStore | None:
    """In the folder of this program's caches; None where there is none."""
    caches = cache_folder()
    return None if caches is None else StateStore(PrivateStore(caches / "prepared-real3d"), weights_sha256)


@cache
def _recipe() -> bytes:
    """What decides how a state is made: another version of this code finds none of the old entries."""
    parts = [path.read_bytes() for path in sources_of("models.real3d.portrait_state")]
    return hashlib.blake2b(b"\0".join(parts)).digest()


def _encode(state: PortraitState) -> bytes:
    return save({name: tensor.cpu().contiguous() for name, tensor in state._asdict().items()})


def _decode(body: bytes | None) -> PortraitState | None:
    if body is None:
        return None
    try:
        return PortraitState(**load(body))
    except (safetensors.SafetensorError, TypeError):  # TypeError: tensors of other names
        return None
