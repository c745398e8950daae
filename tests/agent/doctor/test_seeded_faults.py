"""One fault at a time in a machine that is well: its finding, its remedy, and whether `agent run` would fail."""

import json
from dataclasses import replace

import pytest

from agent.cli import main
from agent.doctor.trials.output import OutputTrial
from runtime.sinks.virtual_camera_device import explain
from tests.agent.doctor.machine import HEALTHY, MONITOR, OWN, REAL3D, WITHOUT_ECHO, spoilt

LOOPBACK, SOUND, GPU = "equipment.loopback", "equipment.sound", "equipment.gpu"
TRIALS, PLAN = "equipment.trials", "equipment.plan"
VCAM, VMIC, PREVIEW, FILE = (f"{TRIALS}.outputs.{number}" for number in range(4))
CAMERA, MICROPHONE, ENGINE = (f"{TRIALS}.{name}" for name in ("camera", "microphone", "engine"))
NO_MODULE = {
    f"{LOOPBACK}.is_loaded": False,
    f"{VCAM}.refusal": "no virtual camera: sudo apt install v4l2loopback-dkms && sudo modprobe v4l2loopback",
}
OLD_MODULE = {
    f"{LOOPBACK}.version": (0, 12, 7),
    f"{VCAM}": OutputTrial("virtual-camera", untried="trying it would use it up"),
}
LACKING = {"parts": [{"title": "video model", "needed": True, "fault": "is missing", "files": []}]}
DAMAGED = {"parts": [REAL3D["parts"][0] | {"fault": "video.safetensors is damaged (5 bytes, not 9)"}]}
REAL3D_RUN = {f"{PLAN}.config": replace(HEALTHY.equipment.plan.config, engine="real3d")}
NO_GPU = {f"{GPU}.has_device": False, f"{GPU}.name": ""}

FAULTS = [
    # the machine
    ("packages.broken", "failure", "libgl1", {"packages.broken": (("cv2", "libGL.so.1: cannot open"),)}),
    ("packages.broken", "failure", "pip install", {"packages.broken": (("numba", "No module named llvmlite"),)}),
    ("packages.unmet", "warning", "pip install -e", {"packages.unmet": ("protobuf 5.29.0 is not <5",)}),
    ("packages.opencv", "warning", "uninstall", {"packages.opencv": ("opencv-contrib-python", "opencv-python")}),
    ("computer.cores", "warning", "--size", {"computer.cores": 1}),
    ("computer.load", "note", "close", {"computer.load": 9.0}),
    ("computer.memory", "warning", "close", {"computer.free_memory_bytes": 300_000_000}),
    ("computer.clock", "warning", "--fps", {"computer.clock_step_s": 0.0156}),
    ("user.root", "note", "as the user", {"user.is_root": True}),
    ("user.groups", "warning", "log out", {"user.late_groups": ("video",)}),
    ("user.sandbox", "warning", "outside", {"user.sandbox": "flatpak"}),
    ("folder.cache", "warning", "AGENT_CACHE", {"user.folders.0.fault": "cannot be written to"}),
    ("folder.data", "warning", "make room", {"user.folders.1.free_bytes": 1_000_000}),
    ("folder.data", "note", "AGENT_DATA", {"user.folders.1.path": None}),
    ("settings.refused", "failure", "make it first", {"refusal": "the folder x does not exist; make it first"}),
    # the camera
    ("camera.none", "failure", "--camera FILE", {
        f"{CAMERA}.refusal": "no camera is connected. A video file works too: --camera FILE",
        f"{CAMERA}.path": "",
        "equipment.video": HEALTHY.equipment.video[1:],
    }),
    ("camera.permission", "failure", "usermod -aG video", {
        f"{CAMERA}.refusal": "no permission for /dev/video0", "equipment.video.0.may_open": False,
    }),
    ("camera.busy", "failure", "close zoom (4711)", {
        f"{CAMERA}.refusal": "camera 0 (Webcam) gives no picture", "equipment.video.0.holders": ("zoom (4711)",),
    }),
    ("camera.open", "failure", "close it", {f"{CAMERA}.refusal": "camera 0 (Webcam) gives no picture: close it"}),
    ("camera.open", "failure", "--camera NAME", {f"{CAMERA}.refusal": "no camera 'x'; found: 0 = Webcam"}),
    ("camera.dark", "warning", "cover", {f"{CAMERA}.light": 2.0}),
    ("camera.flat", "warning", "cover", {f"{CAMERA}.contrast": 0.1}),
    ("camera.rate", "warning", "light", {f"{CAMERA}.fps": 7.5}),
    ("camera.virtual", "warning", "--camera NAME", {f"{CAMERA}.path": "/dev/video10"}),
    # the microphone
    ("microphone.portaudio", "failure", "libportaudio2", {
        f"{MICROPHONE}.refusal": "PortAudio is not installed", f"{SOUND}.has_portaudio": False,
    }),
    ("microphone.server", "failure", "pipewire-pulse", {
        f"{MICROPHONE}.refusal": "no microphone", f"{SOUND}.server": "", f"{SOUND}.default": None,
    }),
    ("microphone.open", "failure", "--microphone NAME", {f"{MICROPHONE}.refusal": "it cannot be opened"}),
    ("microphone.nothing", "failure", "--microphone NAME", {f"{MICROPHONE}.heard_s": 0.0}),
    ("microphone.muted", "warning", "set-source-mute", {
        f"{SOUND}.default.is_muted": True, f"{MICROPHONE}.peak": 0.0,
    }),
    ("microphone.volume", "warning", "set-source-volume", {f"{SOUND}.default.volume": 0}),
    ("microphone.silence", "warning", "switch it on", {f"{MICROPHONE}.peak": 0.0}),
    ("microphone.quiet", "note", "speak", {f"{MICROPHONE}.peak": 1e-5}),
    ("microphone.rate", "warning", "Bluetooth", {f"{MICROPHONE}.rate_hz": 8000}),
    ("microphone.monitor", "warning", "set-default-source alsa_input.mic", {
        f"{SOUND}.default": MONITOR, f"{SOUND}.others": (OWN, HEALTHY.equipment.sound.default,),
    }),
    ("microphone.echo", "note", "set-default-source without_echo", {f"{SOUND}.others": (MONITOR, WITHOUT_ECHO)}),
    ("microphone.own", "failure", "set-default-source alsa_input.mic", {
        f"{SOUND}.default": OWN, f"{SOUND}.others": (MONITOR, HEALTHY.equipment.sound.default),
    }),
    # the virtual camera
    ("virtual-camera.module", "failure", "apt install v4l2loopback-dkms", NO_MODULE | {
        f"{LOOPBACK}.is_built": False, f"{LOOPBACK}.has_source": False,
    }),
    ("virtual-camera.unloaded", "failure", "modprobe v4l2loopback", NO_MODULE),
    ("virtual-camera.headers", "failure", "linux-headers-6.1.0-56-amd64", NO_MODULE | {
        f"{LOOPBACK}.is_built": False, f"{LOOPBACK}.has_headers": False,
    }),
    ("virtual-camera.unbuilt", "failure", "dkms autoinstall", NO_MODULE | {f"{LOOPBACK}.is_built": False}),
    ("virtual-camera.secure_boot", "failure", "mokutil", NO_MODULE | {f"{LOOPBACK}.is_secure_boot": True}),
    ("virtual-camera.secure_boot", "failure", "mokutil", NO_MODULE | {f"{LOOPBACK}.was_rejected": True}),
    ("virtual-camera.version", "warning", "modprobe -r", OLD_MODULE),
    ("virtual-camera.version", "warning", "modprobe -r", OLD_MODULE | {
        "equipment.video.1.can_be_fed": False, "equipment.video.1.holders": ("obs (12)",),
    }),
    ("virtual-camera.once", "failure", "modprobe -r", OLD_MODULE | {"equipment.video.1.can_be_fed": False}),
    ("virtual-camera.exclusive_caps", "warning", "exclusive_caps=1", {
        "equipment.video.1.invisible": "/dev/video10 is invisible: sudo modprobe v4l2loopback exclusive_caps=1",
    }),
    ("virtual-camera.max_buffers", "note", "max_buffers=2", {f"{LOOPBACK}.max_buffers": 32}),
    ("virtual-camera.permission", "failure", "usermod -aG video", {
        f"{VCAM}.refusal": explain("Permission denied", "/dev/video10", "linux"),
        f"{VCAM}.where": "", "equipment.video.1.may_open": False,
    }),
    ("virtual-camera.busy", "failure", "close that program", {
        f"{VCAM}.refusal": explain("Device or resource busy", "/dev/video10", "linux"),
        f"{VCAM}.where": "", "equipment.video.1.holders": ("obs (12)",),
    }),
    ("virtual-camera.open", "failure", "strange", {f"{VCAM}.refusal": "the virtual camera did not open: strange"}),
    ("virtual-camera.picture", "failure", "modprobe -r", {f"{VCAM}.difference": "red and blue are exchanged"}),
    ("calls.sandbox", "note", "snap connect", {"user.sandboxed_calls": ("Zoom (snap)",)}),
    ("calls.pipewire", "note", "wireplumber", {"user.is_wayland": True}),
    # the other outputs
    ("virtual-microphone.pactl", "failure", "pulseaudio-utils", {
        f"{VMIC}.refusal": "a virtual microphone needs pactl", f"{SOUND}.has_pactl": False,
    }),
    ("virtual-microphone.server", "failure", "pipewire-pulse", {
        f"{VMIC}.refusal": "none answers", f"{SOUND}.server": "", f"{SOUND}.default": None,
    }),
    ("virtual-microphone.open", "failure", "another run", {f"{VMIC}.refusal": "it belongs to another run"}),
    ("virtual-microphone.sound", "failure", "restart", {f"{VMIC}.difference": "silence was recorded"}),
    ("preview.open", "failure", "choose another", {f"{PREVIEW}.refusal": "The ports are taken: choose another"}),
    ("preview.picture", "failure", "127.0.0.1", {f"{PREVIEW}.difference": "it does not answer"}),
    ("file.open", "failure", "disk", {f"{FILE}.refusal": "the disk is full"}),
    ("file.picture", "failure", ".mp4", {f"{FILE}.difference": "it holds no picture"}),
    # profile, files, portrait, engine, GPU
    ("profile.refused", "failure", "agent calibrate", {f"{TRIALS}.profile.refusal": "damaged; use agent calibrate"}),
    ("profile.said", "warning", "again", {f"{TRIALS}.profile.said": ("it is left out; calibrate again",)}),
    ("files.cut", "note", "", {f"{PLAN}.left_out": "the run ends with --camera a.mp4 after 1.0 s"}),
    ("portrait.refused", "failure", "use a photo", {f"{ENGINE}.portrait_refusal": "no face; use a photo in which"}),
    ("portrait.none", "note", "--portrait", {"has_portrait": False}),
    ("engine.open", "failure", "leave --backend out", {f"{ENGINE}.engine_refusal": "no networks; leave --backend out"}),
    ("engine.speed", "warning", "--size", {f"{ENGINE}.fps": 20.0}),
    ("weights.lacking", "failure", "agent models list", REAL3D_RUN | {"equipment.weights": {"real3d": LACKING}}),
    ("weights.lacking", "failure", "agent models list", REAL3D_RUN | {
        "equipment.weights": {"real3d": LACKING}, f"{ENGINE}.engine_refusal": "real3d is not ready: its video model is",
    }),
    ("gpu.none", "warning", "builtin", REAL3D_RUN | NO_GPU),
    ("gpu.driver", "warning", "restart", REAL3D_RUN | {f"{GPU}.fault": "Driver/library version mismatch"}),
    ("gpu.torch", "warning", "pytorch.org", REAL3D_RUN | {f"{GPU}.torch.cuda": "", f"{GPU}.torch.sees_gpu": False}),
    ("gpu.cuda", "warning", "newer", REAL3D_RUN | {f"{GPU}.cuda": "11.8", f"{GPU}.torch.sees_gpu": False}),
    ("gpu.hidden", "warning", "CUDA_VISIBLE_DEVICES", REAL3D_RUN | {f"{GPU}.torch.sees_gpu": False}),
    ("gpu.memory", "warning", "nvidia-smi", REAL3D_RUN | {f"{GPU}.free_mb": 900}),
    ("run.warned", "warning", "too small", {f"{TRIALS}.warnings": ("the picture is too small",)}),
]  # fmt: skip


@pytest.fixture
def doctor(monkeypatch, capsys):
    """Runs `agent doctor --json` on a machine; gives the exit code and what is not ok.

    What fails is never said to be well, too.
    """

    def run(system):
        monkeypatch.setattr("agent.commands.doctor.survey", lambda config, say: system)
        code = main(["doctor", "--json"])
        told = json.loads(capsys.readouterr().out)
        assert told["would_fail"] == bool(code)
        well = {finding["id"].partition(".")[0] for finding in told["findings"] if finding["severity"] == "ok"}
        failing = {finding["id"].partition(".")[0] for finding in told["findings"] if finding["severity"] == "failure"}
        assert not well & failing
        return code, [finding for finding in told["findings"] if finding["severity"] != "ok"]

    return run


def test_a_machine_that_is_well_has_no_findings(doctor):
    assert doctor(HEALTHY) == (0, [])


@pytest.mark.parametrize(("id_", "severity", "remedy", "faults"), FAULTS, ids=[f"{f[0]}-{f[2]}" for f in FAULTS])
def test_a_fault_is_found_alone_and_remedied(id_, severity, remedy, faults, doctor):
    code, findings = doctor(spoilt(faults))
    (found,) = findings
    assert (found["id"], found["severity"]) == (id_, severity)
    assert remedy in found["remedy"], found
    assert code == (severity == "failure")


def test_without_a_module_the_default_output_is_the_page_and_a_note_says_so(doctor):
    outputs = {
        f"{PLAN}.outputs": ("preview",),
        f"{PLAN}.config": replace(HEALTHY.equipment.plan.config, output=()),
        f"{TRIALS}.outputs": HEALTHY.equipment.trials.outputs[2:3],
    }
    code, (found,) = doctor(spoilt(outputs | {f"{LOOPBACK}.is_loaded": False}))
    assert (code, found["id"], found["severity"]) == (0, "virtual-camera.none", "note")
    assert "sudo modprobe v4l2loopback" in found["remedy"]


def test_a_virtual_camera_that_was_left_alone_is_not_said_to_be_well(monkeypatch, capsys):
    monkeypatch.setattr("agent.commands.doctor.survey", lambda config, say: spoilt(OLD_MODULE))
    assert main(["doctor", "--json"]) == 0
    assert "virtual-camera.ok" not in capsys.readouterr().out


def test_a_microphone_that_is_named_is_not_judged_by_the_default_one(doctor):
    muted = {f"{SOUND}.default.is_muted": True}
    assert doctor(spoilt(muted | {f"{PLAN}.microphone": "USB"})) == (0, [])


def test_the_weights_of_another_engine_are_no_concern_of_a_run(doctor, monkeypatch, capsys):
    other = {"equipment.weights": {"real3d": DAMAGED}}
    assert doctor(spoilt(other)) == (0, [])
    monkeypatch.setattr("agent.commands.doctor.survey", lambda config, say: spoilt(other))
    main(["doctor"])
    assert "real3d" not in capsys.readouterr().out
    assert doctor(spoilt(other | REAL3D_RUN))[0] == 1


def test_an_offline_run_may_be_slow(doctor):
    assert doctor(spoilt({f"{ENGINE}.fps": 5.0, f"{PLAN}.offline": True})) == (0, [])


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_less_is_looked_at_and_permissions_are_the_systems(platform, doctor):
    there = {
        "platform": platform,
        VCAM: OutputTrial("virtual-camera", "OBS Virtual Camera", untried="nobody knows its number"),
        f"{CAMERA}.refusal": "camera 0 gives no picture",
        f"{MICROPHONE}.peak": 0.0,
    }
    code, findings = doctor(spoilt(there))
    ids = ["computer.system", "camera.open", "microphone.silence", "virtual-camera.unread"]
    assert (code, [finding["id"] for finding in findings]) == (1, ids)
    assert all("Privacy" in finding["remedy"] for finding in findings[1:3])
