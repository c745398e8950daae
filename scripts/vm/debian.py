"""Debian packages: fetched by apt, unpacked, not installed."""

import subprocess
from pathlib import Path

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class UnavailableError(Exception):
    """The virtual machine cannot be had here; one line says why and what to do."""


def unpack(package: str, folder: Path, suite: str | None = None) -> Path:
    """Fetches a package of the host's own release, or of another `suite`, and unpacks it into `folder`/`package`.

    Raises UnavailableError.
    """
    unpacked = folder / package
    unpacked.mkdir(parents=True)
    options = [] if suite is None else _other_suite(suite, folder / suite)
    command("apt-get", *options, "download", package, cwd=unpacked)
    for file in unpacked.glob("*.deb"):
        command("dpkg-deb", "-x", str(file), str(unpacked))
        file.unlink()
    return unpacked


def command(*words: str, cwd: Path | None = None) -> str:
    """What a program prints. Raises UnavailableError with its last words."""
    try:
        done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{words[0]}: {error}") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise UnavailableError(f"`{' '.join(words)}` failed: {last}")
    return done.stdout


def _other_suite(suite: str, state: Path) -> list[str]:
    """Options that let apt see another suite of the host's own mirror and nothing else; its lists lie in `state`.

    Raises UnavailableError where apt has none.
    """
    for folder in ("lists/partial", "archives/partial"):
        (state / folder).mkdir(parents=True)
    main = "$(SITE)", "Created-By: Packages", "Component: main", "Origin: Debian"
    mirrors = command("apt-get", "indextargets", "--format", *main).splitlines()
    if not mirrors:
        raise UnavailableError("apt knows no Debian mirror: name one in /etc/apt/sources.list.d, then apt-get update")
    source = state / "sources.list"
    source.write_text(f"deb [signed-by={_KEYRING}] {mirrors[0]} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": source,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state,
        "APT::Sandbox::User": "",
    }
    chosen = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    command("apt-get", *chosen, "update", "-qq")
    return chosen
