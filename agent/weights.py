"""What `agent models` does: brings in weights that others published, and says what is there and what is missing."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from agent.begun import begun, remove_begun
from agent.config.models import ModelsImport, ModelsRemove
from models.errors import InputError
from models.weight_part import Part
from models.weight_store import Stock, remove_folder
from models.weights import PARTS, TERMS, built_folder, fault_of, parts_of, persons_of, store_of, with_person

if TYPE_CHECKING:
    from models.importing import Request

_SHIPPED = ("builtin", "small")
_OPTIONS = {
    "real3d": ("checkpoint", "without_audio", "face_model", "face_data", "hubert", "segmenter"),
    "goha": ("checkpoint", "deep3d", "face_model"),
    "talk3d": ("checkpoint", "person", "gfpgan", "wav2vec", "generator"),
}
"""What each engine's import takes."""


class Import:
    """`agent models import`, ready to start."""

    def __init__(self, config: ModelsImport) -> None:
        """Looks for the files. Raises InputError for what is not there or of no use, and where torch is not."""
        for option in {option for options in _OPTIONS.values() for option in options} - {*_OPTIONS[config.engine]}:
            if getattr(config, option):
                name = option.replace("_", "-")
                raise InputError(f"--{name} has no use for {config.engine}: leave it out")
        try:
            from models import importing  # torch: seconds, and optional
        except ModuleNotFoundError as error:
            if error.name not in ("torch", "safetensors"):
                raise
            raise InputError("agent models import needs torch: .venv/bin/pip install -e '.[neural]'") from None
        self._engine = config.engine
        self._import = importing.Import(_request(config))

    @property
    def total_bytes(self) -> int:
        """Of work."""
        return self._import.total_bytes

    def run(self, progress: Callable[[int], None]) -> tuple[str, ...]:
        """Does it; `progress` hears how many bytes more are done, and may raise.

        Returns:
            What the user should know, one line each.
        """
        store = store_of(self._engine)
        remarks = self._import.run(store, progress)
        return (*remarks, TERMS[self._engine], f"wrote {store.current().folder}; agent models list says what is there")


def _request(config: ModelsImport) -> "Request":
    match config.engine:
        case "real3d":
            return _of_real3d(config)
        case "goha":
            return _of_goha(config)
        case "talk3d":
            return _of_talk3d(config)
        case _:
            assert_never(config.engine)


def _of_real3d(config: ModelsImport) -> "Request":
    from models.real3d import importing
    from models.real3d.release import Given

    given = Given(
        checkpoints=config.checkpoint,
        without_audio=config.without_audio,
        face_model=config.face_model,
        face_data=config.face_data,
        hubert=config.hubert,
        segmenter=config.segmenter,
    )
    return importing.request(given, importing.NETWORKS)


def _of_goha(config: ModelsImport) -> "Request":
    from models.goha import importing

    given = importing.Given(config.checkpoint, config.deep3d, config.face_model)
    return importing.request(given, importing.RELEASED)


def _of_talk3d(config: ModelsImport) -> "Request":
    from models.talk3d import importing

    given = importing.Given(config.checkpoint, config.person, config.gfpgan, config.wav2vec, config.generator)
    return importing.request(given, importing.RELEASED)


def remove(config: ModelsRemove) -> str:
    """`agent models remove`: what was done, as a line.

    What was built of the weights goes, too: they are in it; and what a person who is being learnt has left.
    """
    engine = with_person(config.engine, config.person)
    folders = (store_of(engine).folder, built_folder(engine))
    on_the_way = remove_begun(config.person) if config.engine == "talk3d" and config.person else None
    removed = [str(folder) for folder in folders if remove_folder(folder)] + ([str(on_the_way)] if on_the_way else [])
    return f"removed {' and '.join(removed)}" if removed else f"there is nothing of {engine} to remove"


def status(verify: bool) -> dict[str, Any]:
    """Every engine, whether it is ready, and its parts, and who is being learnt; for `agent models list --json`."""
    engines: dict[str, Any] = {engine: {"ready": True, "parts": []} for engine in _SHIPPED}
    for engine in (each for name in PARTS for each in (name, *persons_of(name))):
        parts = parts_of(engine)
        stock = store_of(engine).current()
        told = [_part_status(part, stock, verify) for part in parts]
        engines[engine] = {
            "ready": all(part["fault"] == "" for part in told if part["needed"]),
            "folder": str(stock.folder) if stock.folder else None,
            "parts": told,
        }
    on_the_way = {name: {"folder": str(folder), "size_bytes": _size(folder)} for name, folder in begun().items()}
    return {"engines": engines, "begun": on_the_way}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def describe(known: dict[str, Any]) -> str:
    """What `status` says, for a person."""
    lines = []
    for engine, about in known["engines"].items():
        lacking = [part for part in about["parts"] if part["fault"]]
        if engine in _SHIPPED:
            state = "ready; comes with the agent"
        elif not about["ready"]:
            state = "not ready: needs " + " and ".join(f"its {part['title']}" for part in lacking if part["needed"])
        else:
            state = f"ready; in {about['folder']}"
        lines.append(f"{engine:<9} {state}")
        lines += [line for part in about["parts"] for line in _part_lines(engine, part)]
    for person, about in known["begun"].items():
        lines += [
            f"{person} is begun and not done: {about['size_bytes'] / 1e6:.0f} MB of face, voice and networks in "
            f"{about['folder']}",
            f"    agent personalise goes on with it; agent models remove talk3d --person {person} deletes it",
        ]
    return "\n".join(lines)


def _part_status(part: Part, stock: Stock, verify: bool) -> dict[str, Any]:
    return {
        "title": part.title,
        "needed": part.needed,
        "fault": fault_of(part, stock, thorough=verify),
        "instead": part.instead,
        "option": part.option,
        "source": part.source,
        "licence": part.licence,
        "files": [_file_status(stock, name) for name in part.files if name in stock.files],
    }


def _file_status(stock: Stock, name: str) -> dict[str, Any]:
    file = stock.files[name]
    return {field: getattr(file, field) for field in file.__slots__ if field != "licence"}


def _part_lines(engine: str, part: dict[str, Any]) -> list[str]:
    need = "needed" if part["needed"] else "optional"
    lines = [f"  {part['title']} ({need}) {part['fault'] or 'is there'}"]
    lines += [f"    {_file_line(file)}" for file in part["files"]]
    lines += [f"    licence: {part['licence']}"]
    if part["fault"]:
        lines += [
            f"    from: {part['source']}",
            f"    then: agent models import {engine} {part['option']} ...",
        ]
        lines += [f"    without: {part['instead']}"] if part["instead"] else []
    return lines


def _file_line(file: dict[str, Any]) -> str:
    steps = f", {file['step']} steps" if file["step"] is not None else ""
    tensors = f", {file['tensors']} tensors" if file["tensors"] is not None else ""
    return (
        f"{file['name']}: {file['size_bytes'] / 1e6:.1f} MB{tensors}{steps}, sha256 {file['sha256'][:12]}, from "
        f"{file['source']} ({file['source_sha256'][:12]}), {file['imported'][:10]}"
    )
