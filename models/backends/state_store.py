"""Portraits' states on disk: the networks that see a portrait alone run once for it, not at every start."""

import hashlib
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, Generic

import safetensors
import torch
from safetensors.torch import load, save

from models.backends.built import sources_of
from models.backends.executor import Executor
from models.backends.paper import DriveT, PartsT, StateKind, StateT
from models.folders import cache_folder
from models.portrait import Portrait
from models.private_store import PrivateStore


class StateStore(Generic[StateT]):
    """States in a `PrivateStore`, by what the networks were given, and by which networks and executor."""

    def __init__(self, entries: PrivateStore, weights_sha256: str, kind: StateKind[StateT]) -> None:
        """`entries` holds nothing else; `weights_sha256`: of the networks' file."""
        self._entries, self._weights, self._kind = entries, weights_sha256, kind

    def preparation(self, portrait: Portrait, executor: Executor[PartsT, StateT, DriveT]) -> Callable[[PartsT], StateT]:
        """How to come by a portrait's state: from the store, else from the executor and then kept."""

        def prepare(parts: PartsT) -> StateT:
            key = self._key(parts, executor.name)
            state = self._decode(self._entries.load(key))
            if state is None:
                state = executor.prepare(parts)
                self._entries.save(key, self._encode(state))
            return self._kind.make(tensor.to(executor.device).contiguous() for tensor in state)

        return prepare if portrait.keepable else executor.prepare

    def _key(self, parts: Any, executor: str) -> str:
        """A hexadecimal number."""
        key = hashlib.blake2b(_recipe(self._kind.defined_in), digest_size=32)
        key.update(f"{self._weights} {executor} {torch.__version__}\0".encode())
        for field in fields(parts):
            tensor = getattr(parts, field.name).contiguous()
            key.update(f"{field.name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
            key.update(tensor.numpy().data)
        return key.hexdigest()

    def _encode(self, state: StateT) -> bytes:
        return save({name: tensor.cpu().contiguous() for name, tensor in zip(self._kind.names, state, strict=True)})

    def _decode(self, body: bytes | None) -> StateT | None:
        try:
            stored = {} if body is None else load(body)
        except safetensors.SafetensorError:
            return None
        if {*stored} != {*self._kind.names}:
            return None
        return self._kind.make(stored[name] for name in self._kind.names)


def default_states(engine: str, weights_sha256: str, kind: StateKind[StateT]) -> StateStore[StateT] | None:
    """In the folder of this program's caches; None where there is none."""
    caches = cache_folder()
    return None if caches is None else StateStore(PrivateStore(caches / f"prepared-{engine}"), weights_sha256, kind)


@cache
def _recipe(module: str) -> bytes:
    """What decides how a state is made: another version of this code finds none of the old entries."""
    parts = [path.read_bytes() for path in sources_of(module)]
    return hashlib.blake2b(b"\0".join(parts)).digest()
