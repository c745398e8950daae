"""Annotations are checked while tests run: types by beartype, and shapes, which agree within a call, by jaxtyping."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, ForwardRef, get_args

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray

check = beartype(conf=BeartypeConf(is_pep484_tower=True, violation_type=TypeError))  # int will do for float (PEP 484)
_shaped = jaxtyping.jaxtyped


def checked(thing: Any = None, *, typechecker: Callable[[Any], Any]) -> Any:
    """Stands in for `jaxtyping.jaxtyped`, which looks for shapes at every call of every function: only where some are.

    Args:
        thing: a function, or a class, of which the constructor is checked if it is a dataclass.
        typechecker: checks the types of a function.
    """
    if thing is None:
        return partial(checked, typechecker=typechecker)
    if isinstance(thing, type):
        if dataclasses.is_dataclass(thing) and "__init__" in vars(thing):
            thing.__init__ = checked(thing.__init__, typechecker=typechecker)
        return thing
    shapes = any(map(_has_shapes, getattr(thing, "__annotations__", {}).values()))
    return _shaped(thing, typechecker=typechecker) if shapes else typechecker(thing)


def _has_shapes(annotation: Any) -> bool:
    """Whether it names shapes. What is quoted counts as such: beartype alone cannot find names for type checkers."""
    if isinstance(annotation, str | ForwardRef):
        return True
    if isinstance(annotation, type) and issubclass(annotation, AbstractArray):
        return True
    return any(map(_has_shapes, get_args(annotation)))


jaxtyping.jaxtyped = checked  # what the import hook puts before every function and class
