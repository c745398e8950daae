"""A machine on which everything is as it should be, and the way to spoil it."""

from dataclasses import replace
from pathlib import Path

from agent.config.run import Run
from agent.doctor.facts.computer import Computer
from agent.doctor.facts.gpu import Gpu, Torch
from agent.doctor.facts.packages import Packages
from agent.doctor.facts.sound import SoundSource, SoundSystem
from agent.doctor.facts.user import Folder, User
from agent.doctor.facts.video import LoopbackModule, VideoNode
from agent.doctor.system import Equipment, System
from agent.doctor.trials.all import Trials
from agent.doctor.trials.camera import CameraTrial
from agent.doctor.trials.engine import EngineTrial
from agent.doctor.trials.microphone import MicrophoneTrial
from agent.doctor.trials.output import OutputTrial
from agent.doctor.trials.profile import ProfileTrial
from agent.plan import Plan

GB = 10**9
MONITOR = SoundSource("speaker.monitor", "Monitor of Speaker", is_monitor=True, is_muted=False, volume=100)
WITHOUT_ECHO = SoundSource("without_echo", "Microphone without echo", False, False, 100, takes_echo_out=True)
OWN = SoundSource("portrait-agent-01234567-microphone", "Avatar microphone", False, False, 100)
OUTPUTS = ("virtual-camera", "virtual-microphone", "preview", "talk.mp4")
REAL3D = {
    "ready": True,
    "parts": [{"title": "video model", "needed": True, "fault": "", "files": [{"name": "video.safetensors"}]}],
}

HEALTHY = System(
    platform="linux",
    computer=Computer(cores=4, load=0.5, free_memory_bytes=8 * GB, clock_step_s=1e-9),
    packages=Packages("3.11.7", unmet=(), opencv=("opencv-contrib-python",), broken=()),
    user=User(
        is_root=False,
        late_groups=(),
        is_wayland=False,
        sandbox="",
        sandboxed_calls=(),
        folders=(
            Folder("AGENT_CACHE", Path("/home/me/.cache/portrait-agent"), "", 50 * GB),
            Folder("AGENT_DATA", Path("/home/me/.local/share/portrait-agent"), "", 50 * GB),
        ),
    ),
    has_portrait=True,
    refusal="",
    equipment=Equipment(
        plan=Plan(
            Run(Path("me.png"), mode="both", output=OUTPUTS), (512, 512), "", "", OUTPUTS, offline=False, duration_ns=0
        ),
        video=(
            VideoNode("/dev/video0", "Webcam", False, True, False, (), ""),
            VideoNode("/dev/video10", "Avatar", True, True, True, (), ""),
        ),
        loopback=LoopbackModule(
            is_loaded=True,
            version=(0, 15, 0),
            exclusive_caps=(True,),
            max_buffers=2,
            is_built=True,
            has_source=True,
            has_headers=True,
            kernel="6.1.0-56-amd64",
            is_secure_boot=False,
            was_rejected=False,
        ),
        sound=SoundSystem(
            True, True, "PulseAudio", SoundSource("alsa_input.mic", "Built-in microphone", False, False, 80), (MONITOR,)
        ),
        gpu=Gpu(True, "", "RTX", "550.54", "12.4", 8000, Torch("2.13.0", "12.4", True)),
        weights={"builtin": {"ready": True, "parts": []}, "real3d": REAL3D},
        trials=Trials(
            camera=CameraTrial("Webcam", "/dev/video0", "", 1280, 720, 30.0, 110.0, 50.0),
            microphone=MicrophoneTrial("Built-in microphone", "", 48_000, 2.0, 0.2),
            profile=ProfileTrial(Path("me.profile.json")),
            outputs=(
                OutputTrial("virtual-camera", "/dev/video10"),
                OutputTrial("virtual-microphone", "Avatar microphone"),
                OutputTrial("preview", "http://127.0.0.1:8765/"),
                OutputTrial("talk.mp4", "talk.mp4"),
            ),
            engine=EngineTrial(backend="cpu", fps=90.0),
            warnings=(),
        ),
    ),
)


def spoilt(faults):
    """HEALTHY with other values: {"computer.cores": 1}; of a tuple an item is meant by its number."""
    system = HEALTHY
    for place, value in faults.items():
        system = _with(system, place.split("."), value)
    return system


def _with(owner, steps, value):
    step, *rest = steps
    if isinstance(owner, tuple):
        number = int(step)
        return (*owner[:number], _with(owner[number], rest, value) if rest else value, *owner[number + 1 :])
    return replace(owner, **{step: _with(getattr(owner, step), rest, value) if rest else value})
