"""Files made of a network's weights, once for each network: exported, or built for a device."""

import hashlib
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from torch import nn

from models.errors import AgentError


def fingerprint(network: nn.Module, sources: Iterable[Path]) -> str:
    """Of a network's weights and of the files that say what is done with them: 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for name, values in network.state_dict().items():
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.detach().cpu().contiguous().flatten().numpy().data)
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class BuiltFiles:
    """A folder of such files, for one network. Several processes may share it."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first file."""
        self.folder = folder

    def find(self, name: str) -> Path | None:
        """The file of that name, if it has been made."""
        path = self.folder / name
        return path if path.is_file() else None

    def get(self, name: str, make: Callable[[Path], None]) -> Path:
        """The file of that name. Where there is none, `make` writes it: it appears whole or not at all.

        Raises AgentError if the folder cannot be written to.
        """
        return self.find(name) or self.replace(name, make)

    def replace(self, name: str, make: Callable[[Path], None]) -> Path:
        """The same, made anew even if it is there."""
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".part-") as partial:
                made = Path(partial) / name
                make(made)
                made.replace(path)
        except OSError as error:
            raise AgentError(
                f"{self.folder} cannot be written to: {error.strerror or error}; AGENT_DATA names another folder"
            ) from None
        return path
