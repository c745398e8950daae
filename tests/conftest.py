"""Shapes in signatures are checked while tests run; the bundled example is there for all."""

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest
from jaxtyping import install_import_hook

PACKAGES = ("agent", "runtime", "calibration", "models")
COMPILED = {"models.builtin.kernels"}  # numba needs the plain functions


def _modules() -> list[str]:
    names = [
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}.")
    ]
    return [name for name in names if name not in COMPILED]


# Package names check what lies below them, so the one that holds a compiled module is not among the names.
install_import_hook([name for name in _modules() if name not in PACKAGES + ("models.builtin",)], "beartype.beartype")

EXAMPLE = Path(__file__).parent.parent / "agent" / "example"


@pytest.fixture(scope="session")
def portrait_png() -> Path:
    return EXAMPLE / "portrait.png"


@pytest.fixture(scope="session")
def speech_wav() -> Path:
    return EXAMPLE / "speech.wav"
