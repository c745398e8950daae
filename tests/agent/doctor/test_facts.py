"""What the machine says: folders like /sys and /proc, programs like pactl, that say something wrong."""

import os
import platform
import sys
from pathlib import Path

import pytest

from agent.doctor.facts.computer import look_at_computer
from agent.doctor.facts.gpu import look_at_gpu
from agent.doctor.facts.packages import look_at_packages
from agent.doctor.facts.sound import look_at_sound
from agent.doctor.facts.user import look_at_user
from agent.doctor.facts.video import look_at_loopback, look_at_video
from runtime.video_nodes import query_capability

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux says these things in files")
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
SOURCES = """Source #0
\tName: speaker.monitor
\tDescription: Monitor of Speaker
\tMute: no
\tVolume: front-left: 65536 / 100% / 0.00 dB
\tMonitor of Sink: speaker

Source #1
\tName: mic
\tDescription: Built-in microphone
\tMute: yes
\tVolume: mono: 19661 /  30% / -31.37 dB
\tMonitor of Sink: n/a

Source #2
\tName: without_echo
\tDescription: Microphone without echo
\tDriver: module-echo-cancel.c
\tMute: no
\tVolume: mono: 65536 / 100% / 0.00 dB
\tMonitor of Sink: n/a
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Puts a program of that name and script in the place of the system's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def add(name: str, script: str) -> None:
        write(folder / name, f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return add


@pytest.fixture
def loaded(tmp_path):
    """A machine with /dev/video0, a webcam, and /dev/video10, a virtual camera."""
    for number, label, kind in ((0, "Webcam", "pci0"), (10, "Avatar", "virtual")):
        write(tmp_path / f"sys/devices/{kind}/video4linux/video{number}/name", f"{label}\n")
        (tmp_path / "sys/class/video4linux").mkdir(parents=True, exist_ok=True)
        link = tmp_path / f"sys/class/video4linux/video{number}"
        link.symlink_to(tmp_path / f"sys/devices/{kind}/video4linux/video{number}")
        write(tmp_path / f"dev/video{number}", "")
    module = tmp_path / "sys/module/v4l2loopback"
    write(module / "version", "0.12.7\n")
    write(module / "parameters/exclusive_caps", "Y,N\n")
    write(module / "parameters/video_nr", "10,-1\n")
    write(module / "parameters/max_buffers", "2\n")
    return tmp_path


def test_a_loaded_module_is_described(loaded):
    module = look_at_loopback(loaded)
    assert (module.is_loaded, module.version, module.exclusive_caps) == (True, (0, 12, 7), (True, False))
    assert module.max_buffers == 2 and module.opens_once


def test_a_module_that_tells_no_version_is_an_old_one(loaded):
    (loaded / "sys/module/v4l2loopback/version").unlink()
    assert look_at_loopback(loaded).opens_once


@pytest.mark.parametrize(("version", "flags"), [("0.13.2", "Y"), ("0.12.7", "N")])
def test_other_modules_can_be_fed_again(loaded, version, flags):
    write(loaded / "sys/module/v4l2loopback/version", version)
    write(loaded / "sys/module/v4l2loopback/parameters/exclusive_caps", flags)
    assert not look_at_loopback(loaded).opens_once


def test_a_module_that_is_not_loaded_is_looked_for(tmp_path):
    module = look_at_loopback(tmp_path)
    assert not any((module.is_loaded, module.is_built, module.has_source, module.has_headers, module.is_secure_boot))
    write(tmp_path / f"lib/modules/{platform.release()}/updates/dkms/v4l2loopback.ko.xz", "")
    write(tmp_path / f"lib/modules/{platform.release()}/build/Makefile", "")
    write(tmp_path / "usr/src/v4l2loopback-0.12.7/dkms.conf", "")
    module = look_at_loopback(tmp_path)
    assert module.is_built and module.has_source and module.has_headers


def test_secure_boot_is_seen(tmp_path):
    variable = tmp_path / SECURE_BOOT
    variable.parent.mkdir(parents=True)
    variable.write_bytes(b"\x06\x00\x00\x00\x01")
    assert look_at_loopback(tmp_path).is_secure_boot
    variable.write_bytes(b"\x06\x00\x00\x00\x00")
    assert not look_at_loopback(tmp_path).is_secure_boot


@pytest.mark.parametrize(
    ("line", "rejected"),
    [
        ("Loading of unsigned module is rejected", True),
        ("Loading of module with unavailable key is rejected", True),
        ("Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7", True),
        ("v4l2loopback: module verification failed: signature and/or required key missing - tainting kernel", False),
    ],
)
def test_a_module_that_the_kernel_refused_is_told_from_one_that_only_taints_it(line, rejected, programs, tmp_path):
    programs("dmesg", f"echo '[ 7.0] {line}'")
    assert look_at_loopback(tmp_path).was_rejected == rejected


def test_video_nodes_are_told_apart_and_their_holders_found(loaded, monkeypatch):
    write(loaded / "proc/4711/comm", "zoom\n")
    for process, target in ((4711, "/dev/video0"), (4711, "/dev/null"), (os.getpid(), "/dev/video0")):
        folder = loaded / f"proc/{process}/fd"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(len(list(folder.iterdir())))).symlink_to(target)
    output = bytes(88) + (0x00000002).to_bytes(4, "little") + bytes(12)
    monkeypatch.setattr(
        "agent.doctor.facts.video.query_capability", lambda node: output if node.name == "video10" else bytes(104)
    )
    webcam, avatar = look_at_video(loaded)
    assert (webcam.path, webcam.name, webcam.is_virtual, webcam.can_be_fed) == ("/dev/video0", "Webcam", False, False)
    assert webcam.holders == ("zoom (4711)",)
    assert (avatar.path, avatar.is_virtual, avatar.can_be_fed, avatar.holders) == ("/dev/video10", True, True, ())


def test_a_file_that_is_no_device_is_not_fed(loaded):
    with pytest.raises(OSError):
        query_capability(loaded / "dev/video0")
    assert not any(node.can_be_fed for node in look_at_video(loaded))


def test_a_virtual_camera_that_browsers_do_not_list_is_seen(loaded):
    write(loaded / "sys/module/v4l2loopback/parameters/exclusive_caps", "N,N\n")
    webcam, avatar = look_at_video(loaded)
    assert not webcam.invisible and "exclusive_caps=1" in avatar.invisible


def test_the_sound_servers_inputs_are_described(programs):
    programs("pactl", f'[ "$1" = info ] && printf "Server Name: PW\\nDefault Source: mic\\n" || cat <<E\n{SOURCES}E')
    sound = look_at_sound()
    assert sound.server == "PW"
    assert sound.default is not None
    assert (sound.default.title, sound.default.is_muted, sound.default.volume) == ("Built-in microphone", True, 30)
    told = [(other.name, other.is_monitor, other.takes_echo_out) for other in sound.others]
    assert told == [("speaker.monitor", True, False), ("without_echo", False, True)]


def test_a_sound_server_that_does_not_answer_is_told_from_one_without_pactl(programs, monkeypatch, tmp_path):
    programs("pactl", "echo 'Connection failure: Connection refused' >&2; exit 1")
    sound = look_at_sound()
    assert sound.has_pactl and not sound.server
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert not look_at_sound().has_pactl


SMI = '[ -n "$1" ] && echo "RTX 4090, 550.54, 23000" || echo "| NVIDIA-SMI 550.54   CUDA Version: 12.4 |"'


def test_a_gpu_is_described(programs):
    programs("nvidia-smi", SMI)
    gpu = look_at_gpu(with_torch=False)
    assert (gpu.fault, gpu.name, gpu.driver, gpu.cuda, gpu.free_mb) == ("", "RTX 4090", "550.54", "12.4", 23_000)


def test_a_driver_that_fails_is_quoted(programs):
    programs("nvidia-smi", "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    assert "version mismatch" in look_at_gpu(with_torch=False).fault


def test_a_gpu_without_its_driver_is_seen_and_a_machine_without_one_is_well(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert look_at_gpu(False, tmp_path).fault == ""
    write(tmp_path / "dev/nvidiactl", "")
    assert "nvidia-smi" in look_at_gpu(False, tmp_path).fault


def test_packages_of_other_versions_and_two_opencvs_are_seen(tmp_path, monkeypatch):
    for name, number in (("numpy", "2.3.0"), ("opencv-python", "4.11")):
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n"
        write(tmp_path / f"{name.replace('-', '_')}-{number}.dist-info" / "METADATA", about)
    monkeypatch.syspath_prepend(str(tmp_path))
    packages = look_at_packages(())
    assert [fault.split(" is not ")[0] for fault in packages.unmet] == ["numpy 2.3.0"]
    assert set(packages.opencv) >= {"opencv-contrib-python", "opencv-python"}


def test_extras_count_where_they_are_wanted(tmp_path, monkeypatch):
    write(tmp_path / "torch-1.0.dist-info" / "METADATA", "Metadata-Version: 2.1\nName: torch\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert not look_at_packages(()).unmet
    assert any(fault.startswith("torch 1.0 is not") for fault in look_at_packages(("neural",)).unmet)


def test_a_module_that_cannot_be_imported_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert [name for name, _ in look_at_packages(()).broken] == ["numba"]


def test_groups_that_the_session_does_not_have_yet_are_seen(tmp_path):
    import pwd

    name = pwd.getpwuid(os.geteuid()).pw_name
    write(tmp_path / "etc/group", f"video:x:54321:other,{name}\naudio:x:54322:other\nstaff:x:54323:{name}\n")
    assert look_at_user(tmp_path, {}).late_groups == ("video",)


def test_desktop_and_sandboxes_are_seen(tmp_path):
    user = look_at_user(tmp_path, {"HOME": str(tmp_path)})
    assert (user.is_wayland, user.sandbox, user.sandboxed_calls) == (False, "", ())
    (tmp_path / "snap/zoom-client").mkdir(parents=True)
    write(tmp_path / ".flatpak-info", "")
    user = look_at_user(tmp_path, {"HOME": str(tmp_path), "XDG_SESSION_TYPE": "wayland"})
    assert (user.is_wayland, user.sandbox, user.sandboxed_calls) == (True, "flatpak", ("Zoom (snap)",))


def test_folders_that_cannot_be_used_are_seen(tmp_path, monkeypatch):
    write(tmp_path / "file", "")
    monkeypatch.setenv("AGENT_CACHE", str(tmp_path / "file" / "below"))
    monkeypatch.setenv("AGENT_DATA", str(tmp_path / "new" / "one"))
    cache, data = look_at_user().folders
    assert "is a file" in cache.fault
    assert data.fault == "" and data.free_bytes > 0
    assert not (tmp_path / "new").exists()


def test_free_memory_is_read(tmp_path):
    write(tmp_path / "proc/meminfo", "MemTotal: 8000 kB\nMemAvailable: 300 kB\n")
    assert look_at_computer(tmp_path).free_memory_bytes == 300 * 1024
    assert look_at_computer(tmp_path / "nothing").free_memory_bytes is None
