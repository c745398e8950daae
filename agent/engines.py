"""Engines by name."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from agent.config.engines import ENGINES, BackendName
from agent.papers import load_goha, load_real3d, load_small, load_talk3d
from models.errors import InputError
from models.goha.needs import NETWORKS_FILE
from models.real3d.needs import VIDEO_FILE
from models.weights import PARTS, TERMS, Weights, built_folder, find, persons_of
from runtime.engines import Engine
from runtime.engines.builtin import BuiltinEngine


def open_engine(
    name: str, backend: BackendName = "auto", say: Callable[[str], None] = lambda line: None
) -> Engine[Any]:
    """The engine of `--engine` on the backend of `--backend`; `say` hears about slow work and about licences.

    The name may say who is drawn, see `models.weights.with_person`.

    Raises:
        InputError: there is none of that name, its weights are not there, or this machine has no such backend.
    """
    match name.partition(":")[0]:
        case "builtin":
            if backend != "auto":
                raise InputError(f"--backend {backend}: the engine builtin runs no networks; leave --backend out")
            return BuiltinEngine()
        case "small":
            return _open_small(backend, say)
        case "real3d":
            return _open_real3d(backend, say)
        case "goha":
            return _open_goha(backend, say)
        case "talk3d":
            return _open_talk3d(name, backend, say)
        case _:
            raise InputError(f"there is no engine {name}; give one of {', '.join(ENGINES)}")


def usable_engines() -> tuple[str, ...]:
    """Those that `open_engine` would open, with each person: their weights are there, and what runs them."""
    return ("builtin", *filter(_is_usable, _networks()))


def _networks() -> Iterator[str]:
    for name in ENGINES[1:]:
        yield name
        if name in PARTS:
            with suppress(InputError):  # there is no folder for weights
                yield from persons_of(name)


def doubt(engine: str) -> str:
    """Why this is no engine for a live picture here, in words for the user; empty if nothing speaks against it."""
    kind = engine.partition(":")[0]
    if kind not in PARTS:
        return ""
    from torch.cuda import is_available

    if is_available():
        return ""
    return (
        f"{engine} takes seconds for a picture without an NVIDIA GPU: the picture stands still meanwhile, which is not "
        f"for a call. Besides, {TERMS[kind]}."
    )


def _is_usable(engine: str) -> bool:
    try:
        there = engine.partition(":")[0] not in PARTS or isinstance(find(engine), Weights)
        return there and all(map(find_spec, ("torch", "safetensors")))
    except InputError:  # there is no folder for weights
        return False


def _open_small(backend: BackendName, say: Callable[[str], None]) -> Engine[Any]:
    loaded = load_small()
    from models.backends.open_executor import open_executor
    from models.backends.state_store import default_states
    from runtime.engines.small import SmallEngine

    executor = open_executor(backend, loaded.paper, built_folder("small"), say)
    return SmallEngine(executor, say, default_states("small", loaded.digest, loaded.paper.state))


def _open_real3d(backend: BackendName, say: Callable[[str], None]) -> Engine[Any]:
    loaded = load_real3d()
    if loaded.face.derived:
        say(f"real3d works {', '.join(loaded.face.derived)} out from the face model, not compared with the real files: "
            "agent models import real3d --face-data ... brings those in")  # fmt: skip
    from models.backends.open_executor import open_executor
    from models.backends.state_store import default_states
    from runtime.engines.real3d import Real3dEngine

    executor = open_executor(backend, loaded.paper, built_folder("real3d"), say)
    say(TERMS["real3d"])
    states = default_states("real3d", loaded.weights.digests[VIDEO_FILE], loaded.paper.state)
    return Real3dEngine(loaded.weights, loaded.face, executor, say, states)


def _open_goha(backend: BackendName, say: Callable[[str], None]) -> Engine[Any]:
    loaded = load_goha()
    from models.backends.open_executor import open_executor
    from models.backends.state_store import default_states
    from runtime.engines.goha import GohaEngine

    say(TERMS["goha"])
    executor = open_executor(backend, loaded.paper, built_folder("goha"), say)
    states = default_states("goha", loaded.weights.digests[NETWORKS_FILE], loaded.paper.state)
    return GohaEngine(loaded.face, loaded.reader, executor, say, states)


def _open_talk3d(name: str, backend: BackendName, say: Callable[[str], None]) -> Engine[Any]:
    loaded = load_talk3d(name)
    from models.backends.open_executor import open_executor
    from models.talk3d.needs import SPEECH
    from models.talk3d.silence import silence
    from runtime.engines.talk3d import Talk3dEngine

    say(TERMS["talk3d"])
    silent = silence(loaded.weights.file(SPEECH))
    executor = open_executor(backend, loaded.paper, built_folder(name), say)
    return Talk3dEngine(loaded.recording, silent, executor, say)
