"""How soon and how often a browser in a call draws the other end.

    python scripts/bench_call_page.py CLIP [--joins 5] [--seconds 10] [--portrait PHOTO] [--host ADDRESS]

A link is opened in Chromium without GPU as often as asked, on this machine: from Join to the first picture, from the
package's arrival to the first picture, and pictures a second while the motions of CLIP come.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import itertools
import shutil
import threading
from pathlib import Path

import numpy as np
from motions import FPS, motions_of
from playwright.sync_api import Browser, sync_playwright
from silent_host import SilentHost

from agent.call.portraits import own_avatar, own_portrait
from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.transports.call_host import Myself
from runtime.transports.ice import policy_for
from runtime.transports.line import Line
from runtime.transports.listener import Listener

EXAMPLE = Path(__file__).parents[1] / "agent" / "example" / "portrait.png"
FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
CLOCK = MonotonicClock()
ASKED_MS = 1500
LIVE = "() => document.body.dataset.state === 'live'"
FIGURES = "() => ['joined', 'first', 'rate'].map(id => parseFloat(document.getElementById(id).textContent))"


class End(SilentHost):
    """A host that listens, and says nothing."""

    def __init__(self, photo: Path, host: str) -> None:
        self.line, self.over = Line(), threading.Event()
        myself = Myself("Anna", own_portrait(photo), False, own_avatar(photo))
        said = (lambda line: None, lambda ending: self.over.set())
        self.listener = Listener(host, 0, policy_for, self.line, myself, self, CLOCK, *said)

    def talk(self, motions: list[Motion], stop: threading.Event) -> None:
        """Sends the motions over and over, in real time."""
        due_ns = CLOCK.now_ns()
        for motion in itertools.cycle(motions):
            if not CLOCK.wait_until(due_ns, stop):
                return
            self.line.give(motion.at(due_ns))
            due_ns += 1_000_000_000 // FPS


def visit(browser: Browser, end: End, seconds: float) -> tuple[float, float, float]:
    """From Join and from arrival to the first picture, in ms, and pictures a second."""
    end.over.clear()
    page = browser.new_page()
    page.goto(str(end.listener.link))
    page.locator("#join").click()
    page.wait_for_function(LIVE)
    page.wait_for_timeout(1000 * seconds)
    joined_ms, first_ms, rate = page.evaluate(FIGURES)
    page.locator("#leave").click()
    end.over.wait()
    page.close()
    return joined_ms, first_ms, rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--joins", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--portrait", type=Path, default=EXAMPLE)
    parser.add_argument("--host", default="127.0.0.1")
    options = parser.parse_args()
    end, stop = End(options.portrait, options.host), threading.Event()
    talking = threading.Thread(target=end.talk, args=(motions_of(options.clip)[0], stop))
    talking.start()
    try:
        with (
            sync_playwright() as play,
            play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split()) as browser,
        ):
            visits = [visit(browser, end, options.seconds) for _ in range(options.joins)]
    finally:
        stop.set()
        talking.join()
        end.listener.close("done")
    joined, first, rate = np.array(visits).T
    print("| from Join, ms | from arrival, ms | asked | pictures a second |")
    print("| --- | --- | --- | --- |")
    for figures in zip(joined, first, rate, strict=True):
        print("| {:.0f} | {:.0f} | {asked} | {:.0f} |".format(*figures, asked=ASKED_MS))


if __name__ == "__main__":
    main()
