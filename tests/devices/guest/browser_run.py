"""Inside the virtual machine: Chromium watches `agent run`. Writes report.json and picture.rgba into /mnt/browser_run.

The webcam shows a face and is then unplugged: the avatar idles, which an emulated processor bears beside a browser.
"""

import json
import time
from typing import Any

from tests.devices.guest.chromium import browser
from tests.devices.guest.loopback import SHARE, feeder, load
from tests.devices.guest.run import AVATAR, PICTURES, WEBCAM, Agent

FOLDER = SHARE / "browser_run"
FPS = 2


def main() -> None:
    load("new", {AVATAR: "Avatar", WEBCAM: "Webcam"})
    report: dict[str, Any] = {}
    start_s = time.monotonic()
    with browser(FOLDER / "chromium.log") as watcher, feeder(WEBCAM, PICTURES) as webcam:
        agent = Agent(FOLDER / "agent.json", FPS)
        try:
            agent.wait_for("virtual-camera: on")
            report["on_s"] = time.monotonic() - start_s
            webcam.kill()
            agent.wait_for("gives no more pictures")
            watcher.wait_for("loaded")
            report["loaded_s"] = time.monotonic() - start_s
            watcher.look()
            report["open"] = watcher.wait_for("open")
            for number in (1, 2):
                report["frames"] = watcher.wait_for("frames", number)
                (FOLDER / f"picture{number}.rgba").write_bytes(watcher.picture)
            report["status"] = agent.end()
            report["agent"] = json.loads((FOLDER / "agent.json").read_text())
        finally:
            report["said"], report["told"] = agent.said, watcher.told
            (FOLDER / "report.json").write_text(json.dumps(report, indent=2))
            agent.process.kill()


if __name__ == "__main__":
    main()
