"""Which weights an engine has, and which it lacks."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import InputError
from models.folders import data_folder
from models.goha import needs as goha
from models.real3d import needs as real3d
from models.talk3d import needs as talk3d
from models.weight_part import Part
from models.weight_store import Stock, WeightStore

PARTS: dict[str, tuple[Part, ...]] = {"real3d": real3d.PARTS, "goha": goha.PARTS, "talk3d": talk3d.PARTS}
"""What each engine needs that does not come with this package."""
TERMS = {"real3d": real3d.TERMS, "goha": goha.TERMS, "talk3d": talk3d.TERMS}
"""What each of their weights may be used for, as a line."""

_PERSON, _IN_FOLDERS = ":", "@"
_NAME_LENGTH = 60
_NAME = re.compile(rf"[\w-][\w.-]{{0,{_NAME_LENGTH - 1}}}")


def with_person(engine: str, person: str, option: str = "--person") -> str:
    """The name of an engine that draws a person whose networks were made here; `person` "" is who was brought in.

    Raises InputError for what cannot be a person's name; `option` is where another can be given.
    """
    if person and not _NAME.fullmatch(person):
        raise InputError(
            f"a person cannot be called {person}: give {option} with letters, digits, . - _, up to {_NAME_LENGTH}, and "
            "no point first"
        )
    return f"{engine}{_PERSON}{person}" if person else engine


def parts_of(engine: str) -> tuple[Part, ...]:
    """What an engine needs, with a person or without."""
    return PARTS[engine.partition(_PERSON)[0]]


@dataclass(frozen=True, slots=True)
class Weights:
    """All that an engine cannot do without is there."""

    engine: str
    folder: Path
    """Holds the files of all parts that are there, under the names in `Part.files`."""
    absent: tuple[Part, ...]
    """Parts that it can do without, and that are not (or not all) there."""
    digests: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file in the folder, by name, as it was brought in."""

    def file(self, part: Part) -> Path | None:
        """The first file of a part; None if it is not there."""
        return None if part in self.absent else self.folder / part.files[0]


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that an engine cannot do without is not there."""

    engine: str
    parts: tuple[Part, ...]
    """What is needed and not there."""
    faults: tuple[str, ...]
    """What is wrong with each, as a phrase."""

    def error(self) -> InputError:
        """One line: what is missing, and what to do."""
        wanted = ", ".join(f"its {part.title} {fault}" for part, fault in zip(self.parts, self.faults, strict=True))
        return InputError(
            f"{self.engine} is not ready: {wanted}. `agent models list` says where to get it, under which licence, and "
            "how to bring it in; or use --engine builtin"
        )


def find(engine: str) -> Weights | Missing:
    """The weights of an engine in `PARTS`, see `with_person`; sizes of files are compared, not their content.

    Raises InputError where there is no folder for a user's data.
    """
    stock = store_of(engine).current()
    absent = {part: fault for part in parts_of(engine) if (fault := fault_of(part, stock))}
    missing = {part: fault for part, fault in absent.items() if part.needed}
    if missing or stock.folder is None:
        return Missing(engine, tuple(missing), tuple(missing.values()))
    digests = {name: file.sha256 for name, file in stock.files.items()}
    return Weights(engine, stock.folder, tuple(absent), digests)


def store_of(engine: str) -> WeightStore:
    """Where an engine's weights are kept."""
    return WeightStore(data_folder() / "weights" / engine.replace(_PERSON, _IN_FOLDERS))


def persons_of(engine: str) -> tuple[str, ...]:
    """The engine with each of the persons whose networks were made here."""
    folders = sorted((data_folder() / "weights").glob(f"{engine}{_IN_FOLDERS}*"))
    return tuple(folder.name.replace(_IN_FOLDERS, _PERSON, 1) for folder in folders if folder.is_dir())


def built_folder(engine: str) -> Path:
    """Where files that are made of an engine's weights are kept."""
    return data_folder() / "built" / engine.replace(_PERSON, _IN_FOLDERS)


def fault_of(part: Part, stock: Stock, thorough: bool = False) -> str:
    """What is wrong with a part, as a phrase that follows its title; empty if nothing.

    Args:
        part: of the engine that the stock belongs to.
        stock: the set of files.
        thorough: read every byte, too.
    """
    check = stock.damage if thorough else stock.fault
    faults = [f"{name} {fault}" for name in part.files if (fault := check(name))]
    if len(faults) == len(part.files) and not any(name in stock.files for name in part.files):
        return stock.fault(part.files[0])
    return ", ".join(faults)
