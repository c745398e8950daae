"""What is annotated wrongly, or called wrongly, is found while tests run."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from jaxtyping import install_import_hook

from models.motion import Motion

MODULE = """
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


@dataclass(frozen=True, slots=True)
class Point:
    place: Float32[np.ndarray, "3"]
    name: str = ""


@dataclass(frozen=True)
class Named:
    name: str


def length(text: str) -> int:
    return len(text) if text else "none"


def added(a: Float32[np.ndarray, "n"], b: Float32[np.ndarray, "n"] | None = None) -> Float32[np.ndarray, "n"]:
    return a[:-1] if b is None else a + b


def within(text: object) -> int:
    def inner(text: str) -> int:
        return len(text)

    return inner(text)


def counted(count: int) -> Iterator[Float32[np.ndarray, "{count}"]]:
    yield np.zeros(count, np.float32)


class Speaker:
    @property
    def words(self) -> int:
        return "three"

    @staticmethod
    def say(word: str) -> None: ...

    @classmethod
    def called(cls, name: str) -> "Speaker":
        return cls()
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """`MODULE`, imported as ours are."""
    folder = tmp_path_factory.mktemp("module")
    (folder / "annotated_here.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch, install_import_hook("annotated_here", "tests.typecheck.check"):
        patch.syspath_prepend(folder)
        yield __import__("annotated_here")


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def test_what_is_right_passes(module: Any) -> None:
    assert module.length("three") == 5
    assert module.added(zeros(4), zeros(4)).shape == (4,)
    assert module.Point(zeros(3), "nose").name == module.Named("nose").name
    assert module.within("four") == 4
    assert len(next(module.counted(2))) == 2
    assert isinstance(module.Speaker.called("Ann"), module.Speaker)


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.length(5),
        lambda m: m.length(""),
        lambda m: m.added(zeros(4), zeros(5)),
        lambda m: m.added(zeros(4).astype(np.float64), zeros(4)),
        lambda m: m.added(zeros(4)),
        lambda m: m.Point(zeros(4)),
        lambda m: m.Point(zeros(3), 3),
        lambda m: m.Named(3),
        lambda m: m.within(4),
        lambda m: m.Speaker().words,
        lambda m: m.Speaker.say(3),
        lambda m: m.Speaker.called(3),
    ],
)
def test_what_is_wrong_is_found(module: Any, call: Any) -> None:
    with pytest.raises(TypeError, match=r"violates|Type-check error"):
        call(module)


def test_ours_are_checked() -> None:
    with pytest.raises(TypeError, match="Type-check error"):
        Motion(0, zeros(63))
    with pytest.raises(TypeError, match="Type-check error"):  # it returns a "Motion"
        Motion(0).at("now")
    with pytest.raises(TypeError, match="violates"):
        Motion(0)["jawOpen":]
