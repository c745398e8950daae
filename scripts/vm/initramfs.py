"""The first file system of the guest: busybox, a few kernel modules, and the `init` beside this file."""

import gzip
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

_APPLETS = ("cat", "chroot", "insmod", "ip", "mkdir", "mount", "poweroff", "sh")
_FOLDERS = ("bin", "dev", "host", "layer", "modules", "proc", "root", "sys")
_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "videodev")


def initramfs(busybox: Path, module_tree: Path) -> bytes:
    """A compressed cpio archive. Raises KeyError for a module that the kernel does not have."""
    modules = list(_in_order(_MODULES, {path.stem.replace("-", "_"): path for path in module_tree.rglob("*.ko")}))
    entries = [(name, stat.S_IFDIR | 0o755, b"") for name in _FOLDERS]
    entries.append(("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes()))
    entries += [(f"bin/{applet}", stat.S_IFLNK | 0o777, b"busybox") for applet in _APPLETS]
    entries += [(f"modules/{module.name}", stat.S_IFREG | 0o644, module.read_bytes()) for module in modules]
    order = "".join(f"{module.name}\n" for module in modules)
    entries.append(("modules/order", stat.S_IFREG | 0o644, order.encode()))
    entries.append(("init", stat.S_IFREG | 0o755, Path(__file__).with_name("init").read_bytes()))
    return gzip.compress(b"".join(_cpio(entries)), 1)


def _in_order(names: Iterable[str], tree: dict[str, Path]) -> Iterator[Path]:
    """The modules and what they depend on, each once, after what it depends on."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[Path]:
        if name in done:
            return
        done.add(name)
        depends = re.search(rb"\0depends=([^\0]*)\0", tree[name].read_bytes())
        for needed in depends[1].decode().split(",") if depends else ():
            if needed:
                yield from visit(needed.replace("-", "_"))
        yield tree[name]

    for name in names:
        yield from visit(name)


def _cpio(entries: Iterable[tuple[str, int, bytes]]) -> Iterator[bytes]:
    """The "newc" format that the kernel reads: name, mode, content."""
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], start=1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        header = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        yield header + bytes(-len(header) % 4)
        yield content + bytes(-len(content) % 4)
