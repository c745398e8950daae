"""Inside the virtual machine: `agent run` between a webcam that comes and goes and programs that watch.

Reads /mnt/webcam.npy; writes report.json and what was seen into /mnt/run: raw I420 pictures, and Chromium's RGBA ones.
What takes an emulated processor longest is done once: Chromium starts beside the agent, rests while other programs
watch, and looks when the webcam is gone and the avatar idles; then at the sink alone.
"""

import json
import subprocess
import time
from typing import Any

import cv2

from tests.devices.guest.agent_process import Agent
from tests.devices.guest.card import shown_card
from tests.devices.guest.chromium import Watcher, browser
from tests.devices.guest.loopback import SHARE, feeder, is_camera, load, plug, read_raw, unplug, until

FOLDER = SHARE / "run"
PICTURES = SHARE / "webcam.npy"
AVATAR, WEBCAM, UNFED = 10, 11, 12
SIDE, FPS = 256, 5


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
            time.sleep(0.5)


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


def looked(watcher: Watcher, name: str) -> dict[str, Any]:
    """What Chromium tells of the camera; its pictures are kept under a name."""
    told, pictures = watcher.look()
    for number, picture in enumerate(pictures, start=1):
        (FOLDER / f"{name}{number}.rgba").write_bytes(picture)
    return told


def main() -> None:
    report: dict[str, Any] = {}
    load("new", {AVATAR: "Avatar", WEBCAM: "Webcam", UNFED: "Unfed"})
    with browser(FOLDER / "chromium.log") as watcher, feeder(WEBCAM, PICTURES) as webcam:
        agent = Agent(FOLDER / "agent.json", SIDE, FPS)
        try:
            held_before(agent)
            watcher.wait_for("loaded")
            watched(agent, report)
            unplugged(agent, webcam, report)
            report["chromium"] = looked(watcher, "avatar")
            replugged(agent, report)
            with shown_card(SIDE, FPS):
                report["card"] = looked(watcher, "card")
        finally:
            report["said"], report["told"] = agent.said, watcher.told
            (FOLDER / "report.json").write_text(json.dumps(report, indent=2))
            agent.process.kill()


if __name__ == "__main__":
    main()
