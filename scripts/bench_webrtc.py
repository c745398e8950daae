"""The WebRTC page in a real browser: how many pictures are shown, how old they are, and what a bad line does.

    python scripts/bench_webrtc.py [--seconds 20] [--whole] [--codec H264] [--size 512]

Pictures of the bundled face that speaks bear a bar code (`agent.bench.stamp`), which a headless Chromium reads back
from the video, a picture at a time. Without --whole they go straight to the output, 25 a second, so that only encoding,
wire and browser are measured; with it, they are what a run in video mode draws after a synthetic camera.

As root on Linux it all happens in a network namespace, where after `--seconds` the line falls to 300 kbit/s (both ways
together, for 10 s) and comes back; elsewhere that part is left out. Prints, with what is demanded,

- join: from opening the link to the first picture;
- shown: pictures that were shown, of those that were sent;
- age: milliseconds from a picture's instant (with --whole: the camera's) to the canvas;
- offset: by how much pictures are played later than sound, by the browser's own estimate;
- encoders: how many were made in place of the first one;
- recovery: after the line fell, until pictures are as young as before but for 150 ms, and stay so for a second;
- queue: by how much pictures are older than before from then on, until the line is back; 95 % of them are below;
- back: after the line came back, until the full rate is used again.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from shutil import which

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

from agent.bench.scene import PORTRAIT, Face, blocks_of, speech
from agent.bench.stamp import CODES, draw_stamp
from agent.bench.stamping import Stamping
from agent.bench.synthetic import Emissions, SyntheticCamera, SyntheticMicrophone
from agent.build import Session
from agent.config.run import Run
from agent.plan import make_plan
from agent.probe import Probe
from models.motion import Motion
from runtime.clock import MonotonicClock
from runtime.metrics import Metrics
from runtime.picture import Picture
from runtime.sinks.webrtc import WebRtc
from runtime.transports.ice import IcePolicy

FPS = 25
NAMESPACE = "agent-bench"
FALL_S, BACK_S, SETTLING_S = 10.0, 8.0, 3.0
SLOW = "rate 300kbit burst 8k latency 300ms"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync "
    "--disable-component-update --allow-loopback-in-peer-connection "
    "--disable-features=WebRtcHideLocalIpsWithMdns "  # names are not found where there is no network
    "--autoplay-policy=no-user-gesture-required"
)
COLLECT = """() => {
  const video = document.getElementById("picture");
  const canvas = new OffscreenCanvas(16, 16).getContext("2d", { willReadFrequently: true });
  window.seen = [];
  const read = () => {
    const cell = Math.floor(video.videoWidth / 22);
    canvas.canvas.width = video.videoWidth;
    canvas.drawImage(video, 0, 0);
    const row = canvas.getImageData(0, 8, video.videoWidth, 1).data;
    let bits = 0, check = 0;
    const bit = (k) => row[4 * (k * cell + (cell >> 1)) + 1] > 127 ? 1 : 0;
    for (let k = 0; k < 16; k++) bits |= bit(2 + k) << k;
    for (let k = 0; k < 4; k++) check |= bit(18 + k) << k;
    const right = (bits ^ bits >> 4 ^ bits >> 8 ^ bits >> 12 ^ 5) & 15;
    if (bit(0) === 1 && bit(1) === 0 && check === right) seen.push([bits, performance.timeOrigin + performance.now()]);
    video.requestVideoFrameCallback(read);
  };
  video.requestVideoFrameCallback(read);
}"""
PLAYED = """async () => {
  const at = {};
  for (const { type, kind, estimatedPlayoutTimestamp } of (await peer.getStats()).values()) {
    if (type === "inbound-rtp") at[kind] = estimatedPlayoutTimestamp;
  }
  return at.video && at.audio ? at.audio - at.video : null;
}"""


@dataclass(frozen=True)
class Show:
    """A picture whose code was read."""

    at_ns: int
    age_ns: int


class Pictures:
    """Stamped pictures and a voice, straight into the output."""

    def __init__(self, size: int) -> None:
        self.clock, self.seen = MonotonicClock(), Emissions()
        self.sink = WebRtc(
            (size, size),
            FPS,
            port=0,
            policy=IcePolicy(),
            viewers=2,
            sound=True,
            status=dict,
            say=print,
            clock=self.clock,
            metrics=Metrics(),
        )
        self._stills = cycle([cv2.resize(still, (size, size)) for still in Face().moving()])
        self._voice = SyntheticMicrophone(self.clock, cycle(blocks_of(speech())))
        self.sent = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._show, self._speak)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._voice.close()
        for thread in self._threads:
            thread.join()
        self.sink.close()

    def _show(self) -> None:
        start_ns = self.clock.now_ns()
        k = 0
        while self.clock.wait_until(start_ns + round(k * 1e9 / FPS), self._stop):
            now_ns = self.clock.now_ns()
            image = next(self._stills).copy()
            draw_stamp(image, k % CODES)
            self.seen.add(now_ns, k % CODES)
            self.sink.send(Picture(image, Motion(now_ns), now_ns))
            self.sent += 1
            k = int((self.clock.now_ns() - start_ns) * FPS // 1_000_000_000) + 1

    def _speak(self) -> None:
        for sound in self._voice:
            self.sink.hear(sound)


class Whole:
    """A run in video mode, whose camera and microphone are synthetic."""

    def __init__(self, size: int) -> None:
        self.clock = MonotonicClock()
        camera = SyntheticCamera(self.clock, cycle(Face().moving()))
        microphone = SyntheticMicrophone(self.clock, cycle(blocks_of(speech())))
        self.seen, on = camera.seen, threading.Event()
        on.set()
        config = Run(PORTRAIT, "video", "synthetic", "synthetic", ("webrtc",), size=str(size), fps=FPS, webrtc_port=0)
        probe = Probe(camera, microphone, instrument=Stamping(camera.seen, on))
        self._session = Session(make_plan(config, ()), self.clock, print, probe=probe)
        self.sink = self._session.sinks[0]
        self._thread = threading.Thread(target=self._session.loop.run_live, daemon=True)

    @property
    def sent(self) -> int:
        return self._session.loop.tempo.frames

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._session.loop.stop()
        self._thread.join()
        self._session.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="on a good line")
    parser.add_argument("--whole", action="store_true", help="a run with camera, tracking and drawing")
    parser.add_argument("--codec", choices=["VP8", "H264"], default="VP8")
    parser.add_argument("--size", type=int, default=512)
    arguments = parser.parse_args()
    isolated = os.environ.get("AGENT_BENCH_NAMESPACE") == NAMESPACE
    if not isolated and os.name == "posix" and os.geteuid() == 0 and which("ip") and which("tc"):
        sys.exit(in_namespace())
    if not isolated:
        print("no root, or no ip and tc: the line stays good")
    sys.setswitchinterval(0.0005)  # as a run does: drawing must not keep the sound waiting
    cv2.setNumThreads(1)
    source = (Whole if arguments.whole else Pictures)(arguments.size)
    source.start()
    try:
        for line in measured(source, arguments, isolated):
            print(line)
    finally:
        source.stop()


def in_namespace() -> int:
    """This script again, where only a loopback of its own is; returns its exit code."""
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    inside = ["ip", "netns", "exec", NAMESPACE]
    try:
        subprocess.run([*inside, "ip", "link", "set", "lo", "up", "mtu", "1500"], check=True)
        environment = os.environ | {"AGENT_BENCH_NAMESPACE": NAMESPACE}
        return subprocess.run([*inside, sys.executable, *sys.argv], env=environment).returncode
    finally:
        subprocess.run(["ip", "netns", "delete", NAMESPACE], check=True)


def measured(source: Pictures | Whole, arguments: argparse.Namespace, isolated: bool) -> Iterator[str]:
    """The table, a line at a time."""
    chromium = which("chromium")
    assert chromium is not None, "chromium is not installed"
    with sync_playwright() as play, play.chromium.launch(executable_path=chromium, args=FLAGS.split()) as browser:
        page = browser.new_page(viewport={"width": 800, "height": 800})
        joining_ns = source.clock.now_ns()
        page.goto(source.sink.url.replace("/#", f"/?codec={arguments.codec}#"))
        page.evaluate(COLLECT)
        page.wait_for_function("() => document.body.dataset.state === 'live'", timeout=20_000)
        page.wait_for_timeout(1000 * SETTLING_S)
        begun_ns, made, sent = source.clock.now_ns(), source.sink.encoders_opened, source.sent
        offsets_ms = []
        for _ in range(round(arguments.seconds)):
            page.wait_for_timeout(1000)
            offsets_ms.append(page.evaluate(PLAYED))
        ended_ns, restarts = source.clock.now_ns(), source.sink.encoders_opened - made
        sent = source.sent - sent
        marks_ns = falling(page, source, isolated)
        shows = shown(page, source.seen)
    good = [show for show in shows if begun_ns <= show.at_ns < ended_ns]
    ages_ms = np.array([show.age_ns for show in good]) / 1e6
    first_ms = (shows[0].at_ns - joining_ns) / 1e6
    yield f"load {os.getloadavg()[0]:.1f}; {arguments.codec}, {arguments.size} px, {arguments.seconds:g} s"
    yield f"join      {first_ms:7.0f} ms    (at most 1500)"
    yield f"shown     {100 * len(good) / sent:7.1f} %     (at least 95)"
    p50, p95, p99 = np.percentile(ages_ms, [50, 95, 99])
    yield f"age       {p50:7.0f} ms    p95 {p95:.0f} (at most 100), p99 {p99:.0f}"
    known = [offset for offset in offsets_ms if offset is not None]
    yield (
        f"offset    {np.median(known):7.0f} ms    from {min(known):.0f} to {max(known):.0f}"
        if known
        else "offset   unknown"
    )
    yield f"encoders  {restarts:7d}       (none)"
    if marks_ns:
        yield from bad_line(shows, float(p50), *marks_ns)


def falling(page: Page, source: Pictures | Whole, isolated: bool) -> tuple[int, int, int] | None:
    """Lets the line fall and come back; when it fell, came back, and bore the full rate again (0: not within 8 s)."""
    if not isolated:
        return None
    shape = ["tc", "qdisc", "replace", "dev", "lo", "root"]
    subprocess.run([*shape, "tbf", *SLOW.split()], check=True)
    fell_ns = source.clock.now_ns()
    page.wait_for_timeout(1000 * FALL_S)
    subprocess.run(["tc", "qdisc", "delete", "dev", "lo", "root"], check=True)
    back_ns, full_ns = source.clock.now_ns(), 0
    while source.clock.now_ns() - back_ns < BACK_S * 1e9:
        page.wait_for_timeout(50)
        if not full_ns and bears_all(source.sink):
            full_ns = source.clock.now_ns()
    return fell_ns, back_ns, full_ns


def bears_all(sink: WebRtc) -> bool:
    """Whether every viewer's line bears the best pictures."""
    return all(viewer.rate_bps == sink._on_air.rates_bps[0] for viewer in list(sink._viewers))


def shown(page: Page, seen: Emissions) -> list[Show]:
    """What the page has read."""
    apart_ns = time.time_ns() - time.monotonic_ns()
    readings = [(code, round(at_ms * 1e6) - apart_ns) for code, at_ms in page.evaluate("() => seen")]
    aged = [(at_ns, seen.age_ns(code, at_ns)) for code, at_ns in readings]
    return [Show(at_ns, age_ns) for at_ns, age_ns in aged if age_ns is not None]


def bad_line(shows: list[Show], usual_ms: float, fell_ns: int, back_ns: int, full_ns: int) -> Iterator[str]:
    """What the fall did."""
    late = [(show.at_ns, show.age_ns / 1e6 - usual_ms) for show in shows if fell_ns <= show.at_ns < back_ns]
    recovered_ns = next(
        (
            at_ns
            for at_ns, _ in late
            if (window := [ms for ns, ms in late if at_ns <= ns < at_ns + 1_000_000_000])
            and max(window) <= 150
            and len(window) >= 0.7 * FPS
        ),
        None,
    )
    if recovered_ns is None:
        yield "recovery    never      (at most 2000 ms)"
        return
    queue_ms = [ms for ns, ms in late if ns >= recovered_ns]
    fps = len(queue_ms) / (back_ns - recovered_ns) * 1e9
    yield f"recovery  {(recovered_ns - fell_ns) / 1e6:7.0f} ms    (at most 2000), then {fps:.1f} pictures a second"
    yield f"queue     {np.percentile(queue_ms, 95):7.0f} ms    (at most 300), longest {max(ms for _, ms in late):.0f}"
    yield (
        f"back      {(full_ns - back_ns) / 1e6:7.0f} ms    at the full rate" if full_ns else "back      not within 8 s"
    )


if __name__ == "__main__":
    main()
