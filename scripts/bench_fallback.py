"""How soon a call shows the camera in the portrait's place, how soon the portrait is back, and what that costs.

    python scripts/bench_fallback.py CLIP [CLIP ...] [--seconds 20] [--thing hand]

Two ends in this process call each other over the loopback, as with `agent call --guard video`. The portrait is the
clip's first frame; the clip is played in real time, and every six seconds a thing of `measure_truth.py` comes and stays
for two. Times are from when it is wholly there to the first picture of the camera at the other end (which then takes
0.4 s to cover the portrait), and from when it is wholly gone to the word that there are no more. Bytes are those of all
datagrams of both ends, 28 more each for IP and UDP, while the camera is shown and while it is not.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import sys
import tempfile
import threading
from pathlib import Path

import cv2
import numpy as np
from bench_call import Wire
from measure_truth import COMING_S, EVERY_S, FIRST_S, STAY_S, THINGS, come, frames
from PIL import Image
from silent_host import SilentHost

from agent.call.portraits import own_portrait
from agent.call.truth import Truth
from models.face import load_face_model
from models.landmarks import MediapipeTracker
from models.one_face import OneFace
from runtime.clock import MonotonicClock
from runtime.drivers.face_video import FaceVideo
from runtime.far_view import FADE_NS
from runtime.frame import Frame
from runtime.transports.call_host import Myself
from runtime.transports.caller import Caller
from runtime.transports.ice import policy_for
from runtime.transports.line import Line
from runtime.transports.listener import Listener

CLOCK = MonotonicClock()


class End(SilentHost):
    """A host that remembers when it saw what."""

    def __init__(self, portrait: bytes) -> None:
        self.myself, self.line = Myself("", portrait, False, camera=True), Line()
        self.ready = threading.Event()
        self.seen: list[tuple[int, bool]] = []

    def shown(self) -> None:
        self.ready.set()

    def see(self, glimpsed: object) -> None:
        self.seen.append((CLOCK.now_ns(), glimpsed is not None))


def painted(clip: Path, seconds: float, thing: str) -> list[Frame]:
    paint, tracker, random = THINGS[thing][0], MediapipeTracker(), np.random.default_rng(0)
    out = []
    for frame in frames(clip, seconds):
        face = tracker.track(frame.image)
        image = frame.image if face is None else paint(frame.image, face, come(frame.pts_ns / 1e9), random)
        out.append(Frame(np.ascontiguousarray(image), frame.pts_ns))
    return out


def play(played: list[Frame], portrait: Path, wire: Wire) -> tuple[End, int, list[tuple[int, int]]]:
    """The end that sees, when the clip began, and bytes so far at each frame."""
    sender, receiver = End(own_portrait(portrait)), End(own_portrait(portrait))
    said = (lambda line: None, lambda ending: None)
    listener = Listener("127.0.0.1", 0, policy_for, receiver.line, receiver.myself, receiver, CLOCK, *said)
    caller = Caller(str(listener.link), policy_for, sender.line, sender.myself, sender, CLOCK, *said)
    truth = Truth(portrait, "video", lambda line: None, sender.line.present, sender.line.glimpse)
    driver = FaceVideo(OneFace(MediapipeTracker()), load_face_model(), watch=truth.look)
    sender.ready.wait(30)
    receiver.ready.wait(30)
    begun_ns, stop, sent = CLOCK.now_ns(), threading.Event(), []
    for frame in played:
        CLOCK.wait_until(begun_ns + frame.pts_ns, stop)
        for motion in driver.push(frame):
            sender.line.give(motion.at(begun_ns + frame.pts_ns))
        receiver.line.give(motion.at(begun_ns + frame.pts_ns))
        sent.append((CLOCK.now_ns(), wire.sent))
    for end in (truth, driver):
        end.close()
    caller.close("done")
    listener.close("done")
    return receiver, begun_ns, sent


def measure(clip: Path, seconds: float, thing: str, wire: Wire) -> dict[str, list[float]]:
    played = painted(clip, seconds, thing)
    with tempfile.TemporaryDirectory() as folder:
        portrait = Path(folder) / "first.png"
        Image.fromarray(frames(clip, 0.1)[0].image).save(portrait)
        receiver, begun_ns, sent = play(played, portrait, wire)
    out: dict[str, list[float]] = {"enter": [], "leave": [], "with": [], "without": [], "rate": []}
    at_s = np.array([(now - begun_ns) / 1e9 for now, _ in receiver.seen])
    shows = np.array([shown for _, shown in receiver.seen])
    for start in np.arange(FIRST_S, seconds - STAY_S - 2.5, EVERY_S):
        first = at_s[shows & (at_s > start) & (at_s < start + EVERY_S - 1)]
        over = at_s[~shows & (at_s > start + STAY_S) & (at_s < start + EVERY_S)]
        out["enter"].append(1e3 * (first[0] - start) if len(first) else np.inf)
        out["leave"].append(1e3 * (over[0] - start - STAY_S - COMING_S) if len(over) else np.inf)
        out["rate"].append((len(first) - 1) / (first[-1] - first[0]) if len(first) > 1 else 0)
        if len(first) > 1:
            out["with"].append(kbps(sent, begun_ns, first[0], first[-1]))
            out["without"].append(kbps(sent, begun_ns, start - 1.5, start))
    return out


def kbps(sent: list[tuple[int, int]], begun_ns: int, since_s: float, until_s: float) -> float:
    at_s = [(now - begun_ns) / 1e9 for now, _ in sent]
    before, after = np.interp([since_s, until_s], at_s, [count for _, count in sent])
    return float(after - before) * 8 / (until_s - since_s) / 1e3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--thing", choices=list(THINGS), default="hand")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    wire = Wire()
    print("| clip | first picture after ms | covers after | over after ms | pictures/s | kbit/s with it | without |")
    print("|" + " --- |" * 7)
    for clip in options.clips:
        found = measure(clip, options.seconds, options.thing, wire)
        enter, leave = (" ".join(f"{value:.0f}" for value in found[key]) for key in ("enter", "leave"))
        covers = " ".join(f"{value + FADE_NS / 1e6:.0f}" for value in found["enter"])
        rates = " | ".join(f"{np.mean(found[key]):.1f}" for key in ("rate", "with", "without"))
        print(f"| {clip.name} | {enter} | {covers} | {leave} | {rates} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
