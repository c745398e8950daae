"""Of the virtual camera, and of the programs that are to choose it."""

from collections.abc import Iterator

from agent.doctor.facts.user import User
from agent.doctor.facts.video import LoopbackModule, VideoNode
from agent.doctor.finding import Finding
from agent.doctor.system import Equipment, System
from agent.doctor.trials.output import OutputTrial
from runtime.sinks.virtual_camera_device import LOAD, explain

_RELOAD = f"sudo modprobe -r v4l2loopback && {LOAD}"
_MOST_BUFFERS = 8
_USED_UP = "not a video output device"  # what a device that is used up says


def check_virtual_camera(system: System, equipment: Equipment, trial: OutputTrial) -> Iterator[Finding]:
    """Findings "virtual-camera.*" of an output, and "calls.*"."""
    loopback = equipment.loopback
    if system.platform == "linux" and not loopback.is_loaded:
        yield _not_loaded(loopback, trial)
        return
    nodes = [node for node in equipment.video if node.is_virtual]
    if system.platform == "linux":
        yield from _module(loopback, [node for node in nodes if node.path == trial.where] or nodes)
    if trial.refusal:
        yield _refused(trial, _node(nodes, trial))
    elif trial.difference:
        what = f"{trial.where} was fed and read back: {trial.difference}"
        yield Finding("virtual-camera.picture", "failure", what, _RELOAD)
    elif trial.untried and trial.where:
        yield Finding("virtual-camera.unread", "note", f"{trial.where} opens; not read back: {trial.untried}")
    elif not trial.untried:
        yield Finding("virtual-camera.ok", "ok", f"{trial.where}, fed and read back")
    yield from _calls(system.user)


def check_no_virtual_camera(system: System, equipment: Equipment) -> Iterator[Finding]:
    """Says that the default output is the preview page for want of a virtual camera, and what would change that."""
    if system.platform != "linux":
        return
    lacking = _not_loaded(equipment.loopback, OutputTrial("virtual-camera", refusal=explain("", None, "linux")))
    yield Finding("virtual-camera.none", "note", f"pictures go to the preview page: {lacking.what}", lacking.remedy)


def _not_loaded(loopback: LoopbackModule, trial: OutputTrial) -> Finding:
    if loopback.is_built and (loopback.was_rejected or loopback.is_secure_boot):
        what = "v4l2loopback is not loaded: Secure Boot takes signed modules only"
        remedy = (
            f"sudo mokutil --import /var/lib/dkms/mok.pub (Ubuntu: /var/lib/shim-signed/mok/MOK.der), restart, choose "
            f"Enroll MOK, then {LOAD}"
        )
        return Finding("virtual-camera.secure_boot", "failure", what, remedy)
    if loopback.is_built:
        return Finding("virtual-camera.unloaded", "failure", "v4l2loopback is installed and not loaded", LOAD)
    if loopback.has_source and not loopback.has_headers:
        what = f"v4l2loopback could not be built: the headers of the kernel {loopback.kernel} are missing"
        remedy = f"sudo apt install linux-headers-{loopback.kernel} && sudo dkms autoinstall && {LOAD}"
        return Finding("virtual-camera.headers", "failure", what, remedy)
    if loopback.has_source:
        what = f"v4l2loopback is not built for the kernel {loopback.kernel}"
        return Finding("virtual-camera.unbuilt", "failure", what, f"sudo dkms autoinstall && {LOAD}")
    return Finding("virtual-camera.module", "failure", *_split(trial.refusal))


def _module(loopback: LoopbackModule, nodes: list[VideoNode]) -> Iterator[Finding]:
    version = ".".join(map(str, loopback.version)) or "older than 0.13"
    if loopback.opens_once:
        if nodes and not any(node.can_be_fed or node.holders for node in nodes):
            yield Finding("virtual-camera.once", "failure", *_split(explain(_USED_UP, nodes[0].path, "linux")))
        else:
            what = f"v4l2loopback {version} can be fed once after it is loaded; so the doctor left it alone"
            yield Finding("virtual-camera.version", "warning", what, f"before each further run: {_RELOAD}")
    if nodes and nodes[0].invisible:
        yield Finding("virtual-camera.exclusive_caps", "warning", *_split(nodes[0].invisible))
    if loopback.max_buffers is not None and loopback.max_buffers > _MOST_BUFFERS:
        what = f"v4l2loopback keeps {loopback.max_buffers} pictures: slow readers see old ones"
        yield Finding("virtual-camera.max_buffers", "note", what, f"{_RELOAD} max_buffers=2")


def _node(nodes: list[VideoNode], trial: OutputTrial) -> VideoNode | None:
    """The device that was wanted."""
    wanted = trial.output.partition(":")[2]
    named = [node for node in nodes if wanted in (node.path, node.name)] if wanted else nodes
    return named[0] if named else None


def _refused(trial: OutputTrial, node: VideoNode | None) -> Finding:
    cause, remedy = _split(trial.refusal)
    if node is not None and not node.may_open:
        return Finding("virtual-camera.permission", "failure", cause, remedy)
    if node is not None and node.holders:
        what = f"{cause}; it is open in {', '.join(node.holders)}"
        return Finding("virtual-camera.busy", "failure", what, remedy)
    return Finding("virtual-camera.open", "failure", trial.refusal)


def _split(explained: str) -> tuple[str, str]:
    """Cause and remedy of a line of `explain`."""
    cause, _, remedy = explained.partition(": ")
    return cause, remedy


def _calls(user: User) -> Iterator[Finding]:
    for name in user.sandboxed_calls:
        remedy = {
            "Zoom (snap)": "sudo snap connect zoom-client:camera",
            "Zoom (flatpak)": "flatpak override --user --device=all us.zoom.Zoom",
        }.get(name, "in about:config set media.webrtc.camera.allow-pipewire to false")
        yield Finding("calls.sandbox", "note", f"{name} sees the camera only if its sandbox lets it", remedy)
    if user.is_wayland:
        what = "browsers that ask PipeWire for cameras may not list the virtual one"
        remedy = (
            "systemctl --user restart wireplumber while the agent runs, or in Firefox's about:config set "
            "media.webrtc.camera.allow-pipewire to false"
        )
        yield Finding("calls.pipewire", "note", what, remedy)
