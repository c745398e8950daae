"""Which virtual cameras there are, how one is opened, and why it was not, with the remedy."""

import logging
import re
import sys
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from models.errors import InputError
from runtime.sinks.v4l2_output import NOT_AN_OUTPUT, NOT_LOOPBACK, V4l2Output
from runtime.video_nodes import NODES, is_virtual, video_nodes

LOAD = "sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label=Avatar"
"""The command that makes a virtual camera on Linux."""
_FED, _ABSENT = "busy", "no such file"  # what refusals say
_SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_ROOT = Path("/")

logger = logging.getLogger(__name__)


@runtime_checkable
class Device(Protocol):
    """What takes the frames: `V4l2Output`, or `pyvirtualcam.Camera`."""

    @property
    def device(self) -> str:
        """Path or name."""
        ...

    def send(self, frame: UInt8[np.ndarray, "n w"]) -> None:
        """Shows one I420 frame."""
        ...

    def close(self) -> None:
        """Frees the device."""
        ...


def list_virtual_cameras() -> list[tuple[str, str]]:
    """Device path and name of every virtual camera; Linux only, elsewhere there is no list to read."""
    nodes = filter(is_virtual, video_nodes(NODES))
    return [(f"/dev/{node.name}", (node / "name").read_text().strip()) for node in nodes]


def free_virtual_cameras() -> list[str]:
    """Device paths of the virtual cameras that no program feeds; Linux only."""
    return [path for path, _ in list_virtual_cameras() if not _is_fed(path)]


def open_virtual_camera(size: tuple[int, int], fps: int, device: str | None) -> Device:
    """Opens a device for I420 frames; without a `device` the first that is free. Raises InputError with the remedy."""
    if sys.platform != "linux":
        return _opened_elsewhere(size, fps, device)
    paths = _candidates(device)
    refusals: list[InputError] = []
    for path in paths:
        try:
            camera = _opened(size, path)
            _check_size(camera, size)
        except InputError as refusal:
            refusals.append(refusal)
            continue
        if reason := why_invisible(path):
            logger.warning("%s", reason)
        return camera
    raise refusals[0]


def explain(reason: str, device: str | None, platform: str) -> str:
    """One line for a person: why no virtual camera opened, and the remedy."""
    which = f"virtual camera {device}" if device else "virtual camera"
    if platform == "darwin":
        return (
            f"no {which}: install OBS Studio (30 or newer from macOS 13 on, 28 or 29 on macOS 12), press Start Virtual "
            "Camera in it once, allow its camera extension in System Settings, close it, and try again"
        )
    if platform == "win32":
        return (
            f"no {which}: install OBS Studio, close it if it is open (only one program can feed its camera), and try "
            "again"
        )
    if NOT_LOOPBACK in reason:
        return f"the {which} is {NOT_LOOPBACK} and cannot be fed: give one of its devices, made by {LOAD}"
    if NOT_AN_OUTPUT in reason:
        return (
            f"the {which} is fed by another program, or was before (v4l2loopback older than 0.13 allows it once): "
            f"close that program, or sudo modprobe -r v4l2loopback && {LOAD}"
        )
    if _FED in reason.lower():
        return f"the {which} is fed by another program: close that program, or load a second one with devices=2"
    if "permission" in reason.lower():
        return f"the {which} may not be opened: sudo usermod -aG video $USER, then log in again"
    if not list_virtual_cameras():
        return (
            f"no {which}: sudo apt install v4l2loopback-dkms && {LOAD} ({_signing()}--output preview needs no camera)"
        )
    found = ", ".join(f"{path} ({name})" for path, name in list_virtual_cameras())
    return f"no {which}; found: {found}" if _ABSENT in reason.lower() else f"the {which} did not open: {reason}"


def _candidates(device: str | None) -> list[str]:
    """Paths of devices to try: the one that is meant, or those that are free. Raises InputError if there is none."""
    known = list_virtual_cameras()
    if device is None:
        meant = [path for path, _ in known]
    else:
        meant = [next((path for path, name in known if name == device), device)]
    free = [path for path in meant if not _is_fed(path)]
    if free:
        return free
    reason = _FED if all(_says_state(path) for path in meant) else NOT_AN_OUTPUT
    raise InputError(explain(reason if known else "none", device, sys.platform))


def _opened_elsewhere(size: tuple[int, int], fps: int, device: str | None) -> Device:
    """On Windows and macOS."""
    import pyvirtualcam

    try:
        camera: Device = pyvirtualcam.Camera(*size, fps, fmt=pyvirtualcam.PixelFormat.I420, device=device)
    except (RuntimeError, OSError) as error:
        raise InputError(explain(str(error), device, sys.platform)) from error
    return camera


def _opened(size: tuple[int, int], path: str) -> Device:
    try:
        return V4l2Output(path, size)
    except OSError as error:
        raise InputError(explain(error.strerror or str(error), path, "linux")) from error


def _is_fed(path: str) -> bool:
    """Whether a program feeds a v4l2loopback device, or before 0.13 uses it at all."""
    node = NODES / Path(path).name
    try:
        if _says_state(path):
            return (node / "state").read_text().strip() == "capture"
        return bool((node / "format").read_text().strip())
    except OSError:
        return False


def _says_state(path: str) -> bool:
    """Whether the module is 0.13 or later, which says whether a device is fed."""
    return (NODES / Path(path).name / "state").exists()


def _check_size(camera: Device, size: tuple[int, int]) -> None:
    """While a program reads a device, it keeps its size, and takes another without a word. Raises InputError."""
    path = camera.device  # a closed one does not say
    try:
        kept = (NODES / Path(path).name / "format").read_text()  # such as YU12:512x512@30
    except OSError:
        return
    found = re.search(r":(\d+x\d+)@", kept)
    if found and found[1] != f"{size[0]}x{size[1]}":
        camera.close()
        raise InputError(
            f"the virtual camera {path} is still watched at {found[1]}: close the program that watches it, or give "
            f"--size {found[1]}"
        )


def is_secure_boot(root: Path = Path("/")) -> bool:
    """Whether the kernel takes signed modules only."""
    try:
        return (root / _SECURE_BOOT).read_bytes()[-1:] == b"\1"  # the value, after four bytes of attributes
    except OSError:
        return False


def _signing() -> str:
    """What Secure Boot asks for, where it is on."""
    if not is_secure_boot(_ROOT):
        return ""
    return "Secure Boot is on: sign the module, sudo mokutil --import /var/lib/dkms/mok.pub and restart; "


def why_invisible(device: str, parameters: Path = Path("/sys/module/v4l2loopback/parameters")) -> str:
    """Why browsers and Zoom do not list a loopback device, and the remedy; empty if they do.

    They list those that were loaded with exclusive_caps=1.
    """
    numbers, exclusive = parameters / "video_nr", parameters / "exclusive_caps"
    if not (numbers.exists() and exclusive.exists()):
        return ""
    wanted = numbers.read_text().strip().split(",")  # -1 where the kernel chose
    devices = [f"/dev/video{number}" for number in wanted if number != "-1"] or [d for d, _ in list_virtual_cameras()]
    if dict(zip(devices, exclusive.read_text().strip().split(","), strict=False)).get(device) != "N":
        return ""
    return f"{device} is invisible to browsers and Zoom: sudo modprobe -r v4l2loopback && {LOAD}"
