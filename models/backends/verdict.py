"""Whether a backend draws what the reference draws, on this machine: measured once, then remembered."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from models.backends.built import BuiltFiles
from models.errors import AgentError

ENOUGH_DB = 45.0
"""A backend whose picture is nearer to the reference's than this is as good."""
_FILE = "verdicts.json"


class Verdicts:
    """What was measured of a network's backends, beside its built files."""

    def __init__(self, files: BuiltFiles) -> None:
        self._files = files

    def of(self, backend: str, measure: Callable[[], float]) -> float:
        """PSNR in dB of a backend, as `measure` finds it where nothing is known.

        Args:
            backend: all that the picture may depend on: backend, device, versions, this program, the file that runs.
            measure: draws a picture with it and with the reference.
        """
        known = self._read()
        if backend not in known:
            known[backend] = measure()
            with suppress(AgentError):  # it is a verdict, even where it cannot be kept
                self._files.replace(_FILE, lambda path: _write(path, known))
        return known[backend]

    def forget(self) -> None:
        """All of it is measured again."""
        self._files.drop(_FILE)

    def _read(self) -> dict[str, float]:
        path = self._files.find(_FILE)
        try:
            return {} if path is None else {str(k): float(v) for k, v in json.loads(path.read_text()).items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}


def _write(path: Path, known: dict[str, float]) -> None:
    path.write_text(json.dumps(known, indent=2) + "\n")
