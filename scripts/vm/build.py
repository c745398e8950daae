"""Makes the virtual machine from Debian's packages: kernel, initramfs, and v4l2loopback old and new. About a minute.

`python -m vm.build` (in scripts/) makes it; what is there and made by this code is kept.
"""

import hashlib
import lzma
import re
import shutil
from pathlib import Path

from vm.debian import UnavailableError, command, unpack
from vm.initramfs import initramfs

FOLDER = Path(__file__).parents[2] / ".vm"
"""Ignored by git."""
SHARE = FOLDER / "share"
"""The guest's /mnt."""
MODULES = {"old": "bookworm", "new": "trixie"}
"""v4l2loopback: `SHARE/v4l2loopback-<key>.ko`, and the Debian release that it comes from: 0.12.7 and 0.15.0."""

_XZ = b"\xfd7zXZ\0"


def build() -> None:
    """Makes `FOLDER`/vmlinux, `FOLDER`/initramfs and the modules, unless they are there. Raises UnavailableError."""
    stamp = FOLDER / "stamp"
    if stamp.exists() and stamp.read_text() == _fingerprint():
        return
    busybox = Path(_needed("busybox", "busybox-static"))
    _needed("qemu-system-x86_64", "qemu-system-x86")
    shutil.rmtree(FOLDER, ignore_errors=True)
    SHARE.mkdir(parents=True)
    parts = FOLDER / "parts"
    release = _kernel_release()
    kernel = unpack(f"linux-image-{release}", parts)
    (FOLDER / "vmlinux").write_bytes(_decompressed((kernel / "boot" / f"vmlinuz-{release}").read_bytes()))
    (FOLDER / "initramfs").write_bytes(initramfs(busybox, kernel / "lib" / "modules" / release))
    for name, suite in MODULES.items():
        source = next(unpack("v4l2loopback-dkms", parts / name, suite).glob("usr/src/v4l2loopback-*"))
        command("make", "-s", "-C", f"/usr/src/linux-headers-{release}", f"M={source}", "modules")
        command("strip", "--strip-debug", "-o", str(SHARE / f"v4l2loopback-{name}.ko"), f"{source}/v4l2loopback.ko")
    shutil.rmtree(parts)
    stamp.write_text(_fingerprint())


def _needed(program: str, package: str) -> str:
    """Its path. Raises UnavailableError."""
    path = shutil.which(program)
    if path is None:
        raise UnavailableError(f"{program} is missing: apt-get install {package}")
    return path


def _kernel_release() -> str:
    """Of the kernel whose headers are installed, such as 6.1.0-56-amd64. Raises UnavailableError."""
    depends = command("dpkg-query", "-W", "-f", "${Depends}", "linux-headers-amd64")
    found = re.search(r"linux-headers-(\S+)", depends)
    if found is None:
        raise UnavailableError("linux-headers-amd64 names no kernel: apt-get install --reinstall linux-headers-amd64")
    return found[1]


def _decompressed(image: bytes) -> bytes:
    """The kernel proper, which QEMU starts at once; emulated, its own decompression takes a second."""
    return lzma.LZMADecompressor().decompress(image[image.index(_XZ) :])


def _fingerprint() -> str:
    files = sorted(path for path in Path(__file__).parent.iterdir() if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


if __name__ == "__main__":
    build()
