"""Python and the packages that the agent needs."""

import importlib
import platform
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distributions, metadata, version

from packaging.requirements import Requirement

from models.perception import load_mediapipe

_AGENT = "portrait-agent"
_MODULES = ("numpy", "cv2", "onnxruntime", "numba", "scipy", "av", "pyvirtualcam", "aiohttp", "PIL", "jaxtyping")


@dataclass(frozen=True, slots=True)
class Packages:
    """What is installed."""

    python: str
    """Version."""
    unmet: tuple[str, ...]
    """What is missing or of another version than is needed, as phrases."""
    opencv: tuple[str, ...]
    """Distributions that bring `cv2`: of several, the one that was installed last has overwritten the others."""
    broken: tuple[tuple[str, str], ...]
    """Modules that cannot be imported, and why."""


def look_at_packages(extras: Collection[str]) -> Packages:
    """Of the agent and the given extras (`neural`, `tensorrt`). Imports what a run imports."""
    named = {str(found.metadata["Name"]).lower() for found in distributions()}
    opencv = tuple(sorted(name for name in named if name.startswith("opencv-")))
    return Packages(platform.python_version(), tuple(_unmet(extras)), opencv, tuple(_broken()))


def _unmet(extras: Collection[str]) -> Iterator[str]:
    try:
        about = metadata(_AGENT)
    except PackageNotFoundError:
        yield f"{_AGENT} is not installed"
        return
    python = Requirement(f"python{about['Requires-Python'] or ''}")
    if not python.specifier.contains(platform.python_version(), prereleases=True):
        yield f"Python {platform.python_version()} is not {python.specifier}"
    for requirement in map(Requirement, about.get_all("Requires-Dist") or []):
        if _applies(requirement, extras) and (fault := _fault(requirement)):
            yield fault


def _applies(requirement: Requirement, extras: Collection[str]) -> bool:
    """Whether it counts here; the agent's own extras among its requirements are named by the caller."""
    marker = requirement.marker
    wanted = marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))
    return wanted and requirement.name != _AGENT


def _fault(requirement: Requirement) -> str:
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    fits = requirement.specifier.contains(found, prereleases=True)
    return "" if fits else f"{requirement.name} {found} is not {requirement.specifier}"


def _broken() -> Iterator[tuple[str, str]]:
    for name in _MODULES:
        try:
            importlib.import_module(name)
        except Exception as error:  # whatever a half-installed package raises
            yield name, _cause(error)
    try:
        load_mediapipe()
    except Exception as error:
        yield "mediapipe", _cause(error)


def _cause(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
