"""Inside the virtual machine: `agent run` between a webcam that comes and goes and programs that watch.

Reads /mnt/webcam.npy; writes report.json and what was seen, as raw I420 pictures, into /mnt/run.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import cv2

from tests.devices.guest.loopback import SHARE, feeder, is_camera, load, plug, read_raw, unplug, until

FOLDER = SHARE / "run"
PICTURES = SHARE / "webcam.npy"
AVATAR, WEBCAM = 10, 11
SIDE, FPS = 256, 5


class Agent:
    """`agent run` with the webcam; what it said and when."""

    def __init__(self, report: Path, fps: int) -> None:
        code = "from agent.program import program; program()"
        portrait = Path("agent/example/portrait.png")
        words = ["run", f"--portrait={portrait}", "--mode=video", "--camera=Webcam", f"--size={SIDE}", f"--fps={fps}"]
        words.append(f"--report={report}")
        self.process = subprocess.Popen([sys.executable, "-c", code, *words], stderr=subprocess.PIPE, text=True)
        self.said: list[tuple[float, str]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append((time.monotonic(), line.rstrip()))

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def heard(self, words: str, since_s: float = 0.0) -> list[float]:
        """When it said so."""
        return [at_s for at_s, line in self.said if words in line and at_s >= since_s]

    def wait_for(self, words: str, since_s: float = 0.0, patience_s: float = 1200) -> float:
        """When it says so for the first time. Raises TimeoutError, or RuntimeError if it ends before."""
        until(lambda: bool(self.heard(words, since_s)) or self.ended, f"the agent says '{words}'", patience_s)
        if not self.heard(words, since_s):
            raise RuntimeError(f"the agent ended with {self.process.wait()}: {self.said}")
        return self.heard(words, since_s)[0]

    def end(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def read_opencv(count: int) -> dict[str, Any]:
    """Reads as many video programs do; keeps the last picture, as I420."""
    capture = cv2.VideoCapture(AVATAR, cv2.CAP_V4L2)
    read = [(capture.read(), time.monotonic()) for _ in range(count)]
    capture.release()
    bgr = [picture for (whole, picture), _ in read if whole]
    if bgr:
        cv2.cvtColor(bgr[-1], cv2.COLOR_BGR2YUV_I420).tofile(FOLDER / "opencv.yuv")
    return {"frames": len(bgr), "times_s": [at_s for _, at_s in read]}


def killed_reader() -> None:
    """A program that watches, and dies."""
    words = ["v4l2-ctl", "-d", f"/dev/video{AVATAR}", "--stream-mmap", "--stream-to=/dev/null"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as reader:
        time.sleep(3)
        reader.kill()


def held_before(agent: Agent) -> None:
    """Keeps what is shown until the engine draws."""
    until(lambda: is_camera(AVATAR) or agent.ended, "the virtual camera is there")
    with (FOLDER / "held.yuv").open("wb") as held:
        while not agent.heard("virtual-camera: on") and not agent.ended:
            read_raw(AVATAR, 1, FOLDER / "one.yuv")
            held.write((FOLDER / "one.yuv").read_bytes())


def watched(agent: Agent, report: dict[str, Any]) -> None:
    """Programs come and go, one after another, while the webcam shows a face at rest."""
    agent.wait_for("virtual-camera: on")
    killed_reader()
    report["opencv"] = read_opencv(5 * FPS)
    start_s = time.monotonic()
    read_raw(AVATAR, 5 * FPS, FOLDER / "rest.yuv")
    report["v4l2"] = {"frames": 5 * FPS, "seconds": time.monotonic() - start_s}


def unplugged(agent: Agent, webcam: subprocess.Popen[bytes], report: dict[str, Any]) -> None:
    """The webcam goes."""
    gone_s = time.monotonic()
    webcam.kill()
    report["noticed_s"] = agent.wait_for("gives no more pictures", gone_s) - gone_s
    report["freed_s"] = unplug(WEBCAM)
    time.sleep(4)
    read_raw(AVATAR, 3 * FPS, FOLDER / "idles.yuv")


def replugged(agent: Agent, report: dict[str, Any]) -> None:
    """The webcam comes back."""
    plug(WEBCAM, "Webcam")
    with feeder(WEBCAM, PICTURES):
        plugged_s = time.monotonic()
        report["mended_s"] = agent.wait_for(f"camera {WEBCAM} (Webcam) is back", plugged_s - 10) - plugged_s
        time.sleep(8)
        report["status"] = agent.end()
    report["agent"] = json.loads((FOLDER / "agent.json").read_text())


def main() -> None:
    report: dict[str, Any] = {}
    load("new", {AVATAR: "Avatar", WEBCAM: "Webcam"})
    with feeder(WEBCAM, PICTURES) as webcam:
        agent = Agent(FOLDER / "agent.json", FPS)
        try:
            held_before(agent)
            watched(agent, report)
            unplugged(agent, webcam, report)
            replugged(agent, report)
        finally:
            report["said"] = agent.said
            (FOLDER / "report.json").write_text(json.dumps(report, indent=2))
            agent.process.kill()


if __name__ == "__main__":
    main()
