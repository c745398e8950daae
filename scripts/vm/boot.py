"""Boots the virtual machine, runs one command of the host's files in it, and powers it off."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vm.build import FOLDER, SHARE
from vm.debian import UnavailableError

ROOT = FOLDER.parent
_QEMU = "qemu-system-x86_64"


def boot(name: str, words: Sequence[str], environment: Mapping[str, str], limit_s: float) -> tuple[int, str]:
    """Runs `words` as root in the guest, in the checkout's folder.

    The guest sees the host's files; what it writes is lost, except under /mnt, which is `SHARE`. Nothing is
    accelerated (TCG): it is about ten times as slow as the host, and needs no rights.

    Args:
        name: of the run; `SHARE`/`name` is made anew, for what it writes.
        words: the command.
        environment: added to a plain one.
        limit_s: after which the machine is switched off.

    Returns:
        Exit status (1 if there is none) and what was printed.

    Raises:
        UnavailableError: no QEMU.
    """
    qemu = shutil.which(_QEMU)
    if qemu is None:
        raise UnavailableError(f"{_QEMU} is missing: apt-get install qemu-system-x86")
    folder = SHARE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    settings = {
        "HOME": "/tmp",
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        **environment,
    }
    exports = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in settings.items())
    (folder / "command").write_text(f"{exports}cd {shlex.quote(str(ROOT))}\n{shlex.join(words)}\n")
    with (folder / "console").open("w") as console:
        machine = subprocess.Popen([qemu, *_options(name)], stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            machine.wait(limit_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            machine.kill()
            machine.wait()
    status, log = folder / "status", folder / "log"
    said = log.read_text(errors="replace") if log.exists() else (folder / "console").read_text(errors="replace")
    return int(status.read_text()) if status.exists() else 1, said


def _options(name: str) -> list[str]:
    # A processor without AVX, whose emulation crashed Python now and then; numpy needs SSE4.2.
    machine = ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem", "-M", "q35", "-m", "3072", "-smp", "2"]
    plain = ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"]
    kernel = ["-kernel", str(FOLDER / "vmlinux"), "-initrd", str(FOLDER / "initramfs")]
    line = f"console=ttyS0 quiet panic=-1 mitigations=off run={name}"
    shared = [*_share("host", Path("/"), "readonly=on,multidevs=remap"), *_share("share", SHARE, "readonly=off")]
    return [*machine, *plain, *kernel, "-append", line, *shared]


def _share(tag: str, folder: Path, options: str) -> list[str]:
    file_system = f"local,id={tag},path={folder},security_model=none,{options}"
    return ["-fsdev", file_system, "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


if __name__ == "__main__":
    status, said = boot("shell", sys.argv[1:], {}, 600)
    print(said, end="")
    sys.exit(status)
