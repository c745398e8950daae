"""Shapes in signatures are checked while tests run; the bundled example is there for all."""

import agent  # noqa: F401  # before numpy: one thread for each numerical library, as in a run

# isort: split
import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

import tests.typecheck  # noqa: F401  # named below

pytest_plugins = ["tests.browser", "tests.sound_server"]

ROOT = Path(__file__).parent.parent
UNCHECKED = ("kernels.py", "wire/bits.py")  # numba and Triton need the plain functions; a call for every bit


def _modules() -> list[str]:
    """Names of our modules, found without importing any: the hook sees only what is imported after it."""
    files = [
        path for package in ("agent", "runtime", "calibration", "models") for path in (ROOT / package).rglob("*.py")
    ]
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in files
        if path.name != "__init__.py" and not path.as_posix().endswith(UNCHECKED)
    ]


install_import_hook(_modules(), "tests.typecheck.check")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What imports leave stays to the end: the garbage collector need not look through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_unconfigure() -> None:
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Prepared portraits of the tests stay among themselves; their subprocesses use the same folder."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("AGENT_CACHE")
    os.environ["AGENT_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["AGENT_CACHE"]
    else:
        os.environ["AGENT_CACHE"] = before


@pytest.fixture(scope="session")
def portrait_png() -> Path:
    return ROOT / "agent" / "example" / "portrait.png"


@pytest.fixture(scope="session")
def speech_wav() -> Path:
    return ROOT / "agent" / "example" / "speech.wav"


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Small products of torch gain nothing from more, and lose much where cores are busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
