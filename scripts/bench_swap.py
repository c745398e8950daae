"""Pictures that a live run loses while its portrait and background change.

    python scripts/bench_swap.py CLIP PHOTO PHOTO [--size 1080] [--watched]

The clip drives the first photo in real time, 25 pictures a second, with the preview page as an output. Then the
portrait changes three times, each time as an upload, which no cache knows, and the background twice. Prints, for the
start and for each change, how long it took, how many pictures were dropped, and the longest time from one picture to
the next. With --watched somebody looks at the page, so that every picture becomes a JPEG.
"""

import agent  # noqa: F401  # before numpy: one thread for each numerical library

# isort: split
import argparse
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from agent.build import build
from agent.config.run import Run
from runtime.change import Change, Upload
from runtime.picture import Picture
from runtime.sound import Sound

SETTLING_S = 3.0  # before the first change
PAUSE_S = 0.5  # from the end of a change to its verdict: the picture after the swap counts too


class Gaps:
    """A sink that shows nothing and knows the longest time between two pictures."""

    name, shows = "null", True

    def __init__(self) -> None:
        self.longest_ms = 0.0
        self._last: float | None = None

    def send(self, picture: Picture) -> None:
        now = time.perf_counter()
        if self._last is not None:
            self.longest_ms = max(self.longest_ms, 1e3 * (now - self._last))
        self._last = now

    def hear(self, sound: Sound) -> None:
        pass

    def close(self, complete: bool = True) -> None:
        pass


def watch(url: str) -> None:
    """Reads the stream until it ends."""
    with suppress(OSError), urllib.request.urlopen(url + "stream.mjpeg") as stream:
        while stream.read1(1 << 20):
            pass


def changes(photos: list[Path]) -> list[tuple[str, Change]]:
    uploads = [Upload(photo.name, photo.read_bytes()) for photo in photos]
    turns = [uploads[1], uploads[0], uploads[1]]
    return [
        *((f"portrait {upload.name}", Change(portrait=upload)) for upload in turns),
        ("background blur", Change(background="blur")),
        (f"background {uploads[0].name}", Change(background=uploads[0])),
    ]


def measure(config: Run, photos: list[Path], watched: bool) -> list[tuple[str, float, int, float]]:
    """(what, seconds, pictures dropped, longest gap in milliseconds) of the start and of each change."""
    session = build(config, lambda _: None)
    gaps = Gaps()
    session.sinks.append(gaps)
    running = threading.Thread(target=session.loop.run_live)
    running.start()
    if watched:
        threading.Thread(target=watch, args=(session.sinks[0].url,), daemon=True).start()  # type: ignore[attr-defined]
    rows = []

    def row(what: str, since_s: float, dropped: int) -> None:
        took_s = time.perf_counter() - since_s
        time.sleep(PAUSE_S)
        rows.append((what, took_s, session.loop.dropped - dropped, gaps.longest_ms))
        gaps.longest_ms = 0.0

    start_s = time.perf_counter()
    time.sleep(SETTLING_S)
    row("start", start_s, 0)
    for what, change in changes(photos):
        start_s, dropped = time.perf_counter(), session.loop.dropped
        session.swap(change)
        if not running.is_alive():
            raise SystemExit(f"{config.camera} is over; give a longer clip")
        row(what, start_s, dropped)
    session.loop.stop()
    running.join()
    session.close()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("photos", type=Path, nargs=2)
    parser.add_argument("--size", default="1080")
    parser.add_argument("--watched", action="store_true")
    given = parser.parse_args()
    config = Run(
        portrait=given.photos[0],
        mode="video",
        camera=str(given.clip),
        output=("preview",),
        size=given.size,
        realtime=True,
    )
    rows = measure(config, given.photos, given.watched)
    print(f"{'size ' + given.size:40s}{'seconds':>9s}{'dropped':>9s}{'gap ms':>9s}")
    for what, took_s, dropped, gap_ms in rows:
        print(f"{what:40s}{took_s:9.2f}{dropped:9d}{gap_ms:9.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
