"""Engines by name."""

from typing import Any

from agent.config import ENGINES
from models.errors import InputError
from runtime.engines import Engine
from runtime.engines.builtin import BuiltinEngine


def open_engine(name: str) -> Engine[Any]:
    """The engine of `--engine`. Raises InputError if there is none of that name."""
    match name:
        case "builtin":
            return BuiltinEngine()
        case _:
            raise InputError(f"there is no engine {name}; give one of {', '.join(ENGINES)}")
